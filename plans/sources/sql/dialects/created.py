"""CREATE and ALTER of the other dialects: what is made, and what it will run when it is used or by itself."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sqlglot import exp

from ....model import Effect
from ...words import words
from ..changes import Finding, unread
from ..written import matters
from .asked import asked, computed, hooked, read_tree
from .bodies import body_of
from .calls import calls
from .definitions import alter_table, created, facts_of
from .forms import dotted, group_end
from .opened import opened
from .pieces import is_whole, pieces
from .prepare import prepared
from .queries import findings
from .session import Routine, Session, Text
from .tokens import Kind, Tokens


def create(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """A CREATE with what its query, its defaults or its body run."""
    at = text.at(tokens)
    made = created(session, tokens, at)
    if isinstance(made, Finding):
        yield made
        return
    finding, _, name, is_temporary = made
    match finding.resource.kind.partition(".")[2]:
        case kind if kind not in _BODIES and any(token.is_symbol(";") for token in tokens):
            yield finding
            yield unread(session.name, "it ends where its dialect ends it and not here", at)
        case "database" | "schema" if session.name == "snowflake":
            yield finding
            # What is created is in use from then on.
            session.leave_temporary()
        case "table":
            yield finding
            yield from _created_table(session, tokens, text, name.parts, is_temporary=is_temporary)
        case "view" | "materialized_view" | "dynamic_table" as kind:
            yield finding
            runs_now = kind != "view"
            yield from _created_view(session, tokens, text, name.parts, runs_now=runs_now)
        case "index":
            yield finding
            yield from hooked(session, tokens, text)
        case "pipe":
            yield finding
            start = next(
                (n for n, token in enumerate(tokens, 1) if token.is_word("AS")), len(tokens)
            )
            if tokens[start:]:
                copies = session.read(session, tokens[start:], text)
                yield from (one for one in copies if matters(one))
            else:
                yield _no_body(session, tokens, text)
        case "trigger" if session.name == "tsql" and _is_server_wide(tokens):
            summary = f"{finding.summary}, which runs at every such event"
            yield replace(finding, effect=Effect.ESCALATE, summary=summary)
            yield from _created_routine(session, tokens, text, finding, name.parts)
        case "routine" | "trigger" if session.name == "tsql" and _acts_as(tokens):
            summary = f"{finding.summary}, which acts with the rights of another"
            yield replace(finding, effect=Effect.ESCALATE, summary=summary)
            yield from _created_routine(session, tokens, text, finding, name.parts)
        case "routine" | "trigger" | "event" | "task":
            yield finding
            yield from _created_routine(session, tokens, text, finding, name.parts)
        case "external_table" if any(token.is_word("SELECT") for token in tokens):
            rows = f"writes rows out of the database to `{finding.resource.id}`"
            yield replace(finding, action="sql.copy_out", effect=Effect.EXECUTE, summary=rows)
        case _:
            yield finding


_BODIES = frozenset({"routine", "trigger", "event", "task"})


def _created_table(
    session: Session, tokens: Tokens, text: Text, parts: tuple[str, ...], *, is_temporary: bool
) -> Iterator[Finding]:
    at = text.at(tokens)
    is_temporary = is_temporary and not _holds_other_rows(session, tokens)
    asks = any(token.is_word("SELECT", "EXECUTE", "CALL") for token in tokens)
    ready = prepared(text.text, tokens, session.name)
    tree = ready if isinstance(ready, str) else read_tree(session, ready)
    if isinstance(tree, str) or not isinstance(tree, exp.Create):
        yield from hooked(session, tokens, text)
        if asks:
            reason = tree if isinstance(tree, str) else "the parser does not see its query"
            yield unread(session.name, reason, at)
        session.create(parts, session.facts(parts), is_temporary=is_temporary)
        return
    query = tree.expression
    # Defaults and checks run when rows are added.
    yield from calls(session, tree.this, at)
    if query is not None and asks:
        yield from (one for one in findings(session, query, at) if matters(one))
    elif asks:
        yield unread(session.name, "the parser does not see its query", at)
    session.create(parts, facts_of(tree), is_temporary=is_temporary)


def _acts_as(tokens: Tokens) -> bool:
    """`EXECUTE AS OWNER`, unlike a caller's own rights."""
    return any(
        one.is_word("EXEC", "EXECUTE")
        and two.is_word("AS")
        and (three.is_word("OWNER", "SELF") or three.kind == Kind.STRING)
        for one, two, three in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )


def _holds_other_rows(session: Session, tokens: Tokens) -> bool:
    """Whether the rows of a table of MySQL are those of others, here or on another server."""
    return session.name == "mysql" and any(
        one.is_word("ENGINE", "TYPE") or one.is_symbol("=")
        for one, two in pairwise(tokens)
        if two.value.upper() in _ENGINES_OF_OTHERS
    )


_ENGINES_OF_OTHERS = words("MERGE MRG_MYISAM FEDERATED CONNECT SPIDER")


def _is_server_wide(tokens: Tokens) -> bool:
    """A trigger on the server or the database, such as one that decides who may log in."""
    return any(
        one.is_word("ON") and two.is_word("ALL", "DATABASE") for one, two in pairwise(tokens)
    )


def _no_body(session: Session, tokens: Tokens, text: Text) -> Finding:
    return unread(session.name, "what it runs by itself is not plain", text.at(tokens))


def _created_view(
    session: Session, tokens: Tokens, text: Text, parts: tuple[str, ...], *, runs_now: bool
) -> Iterator[Finding]:
    """Notes what the functions in a view do, which happens when somebody reads it."""
    key = session.key(parts)
    session.views[key] = ()
    start = next(
        (number for number, token in enumerate(tokens[:-1], 1) if _begins_query(tokens, number)),
        None,
    )
    if start is None:
        yield unread(session.name, "the query of the view is not plain", text.at(tokens))
        return
    found = asked(session, _without_check(tokens[start:]), text)
    runs = tuple(one for one in found if matters(one))
    session.views[key] = runs
    yield from (one for one in runs if runs_now or one.action == "sql.unread")


def _begins_query(tokens: Tokens, number: int) -> bool:
    begins = tokens[number].is_word("SELECT", "WITH", "VALUES", "TABLE", "FROM")
    return tokens[number - 1].is_word("AS") and (begins or tokens[number].is_symbol("("))


def _without_check(query: Tokens) -> Tokens:
    """Without `WITH LOCAL CHECK OPTION` at its end."""
    if len(query) > 3 and query[-1].is_word("OPTION") and query[-2].is_word("CHECK"):
        return query[: -4 if query[-3].is_word("LOCAL", "CASCADED") else -3]
    return query


def _created_routine(
    session: Session, tokens: Tokens, text: Text, finding: Finding, parts: tuple[str, ...]
) -> Iterator[Finding]:
    at = text.at(tokens)
    if session.name != "tsql" and not is_whole(tokens):
        yield unread(session.name, "its body does not end, and may hold what follows", at)
        return
    name = ".".join(parts).lower()
    session.steady.discard(name)
    if session.depth == 0 and _only_computes(session, tokens, text):
        session.steady.add(name)
        return
    routine = _routine(session, tokens, text)
    kind = finding.resource.kind.partition(".")[2]
    if routine is not None and kind == "trigger":
        routine = replace(routine, of_row=_OF_ROW)
    key = session.key(parts)
    session.routines.pop(key, None)
    if routine is None:
        if kind in ("event", "task", "trigger"):
            yield _no_body(session, tokens, text)
        return
    when = _guard(tokens) if kind == "trigger" and session.name == "sqlite" else ()
    if when:
        yield from computed(session, when, text)
    if kind in ("event", "task", "trigger"):
        # It runs without another statement.
        yield from opened(session, routine, at, f"`{finding.resource.id}`, which runs by itself")
    match kind:
        case "event" | "task":
            pass
        case "trigger":
            on = next((n for n, token in enumerate(tokens) if token.is_word("ON")), None)
            table = None if on is None else dotted(tokens, on + 1)
            if table is not None:
                session.triggers.setdefault(session.key(table[1].parts), []).append(routine)
        case _:
            if session.depth == 0:
                session.routines[key] = routine


_OF_ROW = frozenset({"new", "old", "inserted", "deleted"})


def _guard(tokens: Tokens) -> Tokens:
    """The condition of a trigger, before its body."""
    begin = next((n for n, token in enumerate(tokens) if token.is_word("BEGIN")), len(tokens))
    when = next((n for n in range(begin) if tokens[n].is_word("WHEN")), begin)
    return tokens[when + 1 : begin]


def _only_computes(session: Session, tokens: Tokens, text: Text) -> bool:
    """Whether it is a function whose whole body is one expression, which calls nothing unknown."""
    if session.name != "bigquery" or any(token.is_word("REMOTE") for token in tokens):
        return False
    language = next((n for n, token in enumerate(tokens) if token.is_word("LANGUAGE")), None)
    if language is not None:
        # Code in JavaScript runs in a sandbox that reaches nothing.
        return any(token.is_word("JS") for token in tokens[language + 1 : language + 2])
    start = next((number for number, token in enumerate(tokens) if token.is_word("AS")), None)
    if start is None or group_end(tokens, start + 1) != len(tokens):
        return False
    return not computed(session, tokens[start + 1 :], text)


def _routine(session: Session, tokens: Tokens, text: Text) -> Routine | None:
    """The body of a definition: its own tokens, or those of the text that it is written as."""
    as_text = next(
        (
            token
            for before, token in pairwise(tokens)
            if before.is_word("AS") and token.kind == Kind.STRING
        ),
        None,
    )
    if as_text is not None:
        sql = any(
            one.is_word("LANGUAGE") and two.is_word("SQL") for one, two in pairwise(tokens)
        ) or not any(token.is_word("LANGUAGE") for token in tokens)
        if not sql:
            return None
        inner = [
            token
            for piece in pieces(as_text.value, session.name)
            for token in _joined(piece.tokens)
        ]
        return Routine(inner, as_text.value, is_exact=False)
    divided = body_of(tokens, session.name)
    if divided is None:
        return None
    return Routine(divided[1], text.text, text.is_exact)


def _joined(tokens: Tokens) -> Iterator[Any]:
    """The tokens of a statement with a semicolon after them."""
    yield from tokens
    last = tokens[-1]
    yield replace(last, kind=Kind.SYMBOL, value=";", text=";", start=last.end, end=last.end)


def alter(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """An ALTER of a table, or of what T-SQL defines anew."""
    at = text.at(tokens)
    second = tokens[1].value if len(tokens) > 1 else ""
    if second in ("PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "VIEW") and session.name == "tsql":
        made = created(session, [tokens[0], *tokens[1:]], at)
        if isinstance(made, Finding):
            yield made
            return
        finding = made[0]
        effect = Effect.DISARM if second == "TRIGGER" else Effect.UPDATE
        summary = finding.summary.replace("creates", "alters")
        if second != "VIEW" and _acts_as(tokens):
            effect, summary = Effect.ESCALATE, f"{summary}, which acts with the rights of another"
        yield replace(finding, action="sql.alter", effect=effect, summary=summary)
        if second == "VIEW":
            yield from _created_view(session, tokens, text, made[2].parts, runs_now=False)
        else:
            session.routines.pop(session.key(made[2].parts), None)
        return
    yield from alter_table(session, tokens, at)
    if any(token.is_word("ADD") for token in tokens):
        yield from hooked(session, tokens, text)
