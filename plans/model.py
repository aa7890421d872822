"""The plan: every change somebody wants to make, in the vocabulary that policies are written against.

The names here and in `stdlib_policies/std/change.ilk` are the same; `tests/test_vocabulary.py` keeps them equal.
All models are frozen and refuse unknown fields, so a misspelt fact is an error and never a missing guard.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, computed_field


class Effect(StrEnum):
    """What a change does to the world; `unknown` is what could not be read."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE_DATA = "delete_data"
    DELETE_RECOVERY = "delete_recovery"
    DISARM = "disarm"
    DELETE_AUDIT = "delete_audit"
    ESCALATE = "escalate"
    EXECUTE = "execute"
    UNKNOWN = "unknown"


class Selector(StrEnum):
    """How much of its target a change reaches, in growing order; `unknown` counts as everything."""

    NONE = "none"
    ONE = "one"
    SOME = "some"
    ALL = "all"
    UNKNOWN = "unknown"


class Reversibility(StrEnum):
    """How a change is undone: by its inverse, from a way back kept elsewhere, or not at all."""

    REVERSIBLE = "reversible"
    RECOVERABLE = "recoverable"
    IRREVERSIBLE = "irreversible"
    UNKNOWN = "unknown"


class Risk(StrEnum):
    """How much harm a plan or the loss of an asset can do, in growing order."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RowBasis(StrEnum):
    """Where a number of rows comes from."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    UPPER_BOUND = "upper_bound"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Count = Annotated[int, Field(ge=0)]


class Position(Model):
    """Where in an artifact a change stands; lines and columns count from 1, columns in code points."""

    file: str
    line: Annotated[int, Field(ge=1)]
    column: Annotated[int, Field(ge=1)]
    text: str = ""
    """The artifact's own words for the change, shortened to one readable excerpt."""


class AssetBlast(Model):
    """What goes with an asset if its changes are made, counted in the resource graph."""

    assets: Count
    at_most: Count
    """When what is not in the graph reaches everything around it."""
    destroyed: Count
    lost_for_good: Count
    without_recovery: Count
    """Data that is lost, or may be, with nothing outside the radius to bring it back."""
    unmapped: Count
    score: Count


class Lost(Model):
    """One asset whose data goes; `recovery` when something outside the radius brings it back."""

    asset: str
    kind: str
    criticality: Risk
    recovery: bool
    rows: Count | None = None


class Blast(AssetBlast):
    """The blast radius of a plan; the numbers are complete, `lost` names the heaviest."""

    stale: bool
    """The graph is older than it may be, or does not say how old it is."""
    age: timedelta | None = None
    back_within: timedelta | None = None
    """The longest time that something needs to come back, where every time is known."""
    rows: Count
    """Rows that are lost, as far as they are known."""
    lost: tuple[Lost, ...] = ()


class Asset(Model):
    """What a change acts on: an entity of the vocabulary, by `type` and `id`, with the facts a source knows."""

    type: str
    id: str
    name: str
    kind: str
    stateful: bool
    recovery: bool = False
    protected: bool = False
    criticality: Risk = Risk.MEDIUM
    blast: AssetBlast | None = None
    """What goes with it; `None` as long as no resource graph was asked."""


class Change(Model):
    """One thing a plan does to one asset."""

    id: str
    action: str
    resource: Asset
    effect: Effect
    selector: Selector
    reversibility: Reversibility
    rows: Annotated[int, Field(ge=0)] | None = None
    row_basis: RowBasis | None = None
    operation: Annotated[str, Field(max_length=200)] | None = None
    """The artifact's own name for what it does, such as `rds:DeleteDBInstance` or the name of a tool."""
    opaque: str | None = None
    """Why this change could not be read in full; `None` when it could."""
    unknown_until_apply: tuple[str, ...] = ()
    """Paths of values that are decided only when the plan is applied; no guard may rely on them."""
    summary: str
    """The change in one line for a person."""
    source: Position


class Problem(Model):
    """Why an artifact, or a part of it, could not be read at all."""

    message: str
    file: str
    line: int = 1
    column: int = 1


class Identity(Model):
    """Who asks: an `Agent`, a `Human` or a `Service`."""

    type: str
    id: str
    auth_domain: str = "default"
    owner: str | None = None
    """For an agent, the id of the human who answers for it."""


class Credential(Model):
    """What the author would act with."""

    ephemeral: bool
    ttl: timedelta
    scopes: frozenset[str]
    auth_domain: str


class Approval(Model):
    """A person's consent to exactly one plan, by its digest."""

    approver: str
    at: datetime
    plan: str


class Rollback(Model):
    """The tested way back."""

    how: str
    tested_at: datetime | None = None
    within: timedelta | None = None


class LegalHold(Model):
    """The answer of whoever keeps legal holds, about one asset."""

    checked: bool
    active: bool


class Evidence(Model):
    """What was shown about a plan, from outside the plan: approvals, credential, dry run, tests of the way back."""

    credential: Credential | None = None
    approvals: frozenset[Approval] = frozenset()
    dry_run: bool = False
    rollback: Rollback | None = None
    legal_holds: dict[str, LegalHold] = Field(default_factory=dict)
    """By asset id, or by `Type::"id"`."""


class Artifact(Model):
    """One input file as it was read."""

    kind: str
    file: str
    sha256: str
    tool_version: str | None = None


class Plan(Model):
    """What somebody wants to do, before it is done."""

    author: Identity
    environment: str
    artifacts: tuple[Artifact, ...]
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    """A plan with problems is incomplete and is denied."""
    blast: Blast | None = None
    """What the changes reach; `None` as long as no resource graph was asked."""

    @computed_field  # type: ignore[prop-decorator]  # pydantic documents this order.
    @cached_property
    def digest(self) -> str:
        """SHA-256 of the plan's RFC 8785 canonical JSON, in hexadecimal: what an approval is bound to.

        What the changes would reach is found about a plan and no part of it, so a newer graph keeps the approvals.
        """
        document = self.model_dump(
            mode="json",
            exclude={
                "digest": True,
                "blast": True,
                "changes": {"__all__": {"resource": {"blast"}}},
            },
        )
        return hashlib.sha256(rfc8785.dumps(document)).hexdigest()

    @property
    def opaque(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.opaque is not None)


_RISK_BY_EFFECT = {
    Effect.READ: Risk.LOW,
    Effect.CREATE: Risk.LOW,
    Effect.UPDATE: Risk.MEDIUM,
    Effect.DELETE_DATA: Risk.HIGH,
    Effect.ESCALATE: Risk.HIGH,
    Effect.EXECUTE: Risk.HIGH,
    Effect.DISARM: Risk.CRITICAL,
    Effect.DELETE_RECOVERY: Risk.CRITICAL,
    Effect.DELETE_AUDIT: Risk.CRITICAL,
    Effect.UNKNOWN: Risk.CRITICAL,
}
_RISK_ORDER = list(Risk)


NARROW_ROWS = 100
"""The most rows a narrow write reaches; `std.change` says the same in `is_narrow`."""


def is_narrow(change: Change) -> bool:
    """Whether a change reaches at most one thing, or a number of rows that is known and small."""
    if change.selector in (Selector.NONE, Selector.ONE):
        return True
    known = change.rows is not None and change.row_basis is not RowBasis.ESTIMATED
    return change.selector is Selector.SOME and known and (change.rows or 0) <= NARROW_ROWS


def risk_of_change(change: Change) -> Risk:
    """The harm one change can do: by its effect, and critical where data goes that nothing brings back."""
    if change.opaque is not None:
        return Risk.CRITICAL
    if change.effect is Effect.DELETE_DATA:
        if is_narrow(change):
            return Risk.MEDIUM
        if change.reversibility in (Reversibility.IRREVERSIBLE, Reversibility.UNKNOWN):
            return Risk.CRITICAL
    return _RISK_BY_EFFECT[change.effect]


def risk_of(changes: Iterable[Change]) -> Risk:
    """The harm a plan can do: that of its worst change."""
    return max(map(risk_of_change, changes), key=_RISK_ORDER.index, default=Risk.LOW)


class Reading(Model):
    """What a source read from one artifact: every change, and what stopped it from reading more."""

    artifact: Artifact
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()


def numbered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes with ids `1`, `2`, … in order, which make them unique in their plan."""
    return tuple(
        change.model_copy(update={"id": str(number)})
        for number, change in enumerate(changes, start=1)
    )


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of a plan."""
    return Plan.model_json_schema(mode="serialization")
