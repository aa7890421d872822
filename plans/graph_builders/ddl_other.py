"""Schemas of MySQL, SQLite, Snowflake, T-SQL and BigQuery to facts: tables, foreign keys and views.

What goes with what is taken as PostgreSQL has it, which reaches the furthest of them.
"""

from ..sources.sql.dialects.keys import definitions
from ..sources.sql.dialects.parse import Complaint
from ..sources.sql.source import DIALECTS
from .catalog import Catalog, Dependency, ForeignKey, Object

MAX_PROBLEMS = 100


def read_other(found: Catalog, file: str, text: str, dialect: str) -> None:
    """Adds what a file defines to the catalog."""
    if dialect not in DIALECTS:
        readable = ", ".join(DIALECTS)
        found.problems.append(f"{file}: `{dialect}` is no dialect read here; known are {readable}")
        return
    schemas = {each.id for each in found.objects if each.kind == "schema"}
    known = {each.id: each.ref for each in found.objects if each.kind in ("table", "view")}
    wanted = []
    for each in definitions(text, dialect):
        if isinstance(each, Complaint):
            if len(found.problems) < MAX_PROBLEMS:
                found.problems.append(f"{file}: {each.message}")
            continue
        if each.kind != "alter":
            schema, _, name = each.id.rpartition(".")
            if schema and schema not in schemas:
                schemas.add(schema)
                found.objects.append(Object(f"schema:{schema}", "schema", schema, schema))
            ref = f"{each.kind}:{each.id}"
            if each.id not in known:
                holder = f"schema:{schema}" if schema else None
                found.objects.append(Object(ref, each.kind, each.id, name, holder))
                known[each.id] = ref
        wanted.append(each)
    for each in wanted:
        ref = known.get(each.id, "")
        for used in each.uses:
            if used in known and known[used] != ref:
                found.dependencies.append(Dependency(ref, known[used], False))
        for key in each.references:
            name = f"{each.id.rpartition('.')[2]}_{key.name}" if key.name else each.id
            if key.parent not in known or not ref:
                found.problems.append(
                    f"{file}: a key of `{each.id}` refers to `{key.parent}`, which is not defined"
                )
                continue
            found.foreign_keys.append(
                ForeignKey(name, ref, known[key.parent], key.on_delete, key.on_update)
            )
