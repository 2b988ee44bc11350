"""A reward for mlxlab after RL4MLE: what slow programs achieve counts for the time they took."""
