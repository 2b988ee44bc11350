"""Built-in policies, reached through the registry only."""
