"""Question of the notebook `besoins`."""
