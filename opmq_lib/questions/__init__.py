"""One folder a question: `chain` calculates, `page` says."""
