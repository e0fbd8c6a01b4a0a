"""Writes over HTTP under fire: a far end that fails at every stage, workers that are killed, and the far end's own
record of what it did. `python -m tests.chaos.http_writes` runs it alone."""
