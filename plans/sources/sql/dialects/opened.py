"""Bodies and texts that a statement runs, opened: their steps in order, as they are or where they are called."""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset, unread
from ..selector.reach import DARK, EVERY, ONCE, PART
from ..written import matters
from .asked import computed
from .bodies import MAX_STEPS, Role, Step, steps
from .pieces import is_routine, pieces
from .session import Routine, Session, Text
from .tails import hidden
from .tokens import Kind, Tokens
from .variables import declared, forget_texts

MAX_BODIES = 16


def piece_findings(
    session: Session, tokens: Tokens, text: Text
) -> Iterator[tuple[Tokens, list[Finding]]]:
    """The statements of a piece with their findings; steering words alone do nothing."""
    if any(token.is_word(*_STEERING) for token in tokens):
        session.runs_in_order = False
        session.texts.clear()
    # A batch of T-SQL may go on after what begins like a routine.
    if session.name == "sqlite" or (session.name != "tsql" and is_routine(tokens)):
        yield tokens, _sure(session, tokens, text)
        return
    yield from _stepped(session, tokens, text)


_STEERING = words("IF WHILE LOOP REPEAT FOR GOTO CASE WHEN ELSE")


def _stepped(
    session: Session, tokens: Tokens, text: Text
) -> Iterator[tuple[Tokens, list[Finding]]]:
    around = len(session.loops)
    for step in steps(tokens, session.name):
        yield from _one_step(session, step, text)
    if session.name == "tsql":
        # A loop does not go on beyond its batch.
        del session.loops[around:]


def _one_step(session: Session, step: Step, text: Text) -> Iterator[tuple[Tokens, list[Finding]]]:
    reads: list[Finding] = []
    for tokens, found in _done(session, step, text):
        reads += (one for one in found if one.action == "sql.read")
        yield tokens, found
    if step.opens is not None:
        of_rows = step.role == Role.STATEMENT and len(reads) == 1
        session.loops.append(_ROUNDS[reads[0].selector] if of_rows else step.opens)
    if step.closes:
        del session.loops[-step.closes :]


_ROUNDS = {
    Selector.NONE: DARK,
    Selector.ONE: ONCE,
    Selector.SOME: PART,
    Selector.ALL: EVERY,
    Selector.UNKNOWN: DARK,
}


def _done(session: Session, step: Step, text: Text) -> Iterator[tuple[Tokens, list[Finding]]]:
    if not step.tokens:
        return
    is_broken = any(token.kind == Kind.BROKEN for token in step.tokens)
    if is_broken or (step.role == Role.CONTROL and hidden(step.tokens, session.name)):
        # The rest of the script, or another statement, may hide in what seems to do nothing.
        yield step.tokens, _sure(session, step.tokens, text)
        return
    match step.role:
        case Role.STATEMENT:
            yield step.tokens, _sure(session, step.tokens, text)
        case Role.EXPRESSION:
            yield step.tokens, computed(session, step.tokens, text)
        case Role.VARIABLES:
            yield step.tokens, declared(session, step.tokens, text)
        case Role.CONTROL:
            forget_texts(session, step.tokens)
        case _:
            assert_never(step.role)


def _sure(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """The findings of a statement, read twice where a part of it runs only on some servers."""
    if session.depth == 0:
        session.opened.clear()
    found = session.read(session, tokens, text)
    if not any(token.is_conditional for token in tokens):
        return found
    without = [token for token in tokens if not token.is_conditional]
    others = session.read(session, without, text) if without else []
    if [replace(one, at=0, summary="") for one in found] == [
        replace(one, at=0, summary="") for one in others
    ]:
        return found
    if not without and tokens[0].is_conditional:
        # A whole statement that only some servers run does no more than they do.
        return found
    reason = "whether the server runs a comment in it depends on the server's version"
    return [*found, unread(session.name, reason, text.at(tokens))]


def opened(session: Session, routine: Routine, at: int, whose: str) -> Iterator[Finding]:
    if session.depth >= MAX_BODIES or session.steps > MAX_STEPS:
        yield unread(session.name, f"{whose} runs too many statements to follow", at)
        return
    around = len(session.loops)
    if id(routine) in session.calling:
        # How often a routine calls itself, nobody knows.
        session.loops.append(DARK)
    if (id(routine), session.rounds) in session.opened:
        del session.loops[around:]
        return
    session.opened.add((id(routine), session.rounds))
    session.depth += 1
    variables, calling, row_tables = session.variables, session.calling, session.row_tables
    session.calling = (*calling, id(routine))
    if session.name == "tsql":
        session.row_tables = routine.of_row
    else:
        session.variables |= routine.of_row
    place = Text(routine.text, at, is_exact=False)
    for _, found in _stepped(session, routine.body, place):
        for finding in found:
            if matters(finding):
                yield replace(finding, summary=f"{finding.summary} (in {whose})")
    session.variables, session.calling, session.row_tables = variables, calling, row_tables
    session.depth -= 1
    del session.loops[around:]


def run_text(session: Session, sql: str, at: int) -> Iterator[Finding]:
    """Statements in a text of their own, at the place that runs them."""
    if session.depth >= MAX_BODIES or session.steps > MAX_STEPS:
        yield unread(session.name, "it runs too many texts to follow", at)
        return
    session.depth += 1
    around = len(session.loops)
    place = Text(sql, at, is_exact=False)
    count = 0
    for piece in pieces(sql, session.name):
        for _, found in piece_findings(session, piece.tokens, place):
            for finding in found:
                count += 1
                yield finding
    session.depth -= 1
    del session.loops[around:]
    if count == 0:
        resource = session.thing("Database", "database", None)
        yield Finding("sql.call", resource, Effect.READ, "runs a text that does nothing", at)


def opaque_call(session: Session, name: str, reason: str, at: int) -> Finding:
    resource = asset("Routine", session.name, "routine", name, name.rpartition(".")[2])
    return Finding(
        "sql.call",
        resource,
        Effect.UNKNOWN,
        f"calls `{name}`: {reason}",
        at,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        opaque=reason,
    )


def fired(session: Session, table: str, at: int) -> Iterator[Finding]:
    """What the script's own triggers on a table do when its rows change."""
    for routine in session.triggers.get(table.casefold(), ()):
        yield from opened(session, routine, at, f"the trigger of `{table}`")
