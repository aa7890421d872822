"""Statements about settings, of the session and of roles, databases and the server."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ....model import Effect, Reversibility, Selector
from ..changes import Finding, asset
from ..tree import Node, ast, enums
from . import taxonomy
from .names import role_name, setting_text
from .script import DIALECT, Place, Script


def set_variable(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = enums.VariableSetKind
    if node.kind == kind.VAR_SET_MULTI:
        for option in node.args or ():
            if isinstance(option, ast.DefElem):
                yield setting_finding(option.defname, (option.arg,), place, "")
        if node.name == "TRANSACTION SNAPSHOT":
            yield setting_finding("transaction_snapshot", node.args, place, "")
        return
    name = (node.name or "").lower()
    args = node.args if node.kind == kind.VAR_SET_VALUE else None
    _note_setting(script, node, name, args)
    if node.kind == kind.VAR_RESET_ALL:
        resource = asset("Setting", DIALECT, "setting", "*")
        yield Finding(
            "sql.set", resource, Effect.UPDATE, "resets all settings", place.start, Selector.ALL
        )
        return
    yield setting_finding(name, args, place, "")


def _note_setting(script: Script, node: Node, name: str, args: Any) -> None:
    """What a setting changes about how the rest of the script reads."""
    everything = node.kind == enums.VariableSetKind.VAR_RESET_ALL
    if name == "search_path" or everything:
        note_path(script, args, is_local=node.is_local)
    if name == "standard_conforming_strings" and args is not None:
        script.plain_backslashes = setting_text(args) in ("on", "true", "yes", "1")


def note_path(script: Script, args: Any, *, is_local: bool) -> None:
    """What `SET search_path` makes of unqualified names; no arguments set the default."""
    names = [setting_text((arg,), lower=False) for arg in args or ()]
    script.hides_builtins = "pg_catalog" in names[1:] or None in names
    if "pg_temp" in names[1:] or None in names:
        script.temporary_comes_first = False
    script.set_path(_search_path(names), is_local=is_local)


def _search_path(names: list[str | None]) -> tuple[str, ...]:
    if None in names:
        return ("public", "*")
    special = ("$user", "pg_catalog", "pg_temp", "")
    known = [name for name in names if name is not None and name not in special]
    if names and not known and "$user" not in names:
        return ("pg_catalog",)
    return tuple(dict.fromkeys(known)) or ("public",)


def setting_finding(name: str, args: Any, place: Place, where_set: str) -> Finding:
    """Setting `name` to `args`, or resetting it when there are none."""
    row = taxonomy.postgres().settings.get(name)
    value = setting_text(args) if args is not None else None
    resource = asset("Setting", DIALECT, "setting", name or "*")
    effect = Effect.UPDATE
    if row is not None:
        if args is None:
            effect = row.effect if row.harmful_reset else effect
        elif row.harmful is None or value is None or value in row.harmful:
            effect = row.effect
    if effect == Effect.UPDATE or row is None:
        to = "to its default" if args is None else f"to `{_short(value)}`"
        return Finding("sql.set", resource, effect, f"sets `{name}` {to}{where_set}", place.start)
    return Finding(
        "sql.set",
        resource,
        effect,
        f"{'resets' if args is None else 'sets'} `{name}`{where_set}, which {row.why}",
        place.start,
        Selector.ALL if effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY) else Selector.ONE,
    )


def _short(value: str | None) -> str:
    text = "an expression" if value is None else value
    return text if len(text) <= 40 else text[:39] + "…"


def alter_system(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    for finding in _kept_setting(node.setstmt, place, " for the whole server"):
        yield replace(finding, selector=Selector.ALL)


def alter_role_set(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    who = "every role" if node.role is None else f"role `{role_name(node.role)}`"
    yield from _kept_setting(node.setstmt, place, f" for {who}")


def alter_database_set(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    yield from _kept_setting(node.setstmt, place, f" for database `{node.dbname}`")


def _kept_setting(node: Node, place: Place, where_set: str) -> Iterator[Finding]:
    if node.kind == enums.VariableSetKind.VAR_RESET_ALL:
        resource = asset("Setting", DIALECT, "setting", "*")
        yield Finding(
            "sql.set",
            resource,
            Effect.DISARM,
            f"resets all settings{where_set}",
            place.start,
            Selector.ALL,
            Reversibility.RECOVERABLE,
        )
        return
    args = node.args if node.kind == enums.VariableSetKind.VAR_SET_VALUE else None
    yield setting_finding((node.name or "").lower(), args, place, where_set)


def discard(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    mode = enums.DiscardMode
    if node.target in (mode.DISCARD_ALL, mode.DISCARD_TEMP):
        for name in tuple(script.temporary):
            script.forget(ast.RangeVar(relname=name, relpersistence="t"))
    if node.target == mode.DISCARD_ALL:
        script.prepared.clear()
        script.set_path(("public",), is_local=False)
    resource = asset("Setting", DIALECT, "setting", "*")
    yield Finding(
        "sql.set", resource, Effect.UPDATE, "discards session state", place.start, Selector.ALL
    )
