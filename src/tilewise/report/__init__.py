"""The report: the section's experiments on this machine, as a page."""
