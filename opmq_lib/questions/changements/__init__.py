"""What changes in the métiers to look at first: public facts, and notes that a body signs."""
