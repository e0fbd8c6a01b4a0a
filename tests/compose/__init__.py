"""Starts deploy/compose with Docker and does what an operator does: `make compose-test`."""
