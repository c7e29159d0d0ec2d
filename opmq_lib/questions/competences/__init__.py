"""Question of the notebook `competences`."""
