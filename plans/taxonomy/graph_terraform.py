"""The relations of cloud resources, from `graph_terraform.yaml`, checked as they are read."""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import Field

from ..model import Model

Source = Annotated[str, Field(pattern=r"https://\S+")]


class Is(StrEnum):
    """What a resource is to the one it names."""

    PART = "part"
    WAY_BACK = "way_back"
    KEY = "key"
    REFUSES = "refuses"


class Relation(Model):
    """`attribute` of `type` names a resource of type `of`; `*` is any type."""

    type: str
    attribute: str
    of: str
    is_: Annotated[Is, Field(alias="is")]
    why: str
    source: Source


class KeptInside(Model):
    """A way back that goes with its resource, unless a value says otherwise."""

    type: str
    attribute: str
    """Where it is turned on: a true value, or a number above zero."""
    name: str
    kept_when: dict[str, Any]
    source: Source


class Identifier(Model):
    """The value of an attribute by which other sources call the resource."""

    type: str
    attribute: str
    scheme: str
    source: Source


class Table(Model):
    relations: tuple[Relation, ...]
    kept_inside: tuple[KeptInside, ...]
    identifiers: tuple[Identifier, ...]


@cache
def table() -> Table:
    text = (files("interlock.plans.taxonomy") / "graph_terraform.yaml").read_text(encoding="utf-8")
    return Table.model_validate(yaml.safe_load(text))
