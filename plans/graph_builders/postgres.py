"""PostgreSQL's catalogs to facts: the queries, as text, and what their rows mean.

Whoever has a connection runs `QUERIES` in one read-only transaction, after `SETTINGS`; nothing here connects.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import Event, Fragment, Origin
from ..model import RowBasis
from ..sources.sql.changes import joined_name
from .catalog import (
    Catalog,
    Dependency,
    ForeignKey,
    Inheritance,
    Object,
    Reaction,
    Updatable,
    fragment,
)
from .database_code import effects_of_functions, rule

Rows = Sequence[Sequence[Any]]
MAX_ROWS = 5_000_000

# Every name comes out qualified.
SETTINGS = ("SET LOCAL search_path TO ''", "SET LOCAL statement_timeout TO '300s'")

# Schemas that hold nothing of the user's.
_SYSTEM = """
  (SELECT oid FROM pg_catalog.pg_namespace
   WHERE nspname IN ('pg_catalog', 'information_schema')
      OR nspname LIKE 'pg\\_toast%' OR nspname LIKE 'pg\\_temp\\_%')
"""

_TEXTS: Mapping[str, str] = {
    "database": "SELECT current_database()",
    "schemas": "SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE oid NOT IN @system",
    "relations": """
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition, c.reltuples,
       CASE WHEN c.relkind IN ('r', 'm', 'S', 't') THEN pg_catalog.pg_total_relation_size(c.oid) END,
       CASE WHEN c.relkind = 'v' THEN pg_catalog.pg_relation_is_updatable(c.oid, true) END,
       i.indrelid
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace NOT IN @system
""",
    "objects": """
SELECT DISTINCT o.classid::pg_catalog.regclass::text, o.objid, i.type, i.schema, i.name, i.identity
FROM (SELECT classid, objid FROM pg_catalog.pg_depend
      UNION SELECT refclassid, refobjid FROM pg_catalog.pg_depend) o
CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
WHERE o.objid >= 16384 AND o.classid <> 'pg_catalog.pg_class'::pg_catalog.regclass
  AND o.classid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass
""",
    "dependencies": """
SELECT classid::pg_catalog.regclass::text, objid, objsubid,
       refclassid::pg_catalog.regclass::text, refobjid, refobjsubid, deptype::text
FROM pg_catalog.pg_depend
WHERE objid >= 16384 AND refobjid >= 16384
""",
    "owners": """
SELECT 'pg_constraint', oid, conrelid FROM pg_catalog.pg_constraint WHERE conrelid <> 0
UNION ALL SELECT 'pg_trigger', oid, tgrelid FROM pg_catalog.pg_trigger
UNION ALL SELECT 'pg_rewrite', oid, ev_class FROM pg_catalog.pg_rewrite
UNION ALL SELECT 'pg_policy', oid, polrelid FROM pg_catalog.pg_policy
UNION ALL SELECT 'pg_attrdef', oid, adrelid FROM pg_catalog.pg_attrdef
UNION ALL SELECT 'pg_statistic_ext', oid, stxrelid FROM pg_catalog.pg_statistic_ext
""",
    "columns": """
SELECT DISTINCT a.attrelid, a.attnum, a.attname
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0
  AND d.deptype = 'n' AND d.refobjid >= 16384 AND c.relnamespace NOT IN @system
""",
    "foreign_keys": """
SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.confdeltype::text, k.confupdtype::text,
       (SELECT pg_catalog.max(s.null_frac)
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_stats s
          ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
             AND NOT s.inherited
        WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f'
""",
    "inheritances": """
SELECT h.inhrelid, h.inhparent, c.relispartition
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
WHERE c.relkind IN ('r', 'p', 'f')
""",
    "triggers": """
SELECT t.tgrelid, t.tgname, t.tgtype, t.tgenabled::text,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE NOT t.tgisinternal
""",
    "functions": """
SELECT pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p
WHERE p.pronamespace NOT IN @system AND p.prokind IN ('f', 'p')
  AND EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal)
""",
    "rules": """
SELECT r.ev_class, pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D' AND c.relnamespace NOT IN @system
""",
    "view_tables": """
SELECT DISTINCT r.ev_class, d.refobjid
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
WHERE r.ev_type = '1'
""",
}

QUERIES: Mapping[str, str] = {
    name: text.replace("@system", _SYSTEM) for name, text in _TEXTS.items()
}


def build(rows: Mapping[str, Rows], identifiers: tuple[str, ...] = ()) -> Fragment:
    """The part of the graph that a database is, from the rows of every query."""
    return fragment(catalog(rows, identifiers))


def catalog(rows: Mapping[str, Rows], identifiers: tuple[str, ...] = ()) -> Catalog:
    name = str(rows["database"][0][0])
    found = Catalog(name, Origin("postgres", name), identifiers)
    many = [query for query, answer in rows.items() if len(answer) > MAX_ROWS]
    if many:
        found.problems.append(f"the catalog has more than {MAX_ROWS:,} rows of {', '.join(many)}")
        return found
    reader = _Reader(rows, found)
    reader.read_objects()
    reader.read_dependencies()
    reader.read_keys()
    reader.read_code()
    return found


_RELATION_KINDS = {
    "r": "table",
    "p": "partitioned_table",
    "v": "view",
    "m": "materialized_view",
    "S": "sequence",
    "f": "foreign_table",
    "i": "index",
    "I": "index",
    "c": "composite_type",
}
_ACTIONS = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_TRIGGER_EVENTS = {4: Event.INSERT, 8: Event.DELETE, 16: Event.UPDATE, 32: Event.TRUNCATE}
_CLASS = "pg_class"
_CAN_DELETE = 1 << 4


class _Reader:
    def __init__(self, rows: Mapping[str, Rows], found: Catalog) -> None:
        self.rows = rows
        self.found = found
        self.kinds = {oid: kind for oid, _, _, kind, *_ in rows["relations"]}
        self.names = {oid: (schema, name) for oid, schema, name, *_ in rows["relations"]}
        self.schemas = {name: f"schema:{oid}" for oid, name in rows["schemas"]}
        self.owners = {(kind, oid): relation for kind, oid, relation in rows["owners"]}
        self.aliases = self._read_aliases()
        self.columns = {(relation, number) for relation, number, _ in rows["columns"]}

    def _read_aliases(self) -> dict[tuple[str, int], tuple[str, int]]:
        """What is a part of another object's implementation, and goes only with it."""
        return {
            (kind, oid): (on_kind, on)
            for kind, oid, _, on_kind, on, _, how in self.rows["dependencies"]
            if how == "i"
            and (kind, oid) != (on_kind, on)
            and not (kind == _CLASS and self.kinds.get(oid) == "S")
        }

    def ref(self, kind: str, oid: int) -> str:
        place = (kind, oid)
        for _ in range(100):
            if place not in self.aliases:
                break
            place = self.aliases[place]
        return f"{place[0]}:{place[1]}"

    def id(self, oid: int) -> str:
        return joined_name(self.names[oid]) if oid in self.names else str(oid)

    def read_objects(self) -> None:
        objects = self.found.objects
        for oid, name in self.rows["schemas"]:
            objects.append(Object(f"schema:{oid}", "schema", joined_name((name,)), name))
        for oid, schema, name, letter, is_partition, tuples, size, _, table in self.rows[
            "relations"
        ]:
            kind = _RELATION_KINDS.get(letter)
            if kind is None or (_CLASS, oid) in self.aliases:
                continue
            if kind == "table" and is_partition:
                kind = "partition"
            rows = int(tuples) if letter in "rm" and tuples is not None and tuples >= 0 else None
            objects.append(
                Object(
                    f"{_CLASS}:{oid}",
                    kind,
                    self.id(oid),
                    name,
                    schema=self.schemas.get(schema),
                    owner=None if table is None else f"{_CLASS}:{table}",
                    rows=rows,
                    row_basis=None if rows is None else RowBasis.ESTIMATED,
                    bytes=size,
                )
            )
        for kind, oid, type, schema, name, identity in self.rows["objects"]:
            if (kind, oid) in self.aliases or type is None:
                continue
            word = "routine" if kind == "pg_proc" else type.replace(" ", "_")
            owner = self.owners.get((kind, oid))
            label = name or identity
            id = joined_name((schema, label)) if schema and name else identity
            if owner is not None:
                label = identity.partition(" on ")[0]
                id = f"{self.id(owner)}.{label}"
            objects.append(
                Object(
                    f"{kind}:{oid}",
                    word,
                    id,
                    label,
                    schema=self.schemas.get(schema),
                    owner=None if owner is None else f"{_CLASS}:{owner}",
                    identity=identity,
                )
            )
        for relation, number, name in self.rows["columns"]:
            if self.kinds.get(relation) not in ("r", "p", "f", "m"):
                continue
            objects.append(
                Object(
                    f"column:{relation}.{number}",
                    "column",
                    f"{self.id(relation)}.{name}",
                    name,
                    owner=f"{_CLASS}:{relation}",
                )
            )

    def read_dependencies(self) -> None:
        found = self.found.dependencies
        for relation, number, _ in self.rows["columns"]:
            found.append(Dependency(f"column:{relation}.{number}", f"{_CLASS}:{relation}", True))
        for kind, oid, part, on_kind, on, on_part, how in self.rows["dependencies"]:
            ref, target = self.ref(kind, oid), self.ref(on_kind, on)
            if on_kind == "pg_namespace":
                continue
            if how == "e":
                # A member of an extension goes with it, and only with it.
                found.append(Dependency(ref, target, True))
                continue
            automatic = how in "aPSx" or (how == "i" and ref != target)
            if part > 0 and kind == _CLASS and (oid, part) in self.columns and how == "n":
                ref = f"column:{oid}.{part}"
            if ref != target:
                found.append(Dependency(ref, target, automatic))
            if on_part > 0 and (on, on_part) in self.columns and ref != f"column:{on}.{on_part}":
                found.append(Dependency(ref, f"column:{on}.{on_part}", automatic))

    def read_keys(self) -> None:
        for oid, name, child, parent, on_delete, on_update, nulls in self.rows["foreign_keys"]:
            self.found.foreign_keys.append(
                ForeignKey(
                    name,
                    f"{_CLASS}:{child}",
                    f"{_CLASS}:{parent}",
                    _ACTIONS.get(on_delete, "cascade"),
                    _ACTIONS.get(on_update, "cascade"),
                    1.0 if nulls is None else max(0.0, 1.0 - float(nulls)),
                    self.ref("pg_constraint", oid),
                )
            )
        self.found.inheritances += [
            Inheritance(f"{_CLASS}:{child}", f"{_CLASS}:{parent}", is_partition)
            for child, parent, is_partition in self.rows["inheritances"]
        ]
        updatable = {
            oid
            for oid, _, _, _, _, _, _, mask, _ in self.rows["relations"]
            if mask is not None and mask & _CAN_DELETE
        }
        self.found.updatable += [
            Updatable(f"{_CLASS}:{view}", f"{_CLASS}:{table}")
            for view, table in self.rows["view_tables"]
            if view in updatable
        ]

    def read_code(self) -> None:
        triggers = self.rows["triggers"]
        effects = effects_of_functions(
            (function for *_, function in triggers), (text for (text,) in self.rows["functions"])
        )
        for table, name, type, enabled, function in triggers:
            if enabled == "D":
                continue
            does = effects[function]
            for bit, event in _TRIGGER_EVENTS.items():
                if not type & bit:
                    continue
                events = [event]
                if event is Event.TRUNCATE:
                    events.append(Event.TRUNCATE_CASCADE)
                self.found.reactions += [
                    Reaction(
                        f"trigger `{name}`",
                        f"{_CLASS}:{table}",
                        each,
                        does.writes,
                        does.unread,
                        replaces=bool(type & 64),
                    )
                    for each in events
                ]
        for table, definition in self.rows["rules"]:
            read = rule(definition)
            ref = f"{_CLASS}:{table}"
            if isinstance(read, str):
                self.found.reactions += [
                    Reaction("a rule", ref, event, (), read)
                    for event in (Event.DELETE, Event.UPDATE, Event.INSERT)
                ]
            elif read is not None:
                self.found.reactions.append(
                    Reaction(
                        read.name,
                        ref,
                        read.event,
                        read.effects.writes,
                        read.effects.unread,
                        read.replaces,
                    )
                )
