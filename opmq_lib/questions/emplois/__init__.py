"""Question of the notebook `emplois`."""
