"""Question of the notebook `que_faire`."""
