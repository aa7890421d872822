"""PostgreSQL: `split` finds statements, the server's own parser reads them, `reader` hands each to its file."""
