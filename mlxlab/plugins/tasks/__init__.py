"""Built-in tasks, reached through the registry only."""
