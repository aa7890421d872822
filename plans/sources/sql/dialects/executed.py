"""Statements of the other dialects that run something else: a routine, a text, what was prepared, what is explained."""

from collections.abc import Iterator

from ....model import Effect, Selector
from ...words import words
from ..changes import Finding, asset, unread
from ..written import repeated
from .asked import computed
from .definitions import moved
from .forms import Name, dotted, group_end
from .opened import opaque_call, opened, run_text
from .session import Session, Text
from .tokens import Kind, Tokens
from .variables import forget_texts


def call(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = dotted(tokens, 1)
    if found is None:
        yield opaque_call(session, "?", "what it calls is not plain", at)
        return
    end, name = found
    yield from computed(session, tokens[end + 1 : -1], text) if end < len(tokens) else ()
    yield from _routine_called(session, name.parts, at)


def _routine_called(session: Session, parts: tuple[str, ...], at: int) -> Iterator[Finding]:
    shown = session.id(parts)
    routine = session.routines.get(session.key(parts))
    known = session.dialect.routines.get(parts[-1].lower())
    if routine is not None:
        inner = list(opened(session, routine, at, f"`{shown}`"))
        yield from inner
        if not inner:
            resource = asset("Routine", session.name, "routine", shown, parts[-1])
            yield Finding(
                "sql.call", resource, Effect.READ, f"calls `{shown}`, which only reads", at
            )
    elif known is not None and known.effect != Effect.UNKNOWN:
        resource = asset("Routine", session.name, "routine", shown, parts[-1])
        runs = known.effect == Effect.EXECUTE
        finding = Finding(
            "sql.run_program" if runs else "sql.call",
            resource,
            known.effect,
            f"calls `{shown}`, which {known.why}",
            at,
            _reach_of(known.effect),
            known.reversibility,
        )
        yield repeated(finding, session.rounds)
    else:
        yield opaque_call(session, shown, "what the routine does is not in this script", at)


def _reach_of(effect: Effect) -> Selector:
    """How much a routine of the server reaches, whose arguments nobody judges."""
    match effect:
        case Effect.EXECUTE | Effect.UNKNOWN:
            return Selector.UNKNOWN
        case Effect.DELETE_DATA | Effect.DELETE_RECOVERY | Effect.DELETE_AUDIT:
            return Selector.ALL
        case _:
            return Selector.ONE


def execute(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXECUTE and EXEC: a text, a prepared statement, a routine."""
    at = text.at(tokens)
    rest = list(tokens[1:])
    if rest and rest[0].is_word("IMMEDIATE"):
        yield from _immediate(session, rest[1:], at)
    elif rest and rest[0].is_symbol("("):
        end = group_end(rest, 0)
        if end != len(rest):
            yield opaque_call(session, "EXEC", "it runs a text elsewhere or as another user", at)
            return
        yield from _immediate(session, rest[1:-1], at)
    elif rest and rest[0].is_word("AS"):
        resource = asset("Role", session.name, "role", "another", "another user")
        yield Finding("sql.set", resource, Effect.ESCALATE, "acts as another user", at)
    elif session.name == "mysql":
        yield from _prepared_text(session, rest, at)
    elif session.name == "snowflake" and rest and rest[0].is_word("TASK"):
        yield opaque_call(session, "TASK", "what the task does is not in this script", at)
    else:
        if len(rest) > 2 and rest[0].kind == Kind.VARIABLE and rest[1].is_symbol("="):
            # The result of the routine goes into a variable.
            rest = rest[2:]
        found = dotted(rest, 0)
        if found is None:
            yield opaque_call(session, "EXEC", "what it runs is not plain", at)
            return
        end, name = found
        if any(token.is_word("DISABLE", "ENABLE", "TRIGGER") for token in rest[end:]):
            yield opaque_call(session, "EXEC", "another statement may follow its arguments", at)
            return
        if name.parts[-1].lower() == "sp_executesql":
            yield from _immediate(session, _first_argument(rest[end:]), at)
            return
        if name.parts[-1].lower() == "sp_rename":
            yield _renamed(session, rest[end:], at)
            return
        yield from _routine_called(session, name.parts, at)


def _renamed(session: Session, arguments: Tokens, at: int) -> Finding:
    """`EXEC sp_rename 'old', 'new'`; a third argument says that it is a part of a table."""
    found = [token for token in arguments if token.kind == Kind.STRING]
    is_known = len(found) == sum(token.is_symbol(",") for token in arguments) + 1
    if len(found) < 2 or not is_known:
        return opaque_call(session, "sp_rename", "what it renames is not plain", at)
    is_part = len(found) > 2 and found[2].value.upper() != "OBJECT"
    parts = tuple(part.strip('[]"') for part in found[0].value.split("."))
    old, new = Name(parts, at), Name((found[1].value,), at)
    resource = session.thing("Table", "table", old)
    what = f"renames `{resource.id}` to `{found[1].value}`"
    finding = Finding("sql.rename", resource, Effect.UPDATE, what, at)
    return finding if is_part else moved(session, finding, old, new)


def _first_argument(rest: Tokens) -> Tokens:
    comma = next((n for n, token in enumerate(rest) if token.is_symbol(",")), len(rest))
    one = rest[:comma]
    if len(one) > 2 and one[1].is_symbol("="):
        return one[2:]
    return one


def _immediate(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    """A text that is run: read where it is written out, else opaque."""
    plain = [token for token in tokens if not token.is_word("N")]
    value: str | None = None
    rest = plain[1:]
    if plain and plain[0].kind == Kind.STRING:
        value = plain[0].value
    elif plain and plain[0].kind in (Kind.VARIABLE, Kind.WORD):
        value = session.texts.get(
            plain[0].text.lower().lstrip(":"), session.texts.get(plain[0].text.lower())
        )
    if value is None or (rest and not rest[0].is_word("USING", "INTO")):
        yield opaque_call(
            session, "EXECUTE", "it runs a statement that is put together at run time", at
        )
        return
    yield from run_text(session, value, at)
    forget_texts(session, rest)


def prepare(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = dotted(tokens, 1)
    if found is None or found[0] >= len(tokens) or not tokens[found[0]].is_word("FROM"):
        yield unread(session.name, "what it prepares is not plain", at)
        return
    end, name = found
    value = tokens[end + 1 :]
    known: str | None = None
    if len(value) == 1 and value[0].kind == Kind.STRING:
        known = value[0].value
    elif len(value) == 1 and value[0].kind == Kind.VARIABLE:
        known = session.texts.get(value[0].text.lower())
    session.prepared[name.parts[-1].lower()] = known if session.depth == 0 else None
    resource = asset("DatabaseObject", session.name, "prepared_statement", name.parts[-1])
    yield Finding("sql.transaction", resource, Effect.READ, f"prepares `{name.parts[-1]}`", at)


def _prepared_text(session: Session, rest: Tokens, at: int) -> Iterator[Finding]:
    name = rest[0].text.lower() if rest else ""
    value = session.prepared.get(name)
    if value is None:
        yield opaque_call(
            session, name, "what was prepared under this name is not in this script", at
        )
        return
    yield from run_text(session, value, at)


def deallocate(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    session.prepared.pop(tokens[-1].text.lower(), None)
    resource = asset("DatabaseObject", session.name, "prepared_statement", tokens[-1].text)
    yield Finding(
        "sql.transaction", resource, Effect.READ, "forgets a prepared statement", text.at(tokens)
    )


def explain(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXPLAIN shows how a statement would run; with ANALYZE it runs it."""
    at = text.at(tokens)
    number = 1
    runs = False
    while number < len(tokens) and (
        tokens[number].is_word(*_EXPLAINING) or tokens[number].is_symbol("=")
    ):
        runs |= tokens[number].is_word("ANALYZE")
        number += 1
    inner = tokens[number:]
    if runs and inner:
        yield from session.read(session, inner, text)
        return
    resource = session.thing("Database", "database", None)
    yield Finding("sql.read", resource, Effect.READ, "explains how it would run", at, Selector.NONE)


_EXPLAINING = words(
    "ANALYZE EXTENDED PARTITIONS FORMAT TREE JSON TRADITIONAL QUERY PLAN USING TEXT TABULAR FORMATTED"
)
