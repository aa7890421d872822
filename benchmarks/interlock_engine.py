"""Interlock as the benchmark calls it: one small API, and engines for each way into it.

`load` is the one line that says which evaluator is measured.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peers import Decider, Engine, Json

import interlock
from interlock.compiler import compile_policies, ir, reference
from interlock.compiler.decision import Decision, Outcome, Problem, Request
from interlock.compiler.entities import Entities
from interlock.compiler.wire import Misfit, decode, missing_entities, read_entities, read_request
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load as load_checked


class ReferencePolicies:
    """The public API on the reference evaluator, for as long as there is no other."""

    def __init__(self, policies: ir.PolicySet) -> None:
        self._policies = policies

    def entities(self, document: Json) -> Entities:
        return read_entities(self._policies.schema, document)

    def request(self, document: Json) -> Request:
        return read_request(self._policies.schema, document)

    def decide(self, request: Json | Request, entities: Entities) -> Decision:
        if not isinstance(request, Request):
            try:
                request = read_request(self._policies.schema, request)
            except Misfit as misfit:
                return reference.deny(self._policies, Problem(str(misfit)))
        missing = missing_entities(request, entities)
        if missing:
            return reference.deny(self._policies, *map(Problem, missing))
        return reference.decide(self._policies, request, entities)

    def allows(self, request: Json | Request, entities: Entities) -> bool:
        return self.decide(request, entities).outcome is Outcome.PERMIT


def load_reference(path: str | Path) -> ReferencePolicies:
    checked, problems = load_checked([path])
    policies, more = compile_policies(checked)
    if has_errors(problems + more):
        raise ValueError("\n".join(map(str, problems + more)))
    return ReferencePolicies(policies)


load: Callable[[str | Path], Any] = getattr(interlock, "load", load_reference)


def type_of(entity: Json) -> str:
    uid = entity["uid"]
    return str(uid.get("__entity", uid)["type"])


class Interlock(Engine):
    """A request as a document → the whole decision with reasons: what the ratios are to."""

    name = "Interlock"
    language = "ilk"
    distribution = "interlock"

    def compile(self, text: str) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "policies.ilk")
            path.write_text(text)
            return load(path)

    def document(self, entities: Sequence[Json]) -> bytes:
        # Cedar keeps the groups of actions in the store, Interlock in the policies.
        return json.dumps([e for e in entities if type_of(e) != "Action"]).encode()

    def store(self, policies: Any, document: bytes) -> Any:
        return policies.entities(decode(document))

    def input(self, request: Json, store: Any) -> Any:
        return request

    def decider(self, policies: Any, store: Any) -> Decider:
        decide, permit = policies.decide, Outcome.PERMIT
        return lambda request: decide(request, store).outcome is permit

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        def decide(body: bytes) -> bytes:
            decision = policies.decide(decode(body), store)
            answer = {
                "outcome": decision.outcome,
                "reasons": [reason.rule for reason in decision.reasons],
                "needs": [need.message for need in decision.needs],
                "problems": [problem.message for problem in decision.problems],
            }
            return json.dumps(answer).encode()

        return decide


class InterlockAllows(Interlock):
    """A request as a document → yes or no."""

    name = "Interlock, yes/no"

    def decider(self, policies: Any, store: Any) -> Decider:
        allows: Callable[[Any, Any], bool] = policies.allows
        return lambda request: allows(request, store)


class InterlockPrepared(Interlock):
    """A request that was validated before → the whole decision."""

    name = "Interlock, request prepared"

    def __init__(self) -> None:
        self._policies: Any = None

    def compile(self, text: str) -> Any:
        self._policies = super().compile(text)
        return self._policies

    def input(self, request: Json, store: Any) -> Any:
        return self._policies.request(request)


class InterlockPreparedAllows(InterlockPrepared):
    """A request that was validated before → yes or no."""

    name = "Interlock, prepared, yes/no"

    def decider(self, policies: Any, store: Any) -> Decider:
        allows: Callable[[Any, Any], bool] = policies.allows
        return lambda request: allows(request, store)


BASE = Interlock()
ENGINES: tuple[Engine, ...] = (
    BASE,
    InterlockAllows(),
    InterlockPrepared(),
    InterlockPreparedAllows(),
)
