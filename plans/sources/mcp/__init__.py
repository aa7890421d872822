"""MCP, from messages to changes: what a server's tools are, and what the `arguments` of a call carry."""
