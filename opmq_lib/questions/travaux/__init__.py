"""Question of the notebook `etudes`."""
