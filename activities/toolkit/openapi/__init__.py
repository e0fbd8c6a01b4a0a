"""OpenAPI documents as tools: versions 2.0, 3.0 and 3.1."""
