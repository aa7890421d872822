"""A batch of T-SQL into statements, which nothing needs to separate: each begins with a reserved word."""

from collections.abc import Iterator

from ...words import words
from .tokens import Kind, Token, Tokens

# Reserved words that begin a statement; unquoted they name nothing.
_STARTS = words(
    "ALTER BACKUP BEGIN BULK CHECKPOINT CLOSE COMMIT CREATE DBCC DEALLOCATE DECLARE DELETE DENY DROP "
    "ELSE END EXEC EXECUTE FETCH GOTO GRANT IF INSERT KILL MERGE OPEN PRINT RAISERROR READTEXT RECONFIGURE "
    "RESTORE RETURN REVERT REVOKE ROLLBACK SAVE SELECT SET SETUSER SHUTDOWN TRUNCATE UPDATE UPDATETEXT "
    "USE WAITFOR WHILE WRITETEXT BREAK CONTINUE THROW DISABLE ENABLE"
)
# These are ordinary names elsewhere, so they begin a statement only after its end or a block's edge.
_SOFT = words("THROW DISABLE ENABLE")
# What a statement that begins with the key takes in, as far as its own grammar goes.
_TAKES = {
    "GRANT": words("SELECT INSERT UPDATE DELETE EXECUTE EXEC ALTER CREATE BACKUP SHUTDOWN"),
    "DENY": words("SELECT INSERT UPDATE DELETE EXECUTE EXEC ALTER CREATE BACKUP SHUTDOWN"),
    "REVOKE": words("SELECT INSERT UPDATE DELETE EXECUTE EXEC ALTER CREATE BACKUP SHUTDOWN GRANT"),
}
_ROUTINES = words("PROC PROCEDURE FUNCTION TRIGGER VIEW")


def batch(tokens: Tokens) -> Iterator[Tokens]:
    """The statements of a batch; control words begin pieces of their own."""
    if _makes_routine(tokens):
        # It must be alone in its batch, and takes all of it.
        yield tokens
        return
    one: list[Token] = []
    depth = cases = 0
    for number, token in enumerate(tokens):
        if token.kind == Kind.SYMBOL and token.value in "(){}":
            depth += 1 if token.value in "({" else -1 if depth > 0 else 0
        if token.is_symbol(";"):
            # No bracket can be open at the end of a statement: what is one is torn, and takes nothing else along.
            if one:
                yield one
            one, cases, depth = [], 0, 0
            continue
        if token.is_word("CASE"):
            cases += 1
        elif token.is_word("END") and cases > 0:
            cases -= 1
        elif (
            depth == 0
            and cases == 0
            and one
            and not _is_asked(tokens, number)
            and (
                _begins(token, one)
                or _switches_trigger(tokens, number, one)
                or _drops_object(tokens, number)
            )
        ):
            yield one
            one = []
        one.append(token)
    if one:
        yield one


def _is_asked(tokens: Tokens, number: int) -> bool:
    """`UPDATE(column)` is a function; the statement names its table or says TOP first."""
    after = tokens[number + 1 : number + 2]
    return tokens[number].is_word("UPDATE") and bool(after) and after[0].is_symbol("(")


def _switches_trigger(tokens: Tokens, number: int, one: list[Token]) -> bool:
    """`DISABLE TRIGGER x ON t` begins a statement; in ALTER TABLE it names no table."""
    if not tokens[number].is_word("DISABLE", "ENABLE"):
        return False
    rest = tokens[number + 1 : number + 1 + _TRIGGERS]
    if not rest or not rest[0].is_word("TRIGGER"):
        return False
    return not one[0].is_word("ALTER") or any(token.is_word("ON") for token in rest)


# The most tokens between DISABLE TRIGGER and its ON.
_TRIGGERS = 40


def _drops_object(tokens: Tokens, number: int) -> bool:
    """Whether it is a DROP that names an object of its own, as no clause of ALTER does."""
    if not tokens[number].is_word("DROP") or number + 1 == len(tokens):
        return False
    return tokens[number + 1].is_word(*_DROPPED)


_DROPPED = words(
    "TABLE DATABASE SCHEMA VIEW PROCEDURE PROC FUNCTION TRIGGER USER LOGIN ROLE SEQUENCE SYNONYM TYPE "
    "EXTERNAL ASSEMBLY CERTIFICATE STATISTICS DEFAULT RULE SERVER QUEUE SERVICE SECURITY FULLTEXT"
)


def _makes_routine(tokens: Tokens) -> bool:
    if not tokens or not tokens[0].is_word("CREATE", "ALTER"):
        return False
    rest = [token for token in tokens[1:5] if not token.is_word("OR", "ALTER")]
    return bool(rest) and rest[0].is_word(*_ROUTINES)


def _begins(token: Token, one: list[Token]) -> bool:
    """Whether the token begins the next statement, after what stands in `one` so far."""
    if token.is_word("WITH"):
        return one[0].is_word("BEGIN", "ELSE", "END") and _is_edge(one)
    if token.kind != Kind.WORD or token.value not in _STARTS:
        return False
    first, last = one[0], one[-1]
    word = token.value
    leading = first.value if first.kind == Kind.WORD else ""
    if leading in ("BEGIN", "ELSE", "END") and _is_edge(one):
        return not (leading in ("BEGIN", "END") and word == "TRANSACTION")
    if word in _SOFT or last.is_symbol(".") or last.is_symbol(",") or last.is_word("WITH"):
        return False
    if leading in _TAKES and word in _TAKES[leading] and not _has(one, "TO", "FROM"):
        return False
    match word:
        case "SELECT":
            return not (
                last.is_word("UNION", "ALL", "EXCEPT", "INTERSECT", "FOR", "AS")
                or (leading in ("INSERT", "WITH") and not _has_select(one))
            )
        case "SET":
            return not (
                (leading in ("UPDATE", "ALTER") and not _has(one[1:], "SET"))
                or (leading in ("MERGE", "WITH") and last.is_word("UPDATE"))
                or (leading == "WITH" and _has(one, "UPDATE") and not _has(one, "SET"))
            )
        case "UPDATE" | "DELETE" | "INSERT" if last.is_word("THEN", "ON", "FOR", "AFTER", "OF"):
            # `SET NOCOUNT ON` ends with the word that `ON DELETE CASCADE` begins with.
            return leading == "SET"
        case "UPDATE" | "DELETE" | "INSERT" | "MERGE" if leading == "WITH":
            return _has(one, "UPDATE", "DELETE", "INSERT", "MERGE") or _has_select(one)
        case "EXEC" | "EXECUTE":
            return leading != "INSERT"
        case "ALTER" | "DROP" if leading == "ALTER":
            return last.is_word("COLUMN", "CONSTRAINT") or _has(
                one, "DROP", "ADD", "ALTER", start=1
            )
        case "IF":
            return leading not in ("DROP", "ALTER")
        case _:
            return True


def _is_edge(one: list[Token]) -> bool:
    """Whether the control words stand alone: `BEGIN`, `BEGIN TRY`, `ELSE`, `END CATCH`."""
    return len(one) == 1 or (len(one) == 2 and one[1].is_word("TRY", "CATCH"))


def _has(one: list[Token], *found: str, start: int = 0) -> bool:
    depth = 0
    for token in one[start:]:
        if token.kind == Kind.SYMBOL and token.value in "()":
            depth += 1 if token.value == "(" else -1
        if depth <= 0 and token.is_word(*found):
            return True
    return False


def _has_select(one: list[Token]) -> bool:
    return _has(one, "SELECT", "VALUES")
