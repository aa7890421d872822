"""HTTP requests and GraphQL documents, which shell lines and tool calls carry."""
