"""A policy for mlxlab: a cheap model for what is easy, a strong one while the money lasts."""
