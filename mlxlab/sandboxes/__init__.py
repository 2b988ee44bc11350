"""Built-in sandboxes, reached through the registry only."""
