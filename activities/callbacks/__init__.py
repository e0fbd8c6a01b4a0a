"""Callbacks: what happens in a request is told to endpoints that are configured by name."""
