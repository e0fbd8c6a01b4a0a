"""Builds the container image and runs it: `make image`."""
