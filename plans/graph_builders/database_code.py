"""What the code of a database writes when it runs: the bodies of trigger functions, and rules."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..graph import Event
from ..model import Effect
from ..sources.sql.changes import Finding, joined_name
from ..sources.sql.postgres.reader import read_postgres
from ..sources.sql.tree import Complaint, Node, ast, nodes, parse

MAX_CODE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Write:
    """One write to a table that code makes."""

    table: str
    event: Event
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Effects:
    """What some code writes, as if every branch of it were taken, and why a part of it could not be read."""

    writes: tuple[Write, ...]
    unread: str | None = None


HARMLESS = frozenset(
    {
        "pg_catalog.tsvector_update_trigger",
        "pg_catalog.tsvector_update_trigger_column",
        "pg_catalog.suppress_redundant_updates_trigger",
    }
)
"""Trigger functions in C that write only the row they are given."""


def effects_of_functions(names: Iterable[str], definitions: Iterable[str]) -> Mapping[str, Effects]:
    """What each function, called without arguments, does; `names` are as in SQL, quoted where they must be."""
    asked = list(dict.fromkeys(names))
    script = "".join(f"{definition.rstrip().rstrip(';')};\n" for definition in definitions)
    if len(script) > MAX_CODE:
        unread = Effects((), f"the code of the database has more than {MAX_CODE:,} characters")
        return dict.fromkeys(asked, unread)
    starts = []
    for name in asked:
        starts.append(len(script))
        script += f"SELECT {name}();\n"
    findings: dict[int, list[Finding]] = {}
    if asked:
        for finding, _ in read_postgres(script):
            call = bisect_right(starts, finding.at) - 1
            if call >= 0:
                findings.setdefault(starts[call], []).append(finding)
    return {
        name: Effects(()) if name in HARMLESS else _effects(findings.get(start))
        for name, start in zip(asked, starts, strict=True)
    }


def _effects(findings: list[Finding] | None) -> Effects:
    if findings is None:
        return Effects((), "the definition of the function cannot be read")
    writes = []
    unread = None
    for finding in findings:
        if finding.opaque is not None:
            unread = unread or finding.opaque
            continue
        event = _EVENTS.get(finding.action)
        if event is Event.INSERT and finding.effect is Effect.UPDATE:
            event = Event.UPDATE
        if event is not None and finding.resource.type in ("Table", "View"):
            writes.append(Write(finding.resource.id, event))
        elif finding.effect not in (Effect.READ, Effect.CREATE):
            unread = unread or finding.summary
    return Effects(tuple(dict.fromkeys(writes)), unread)


_EVENTS = {
    "sql.insert": Event.INSERT,
    "sql.update": Event.UPDATE,
    "sql.delete": Event.DELETE,
    "sql.merge": Event.DELETE,
    "sql.truncate": Event.TRUNCATE_CASCADE,
    "sql.drop": Event.DROP_CASCADE,
    "sql.copy_in": Event.INSERT,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its definition; `replaces` when the statement itself is not carried out."""

    name: str
    table: str
    event: Event
    replaces: bool
    effects: Effects


def rule(definition: str) -> Rule | str | None:
    """The rule that a definition makes, `None` when it is about reading, or why it cannot be read."""
    parsed = parse(definition)
    if isinstance(parsed, Complaint):
        return parsed.message
    if len(parsed) != 1 or not isinstance(parsed[0], ast.RuleStmt):
        return "this is not one CREATE RULE"
    node = parsed[0]
    event = _RULE_EVENTS.get(node.event.name)
    if event is None:
        return None
    writes = []
    unread = None
    for one in nodes(node.actions or ()):
        if isinstance(one, ast.FuncCall):
            name = joined_name(part.sval for part in one.funcname)
            if not name.startswith("pg_catalog.") and "." in name:
                unread = f"it calls `{name}`"
        for kind, written in _RULE_WRITES.items():
            if isinstance(one, kind):
                writes.append(Write(_relation(one.relation), written, node.whereClause is None))
    return Rule(
        name=f"rule `{node.rulename}`",
        table=_relation(node.relation),
        event=event,
        replaces=bool(node.instead) and node.whereClause is None,
        effects=Effects(tuple(dict.fromkeys(writes)), unread),
    )


def _relation(relation: Node) -> str:
    return joined_name(part for part in (relation.schemaname or "public", relation.relname))


_RULE_EVENTS = {
    "CMD_DELETE": Event.DELETE,
    "CMD_UPDATE": Event.UPDATE,
    "CMD_INSERT": Event.INSERT,
}
_RULE_WRITES = {
    ast.InsertStmt: Event.INSERT,
    ast.UpdateStmt: Event.UPDATE,
    ast.DeleteStmt: Event.DELETE,
}
