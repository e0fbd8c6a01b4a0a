"""Integrations: one file, one tool. The only folder that is searched for tools."""
