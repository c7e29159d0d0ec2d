"""What is executed, whether it must be, and what became of it."""
