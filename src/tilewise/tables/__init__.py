"""A user's own table: read, fitted by a linear model, and the model kept."""
