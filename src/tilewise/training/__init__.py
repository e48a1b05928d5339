"""A linear model in training: its settings, state, loop and files."""
