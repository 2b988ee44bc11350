"""Built-in plugins, reached through the registry only."""
