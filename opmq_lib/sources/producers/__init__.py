"""One module a producer: its layouts, and what its files become."""
