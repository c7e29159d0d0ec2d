"""Question of the notebook `rapport`."""
