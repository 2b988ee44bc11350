"""Built-in rewards, reached through the registry only."""
