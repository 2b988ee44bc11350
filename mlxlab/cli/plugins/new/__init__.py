"""`mlx plugins new`: a whole package for a component of one's own."""
