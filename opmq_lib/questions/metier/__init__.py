"""Question of the métier pages: what is known of each métier, and where it counts."""
