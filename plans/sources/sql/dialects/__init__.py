"""MySQL, SQLite, Snowflake, T-SQL, BigQuery: `tokens` to `pieces`, read by the forms of a table and by sqlglot."""
