"""Execute notebooks where they must be, and say what became of them."""
