"""The tables of what statements, settings and functions of the other dialects do, checked as they are read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import ACTIONS, ASSET_TYPES
from ..postgres.taxonomy import FunctionEffect, Setting
from .forms import Captures, Form, first_words, form, match
from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement by its form, and what it does; `opaque` says why nobody can tell."""

    form: Form
    text: str
    action: str
    effect: Effect
    selector: Selector
    reversibility: Reversibility
    type: str
    kind: str
    says: str
    opaque: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of object: what dropping or making it does, and making it in the place of another."""

    type: str
    kind: str
    effect: Effect
    replaced: Effect
    source: str


@dataclass(frozen=True, slots=True)
class Option:
    """What options in `SET OPTIONS (…)` do to some kinds of things, or to all where `kinds` is empty."""

    names: frozenset[str]
    kinds: frozenset[str]
    effect: Effect
    why: str
    spares_null: bool
    """Whether NULL takes the option back."""


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    statements: Mapping[str, tuple[Shape, ...]]
    """By the first word of the statement."""
    drop: Mapping[tuple[str, ...], Thing]
    create: Mapping[tuple[str, ...], Thing]
    alter_table: tuple[Shape, ...]
    settings: Mapping[str, Setting]
    harmless: frozenset[str]
    volatile: frozenset[str]
    effects: Mapping[str, FunctionEffect]
    routines: Mapping[str, FunctionEffect]
    """Routines of the server that CALL or EXEC runs."""
    options: tuple[Option, ...]
    plain_options: frozenset[str]
    """Options that describe a thing and decide nothing."""
    powerful_roles: frozenset[str] | None
    """Roles that USE ROLE must not take on; `None` where every role may be one."""


def shape_of(dialect: Dialect, tokens: Tokens) -> tuple[Shape, Captures] | None:
    """The first form of the dialect that the statement fits, with what its slots stand for."""
    for shape in dialect.statements.get(tokens[0].value, ()):
        captures = match(shape.form, tokens)
        if captures is not None:
            return shape, captures
    return None


def subcommand_of(dialect: Dialect, tokens: Tokens) -> tuple[Shape, Captures] | None:
    for shape in dialect.alter_table:
        captures = match(shape.form, tokens)
        if captures is not None:
            return shape, captures
    return None


@cache
def dialect_named(name: str) -> Dialect:
    text = files("interlock.plans.taxonomy").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    manual = table["manual"]
    statements: dict[str, list[Shape]] = {}
    for row in table["statements"]:
        shape = _shape(row, manual)
        for word in first_words(shape.form):
            statements.setdefault(word, []).append(shape)
    functions = table["functions"]
    return Dialect(
        name=name,
        statements={word: tuple(shapes) for word, shapes in statements.items()},
        drop=_things(table["drop"], manual),
        create=_things(table["create"], manual),
        alter_table=tuple(_subcommand(row, manual) for row in table["alter_table"]),
        settings={
            setting: Setting(
                effect=Effect(row["effect"]),
                harmful=frozenset(row["values"]) if "values" in row else None,
                harmful_reset=row.get("reset", False),
                why=row["why"],
                source=_address(row, manual),
            )
            for row in table["settings"]
            for setting in row["names"]
        },
        harmless=words(functions["harmless"]),
        volatile=words(functions["volatile"]),
        effects=dict(_effects(functions["effects"], manual)),
        routines=dict(_effects(table["routines"], manual)),
        options=tuple(_option(row) for row in table.get("options", ())),
        plain_options=words(table.get("plain_options", "")),
        powerful_roles=words(table["powerful_roles"]) if "powerful_roles" in table else None,
    )


def _option(row: Mapping[str, Any]) -> Option:
    if not str(row["source"]).strip():
        raise ValueError(f"an option without a source: {row}")
    return Option(
        names=words(row["names"]),
        kinds=words(row.get("of", "")),
        effect=Effect(row["effect"]),
        why=row["why"],
        spares_null=row.get("spares_null", False),
    )


def _shape(row: Mapping[str, Any], manual: str) -> Shape:
    if row["action"] not in ACTIONS or row.get("type", "Database") not in ASSET_TYPES:
        raise ValueError(f"unknown action or type in {row}")
    effect = Effect(row["effect"])
    if effect == Effect.UNKNOWN and "opaque" not in row:
        raise ValueError(f"an unknown effect needs a reason: {row}")
    return Shape(
        form=form(row["form"]),
        text=row["form"],
        action=row["action"],
        effect=effect,
        selector=Selector(row.get("selector", "one")),
        reversibility=Reversibility(row.get("reversibility", "reversible")),
        type=row.get("type", "Database"),
        kind=row.get("kind", "database"),
        says=row["says"],
        opaque=row.get("opaque"),
        source=_address(row, manual),
    )


def _subcommand(row: Mapping[str, Any], manual: str) -> Shape:
    reaches = "all" if row.get("rows", False) else row.get("selector", "one")
    whole = {"action": "sql.alter", "type": "Table", "kind": "table", **row}
    whole |= {"says": row["words"], "selector": reaches}
    return _shape(whole, manual)


def _things(rows: Mapping[str, Mapping[str, str]], manual: str) -> dict[tuple[str, ...], Thing]:
    for name, row in rows.items():
        if row["type"] not in ASSET_TYPES:
            raise ValueError(f"unknown type of {name}")
    return {
        tuple(name.split()): Thing(
            type=row["type"],
            kind=row["kind"],
            effect=Effect(row["effect"]),
            replaced=Effect(row.get("replaced", "unknown")),
            source=_address(row, manual),
        )
        for name, row in rows.items()
    }


def _effects(rows: Any, manual: str) -> Iterator[tuple[str, FunctionEffect]]:
    for row in rows:
        for name in row["names"].split():
            reversibility = Reversibility(row.get("reversibility", "irreversible"))
            effect = FunctionEffect(
                Effect(row["effect"]), reversibility, row["why"], _address(row, manual)
            )
            yield name, effect


def _address(row: Mapping[str, Any], manual: str) -> str:
    source = str(row["source"])
    return source if "://" in source else manual + source
