"""Statements about objects: all that CREATE, ALTER and DROP name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ....model import Asset, Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset, joined_name, unread
from ..renames import in_its_place
from ..tree import Node, ast, enums, nodes
from . import taxonomy
from .called import calls
from .names import (
    FALSE_WORDS,
    PLAIN_KINDS,
    is_false,
    name_parts,
    named_object,
    range_var,
    role_asset,
    role_name,
    setting_text,
    split_id,
)
from .rows import WRITES, created_table, softened
from .script import DIALECT, Place, Script, facts_of, with_subcommand


def tabled(script: Script, node: Node, row: taxonomy.Statement, place: Place) -> Iterator[Finding]:
    targets = _targets(script, node, row)
    verb = _WORDS.get(row.action, "changes")
    reaches_all = row.all_if is not None and bool(getattr(node, row.all_if))
    for target, doubt in targets:
        yield Finding(
            row.action,
            target,
            row.effect,
            f"{verb} {row.kind.replace('_', ' ')} `{target.id}`",
            place.start,
            Selector.ALL if reaches_all else row.selector,
            row.reversibility,
            opaque=doubt,
        )


_WORDS = {
    "sql.create": "creates",
    "sql.alter": "alters",
    "sql.drop": "drops",
    "sql.maintain": "maintains",
    "sql.transaction": "uses",
    "sql.read": "reads",
    "sql.run_program": "loads",
    "sql.grant": "labels",
}


def _targets(script: Script, node: Node, row: taxonomy.Statement) -> list[tuple[Asset, str | None]]:
    value = getattr(node, row.name) if row.name is not None else None
    if row.type in ("Table", "View") and value is not None:
        relations = value if isinstance(value, tuple) else (value,)
        return [
            (script.table(one, row.type, row.kind), script.doubt_about(one))
            for one in relations
            if isinstance(one, ast.RangeVar)
        ]
    if row.kind == "role" and isinstance(value, tuple):
        return [(role_asset(one), None) for one in value]
    parts = name_parts(value)
    if not parts:
        every = "*" if row.name is not None else "current"
        return [(asset(row.type, DIALECT, row.kind, every), None)]
    if row.on is not None:
        relation = getattr(node, row.on)
        id = joined_name((*split_id(script.table_ids(relation)[0]), parts[-1]))
    elif row.kind in PLAIN_KINDS:
        id = joined_name(parts)
    else:
        id = script.qualified(parts)
    return [(asset(row.type, DIALECT, row.kind, id, parts[-1]), None)]


def create_table(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    relation = node.relation
    yield created_table(script, relation, place, "creates table")
    existing = set(script.table_ids(relation)) & script.tables.keys()
    if not (node.if_not_exists and existing):
        script.create(relation, facts_of(node, script))
    _attach(script, relation, (node.tableElts,))


def create_foreign_table(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    # Its rows are older than the script, on another server.
    created = created_table(script, node.base.relation, place, "creates foreign table")
    if any(option.defname == "program" for option in node.options or ()):
        summary = f"{created.summary}, whose rows a program of the server writes"
        created = replace(created, effect=Effect.EXECUTE, summary=summary)
    yield created
    script.forget(node.base.relation)


def create_view(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    id = script.table_ids(node.view)[0]
    if id not in script.tables:
        script.views.add(id)
    script.attached.pop(id, None)
    _attach(script, node.view, (node.query,))
    created = created_table(script, node.view, place, "creates view", "View")
    yield (
        replace(created, effect=Effect.UPDATE, summary=f"replaces view `{id}`")
        if (node.replace and created.effect == Effect.CREATE)
        else created
    )


def create_index(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    schema = script.schema_of(node.relation)[0]
    table = script.table(node.relation)
    name = node.idxname or f"on {node.relation.relname}"
    resource = asset("DatabaseObject", DIALECT, "index", joined_name((schema, name)), name)
    summary = f"creates an index on `{table.id}`"
    yield Finding("sql.create", resource, Effect.CREATE, summary, place.start)
    if node.unique and node.indexParams and node.whereClause is None:
        columns = [one.name for one in node.indexParams]
        if all(columns):
            facts = script.facts(node.relation)
            keys = facts.keys | {frozenset(columns)}
            script.update(node.relation, replace(facts, keys=keys))


def drop_objects(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.removeType.name.removeprefix("OBJECT_")
    row = taxonomy.postgres().drop.get(kind)
    if row is None:
        yield unread(DIALECT, f"DROP of a {kind.lower()} is not classified", place.start)
        return
    cascades = node.behavior == enums.DropBehavior.DROP_CASCADE
    effect = row.cascade if cascades else row.effect
    destroys = effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT)
    noun = kind.lower().replace("_", " ")
    for target in node.objects:
        parts = name_parts(target)
        finding = Finding(
            "sql.drop",
            _dropped(script, row.type, kind, parts),
            effect,
            "",
            place.start,
            Selector.ALL if destroys else Selector.ONE,
            Reversibility.IRREVERSIBLE if destroys else Reversibility.REVERSIBLE,
            operation=f"DROP {noun.upper()}" + (" CASCADE" if cascades else ""),
        )
        finding = replace(
            finding,
            summary=f"drops {noun} `{finding.resource.id}`"
            + (" and all that depends on it" if cascades else ""),
        )
        if kind in ("TABLE", "FOREIGN_TABLE", "VIEW", "MATVIEW"):
            relation = range_var(parts)
            finding = replace(finding, opaque=script.doubt_about(relation))
            if not cascades or kind == "TABLE":
                finding = softened(script, relation, finding)
            script.forget(relation)
        elif kind == "SCHEMA":
            prefix = joined_name(parts) + "."
            for id in [id for id in script.tables if id.startswith(prefix)]:
                del script.tables[id]
        elif _is_audit(kind, parts):
            finding = replace(
                finding,
                effect=Effect.DELETE_AUDIT,
                selector=Selector.ALL,
                reversibility=Reversibility.RECOVERABLE,
            )
        elif kind in ("FUNCTION", "PROCEDURE", "ROUTINE"):
            script.routines.pop(parts[-1] if parts else "", None)
        yield finding


def _is_audit(kind: str, parts: list[str]) -> bool:
    name = parts[-1].lower() if parts else ""
    if kind == "EXTENSION":
        return name in taxonomy.postgres().audit_extensions
    return kind in ("TRIGGER", "EVENT_TRIGGER", "RULE") and "audit" in name


_PLAIN_DROPS = words(
    "SCHEMA EXTENSION EVENT_TRIGGER LANGUAGE FDW FOREIGN_SERVER PUBLICATION ACCESS_METHOD"
)


def _dropped(script: Script, type: str, kind: str, parts: list[str]) -> Asset:
    word = {"MATVIEW": "materialized_view", "TABLE": "table", "VIEW": "view"}.get(
        kind, kind.lower()
    )
    if type in ("Table", "View"):
        return script.table(range_var(parts), type, word)
    if kind in ("TRIGGER", "RULE", "POLICY") and len(parts) > 1:
        table = script.table_ids(range_var(parts[:-1]))[0]
        return asset(type, DIALECT, word, joined_name((*split_id(table), parts[-1])), parts[-1])
    plain = kind in _PLAIN_DROPS
    id = joined_name(parts) if plain else script.qualified(parts)
    return asset(type, DIALECT, word, id or "*", parts[-1] if parts else "*")


def alter_table(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    types = {
        "OBJECT_TABLE": ("Table", "table"),
        "OBJECT_FOREIGN_TABLE": ("Table", "foreign_table"),
        "OBJECT_VIEW": ("View", "view"),
        "OBJECT_MATVIEW": ("View", "materialized_view"),
    }
    objtype = node.objtype.name
    type, kind = types.get(objtype, ("DatabaseObject", objtype.removeprefix("OBJECT_").lower()))
    resource = script.table(node.relation, type, kind)
    doubt = script.doubt_about(node.relation)
    for command in node.cmds:
        finding = _subcommand(command, resource, place)
        facts = script.facts(node.relation)
        is_new = script.is_new(node.relation)
        if type == "Table" and objtype == "OBJECT_TABLE":
            if not node.missing_ok:
                script.update(node.relation, with_subcommand(facts, command))
            if isinstance(command.def_, ast.Node):
                _attach(script, node.relation, (command.def_,))
            # A parent holds what its partitions and children hold.
            subtype = command.subtype.name
            if subtype == "AT_AttachPartition" and not script.is_new(command.def_.name):
                script.no_longer_new(node.relation)
            elif subtype == "AT_AddInherit" and not is_new:
                script.no_longer_new(command.def_)
            if is_new and finding.effect in (Effect.DELETE_DATA, Effect.UPDATE, Effect.DISARM):
                finding = replace(
                    finding, effect=Effect.UPDATE, reversibility=Reversibility.REVERSIBLE
                )
        if finding.opaque is None:
            finding = replace(finding, opaque=doubt)
        yield finding


def _subcommand(command: Node, resource: Asset, place: Place) -> Finding:
    name = command.subtype.name.removeprefix("AT_")
    row = taxonomy.postgres().alter_table.get(name)
    if row is None:
        return unread(DIALECT, f"the ALTER subcommand `{name}` is not classified", place.start)
    what = command.name
    if not what and isinstance(command.def_, ast.ColumnDef):
        what = command.def_.colname
    effect, way_back = row.effect, row.reversibility
    phrase = f"{row.words} `{what}`" if what else row.words
    if name == "DropConstraint" and command.behavior == enums.DropBehavior.DROP_CASCADE:
        phrase += " with the foreign keys that need it"
    if name == "ReplicaIdentity" and command.def_.identity_type == "n":
        effect = Effect.DISARM
    if "audit" in (what or "").lower() and name in ("DisableTrig", "DisableRule"):
        effect = Effect.DELETE_AUDIT
    if name in ("SetRelOptions", "ResetRelOptions") and _turns_vacuum_off(command.def_):
        effect = Effect.DISARM
    if name in ("SetRelOptions", "ResetRelOptions") and _opens_view(
        command.def_, resets=name == "ResetRelOptions"
    ):
        effect = Effect.DISARM
    return Finding(
        row.action,
        resource,
        effect,
        f"`{resource.id}`: {phrase}",
        place.start,
        Selector.ALL
        if row.reaches_rows or name in ("DisableTrigAll", "DisableTrigUser")
        else Selector.ONE,
        way_back,
        operation=_operation(command) if row.action == "sql.drop" else None,
    )


def _operation(command: Node) -> str:
    """`ALTER TABLE DROP COLUMN CASCADE`, and its like."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", command.subtype.name.removeprefix("AT_")).upper()
    cascades = command.behavior == enums.DropBehavior.DROP_CASCADE
    return f"ALTER TABLE {words}" + (" CASCADE" if cascades else "")


def _turns_vacuum_off(options: Any) -> bool:
    return any(
        option.defname == "autovacuum_enabled" and setting_text((option.arg,)) in FALSE_WORDS
        for option in options or ()
        if isinstance(option, ast.DefElem)
    )


def _opens_view(options: Any, *, resets: bool) -> bool:
    """Whether a view reads with its owner's rights again, or lets a function see rows that it hides."""
    return any(
        option.defname in ("security_barrier", "security_invoker")
        and (resets or (option.arg is not None and setting_text((option.arg,)) in FALSE_WORDS))
        for option in options or ()
        if isinstance(option, ast.DefElem)
    )


def rename(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.renameType.name.removeprefix("OBJECT_")
    row = taxonomy.postgres().drop.get(kind)
    if node.relation is not None:
        type = row.type if row is not None and row.type in ("Table", "View") else "Table"
        resource = script.table(node.relation, type)
        what = f"`{node.subname}` of `{resource.id}`" if node.subname else f"`{resource.id}`"
        finding = Finding(
            "sql.rename",
            resource,
            Effect.UPDATE,
            f"renames {what} to `{node.newname}`",
            place.start,
            opaque=script.doubt_about(node.relation),
        )
        taken = False
        if kind in ("TABLE", "VIEW", "MATVIEW", "FOREIGN_TABLE"):
            is_view = kind in ("VIEW", "MATVIEW")
            taken = script.rename(node.relation, name=node.newname, schema=None, is_view=is_view)
        yield in_its_place(finding) if taken else finding
        if kind == "COLUMN" and node.relation is not None:
            script.update(node.relation, replace(script.facts(node.relation), is_complete=False))
        return
    special = {"ROLE": ("Role", "role"), "DATABASE": ("Database", "database")}
    type, word = special.get(
        kind, (row.type if row is not None else "DatabaseObject", kind.lower())
    )
    target = named_object(
        script, word, node.object if node.object is not None else node.subname, type
    )
    if kind == "SCHEMA":
        _forget_schema(script, target.id)
        _forget_schema(script, node.newname)
    if kind in ("FUNCTION", "PROCEDURE", "ROUTINE"):
        script.routines.clear()
    finding = Finding(
        "sql.rename",
        target,
        Effect.UPDATE,
        f"renames {word.replace('_', ' ')} `{target.id}` to `{node.newname}`",
        place.start,
    )
    taken = kind in ("SCHEMA", "DATABASE") and script.renames.rename(
        f"{word} {target.id}", f"{word} {node.newname}"
    )
    yield in_its_place(finding) if taken else finding


def _forget_schema(script: Script, schema: str) -> None:
    for id in [id for id in script.tables if id.startswith(schema + ".")]:
        del script.tables[id]


def set_schema(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.objectType.name.removeprefix("OBJECT_")
    row = taxonomy.postgres().drop.get(kind)
    type = row.type if row is not None else "DatabaseObject"
    doubt = None
    taken = False
    if node.relation is not None:
        resource = script.table(node.relation, type, kind.lower())
        doubt = script.doubt_about(node.relation)
        is_view = kind in ("VIEW", "MATVIEW")
        taken = script.rename(node.relation, name=None, schema=node.newschema, is_view=is_view)
    else:
        resource = named_object(script, kind.lower(), node.object, type)
        script.routines.clear()
    finding = Finding(
        "sql.rename",
        resource,
        Effect.UPDATE,
        f"moves `{resource.id}` to schema `{node.newschema}`",
        place.start,
        opaque=doubt,
    )
    yield in_its_place(finding) if taken else finding


def set_owner(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.objectType.name.removeprefix("OBJECT_")
    row = taxonomy.postgres().drop.get(kind)
    type = "Database" if kind == "DATABASE" else row.type if row is not None else "DatabaseObject"
    if node.relation is not None:
        resource = script.table(node.relation, type, kind.lower())
    else:
        resource = named_object(script, kind.lower(), node.object, type)
    yield Finding(
        "sql.alter",
        resource,
        Effect.ESCALATE,
        f"gives `{resource.id}` to role `{role_name(node.newowner)}`",
        place.start,
    )


def alter_domain(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    drops = str(node.subtype) == "X"
    resource = named_object(script, "domain", node.typeName)
    yield Finding(
        "sql.drop" if drops else "sql.alter",
        resource,
        Effect.DISARM if drops else Effect.UPDATE,
        f"{'drops a constraint of' if drops else 'alters'} domain `{resource.id}`",
        place.start,
    )


def alter_event_trigger(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    disables = str(node.tgenabled) in ("D", "R")
    resource = asset("DatabaseObject", DIALECT, "event_trigger", node.trigname)
    yield Finding(
        "sql.alter",
        resource,
        Effect.DISARM if disables else Effect.UPDATE,
        f"{'disables' if disables else 'enables'} event trigger `{node.trigname}`",
        place.start,
    )


def alter_publication(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    adds = node.action == enums.AlterPublicationAction.AP_AddObjects and bool(node.pubobjects)
    resource = asset("DatabaseObject", DIALECT, "publication", node.pubname)
    # Dropping or replacing the published tables, or the kinds of changes, starves the subscribers.
    yield Finding(
        "sql.alter",
        resource,
        Effect.UPDATE if adds else Effect.DISARM,
        f"alters publication `{node.pubname}`",
        place.start,
    )


def alter_subscription(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    resource = asset("DatabaseObject", DIALECT, "subscription", node.subname)
    kind = enums.AlterSubscriptionType
    harmless = (kind.ALTER_SUBSCRIPTION_REFRESH, kind.ALTER_SUBSCRIPTION_ADD_PUBLICATION)
    yield Finding(
        "sql.alter",
        resource,
        Effect.UPDATE if node.kind in harmless else Effect.DISARM,
        f"alters subscription `{node.subname}`",
        place.start,
    )


def create_rule(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """A rule turns later statements into others, which nobody reading those can see."""
    table = script.table_ids(node.relation)[0]
    resource = asset(
        "DatabaseObject",
        DIALECT,
        "rule",
        joined_name((*split_id(table), node.rulename)),
        node.rulename,
    )
    script.no_longer_new(node.relation)
    actions = node.actions or ()
    finding = Finding(
        "sql.create",
        resource,
        Effect.CREATE,
        f"creates rule `{node.rulename}` on `{table}`",
        place.start,
    )
    if not actions:
        # DO INSTEAD NOTHING swallows writes.
        yield replace(finding, effect=Effect.DISARM) if node.instead else finding
        return
    writes = [one for one in nodes(actions) if isinstance(one, (*WRITES, ast.NotifyStmt))]
    if not writes and node.event == enums.CmdType.CMD_SELECT:
        yield finding
        return
    yield replace(
        finding,
        effect=Effect.UNKNOWN,
        selector=Selector.UNKNOWN,
        reversibility=Reversibility.UNKNOWN,
        opaque=f"the rule adds statements of its own to those on `{table}`",
    )


_BUILTIN_TRIGGERS = words(
    "suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column"
)


def define(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """CREATE OPERATOR, AGGREGATE, TYPE and their like."""
    row = taxonomy.postgres().statements["DefineStmt"]
    if node.kind == enums.ObjectType.OBJECT_OPERATOR:
        script.operators.add(name_parts(node.defnames)[-1])
    yield from tabled(script, node, row, place)


def create_policy(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    row = taxonomy.postgres().statements["CreatePolicyStmt"]
    yield from tabled(script, node, row, place)
    _attach(script, node.table, (node.qual, node.with_check))


@dataclass(frozen=True, slots=True)
class Fires:
    """The kinds of writes that a trigger waits for, as PostgreSQL's own bits."""

    events: int


def _attach(script: Script, relation: Node, parts: Any) -> None:
    """Notes expressions that run when the table is used."""
    if any(isinstance(one, (ast.FuncCall, ast.A_Expr, ast.RangeVar)) for one in nodes(parts)):
        for id in script.table_ids(relation):
            script.attached.setdefault(id, []).append(parts)


def create_trigger(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    row = taxonomy.postgres().statements["CreateTrigStmt"]
    yield from tabled(script, node, row, place)
    script.no_longer_new(node.relation)
    name = name_parts(node.funcname)[-1]
    if name not in _BUILTIN_TRIGGERS:
        function = ast.FuncCall(funcname=node.funcname)
        if name in script.routines or name in script.uncertain_routines:
            # It runs without another statement that shows what it does.
            yield from calls(script, function, place)
        _attach(script, node.relation, (function, node.whenClause, Fires(node.events)))


def alter_function(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    resource = named_object(script, "routine", node.func, "Routine")
    escalates = any(
        option.defname == "security" and not is_false(option.arg) for option in node.actions or ()
    )
    yield Finding(
        "sql.alter",
        resource,
        Effect.ESCALATE if escalates else Effect.UPDATE,
        f"alters routine `{resource.id}`",
        place.start,
    )


def create_language(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    yield Finding(
        "sql.run_program",
        asset("DatabaseObject", DIALECT, "language", node.plname),
        Effect.EXECUTE,
        f"creates language `{node.plname}`",
        place.start,
    )


def create_extension(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    name = node.extname.lower()
    resource = asset("DatabaseObject", DIALECT, "extension", name)
    table = taxonomy.postgres()
    finding = Finding(
        "sql.create", resource, Effect.CREATE, f"creates extension `{name}`", place.start
    )
    if name in table.executing_extensions:
        yield replace(
            finding,
            effect=Effect.EXECUTE,
            summary=f"creates extension `{name}`, which reaches beyond the database",
        )
    elif name in table.plain_extensions:
        yield finding
    else:
        yield replace(
            finding,
            effect=Effect.UNKNOWN,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            opaque=f"what the extension `{name}` brings is not known",
        )
