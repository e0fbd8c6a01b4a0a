"""The clients in other languages, run."""
