"""Decrypts payloads for the Temporal UI and CLI, which ask over HTTP, and encrypts what they send."""
