"""Question of the notebook `coeurs_strategiques`."""
