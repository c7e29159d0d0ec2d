"""Question of the notebook `demandes_ensemble`."""
