"""Statements about roles and rights."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ....model import Asset, Effect, Selector
from ..changes import Finding, asset
from ..tree import Node, ast, enums
from . import taxonomy
from .names import is_false, named_object, role_asset, role_name
from .script import DIALECT, Place, Script


def create_role(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    resource = asset("Role", DIALECT, "role", node.role)
    yield _role_finding("sql.create", resource, node.options, Effect.CREATE, "creates", place)


def alter_role(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    adds = node.action == 1
    effect = Effect.UPDATE
    finding = _role_finding(
        "sql.alter", role_asset(node.role), node.options, effect, "alters", place
    )
    if any(option.defname in _SHUTTING for option in node.options or ()):
        finding = replace(finding, selector=Selector.ALL)
    yield finding if adds else replace(finding, action="sql.revoke", effect=effect)


# They may keep the role from connecting at all.
_SHUTTING = frozenset({"canlogin", "validUntil", "connectionlimit"})


def _role_finding(
    action: str, resource: Asset, options: Any, effect: Effect, verb: str, place: Place
) -> Finding:
    powerful = taxonomy.postgres().powerful_role_options
    granted = [
        option.defname
        for option in options or ()
        if option.defname in powerful and not is_false(option.arg)
    ]
    if action == "sql.create":
        # A new role that can only log in has no rights yet.
        granted = [name for name in granted if name not in ("canlogin", "password")]
    with_power = f" with {', '.join(granted)}" if granted else ""
    return Finding(
        action,
        resource,
        Effect.ESCALATE if granted else effect,
        f"{verb} role `{resource.id}`{with_power}",
        place.start,
    )


def grant(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.objtype.name.removeprefix("OBJECT_")
    target_type = enums.GrantTargetType
    rights = ", ".join(one.priv_name or "all" for one in node.privileges or ()) or "all rights"
    to = ", ".join(role_name(one) for one in node.grantees or ())
    everything = node.targtype != target_type.ACL_TARGET_OBJECT
    for target in node.objects or (None,):
        if target is None:
            resource = asset("Schema", DIALECT, "schema", "*")
        elif node.targtype == target_type.ACL_TARGET_ALL_IN_SCHEMA:
            resource = named_object(script, "schema", target, "Schema")
        elif isinstance(target, ast.RangeVar) and kind == "TABLE":
            resource = script.table(target)
        else:
            row = taxonomy.postgres().drop.get(kind)
            special = {"DATABASE": "Database", "PARAMETER_ACL": "Setting"}
            type = special.get(kind, row.type if row is not None else "DatabaseObject")
            word = "setting" if kind == "PARAMETER_ACL" else kind.lower()
            resource = named_object(script, word, target, type)
        verb, link = ("grants", "to") if node.is_grant else ("revokes", "from")
        shuts = not node.is_grant and _shuts(node, kind)
        yield Finding(
            "sql.grant" if node.is_grant else "sql.revoke",
            resource,
            Effect.ESCALATE if node.is_grant else Effect.UPDATE,
            f"{verb} {rights} on `{resource.id}` {link} {to}",
            place.start,
            Selector.ALL if everything or shuts else _along(node),
        )


def _shuts(node: Node, kind: str) -> bool:
    """Whether a REVOKE takes away the way to everything in a schema or a database."""
    rights = {one.priv_name for one in node.privileges or ()}
    return kind in ("SCHEMA", "DATABASE") and (not rights or bool(rights & {"usage", "connect"}))


def _along(node: Node) -> Selector:
    """CASCADE takes along the rights that were granted on with the revoked ones."""
    cascades = not node.is_grant and node.behavior == enums.DropBehavior.DROP_CASCADE
    return Selector.SOME if cascades else Selector.ONE


def grant_role(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    to = ", ".join(role_name(one) for one in node.grantee_roles or ())
    verb, link = ("grants", "to") if node.is_grant else ("revokes", "from")
    for granted in node.granted_roles:
        name = granted.priv_name or "all"
        yield Finding(
            "sql.grant" if node.is_grant else "sql.revoke",
            asset("Role", DIALECT, "role", name),
            Effect.ESCALATE if node.is_grant else Effect.UPDATE,
            f"{verb} role `{name}` {link} {to}",
            place.start,
            _along(node),
        )


def default_privileges(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    for finding in grant(script, node.action, place):
        yield replace(finding, summary=f"by default, {finding.summary}")
