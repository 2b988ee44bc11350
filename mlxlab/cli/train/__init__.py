"""How a training looks in a terminal."""
