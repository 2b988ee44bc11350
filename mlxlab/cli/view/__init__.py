"""How a run looks in a terminal: the search tree, and the live view around it."""
