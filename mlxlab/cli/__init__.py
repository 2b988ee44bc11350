"""The command line: `mlx`."""
