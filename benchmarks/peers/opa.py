"""Rego through OPA itself, in process: the Go library behind `opa-golib-python-bindings`, which speaks JSON inside."""

import json
from collections.abc import Sequence
from typing import Any

from opa_bindings import OpaEngine, OpaUndefinedError

from . import Decider, Engine, Json
from .documents import rego_data, rego_input

PATH = "app.allow"


class Opa(Engine):
    name = "OPA"
    language = "rego"
    distribution = "opa-golib-python-bindings"

    def compile(self, text: str) -> str:
        # OPA compiles at the first evaluation, so that one is part of this.
        with OpaEngine() as engine:
            engine.add_policy("app.rego", text)
            engine.eval_document(
                PATH, {"principal": "", "action": "", "resource": "", "context": {}}
            )
        return text

    def document(self, entities: Sequence[Json]) -> bytes:
        return json.dumps(rego_data(entities)).encode()

    def store(self, policies: str, document: bytes) -> Any:
        engine = OpaEngine()
        engine.add_policy("app.rego", policies)
        engine.add_data(json.loads(document))
        return engine

    def input(self, request: Json, store: Any) -> Json:
        return rego_input(request)

    def decider(self, policies: Any, store: Any) -> Decider:
        def decide(document: Json) -> bool:
            try:
                return store.eval_document(PATH, document) is True
            except OpaUndefinedError:
                return False

        return decide

    def close(self, policies: Any, store: Any) -> None:
        store.close()


ENGINE = Opa()
