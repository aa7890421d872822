"""CEL through `cel-expr-python`, Google's implementation in C++; the same expressions as for CEL in Rust.

An expression has at most 100,000 characters, about 1,100 small rules; the binding has no way to set it.
"""

import json
from typing import Any

from cel_expr_python import cel

from . import Decider, Engine, Json
from .documents import Records, lookup, rego_input


class CelCpp(Engine):
    name = "CEL (C++)"
    language = "cel"
    distribution = "cel-expr-python"
    has_store = False

    def compile(self, text: str) -> Any:
        record = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        variables = {"principal": record, "resource": record, "context": record}
        environment = cel.NewEnv(variables={**variables, "action": cel.Type.STRING})
        return environment.compile(text), text

    def store(self, policies: Any, document: bytes) -> Records:
        return Records(json.loads(document), policies[1])

    def input(self, request: Json, store: Records) -> Json:
        return {**rego_input(request), "context": store.context(request.get("context", {}))}

    def decider(self, policies: Any, store: Records) -> Decider:
        records = store.records
        evaluate = policies[0].eval
        return lambda request: evaluate(data=lookup(records, request)).value() is True


ENGINE = CelCpp()
