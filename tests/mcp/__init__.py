"""MCP servers of others, from the registries: what becomes of their tools, and a call of each."""
