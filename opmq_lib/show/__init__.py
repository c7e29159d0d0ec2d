"""What a reader sees: numbers, typography, figures, downloads."""
