"""What runs because a table or view of a PostgreSQL script is used: defaults, checks, triggers, queries."""

from collections.abc import Iterator

from ..changes import Finding
from ..selector.reach import ONCE, PART, times
from ..tree import Node, ast, nodes
from .called import calls
from .objects import (
    Fires,
)
from .rows import rounds_of
from .script import Place, Script


def attached(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """What runs because a table or view of this script is used: defaults, checks, triggers, queries."""
    for relation in nodes(node):
        if not isinstance(relation, ast.RangeVar):
            continue
        events = _events(node, relation)
        rounds = script.rounds
        if events and rounds_of(script, node) != ONCE:
            # Its triggers run for each of its rows.
            script.rounds = times(rounds, PART)
        for table in script.table_ids(relation):
            yield from fired(script, table, events, place)
        script.rounds = rounds


def fired(script: Script, table: str, events: int, place: Place) -> Iterator[Finding]:
    """What is attached to one table, with the triggers that wait for one of the events."""
    for one in script.attached.get(table, ()):
        waits = one[-1] if isinstance(one, tuple) and one else None
        if isinstance(waits, Fires) and not waits.events & events:
            continue
        if (id(one), script.rounds) not in script.opened:
            script.opened.add((id(one), script.rounds))
            yield from calls(script, one, place)
            yield from attached(script, one, place)


INSERTS, DELETES, UPDATES, TRUNCATES = 1 << 2, 1 << 3, 1 << 4, 1 << 5


def _events(node: Node, relation: Node) -> int:
    """What a statement does to the rows of a relation that stands in it; nothing where it reads."""
    found = 0
    for one in nodes(node):
        match one:
            case ast.InsertStmt(relation=target) if target is relation:
                found |= INSERTS | (UPDATES if one.onConflictClause is not None else 0)
            case ast.DeleteStmt(relation=target) if target is relation:
                found |= DELETES
            case ast.UpdateStmt(relation=target) if target is relation:
                found |= UPDATES
            case ast.MergeStmt(relation=target) if target is relation:
                found |= INSERTS | DELETES | UPDATES
            case ast.TruncateStmt(relations=targets) if any(one is relation for one in targets):
                found |= TRUNCATES
            case ast.CopyStmt(relation=target) if target is relation:
                found |= INSERTS
    return found
