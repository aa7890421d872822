"""Text to checked syntax and diagnostics."""
