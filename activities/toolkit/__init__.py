"""What a tool is, and where tools come from."""
