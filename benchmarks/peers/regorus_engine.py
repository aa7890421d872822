"""Rego through Regorus, Microsoft's interpreter in Rust, by its `Engine`; the store is `data`."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import regorus

from . import Decider, Engine, Json
from .documents import rego_data, rego_input

RULE = "data.app.allow"


class Regorus(Engine):
    name = "Regorus"
    language = "rego"
    distribution = "gordon-to-regorus"

    def compile(self, text: str) -> Any:
        engine = regorus.Engine()
        # Its default limits refuse a file of 10,000 rules; OPA has none.
        engine.set_policy_length_config(
            max_col=10_000, max_file_bytes=1 << 28, max_lines=10_000_000
        )
        engine.add_policy("app.rego", text)
        engine.set_input({"principal": "", "action": "", "resource": "", "context": {}})
        engine.eval_rule(RULE)
        return engine

    def document(self, entities: Sequence[Json]) -> bytes:
        return json.dumps(rego_data(entities)).encode()

    def store(self, policies: Any, document: bytes) -> Any:
        engine = policies.clone()
        engine.add_data_json(document.decode())
        return engine

    def input(self, request: Json, store: Any) -> Json:
        return rego_input(request)

    def decider(self, policies: Any, store: Any) -> Decider:
        def decide(document: Json) -> bool:
            store.set_input(document)
            return store.eval_rule(RULE) is True

        return decide

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        def decide(body: bytes) -> bytes:
            store.set_input_json(body.decode())
            answer: str = store.eval_rule_as_json(RULE)
            return answer.encode()

        return decide


ENGINE = Regorus()
