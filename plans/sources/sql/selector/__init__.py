"""How far a WHERE reaches, for every dialect: `where` decides over PostgreSQL's nodes."""
