"""What `mlx explore` does and prints."""
