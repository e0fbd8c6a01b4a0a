"""A mail, in stages."""
