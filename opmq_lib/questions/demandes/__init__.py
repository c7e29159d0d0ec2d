"""Question of the notebook `demandes`."""
