"""SQL, from text to changes: `postgres/` and `dialects/` read statements, `selector/` decides how far a WHERE goes."""
