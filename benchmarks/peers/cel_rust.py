"""CEL through `common-expression-language` (Rust). CEL has no entities and no rules: the caller looks the records up,
and one expression says when a request is allowed.
"""

import json
from typing import Any

import cel

from . import Decider, Engine, Json
from .documents import Records, lookup, rego_input


class CelRust(Engine):
    name = "CEL (Rust)"
    language = "cel"
    distribution = "common-expression-language"
    has_store = False

    def compile(self, text: str) -> Any:
        return cel.compile(text)

    def store(self, policies: Any, document: bytes) -> Records:
        return Records(json.loads(document), policies.source)

    def input(self, request: Json, store: Records) -> Json:
        return {**rego_input(request), "context": store.context(request.get("context", {}))}

    def decider(self, policies: Any, store: Records) -> Decider:
        records = store.records
        execute = policies.execute
        return lambda request: execute(lookup(records, request)) is True


ENGINE = CelRust()
