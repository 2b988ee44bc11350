"""The built-in commands, each a module with `configure(parser)` and `run(args)`."""
