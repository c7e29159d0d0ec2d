"""Question of the notebook `evaluation`."""
