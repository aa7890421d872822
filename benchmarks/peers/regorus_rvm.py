"""Rego through the byte-code machine of Regorus, the fastest way into it; its input is a JSON text, made ahead.

A program has at most 65,535 instructions, about 4,000 small rules, and a file at most 1 MiB; neither can be set.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import regorus

from . import Decider, Engine, Json
from .documents import rego_data, rego_input
from .regorus_engine import RULE


class RegorusMachine(Engine):
    name = "Regorus RVM"
    language = "rego"
    distribution = "gordon-to-regorus"

    def compile(self, text: str) -> Any:
        return regorus.Program.compile_from_modules("{}", [("app.rego", text)], [RULE])

    def document(self, entities: Sequence[Json]) -> bytes:
        return json.dumps(rego_data(entities)).encode()

    def store(self, policies: Any, document: bytes) -> Any:
        machine = regorus.Rvm()
        machine.load_program(policies)
        machine.set_data_json(document.decode())
        return machine

    def input(self, request: Json, store: Any) -> str:
        return json.dumps(rego_input(request))

    def encode(self, request: Json, store: Any) -> bytes:
        return self.input(request, store).encode()

    def decider(self, policies: Any, store: Any) -> Decider:
        def decide(document: str) -> bool:
            store.set_input_json(document)
            return bool(store.execute() == "true")

        return decide

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        def decide(body: bytes) -> bytes:
            store.set_input_json(body.decode())
            answer: str = store.execute()
            return answer.encode()

        return decide


ENGINE = RegorusMachine()
