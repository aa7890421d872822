"""The tables of what PostgreSQL statements, settings and functions do, checked as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ....model import Effect, Reversibility, Selector
from ..changes import ACTIONS, ASSET_TYPES

MANUAL = "https://www.postgresql.org/docs/18/"


@dataclass(frozen=True, slots=True)
class Drop:
    """`cascade` is the effect when the dependents go along."""

    type: str
    effect: Effect
    cascade: Effect
    source: str


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A subcommand of ALTER TABLE; `reaches_rows` when it changes every row."""

    words: str
    action: str
    effect: Effect
    reversibility: Reversibility
    reaches_rows: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """`harmful` is the set of values that have the effect, `None` when every value has it."""

    effect: Effect
    harmful: frozenset[str] | None
    harmful_reset: bool
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose effect is always the same; `name`, `on` and `all_if` are fields of its node."""

    action: str
    effect: Effect
    selector: Selector
    reversibility: Reversibility
    type: str
    kind: str
    name: str | None
    on: str | None
    all_if: str | None
    source: str


@dataclass(frozen=True, slots=True)
class FunctionEffect:
    effect: Effect
    reversibility: Reversibility
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Postgres:
    drop: Mapping[str, Drop]
    alter_table: Mapping[str, Subcommand]
    settings: Mapping[str, Setting]
    powerful_role_options: frozenset[str]
    trusted_languages: frozenset[str]
    plain_extensions: frozenset[str]
    executing_extensions: frozenset[str]
    audit_extensions: frozenset[str]
    statements: Mapping[str, Statement]


@dataclass(frozen=True, slots=True)
class Functions:
    """Functions by name; a name in none of them has unknown effects."""

    harmless: frozenset[str]
    volatile: frozenset[str]
    extensions: frozenset[str]
    operators: frozenset[str]
    effects: Mapping[str, FunctionEffect]


@cache
def postgres() -> Postgres:
    table = _read("postgres.yaml")
    alter = table["alter_table"]
    settings = {
        name: Setting(
            effect=Effect(row["effect"]),
            harmful=frozenset(row["values"]) if "values" in row else None,
            harmful_reset=row.get("reset", False),
            why=row["why"],
            source=_address(row["source"]),
        )
        for row in table["settings"]
        for name in row["names"]
    }
    extensions = table["extensions"]
    return Postgres(
        drop={
            name: Drop(
                _asset_type(row["type"]),
                Effect(row["effect"]),
                Effect(row["cascade"]),
                _address(row["source"]),
            )
            for name, row in table["drop"].items()
        },
        alter_table={
            name: Subcommand(
                row["words"],
                _action(row["action"]),
                Effect(row["effect"]),
                Reversibility(row["reversibility"]),
                row.get("rows", False),
            )
            for name, row in alter["subcommands"].items()
        },
        settings=settings,
        powerful_role_options=frozenset(table["roles"]["escalate"]),
        trusted_languages=frozenset(table["languages"]["trusted"]),
        plain_extensions=frozenset(extensions["plain"]["names"]),
        executing_extensions=frozenset(extensions["execute"]["names"]),
        audit_extensions=frozenset(extensions["audit"]["names"]),
        statements={
            name: Statement(
                action=_action(row["action"]),
                effect=Effect(row["effect"]),
                selector=Selector(row.get("selector", "one")),
                reversibility=Reversibility(row.get("reversibility", "reversible")),
                type=_asset_type(row["type"]),
                kind=row["kind"],
                name=row.get("name"),
                on=row.get("on"),
                all_if=row.get("all_if"),
                source=_address(row["source"]),
            )
            for name, row in table["statements"].items()
        },
    )


@cache
def functions() -> Functions:
    table = _read("postgres_functions.yaml")
    return Functions(
        harmless=frozenset(table["harmless"]["names"].split()),
        volatile=frozenset(table["volatile"]["names"].split()),
        extensions=frozenset(name for row in table["extensions"] for name in row["names"].split()),
        operators=frozenset(table["operators"]["names"].split()),
        effects={
            name: FunctionEffect(
                Effect(row["effect"]),
                Reversibility(row["reversibility"]),
                row["why"],
                _address(row["source"]),
            )
            for row in table["effects"]
            for name in row["names"].split()
        },
    )


def _read(name: str) -> dict[str, Any]:
    text = files("interlock.plans.taxonomy").joinpath(name).read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not a table")
    return table


def _action(name: str) -> str:
    if name not in ACTIONS:
        raise ValueError(f"unknown action {name}")
    return name


def _asset_type(name: str) -> str:
    if name not in ASSET_TYPES:
        raise ValueError(f"unknown asset type {name}")
    return name


def _address(source: str) -> str:
    return source if "://" in source else MANUAL + source
