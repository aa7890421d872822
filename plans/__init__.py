"""What somebody wants to do, read from real artifacts before it is done: one `Plan`, whatever the source."""
