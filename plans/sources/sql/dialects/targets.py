"""The tables that a statement of the other dialects changes: their names, whose they are, what chooses their rows."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from ...words import words
from ..changes import Finding, unread
from ..selector.reach import Target
from ..tree import Node, ast, nodes
from ..written import weighed
from .calls import calling
from .conditions import query
from .session import Session


def table_parts(table: Any) -> tuple[str, ...]:
    """The parts of a table's name; BigQuery may quote them as one."""
    found = []
    for part in table.parts:
        text = part.name
        if isinstance(part, exp.Parameter):
            text = f"@{text}"
        elif isinstance(part, exp.Identifier) and part.args.get("temporary"):
            text = f"#{text}"
        elif isinstance(part, exp.Identifier) and part.args.get("global_"):
            text = f"##{text}"
        found.append(text)
    return tuple(found) or ("",)


def target_of(
    session: Session, table: Any, beside: tuple[Node, ...], named: Mapping[str, Node]
) -> Target:
    parts = table_parts(table)
    facts = session.facts(parts)
    key = session.key(parts)
    alias = (table.alias or parts[-1]).lower()

    def is_same_table(other: Node) -> bool:
        if not other.schemaname and other.relname.lower() in named:
            return False
        path = (
            (*(other.schemaname or "").split("."), other.relname)
            if other.schemaname
            else (other.relname,)
        )
        return session.key(path) == key or other.relname.casefold() == parts[-1].casefold()

    queries = dict(named)
    same_names = set()
    of_row = set(session.row_tables)
    for other in nodes(beside):
        if isinstance(other, ast.RangeSubselect) and other.alias is not None:
            queries[other.alias.aliasname] = other.subquery
        elif isinstance(other, ast.RangeVar):
            other_alias = (
                other.alias.aliasname if other.alias is not None else other.relname.lower()
            )
            if not other.schemaname and other.relname.lower() in named:
                queries[other_alias] = named[other.relname.lower()]
            elif is_same_table(other):
                same_names.add(other_alias)
            if not other.schemaname and other.relname.lower() in session.row_tables:
                of_row.add(other_alias)
    return Target(
        names=frozenset({alias}),
        is_same_table=is_same_table,
        calling=lambda call: calling(session, call),
        keys=facts.keys | (_ROW_IDS if session.name == "sqlite" else frozenset()),
        keys_are_complete=facts.is_complete,
        not_null=facts.not_null,
        columns=facts.columns if facts.is_complete else None,
        table=parts[-1],
        queries=queries,
        same_names=frozenset(same_names - {alias}),
        is_joined=bool(beside),
        variables=session.variables,
        rounds=session.rounds,
        of_row=frozenset(of_row),
    )


# Names of the key that every table of SQLite has, unless it says otherwise.
_ROW_IDS = frozenset(frozenset({name}) for name in ("rowid", "_rowid_", "oid"))


def named_queries(session: Session, tree: Any) -> dict[str, Node]:
    clause = tree.args.get("with_")
    if clause is None:
        return {}
    return {cte.alias.lower(): query(cte.this, session.name) for cte in clause.expressions}


def softened(session: Session, parts: tuple[str, ...], finding: Finding) -> Finding:
    """The script's own table holds nothing older; the system's own tables hold everything."""
    whole = [part.lower() for part in (*session.database, *parts)]
    is_system = _SYSTEM[session.name] & set(whole[:-1]) or (
        session.name == "sqlite" and whole[-1] in _SYSTEM_TABLES
    )
    return weighed(finding, is_system=bool(is_system), is_new=session.is_new(parts))


_SYSTEM = {
    "mysql": words("mysql sys performance_schema information_schema"),
    "tsql": words("sys master msdb model information_schema"),
    "snowflake": words("information_schema snowflake"),
    "bigquery": words("information_schema"),
    "sqlite": frozenset[str](),
}


_SYSTEM_TABLES = words(
    "sqlite_master sqlite_schema sqlite_sequence sqlite_temp_master sqlite_temp_schema"
)


def strange_clauses(
    session: Session, tree: Any, known: frozenset[str], at: int
) -> Iterator[Finding]:
    """A clause that is not followed may change what the statement reaches."""
    for name, value in tree.args.items():
        if value and name.rstrip("_") not in known:
            clause = name.rstrip("_").replace("_", " ").upper()
            yield unread(session.name, f"its {clause} clause is not followed", at)
