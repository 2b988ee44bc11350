"""Built-in scaffolds, reached through the registry only."""
