"""What a Terraform resource type is, from YAML tables: data, a way back, a guard, a record …"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from ..model import Effect, Model, Problem, Reversibility, Risk, Selector
from .tables import read_user_table, yaml_of

_MANY_TYPES = 10_000
_Guard = TypeVar("_Guard", bound="Guard")


class Class(StrEnum):
    """What is lost with a resource, in growing order of care: a later class is the stricter."""

    STATELESS = "stateless"
    EXECUTION = "execution"
    ACCESS = "access"
    AUDIT = "audit"
    PROTECTION = "protection"
    DEPLOYMENT = "deployment"
    STATEFUL = "stateful"
    RECOVERY = "recovery"


class Step(StrEnum):
    """What a plan does to a resource, as far as the loss is concerned."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    FORGET = "forget"


class Loss(StrEnum):
    """How an attribute stops protecting, comparing its values before and after."""

    TURNED_OFF = "turned_off"
    """It was on and is not any more."""
    TURNED_ON = "turned_on"
    """It was off and is on, as `force_destroy`."""
    LOWERED = "lowered"
    """A number became smaller, zero or absent."""
    SHORTENED = "shortened"
    """A number of days became smaller, where zero, a negative number and absence mean forever."""
    REMOVED = "removed"
    """There are fewer blocks, or none."""
    DROPPED = "dropped"
    """A value that stood there does not any more, as the name of a column."""
    ADDED = "added"
    """A block or value stands there that did not before, as an expiry rule."""
    BECOMES = "becomes"
    """It has one of `values`, and had not before."""
    LEAVES = "leaves"
    """It had one of `values`, and has not any more."""
    CHANGED = "changed"
    """It differs, and what it protects cannot be told from its value."""


class Outcome(Model):
    """What one step does to a resource of one class."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility
    why: str = ""
    """What to tell a person beside the step itself."""


class Guard(Model):
    """An attribute that protects, as `settings.enabled`; its path goes through blocks and lists."""

    attribute: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
    lost_when: Loss
    values: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """Only blocks that also hold one of these count, as a rule that expires something and not one that moves it."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only blocks count in which each of these has one of its values, as the parameter with a certain name.

    The block is the value itself, where that is one, and else the one around it; so it is for `unless`.
    """
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Blocks in which one of these has one of its values do not count, as a rule that only moves."""
    effect: Effect = Effect.DISARM
    irreversible: bool = False
    """The loss itself destroys something, as a shortened retention does."""
    source: str | None = None

    @model_validator(mode="after")
    def _values_belong(self) -> Self:
        if (self.lost_when in (Loss.BECOMES, Loss.LEAVES)) != bool(self.values):
            raise ValueError("`values` belong to `becomes` and `leaves`, and only to them")
        return self


class Setting(Guard):
    """A guard among the values of a chart; its path may hold `*`."""

    attribute: Annotated[str, Field(pattern=r"^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$")]


class Door(Model):
    """Where a resource lets the network in; it is open when everyone may come through to more than the public ports."""

    at: str = ""
    """The path of the blocks that are doors; without one, the resource itself is."""
    through: str = ""
    """Blocks inside each door that say ports and protocols; without any, nothing comes through."""
    sources: tuple[str, ...] = ()
    """Attributes that hold networks or addresses."""
    between: tuple[str, str] | None = None
    """The attributes that hold the first and the last address, instead."""
    ports: tuple[str, ...] = ()
    """Attributes with ports or ranges; where there are none, every port is meant."""
    span: tuple[str, str] | None = None
    """The attributes with the first and the last port, instead."""
    protocol: str | None = None
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What else must hold; an attribute that is not set reads as an empty text."""

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if not self.sources and self.between is None:
            raise ValueError("a door needs `sources` or `between`")
        return self


TypePattern = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9_*?]+)*$")]
"""A name or a pattern; a pattern names the provider's prefix, so none speaks for every type."""


class Row(Model):
    """Resource types that are alike: exact names, or patterns with `*` and `?`."""

    types: Annotated[tuple[TypePattern, ...], Field(min_length=1)]
    is_a: Class
    criticality: Risk
    source: Annotated[str, Field(min_length=1)]
    why: str | None = None
    guards: tuple[Guard, ...] = ()
    kept_when: tuple[str, ...] = ()
    """Guards that leave a way back when they stand at deletion, as a final snapshot does."""
    grants: tuple[dict[str, tuple[str, ...]], ...] = ()
    """Attributes and patterns; a grant is broad when every attribute of one row matches.

    Attributes with the same path above them must match in the same block.
    """
    doors: tuple[Door, ...] = ()
    policies: tuple[str, ...] = ()
    """Attributes that hold an AWS policy document."""
    bindings: tuple[str, ...] = ()
    """Attributes that hold a Google policy document."""
    manifest: str | None = None
    """The attribute that holds a Kubernetes object, which is read as such."""
    configures_another: bool = False
    """Creating it changes a resource that exists, so its guards count at creation too."""
    handed_over: bool = False
    """A replacement that is made first takes the place of the old one, as a certificate does."""
    settings: tuple[Setting, ...] = ()
    """What protects among the values of a chart, which stand as YAML in `values` and by path in `set`."""
    override: bool = False
    """In a user's table: this row replaces what is shipped, also where it is looser."""


class Invocation(Model):
    """Types of provider actions that are understood: what `terraform.invoke` then does."""

    types: Annotated[tuple[str, ...], Field(min_length=1)]
    effect: Effect
    selector: Selector
    reversibility: Reversibility
    criticality: Risk
    source: Annotated[str, Field(min_length=1)]


class Table(Model):
    """One YAML file."""

    providers: tuple[str, ...] = ()
    """Whose types these are, as `hashicorp/aws`; the same name from elsewhere is another type."""
    classes: dict[Class, dict[Step, Outcome]] = Field(default_factory=dict)
    everywhere: tuple[Guard, ...] = ()
    """Guards that mean the same on whatever type they stand."""
    patterns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    resources: tuple[Row, ...] = ()
    executing_data: tuple[Row, ...] = ()
    """Data sources whose reading runs something."""
    invocations: tuple[Invocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one resource type."""

    is_a: Class
    criticality: Risk
    guards: tuple[Guard, ...]
    kept_when: frozenset[str]
    grants: tuple[Mapping[str, tuple[str, ...]], ...]
    doors: tuple[Door, ...]
    policies: tuple[str, ...]
    bindings: tuple[str, ...]
    manifest: str | None
    configures_another: bool
    handed_over: bool
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The shipped tables, and on top a user's, which add types and only tighten shipped ones."""

    shipped: tuple[Table, ...]
    added: tuple[Table, ...] = ()
    outcomes: Mapping[Class, Mapping[Step, Outcome]] = field(init=False)
    everywhere: tuple[Guard, ...] = field(init=False)
    patterns: Mapping[str, tuple[str, ...]] = field(init=False)
    _shipped: "_Index" = field(init=False, compare=False, repr=False)
    _added: "_Index" = field(init=False, compare=False, repr=False)
    _known: dict[tuple[str, str | None], Facts | None] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        tables = (*self.shipped, *self.added)
        outcomes = {step: row for table in self.shipped for step, row in table.classes.items()}
        patterns: dict[str, tuple[str, ...]] = {}
        for table in tables:
            for name, values in table.patterns.items():
                patterns[name] = (*patterns.get(name, ()), *values)
        object.__setattr__(self, "_shipped", _index(self.shipped))
        object.__setattr__(self, "_added", _index(self.added))
        object.__setattr__(self, "outcomes", outcomes)
        object.__setattr__(self, "patterns", patterns)
        object.__setattr__(
            self, "everywhere", tuple(guard for table in tables for guard in table.everywhere)
        )

    def facts(self, resource_type: str, provider: str | None) -> Facts | None:
        """`None` when no table knows the type, or not from this provider."""
        key = (resource_type, provider)
        if len(self._known) > _MANY_TYPES:
            self._known.clear()
        if key not in self._known:
            shipped = _facts(self._shipped, resource_type, provider)
            added = _facts(self._added, resource_type, provider)
            overriding = _facts(self._added, resource_type, provider, only_overriding=True)
            tightened = _tightened(shipped, added) if shipped and added else shipped or added
            self._known[key] = overriding or tightened
        return self._known[key]

    def runs_when_read(self, data_type: str) -> bool:
        rows = (row for table in (*self.shipped, *self.added) for row in table.executing_data)
        return any(fnmatchcase(data_type, each) for row in rows for each in row.types)

    def invocation(self, action_type: str, provider: str | None) -> Invocation | None:
        return next(
            (
                invocation
                for table in (*self.shipped, *self.added)
                if _is_from(table, provider)
                for invocation in table.invocations
                if action_type in invocation.types
            ),
            None,
        )


@cache
def shipped() -> Taxonomy:
    """The tables of this package. A mistake in one is a bug and raises."""
    return Taxonomy(tuple(table for _, table in shipped_tables()))


def shipped_tables() -> Iterator[tuple[str, Table]]:
    """Every shipped file with its name."""
    for resource in sorted(files("interlock.plans.taxonomy").iterdir(), key=lambda each: each.name):
        if resource.name.startswith("terraform") and resource.name.endswith(".yaml"):
            content = yaml_of(resource.read_text(encoding="utf-8"))
            yield resource.name, Table.model_validate(content)


def read_table(file: str, text: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """A user's table. What Terraform steps do to a class is not a user's to say."""
    return read_user_table(Table, file, text, ("classes",))


@dataclass(frozen=True, slots=True)
class _Index:
    """The rows of some tables by exact name, and by pattern with the most specific first."""

    exact: Mapping[str, list[tuple[Table, Row]]]
    patterns: tuple[tuple[str, Table, Row], ...]

    def matching(self, resource_type: str) -> Iterator[tuple[Table, Row]]:
        return (
            (table, row)
            for pattern, table, row in self.patterns
            if fnmatchcase(resource_type, pattern)
        )


def _index(tables: tuple[Table, ...]) -> _Index:
    exact: dict[str, list[tuple[Table, Row]]] = {}
    patterns: list[tuple[str, Table, Row]] = []
    for table in tables:
        for row in table.resources:
            for each in row.types:
                if "*" in each or "?" in each:
                    patterns.append((each, table, row))
                else:
                    exact.setdefault(each, []).append((table, row))
    letters = {each: len(each.replace("*", "").replace("?", "")) for each, _, _ in patterns}
    return _Index(exact, tuple(sorted(patterns, key=lambda found: -letters[found[0]])))


def _facts(
    index: _Index, resource_type: str, provider: str | None, *, only_overriding: bool = False
) -> Facts | None:
    """The most specific row says what the type is; the guards of all matching rows hold."""
    rows = [
        row
        for table, row in (*index.exact.get(resource_type, ()), *index.matching(resource_type))
        if _is_from(table, provider) and (row.override or not only_overriding)
    ]
    if not rows:
        return None
    first = rows[0]
    return Facts(
        is_a=first.is_a,
        criticality=first.criticality,
        guards=_distinct(guard for row in rows for guard in row.guards),
        kept_when=frozenset(first.kept_when),
        grants=tuple(grant for row in rows for grant in row.grants),
        doors=tuple(door for row in rows for door in row.doors),
        policies=tuple(dict.fromkeys(path for row in rows for path in row.policies)),
        bindings=tuple(dict.fromkeys(path for row in rows for path in row.bindings)),
        manifest=next((row.manifest for row in rows if row.manifest), None),
        configures_another=any(row.configures_another for row in rows),
        handed_over=first.handed_over,
        settings=_distinct(each for row in rows for each in row.settings),
    )


def _tightened(base: Facts, added: Facts) -> Facts:
    """The stricter of both in every respect."""
    classes, risks = list(Class), list(Risk)
    return Facts(
        is_a=max(base.is_a, added.is_a, key=classes.index),
        criticality=max(base.criticality, added.criticality, key=risks.index),
        guards=_distinct((*base.guards, *added.guards)),
        kept_when=base.kept_when,
        grants=(*base.grants, *added.grants),
        doors=(*base.doors, *added.doors),
        policies=tuple(dict.fromkeys((*base.policies, *added.policies))),
        bindings=tuple(dict.fromkeys((*base.bindings, *added.bindings))),
        manifest=base.manifest or added.manifest,
        configures_another=base.configures_another or added.configures_another,
        handed_over=base.handed_over,
        settings=(*base.settings, *added.settings),
    )


def _distinct(guards: Iterable[_Guard]) -> tuple[_Guard, ...]:
    found: list[_Guard] = []
    for guard in guards:
        if guard not in found:
            found.append(guard)
    return tuple(found)


def _is_from(table: Table, provider: str | None) -> bool:
    """Whether the table is about this provider, wherever a registry or a mirror serves it from.

    Before 0.13 a provider had only a name, and the old registry's namespace was `-`.
    Nobody but HashiCorp publishes under `hashicorp`, so its namespace is trusted with every name.
    """
    if provider is None or not table.providers:
        return True
    *path, name = provider.lower().removeprefix("provider.").split("/")
    name = name.partition(".")[0]
    namespace = path[-1] if path else "-"
    names = {known.partition("/")[2] for known in table.providers}
    return f"{namespace}/{name}" in table.providers or (
        namespace in ("-", "hashicorp", "builtin") and name in names
    )
