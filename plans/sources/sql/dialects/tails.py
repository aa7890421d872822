"""What the `…` of a form lets pass may be the beginning of another statement, which nobody then reads."""

from ...words import words
from .tokens import Tokens

# A verb and the words of which one follows it only at the beginning of a statement.
_BEGINNINGS = {
    "DROP": words(
        "TABLE TABLES DATABASE SCHEMA VIEW USER ROLE LOGIN PROCEDURE FUNCTION SEQUENCE TRIGGER EVENT "
        "STAGE STREAM WAREHOUSE SNAPSHOT MODEL"
    ),
    "DELETE": words("FROM HISTORY"),
    "TRUNCATE": words("TABLE"),
    "INSERT": words("INTO OVERWRITE"),
    "MERGE": words("INTO"),
    "ALTER": words("TABLE DATABASE SCHEMA SYSTEM INSTANCE ACCOUNT"),
    "EXECUTE": words("IMMEDIATE TASK"),
    "PURGE": words("BINARY MASTER"),
    "RESET": words("MASTER"),
    "ATTACH": words("DATABASE"),
}
# Their own words name rights, or statements that they hold and that are opened elsewhere.
_HOLDING = words(
    "GRANT DENY REVOKE EXPLAIN DESC DESCRIBE ANALYZE PREPARE EXEC EXECUTE CALL BEGIN "
    "SELECT WITH VALUES INSERT UPDATE DELETE MERGE REPLACE"
)
_ROUTINES = words("PROCEDURE PROC FUNCTION TRIGGER EVENT TASK ALERT RULE")
_PIPES = ("->>", "|>")


def hidden(tokens: Tokens, dialect: str) -> str | None:
    """The words at which another statement begins inside of this one."""
    if dialect in ("snowflake", "bigquery"):
        for number, token in enumerate(tokens):
            # Statements of Snowflake and queries of BigQuery go on after a pipe.
            joined = token.text + (tokens[number + 1].text if number + 1 < len(tokens) else "")
            if token.text in _PIPES or joined in _PIPES:
                return token.text if token.text in _PIPES else joined
    if tokens[0].is_word(*_HOLDING) or any(token.is_word(*_ROUTINES) for token in tokens[1:8]):
        return None
    depth = 0
    for number in range(1, len(tokens) - 1):
        token, after = tokens[number], tokens[number + 1]
        if token.is_symbol("(") or token.is_symbol(")"):
            depth += 1 if token.value == "(" else -1
        follows = _BEGINNINGS.get(token.value) if token.is_word(token.value) else None
        if depth > 0 or follows is None:
            continue
        if after.is_word(*follows):
            return f"{token.value} {after.value}"
    return None
