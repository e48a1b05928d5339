"""The tests, in folders like the package's."""
