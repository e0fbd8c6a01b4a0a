"""Real OpenAPI documents, imported whole: `make openapi`. They are development data, and not kept here."""
