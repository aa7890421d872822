"""Interlock as the benchmark calls it: the public API, and an engine for each way into it."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peers import Decider, Engine, Json
from timing import seconds

import interlock

PERMIT = "permit"


def type_of(entity: Json) -> str:
    uid = entity["uid"]
    return str(uid.get("__entity", uid)["type"])


class Interlock(Engine):
    """A request as a document → the whole decision with reasons: what the ratios are to."""

    name = "Interlock"
    language = "ilk"
    distribution = "interlock"

    def compile(self, text: str) -> interlock.Policies:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "policies.ilk")
            path.write_text(text)
            return interlock.load(path, cache=False)

    def load_seconds(self, text: str) -> float | None:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CACHE_HOME"] = folder
            path = Path(folder, "policies.ilk")
            path.write_text(text)
            interlock.load(path)
            return seconds(lambda: interlock.load(path))[0]

    def document(self, entities: Sequence[Json]) -> bytes:
        # Cedar keeps the groups of actions in the store, Interlock in the policies.
        return json.dumps([e for e in entities if type_of(e) != "Action"]).encode()

    def store(self, policies: Any, document: bytes) -> interlock.Entities:
        entities: interlock.Entities = policies.entities(document)
        return entities

    def input(self, request: Json, store: Any) -> Any:
        return request

    def decider(self, policies: Any, store: Any) -> Decider:
        decide: Callable[[Any, Any], interlock.Decision] = policies.decide
        return lambda request: decide(request, store).outcome == PERMIT

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        def decide(body: bytes) -> bytes:
            decision = policies.decide_json(body, store)
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


class InterlockLogged(Interlock):
    """The whole decision with its id, which takes the digest of the request: what a log keeps."""

    name = "Interlock, with id"

    def decider(self, policies: Any, store: Any) -> Decider:
        def decide(request: Json) -> bool:
            decision: interlock.Decision = policies.decide(request, store)
            return decision.id != "" and decision.outcome == PERMIT

        return decide


BASE = Interlock()
ALLOWS = InterlockAllows()
ENGINES: tuple[Engine, ...] = (BASE, ALLOWS, InterlockLogged())
