"""Scripts of MySQL, SQLite, Snowflake, T-SQL and BigQuery into findings.

A statement fits a form of its dialect's taxonomy, or sqlglot reads it and the tree is judged; what neither
covers, or what sqlglot loses on the way, is unread. Bodies, blocks and texts that are run are opened.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset, unread
from ..selector.reach import at_most
from ..written import matters
from .asked import asked, computed
from .bodies import MAX_STEPS
from .bounds import too_much
from .created import alter, create
from .definitions import drop, renamed, said
from .executed import call, deallocate, execute, explain, prepare
from .forms import dotted, group_end
from .opened import fired, piece_findings
from .options import with_options
from .pieces import pieces
from .session import Session, Text
from .set import pragma, setting
from .tails import hidden
from .targets import softened
from .taxonomy import dialect_named, shape_of
from .tokens import Kind, Tokens
from .variables import forget_texts, note_texts


def read_other(text: str, dialect: str) -> Iterator[tuple[Finding, int]]:
    """Every finding with the offset at which its statement ends."""
    session = Session(dialect_named(dialect), _statement)
    whole = Text(text, 0)
    for piece in pieces(text, dialect):
        is_empty = True
        if piece.times != 1:
            session.loops.append(at_most(piece.times))
        for tokens, found in piece_findings(session, piece.tokens, whole):
            for finding in found:
                is_empty = False
                yield finding, tokens[-1].end
        if piece.times != 1:
            session.loops.pop()
        if is_empty:
            # Nothing is left out of the plan: a piece that only steers is shown as what it is.
            resource = session.thing("Database", "database", None)
            steers = "declares or steers, and does nothing itself"
            yield (
                Finding(
                    "sql.transaction", resource, Effect.READ, steers, piece.start, Selector.NONE
                ),
                piece.end,
            )


def _statement(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    at = text.at(tokens)
    session.steps += 1
    if not tokens[0].is_word("SET", "DECLARE", "LET", "PREPARE", "EXEC", "EXECUTE"):
        forget_texts(session, tokens)
    if session.steps > MAX_STEPS * 25:
        return [unread(session.name, "the script runs too many statements to follow", at)]
    broken = next((token for token in tokens if token.kind == Kind.BROKEN), None)
    if broken is not None:
        return [unread(session.name, f"the scanner stops at {broken.value}", at)]
    excess = too_much(tokens)
    if excess is not None:
        return [unread(session.name, excess, at)]
    if not session.quotes_are_plain and any(
        token.kind in (Kind.STRING, Kind.NAME) and ("\\" in token.text or '"' in token.text)
        for token in tokens
    ):
        return [unread(session.name, "a changed setting decides where its quotations end", at)]
    try:
        return _read(session, tokens, text)
    except RecursionError:
        return [unread(session.name, "it is nested too deeply", at)]


def _read(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    at = text.at(tokens)
    first = tokens[0]
    another = hidden(tokens, session.name)
    if another is not None:
        return [unread(session.name, f"another statement begins in it, with {another}", at)]
    if first.kind == Kind.WORD:
        fitting = shape_of(session.dialect, tokens)
        if fitting is not None:
            shape, captures = fitting
            _note_transaction(session, first.value, tokens)
            found = list(said(session, shape, captures, at))
            inner = _inner_query(tokens)
            if inner and first.is_word("ASSERT", "COPY"):
                found += [one for one in computed(session, inner, text) if matters(one)]
            if first.value == "ALTER":
                return [with_options(session.dialect, tokens, one) for one in found]
            return found
        handler = _HANDLERS.get(first.value)
        if handler is not None:
            return list(handler(session, tokens, text))
        if first.value not in _QUERY_WORDS:
            return [unread(session.name, f"{first.value} statements are not classified", at)]
    elif not first.is_symbol("("):
        return [unread(session.name, "no statement begins like this", at)]
    rows = asked(session, tokens, text)
    for one in tuple(rows):
        if one.action in _FIRING:
            rows += fired(session, one.resource.id, at)
    return rows


def _inner_query(tokens: Tokens) -> Tokens:
    """The first query in parentheses of a statement that a form says nothing about."""
    for number, (token, after) in enumerate(pairwise(tokens)):
        if token.is_symbol("(") and after.is_word("SELECT", "WITH"):
            return tokens[number : group_end(tokens, number) or len(tokens)]
    return ()


_QUERY_WORDS = words("SELECT WITH VALUES INSERT UPDATE DELETE MERGE REPLACE TABLE FROM")


def _note_transaction(session: Session, word: str, tokens: Tokens) -> None:
    match word:
        case "BEGIN" | "START":
            session.begin()
        case "COMMIT" | "END":
            session.commit()
        case "ROLLBACK":
            session.roll_back()


_FIRING = frozenset({"sql.insert", "sql.update", "sql.delete", "sql.merge"})


def _use(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    number = 1
    kind = "database"
    if len(tokens) > 2 and tokens[1].is_word(
        "DATABASE", "SCHEMA", "WAREHOUSE", "ROLE", "SECONDARY"
    ):
        kind = tokens[1].value.lower()
        number = 3 if kind == "secondary" else 2
    found = dotted(tokens, number)
    if found is None or found[0] != len(tokens):
        yield unread(session.name, "what it uses is not plain", at)
        return
    parts = found[1].parts
    if kind in ("role", "secondary"):
        resource = asset("Role", session.name, "role", parts[-1])
        powerful = session.dialect.powerful_roles
        is_named = kind == "role" and tokens[number].kind in (Kind.WORD, Kind.NAME)
        if powerful is not None and is_named and parts[-1].lower() not in powerful:
            yield Finding("sql.set", resource, Effect.READ, f"works as role `{parts[-1]}`", at)
            return
        yield Finding("sql.set", resource, Effect.ESCALATE, f"acts as role `{parts[-1]}`", at)
        return
    if kind == "database":
        session.use(parts)
    elif kind == "schema":
        session.use((*session.database[:1], *parts) if len(parts) == 1 else parts)
    resource = asset("Setting", session.name, "setting", kind)
    shown = ".".join(parts)
    yield Finding("sql.set", resource, Effect.READ, f"works in {kind} `{shown}`", at)


def _truncate(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    number = 1
    while number < len(tokens) and tokens[number].is_word(
        "TABLE", "IF", "EXISTS", "MATERIALIZED", "VIEW"
    ):
        number += 1
    names = []
    while (found := dotted(tokens, number)) is not None:
        number, name = found
        names.append(name)
        if number >= len(tokens) or not tokens[number].is_symbol(","):
            break
        number += 1
    left = tokens[number:]
    if not names or (left and not left[0].is_word("WAIT", "NOWAIT", "WITH", "CASCADE", "RESTRICT")):
        yield unread(session.name, "what it empties is not plain", at)
        return
    for name in names:
        resource = session.thing("Table", "table", name)
        finding = Finding(
            "sql.truncate",
            resource,
            Effect.DELETE_DATA,
            f"empties `{resource.id}`",
            at,
            Selector.ALL,
            Reversibility.IRREVERSIBLE,
        )
        yield softened(session, name.parts, finding)


def _rename(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    if len(tokens) < 2 or not tokens[1].is_word("TABLE", "TABLES"):
        yield unread(session.name, "this RENAME is not classified", at)
        return
    yield from renamed(session, tokens, at)


def _drop(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    yield from drop(session, tokens, text.at(tokens))


def _set(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    note_texts(session, tokens)
    yield from setting(session, tokens, text.at(tokens))
    if any(token.is_symbol("(") for token in tokens):
        number = next(
            (n for n, t in enumerate(tokens) if t.is_symbol("=") or t.is_symbol(":=")), None
        )
        if number is not None:
            yield from computed(session, tokens[number + 1 :], text)


def _do(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = computed(session, tokens[1:], text)
    resource = session.thing("Database", "database", None)
    yield from found or [
        Finding("sql.read", resource, Effect.READ, "computes a value", at, Selector.NONE)
    ]


def _pragma(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    yield from pragma(session, tokens, text.at(tokens))


def _export(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXPORT DATA of BigQuery writes the rows of a query to a bucket."""
    at = text.at(tokens)
    start = next((n for n, token in enumerate(tokens) if token.is_word("AS")), None)
    if start is None or start + 1 >= len(tokens):
        yield unread(session.name, "what it exports is not plain", at)
        return
    inner = asked(session, tokens[start + 1 :], text)
    resource = inner[0].resource
    yield Finding(
        "sql.copy_out",
        resource,
        Effect.EXECUTE,
        f"writes `{resource.id}` out of the database",
        at,
        Selector.ALL,
        Reversibility.IRREVERSIBLE,
    )
    yield from (one for one in inner if matters(one))


_HANDLERS: dict[str, Callable[[Session, Tokens, Text], Iterator[Finding]]] = {
    "CREATE": create,
    "DROP": _drop,
    "ALTER": alter,
    "TRUNCATE": _truncate,
    "RENAME": _rename,
    "SET": _set,
    "PRAGMA": _pragma,
    "EXPLAIN": explain,
    "DESCRIBE": explain,
    "DESC": explain,
    "USE": _use,
    "CALL": call,
    "EXEC": execute,
    "EXECUTE": execute,
    "PREPARE": prepare,
    "DEALLOCATE": deallocate,
    "DO": _do,
    "EXPORT": _export,
}
