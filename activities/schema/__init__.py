"""JSON Schema: what values must be, and what is wrong with those that are not."""
