"""What an editor shows of a claim: its status, and a counterexample as text. Whoever proves claims fills this in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..lang.source import Span


class Status(StrEnum):
    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"
    VACUOUS = "vacuous"
    RUNNING = "proving"
    STALE = "stale"
    """It was decided for a policy set that has changed since, or that does not compile now."""


@dataclass(frozen=True, slots=True)
class ClaimState:
    """One claim. `message` is one sentence, `counterexample` lines of text, `notes` the places that explain it."""

    name: str
    status: Status
    message: str = ""
    counterexample: str = ""
    notes: tuple[tuple[str, Span], ...] = ()
    test: str = ""
    """The counterexample as a `test` declaration."""
    milliseconds: float | None = None
    was: Status | None = None
    """The status before it became stale, where nothing that it rests on was touched."""


Claims = Mapping[str, ClaimState]
NO_CLAIMS: Claims = {}


@dataclass(frozen=True, slots=True)
class TestState:
    """The last result of a test: `failure` says in one sentence why it does not pass."""

    __test__ = False

    name: str
    failure: str | None
    outcome: str


Tests = Mapping[str, TestState]
NO_TESTS: Tests = {}
