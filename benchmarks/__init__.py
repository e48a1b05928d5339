"""tilewise beside its rivals: see README.md in this folder."""
