"""Question of the notebook `tensions`."""
