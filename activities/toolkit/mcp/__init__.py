"""Tools from servers of the Model Context Protocol; the `mcp` package is imported only where a source names one."""
