"""A request, and what it gets: the outcome, the rules that determined it, their reasons and what is still needed."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..lang.source import Span
from ..lang.syntax import Effect, Outcome
from ..lang.values import EntityId, Record, show

__all__ = ["Decision", "Outcome", "Problem", "Reason", "Request", "UnmetNeed"]


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to do what to what, and what else the request says."""

    principal: EntityId
    action: str
    resource: EntityId
    context: Record

    @property
    def digest(self) -> str:
        """SHA-256 of the request in canonical form, in hexadecimal."""
        text = f"{self.principal}\n{self.action}\n{self.resource}\n{show(self.context)}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that determined the decision, with its message filled in."""

    rule: str
    effect: Effect
    span: Span
    because: str | None
    instead: str | None


@dataclass(frozen=True, slots=True)
class UnmetNeed:
    """What a `require` still asks for."""

    rule: str
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request, or one rule on it, could not be read; such a thing never permits."""

    message: str
    rule: str | None = None
    span: Span | None = None


class Digested(Protocol):
    """A request as some evaluator read it."""

    @property
    def digest(self) -> str: ...


class Decision(NamedTuple):
    """What a request gets. The same request, entities and policy set always give an equal decision."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    """The rules that determined the outcome: the forbids, the requires that hold, or the permits."""
    needs: tuple[UnmetNeed, ...]
    """What would turn `hold` into `permit`."""
    problems: tuple[Problem, ...]
    """Why something could not be read, where that is why the request is denied."""
    policy_digest: str
    request: Digested | None
    """The request as it was read; `None` for what is no request of the schema."""

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(reason.rule for reason in self.reasons)

    @property
    def request_digest(self) -> str:
        """The digest of the request, empty where there is none."""
        return self.request.digest if self.request is not None else ""

    @property
    def id(self) -> str:
        """Names this decision in logs: equal for the same policy set and request."""
        text = f"{self.policy_digest}\n{self.request_digest}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self._facts() == other._facts()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.outcome, self.id))

    def _facts(self) -> tuple[object, ...]:
        facts = (self.outcome, self.reasons, self.needs, self.problems)
        return (*facts, self.policy_digest, self.request_digest)


SEVERITY = {Outcome.PERMIT: 0, Outcome.HOLD: 1, Outcome.DENY: 2}


def worst(outcomes: "list[Outcome]") -> Outcome:
    """The decision about a whole from those about its parts; nothing at all is denied."""
    return max(outcomes, key=SEVERITY.__getitem__) if outcomes else Outcome.DENY
