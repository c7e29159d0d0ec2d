"""Question of `20_sources`: what the study knows, how old it is, and what it does not know."""
