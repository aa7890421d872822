"""Queries and expressions of the other dialects from their tokens: sqlglot reads them, and what it loses is unread."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlglot import exp

from ....model import Effect, Reversibility, Selector
from ..changes import Finding, asset, unread
from ..selector.reach import Reach
from ..written import matters
from .calls import calls
from .forms import Name, dotted, group_end
from .kept import foreign_function, lost
from .parse import Complaint, parse
from .prepare import Prepared, prepared, written_rows
from .queries import findings
from .row_changes import bounded, rows_finding
from .row_inserts import insert_finding
from .session import Session, Text
from .tokens import Kind, Tokens, plain_text


def asked(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """A query or a change of rows: what it reaches, what it calls, and what it writes beside."""
    at = text.at(tokens)
    if session.name == "sqlite" and (index := _emptied_index(tokens)) is not None:
        # A full-text index takes commands in a column of its own name.
        resource = session.thing("Table", "table", index)
        summary = f"empties the full-text index `{resource.id}`"
        gone = (Effect.DELETE_DATA, summary, at, Selector.ALL, Reversibility.IRREVERSIBLE)
        return [Finding("sql.truncate", resource, *gone)]
    plain = written_rows(tokens)
    if plain is not None:
        name, rows = plain
        return [insert_finding(session, name.parts, at, rows=rows)]
    ready = prepared(text.text, tokens, session.name)
    if isinstance(ready, str):
        return [unread(session.name, ready, at)]
    tree = read_tree(session, ready)
    if isinstance(tree, str):
        return [unread(session.name, tree, at)]
    found = findings(session, tree, at)
    found = [_bounded(session, one, ready) for one in found]
    for filled in ready.into:
        found += findings(session, _insert_into(filled), at)
    if ready.file is not None:
        resource = asset("Routine", session.name, "file", ready.file)
        found.append(
            Finding(
                "sql.copy_out",
                resource,
                Effect.EXECUTE,
                f"writes rows to the server's file `{ready.file}`",
                at,
                Selector.ALL,
                Reversibility.IRREVERSIBLE,
            )
        )
    return found


def _emptied_index(tokens: Tokens) -> Name | None:
    """The index that `INSERT INTO f(f) VALUES('delete-all')` empties."""
    if not any(token.kind == Kind.STRING and token.value == "delete-all" for token in tokens):
        return None
    into = next((number for number, token in enumerate(tokens) if token.is_word("INTO")), None)
    found = None if into is None else dotted(tokens, into + 1)
    if found is None:
        return None
    end, name = found
    inside = tokens[end : group_end(tokens, end) or end]
    own = name.parts[-1].casefold()
    return name if any(token.text.strip('"`[]').casefold() == own for token in inside) else None


def _insert_into(name: str) -> Any:
    return exp.Insert(this=exp.Table(this=exp.to_identifier(name)))


def _bounded(session: Session, finding: Finding, ready: Prepared) -> Finding:
    """TOP of T-SQL, which sqlglot does not read, bounds the rows a write reaches."""
    if finding.action not in ("sql.update", "sql.delete") or ready.top is None:
        return finding
    reach = Reach(finding.selector, finding.rows)
    less = bounded(session, reach, ready.top)
    if finding.selector == Selector.NONE or less == reach:
        return finding
    parts = tuple(finding.resource.id.split("."))
    return rows_finding(session, finding.action, parts, less, finding.at)


def read_tree(session: Session, ready: Prepared) -> Any:
    """The one tree of a statement, or why it cannot be relied on."""
    trees = parse(ready.sql, session.name)
    if isinstance(trees, Complaint):
        return f"the parser says: {trees.message}"
    if len(trees) != 1 or trees[0] is None:
        return "the parser does not see one statement here"
    tree = trees[0]
    if any(isinstance(node, exp.Command) for node in tree.walk()):
        return "the parser leaves a part of it as text"
    missing = lost(tree, ready.sql, session.name)
    if missing is not None:
        return f"the parser loses `{missing}` on the way"
    foreign = foreign_function(ready.sql, session.name)
    if foreign is not None and foreign.lower() not in session.steady:
        return f"what the function `{foreign}` does is not known"
    if ready.replaces and isinstance(tree, exp.Insert):
        tree.set("alternative", "REPLACE")
    return tree


def computed(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """What a condition or an assigned value does beside computing; nothing for most."""
    if not tokens or len(tokens) == 1:
        return []
    at = text.at(tokens)
    if tokens[0].is_word("NOT") and len(tokens) > 1 and tokens[1].is_word("FOUND"):
        return []
    if any(token.kind == Kind.BROKEN for token in tokens):
        return [unread(session.name, "the scanner cannot take it apart", at)]
    ready = Prepared(f"SELECT CASE WHEN {plain_text(text.text, tokens)} THEN 1 END")
    tree = read_tree(session, ready)
    if isinstance(tree, str):
        plain = Prepared(f"SELECT {plain_text(text.text, tokens)}")
        tree = read_tree(session, plain)
    if isinstance(tree, str):
        return [unread(session.name, tree, at)]
    try:
        return [one for one in findings(session, tree, at) if matters(one)]
    except RecursionError:
        return [unread(session.name, "it is nested too deeply", at)]


def hooked(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """What the functions in a definition do, which happens when rows come."""
    at = text.at(tokens)
    ready = prepared(text.text, tokens, session.name)
    tree = ready if isinstance(ready, str) else read_tree(session, ready)
    if not isinstance(tree, str):
        yield from calls(session, tree, at)
        return
    # Even where the parser gives up, a function that is known to do harm shows.
    for token, after in pairwise(tokens):
        if after.is_symbol("(") and token.value.lower() in session.dialect.effects:
            yield from calls(session, exp.Anonymous(this=token.value), at)
