"""Built-in metrics, reached through the registry only."""
