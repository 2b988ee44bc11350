"""How a pipeline looks in a terminal."""
