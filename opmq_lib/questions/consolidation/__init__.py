"""Question of the notebook `consolidation`."""
