"""What the tools of known MCP servers do, from YAML tables, by the name under which a client knows the server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from pydantic import Field, model_validator

from ..model import Effect, Model, Problem, Reversibility, Risk, Selector
from .cloud import Case
from .tables import read_user_table, yaml_of

Text = Annotated[str, Field(min_length=1)]
Source = Annotated[str, Field(pattern=r"^https://\S+$")]


class Content(StrEnum):
    """What an argument carries, and thereby what reads it."""

    SQL = "sql"
    SHELL = "shell"
    ARGV = "argv"
    """The words of one command, as a list."""
    GRAPHQL = "graphql"
    URL = "url"
    METHOD = "method"
    BODY = "body"
    PATH_WRITTEN = "path_written"
    PATH_DELETED = "path_deleted"
    PATH_MOVED = "path_moved"
    PATH_CREATED = "path_created"


class Tool(Model):
    """Tools that are alike. Without an effect, the content of their arguments is all they do."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    effect: Effect | None = None
    selector: Selector | None = None
    reversibility: Reversibility | None = None
    criticality: Risk = Risk.MEDIUM
    why: str = ""
    cases: tuple[Case, ...] = ()
    """The first whose conditions hold for the arguments stands instead of the effect."""
    carries: dict[str, Content] = Field(default_factory=dict)
    """Arguments, and what each is; `files.path` goes through objects and lists."""
    harms: tuple[Text, ...] = ()
    """Words with which, wherever they stand in its arguments, it does more than this row says."""
    target: tuple[Text, ...] = ()
    """The arguments that say what it acts on."""
    opaque: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the RFC 8785 form of the tool's definition; another definition is another tool."""
    override: bool = False
    """In a user's table: this row replaces what is shipped, also where it is looser."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.effect is None and not self.carries:
            raise ValueError("a tool has an effect, or arguments that carry one")
        return self


class Server(Model):
    """One MCP server, by every name that clients give it."""

    servers: Annotated[tuple[Text, ...], Field(min_length=1)]
    source: Source
    dialect: Text = "postgres"
    tools: Annotated[tuple[Tool, ...], Field(min_length=1)]


class Verbs(Model):
    """Words in a name that accuse what it names of an effect."""

    words: Annotated[tuple[Text, ...], Field(min_length=1)]
    effect: Effect
    source: Source


class Requests(Model):
    """Requests that only read, whatever their method is."""

    paths: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Each a regular expression for the whole path."""
    source: Source


class Hosts(Model):
    """Names and networks that hand credentials to whoever asks."""

    names: tuple[Text, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    why: Text
    source: Source


class Table(Model):
    """One YAML file."""

    reads: tuple[Requests, ...] = ()
    servers: tuple[Server, ...] = ()
    verbs: tuple[Verbs, ...] = ()
    nouns: tuple[Verbs, ...] = ()
    """Words that say what a deleting verb deletes."""
    metadata: tuple[Hosts, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The tables, by server and tool. Every row about a tool is asked, so that a user's row only tightens."""

    shipped: tuple[Table, ...]
    added: tuple[Table, ...] = ()
    tools: Mapping[tuple[str, str], tuple[tuple[Server, Tool], ...]] = field(init=False)
    by_name: Mapping[str, tuple[tuple[Server, Tool], ...]] = field(init=False)
    verbs: Mapping[str, Effect] = field(init=False)
    nouns: Mapping[str, Effect] = field(init=False)
    reads: tuple[str, ...] = field(init=False)
    metadata: tuple[Hosts, ...] = field(init=False)

    def __post_init__(self) -> None:
        tools: dict[tuple[str, str], tuple[tuple[Server, Tool], ...]] = {}
        by_name: dict[str, tuple[tuple[Server, Tool], ...]] = {}
        tables = (*self.shipped, *self.added)
        for server in (server for table in tables for server in table.servers):
            for tool in server.tools:
                for name in tool.names:
                    by_name[name] = (*by_name.get(name, ()), (server, tool))
                    for each in server.servers:
                        tools[each, name] = (*tools.get((each, name), ()), (server, tool))
        for key, rows in tools.items():
            overriding = tuple(row for row in rows if row[1].override)
            tools[key] = overriding or rows
        object.__setattr__(self, "tools", tools)
        object.__setattr__(self, "by_name", by_name)
        reads = tuple(path for table in self.shipped for row in table.reads for path in row.paths)
        object.__setattr__(self, "reads", reads)
        object.__setattr__(
            self, "metadata", tuple(each for table in tables for each in table.metadata)
        )
        for kind in ("verbs", "nouns"):
            words = {
                word: row.effect
                for table in tables
                for row in getattr(table, kind)
                for word in row.words
            }
            object.__setattr__(self, kind, words)


@cache
def shipped() -> Taxonomy:
    """The tables of this package. A mistake in one is a bug and raises."""
    return Taxonomy(tuple(table for _, table in shipped_tables()))


def shipped_tables() -> Iterator[tuple[str, Table]]:
    """Every shipped file with its name."""
    for resource in sorted(files("interlock.plans.taxonomy").iterdir(), key=lambda each: each.name):
        if resource.name.startswith("mcp") and resource.name.endswith(".yaml"):
            yield resource.name, Table.model_validate(yaml_of(resource.read_text(encoding="utf-8")))


def read_table(file: str, text: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """A user's table: what is trusted about the servers that this user runs."""
    return read_user_table(Table, file, text, ("verbs", "nouns", "reads", "metadata"))
