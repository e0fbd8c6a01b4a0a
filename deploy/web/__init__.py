"""The door: HTTP over `deploy/client`, for systems that are no Temporal client. It keeps no state of its own."""
