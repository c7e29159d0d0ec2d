"""Everything that is read from a file: embedded tables, a user's tables, parameters."""
