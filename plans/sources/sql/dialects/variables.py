"""Variables of scripts and bodies: what their values do when they are computed, and which hold a text that is known."""

from ...words import words
from ..changes import Finding, unread
from .asked import computed
from .session import Session, Text
from .tokens import Kind, Tokens


def declared(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """A declaration or an assignment: its names are variables, and its values are computed."""
    at = text.at(tokens)
    names = {
        token.value.lower()
        for token in tokens
        if token.kind in (Kind.WORD, Kind.NAME) and not token.is_word("DECLARE", "LET")
    }
    session.variables |= names
    known = session.dialect
    for number, token in enumerate(tokens):
        if token.is_word(*_WRITING):
            return [unread(session.name, f"a declaration holds {token.value}", at)]
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        is_call = (
            after is not None and after.is_symbol("(") and token.kind in (Kind.WORD, Kind.NAME)
        )
        name = token.value.lower()
        if is_call and name not in known.harmless | known.volatile and name not in _TYPES:
            query = _expression_in(session, tokens, text)
            return (
                query
                if query is not None
                else [unread(session.name, f"a declaration calls {name}", at)]
            )
    note_texts(session, tokens)
    return []


_WRITING = words(
    "DELETE UPDATE INSERT DROP MERGE TRUNCATE EXECUTE EXEC CALL ALTER CREATE GRANT REPLACE DISABLE ENABLE"
)


_TYPES = words(
    "varchar nvarchar char nchar varbinary binary decimal numeric number float int integer bigint string text table "
    "timestamp timestamp_ntz timestamp_ltz datetime datetime2 time enum set values count sum max min coalesce cast "
    "concat isnull ifnull nvl resultset exception cursor select from where and or in not if case when then else array "
    "struct convert upper lower len length abs round getdate dateadd datediff object_id key"
)


def _expression_in(session: Session, tokens: Tokens, text: Text) -> list[Finding] | None:
    for number, token in enumerate(tokens):
        if token.is_symbol(":=") or token.is_symbol("=") or token.is_word("DEFAULT"):
            found = computed(session, tokens[number + 1 :], text)
            return found
    return None


def note_texts(session: Session, tokens: Tokens) -> None:
    """Variables that are given a literal text are known until another statement mentions them."""
    forget_texts(session, tokens)
    if session.depth > 0 or not session.runs_in_order:
        return
    for number, token in enumerate(tokens):
        if token.kind not in (Kind.VARIABLE, Kind.WORD):
            continue
        rest = tokens[number + 1 :]
        if token.kind == Kind.VARIABLE and session.name == "tsql":
            # `@x nvarchar(max) = N'…'` has a type before its value.
            after = next((n for n, one in enumerate(rest[:6]) if one.is_symbol("=")), None)
            rest = rest[after:] if after is not None else []
        values = [one for one in rest[:4] if not one.is_word("N")]
        assigns = values and (
            values[0].is_symbol("=") or values[0].is_symbol(":=") or values[0].is_word("DEFAULT")
        )
        is_literal = assigns and len(values) > 1 and values[1].kind == Kind.STRING
        if is_literal and (len(values) == 2 or values[2].is_symbol(",")):
            session.texts[token.text.lower()] = values[1].value


def forget_texts(session: Session, tokens: Tokens) -> None:
    for token in tokens:
        if token.kind in (Kind.VARIABLE, Kind.WORD):
            session.texts.pop(token.text.lower(), None)
