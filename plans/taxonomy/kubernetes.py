"""What a Kubernetes kind is, from YAML tables: data, a way back, a guard, a record, an owner of others …"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from ..model import Effect, Model, Problem, Reversibility, Risk, Selector
from .tables import read_user_table, yaml_of

_MANY_KINDS = 10_000


class Class(StrEnum):
    """What is lost with an object, in growing order of care: a later class is the stricter."""

    REVIEW = "review"
    """A question posed as an object; nothing is stored."""
    STATELESS = "stateless"
    EXECUTION = "execution"
    ACCESS = "access"
    WORKLOAD = "workload"
    """Runs on data that it does not own; deleting it stops all of it."""
    AUDIT = "audit"
    PROTECTION = "protection"
    STATEFUL = "stateful"
    RECOVERY = "recovery"
    ORDER = "order"
    """An order to destroy, posed as an object: creating it is the harm."""


class Step(StrEnum):
    """What a change does to an object, as far as the loss is concerned."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"


class Loss(StrEnum):
    """How a field stops protecting, comparing its values before and after."""

    TURNED_OFF = "turned_off"
    TURNED_ON = "turned_on"
    LOWERED = "lowered"
    """A number, a quantity or a percentage became smaller, zero or absent; of a mapping, any."""
    RAISED = "raised"
    """It became larger, or stands there at last."""
    KEY_LOST = "key_lost"
    """A mapping has a key less."""
    REMOVED = "removed"
    """An element, or the whole, is not there any more; elements are known by their `name`."""
    GONE = "gone"
    """Nothing stands there any more."""
    ADDED = "added"
    """Something stands there that did not before and is none of `values`."""
    BECOMES = "becomes"
    """It has one of `values`, and had not before."""
    LEAVES = "leaves"
    """It had one of `values`, and has not any more."""
    CHANGED = "changed"
    """It differs, and what it protects cannot be told from its value."""


Path = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(lambda path: tuple(path.split(".")) if isinstance(path, str) else path),
    Field(min_length=1),
]
"""`spec.volumeName`, or a list of steps where one has a dot itself; lists are gone through.

The step `**` stands for any mappings on the way, also none.
"""

ANY_DEPTH = "**"

Kind = Annotated[str, Field(pattern=r"^([a-z0-9*.-]+/)?[A-Za-z*][A-Za-z0-9*]*$")]
"""`apps/StatefulSet`, or `Secret` in the group that has no name; `*` stands for any letters."""


class Outcome(Model):
    """What one step does to an object of one class."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility
    why: str = ""
    """What to tell a person beside the step itself."""


class Guard(Model):
    """A field that protects, and what its fall does."""

    path: Path
    lost_when: Loss
    values: tuple[str, ...] = ()
    absent: str | None = None
    """The value that absence stands for."""
    effect: Effect = Effect.DISARM
    selector: Selector = Selector.ALL
    reversibility: Reversibility = Reversibility.REVERSIBLE
    why: str | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _values_belong(self) -> Self:
        needs = self.lost_when in (Loss.BECOMES, Loss.LEAVES)
        if (needs and not self.values) or (
            self.values and not needs and self.lost_when != Loss.ADDED
        ):
            raise ValueError(
                "`values` belong to `becomes`, `leaves` and `added`, and the first two need them"
            )
        return self


class Kept(Model):
    """A field that leaves the data where it is when the object goes."""

    path: Path
    values: tuple[str, ...] = ()
    """Any of these keep it; with none, the absence of the field does."""
    absent: str | None = None
    why: str
    outcome: Outcome = Outcome(
        effect=Effect.UPDATE, selector=Selector.ONE, reversibility=Reversibility.RECOVERABLE
    )


class Row(Model):
    """Kinds that are alike: exact names, or patterns with `*`."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    is_a: Class
    criticality: Risk
    source: Annotated[str, Field(min_length=1)]
    why: str | None = None
    """What goes with it when it is deleted."""
    guards: tuple[Guard, ...] = ()
    kept_when: tuple[Kept, ...] = ()
    immutable: tuple[Path, ...] = ()
    """Fields that cannot change: another value means that the object is deleted and made anew."""
    creating: Outcome | None = None
    """What creating one does, where that is more than making an object."""
    override: bool = False
    """In a user's table: this row replaces what is shipped, also where it is looser."""


class Pods(Model):
    """Where kinds keep the specification of pods."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    path: Path
    runs_once: bool = False
    """Its commands are its purpose, not its server."""
    source: Annotated[str, Field(min_length=1)]


class Rights(Model):
    """Rights that let their holder raise their own, or act as others."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    also_named: bool = False
    """A rule that names its objects has it too."""
    why: str
    source: Annotated[str, Field(min_length=1)]


class Hint(Model):
    """Words in an object that tell its purpose, where its kind does not; they only tighten."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    words: Annotated[tuple[Annotated[str, Field(min_length=3)], ...], Field(min_length=1)]
    effect: Effect
    """What deleting or suspending it does."""
    why: str
    source: Annotated[str, Field(min_length=1)]


class Table(Model):
    """One YAML file."""

    classes: dict[Class, dict[Step, Outcome]] = Field(default_factory=dict)
    everywhere: tuple[Guard, ...] = ()
    """Guards that mean the same on whatever kind they stand."""
    pod_guards: tuple[Guard, ...] = ()
    """Fields of a pod's specification; `containers` there are those of every sort."""
    pods: tuple[Pods, ...] = ()
    rights: tuple[Rights, ...] = ()
    hints: tuple[Hint, ...] = ()
    harmless_roles: tuple[str, ...] = ()
    broad_subjects: tuple[str, ...] = ()
    resources: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one kind."""

    is_a: Class
    criticality: Risk
    why: str | None
    guards: tuple[Guard, ...]
    kept_when: tuple[Kept, ...]
    immutable: tuple[Path, ...]
    creating: Outcome | None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The shipped tables, and on top a user's, which add kinds and only tighten shipped ones."""

    shipped: tuple[Table, ...]
    added: tuple[Table, ...] = ()
    outcomes: Mapping[Class, Mapping[Step, Outcome]] = field(init=False)
    everywhere: tuple[Guard, ...] = field(init=False)
    pod_guards: tuple[Guard, ...] = field(init=False)
    pods: tuple[Pods, ...] = field(init=False)
    rights: tuple[Rights, ...] = field(init=False)
    hints: tuple[Hint, ...] = field(init=False)
    harmless_roles: frozenset[str] = field(init=False)
    broad_subjects: frozenset[str] = field(init=False)
    _known: dict[str, Facts | None] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        tables = (*self.shipped, *self.added)
        outcomes = {step: row for table in self.shipped for step, row in table.classes.items()}
        object.__setattr__(self, "outcomes", outcomes)
        for name in ("everywhere", "pod_guards", "pods", "rights", "hints"):
            object.__setattr__(
                self, name, tuple(each for table in tables for each in getattr(table, name))
            )
        # Only the shipped tables may call a role harmless; a subject may be called broad by both.
        harmless = {each for table in self.shipped for each in table.harmless_roles}
        broad = {each for table in tables for each in table.broad_subjects}
        object.__setattr__(self, "harmless_roles", frozenset(harmless))
        object.__setattr__(self, "broad_subjects", frozenset(broad))

    def facts(self, kind: str) -> Facts | None:
        """`None` when no table knows the kind, given as `apps/StatefulSet`."""
        if len(self._known) > _MANY_KINDS:
            self._known.clear()
        if kind not in self._known:
            added = _matching(self.added, kind)
            overriding = [row for row in added if row.override]
            shipped = _facts(_matching(self.shipped, kind))
            own = _facts(added)
            if overriding:
                self._known[kind] = _facts(overriding)
            elif shipped and own:
                self._known[kind] = _tightened(shipped, own)
            else:
                self._known[kind] = shipped or own
        return self._known[kind]

    def pods_of(self, kind: str) -> Pods | None:
        return next((each for each in self.pods if kind in each.kinds), None)


@cache
def shipped() -> Taxonomy:
    """The tables of this package. A mistake in one is a bug and raises."""
    return Taxonomy(tuple(table for _, table in shipped_tables()))


def shipped_tables() -> Iterator[tuple[str, Table]]:
    """Every shipped file with its name."""
    for resource in sorted(files("interlock.plans.taxonomy").iterdir(), key=lambda each: each.name):
        if resource.name.startswith("kubernetes") and resource.name.endswith(".yaml"):
            yield resource.name, Table.model_validate(yaml_of(resource.read_text(encoding="utf-8")))


def read_table(file: str, text: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """A user's table. What a step does to a class is not a user's to say, nor which roles are harmless."""
    return read_user_table(Table, file, text, ("classes", "harmless_roles"))


def _matching(tables: tuple[Table, ...], kind: str) -> list[Row]:
    """The rows about a kind, the most specific first."""
    found = [
        (len(each.replace("*", "")) if "*" in each else 10_000, row)
        for table in tables
        for row in table.resources
        for each in row.kinds
        if each == kind or ("*" in each and fnmatchcase(kind, each))
    ]
    return [row for _, row in sorted(found, key=lambda each: -each[0])]


def _facts(rows: list[Row]) -> Facts | None:
    """The most specific row says what the kind is; the guards of all rows hold."""
    if not rows:
        return None
    first = rows[0]
    return Facts(
        is_a=first.is_a,
        criticality=first.criticality,
        why=first.why,
        guards=_guards(guard for row in rows for guard in row.guards),
        kept_when=first.kept_when,
        immutable=tuple(dict.fromkeys(path for row in rows for path in row.immutable)),
        creating=first.creating,
    )


def _tightened(base: Facts, added: Facts) -> Facts:
    """The stricter of both in every respect."""
    classes, risks = list(Class), list(Risk)
    raised = classes.index(added.is_a) > classes.index(base.is_a)
    return Facts(
        is_a=added.is_a if raised else base.is_a,
        criticality=max(base.criticality, added.criticality, key=risks.index),
        why=added.why or base.why,
        guards=_guards((*base.guards, *added.guards)),
        # What keeps the data was said of the class that the shipped tables saw.
        kept_when=() if raised else base.kept_when,
        immutable=tuple(dict.fromkeys((*base.immutable, *added.immutable))),
        creating=added.creating or base.creating,
    )


def _guards(guards: Iterator[Guard] | tuple[Guard, ...]) -> tuple[Guard, ...]:
    return tuple(dict.fromkeys(guards))
