"""Casbin, written in Python, with a rule in each policy line after the attribute-based model of its documentation.

A line is `allow | deny, expression`; the caller looks the records up, as for CEL. A text may bring a model of its own
before a line `---`.
"""

import json
from typing import Any

import casbin

from . import Decider, Engine, Json
from .documents import Records, rego_input

MODEL = """
[request_definition]
r = principal, action, resource, context
[policy_definition]
p = eft, rule
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = eval(p.rule)
"""


class Casbin(Engine):
    name = "Casbin"
    language = "casbin"
    distribution = "casbin"
    has_store = False

    def compile(self, text: str) -> Any:
        own_model, separator, rules = text.rpartition("---\n")
        model = casbin.Model()
        model.load_model_from_text(own_model if separator else MODEL)
        enforcer = casbin.Enforcer(model)
        enforcer.add_function("has", lambda record, name: name in record)
        enforcer.add_function("any", any)
        enforcer.add_function("len", len)
        enforcer.add_function("distinct", set)
        lines = [line for line in rules.splitlines() if line and not line.startswith("#")]
        columns = len(model["p"]["p"].tokens)
        enforcer.add_policies([line.split(", ", columns - 1) for line in lines])
        return enforcer, text

    def store(self, policies: Any, document: bytes) -> Records:
        return Records(json.loads(document), policies[1])

    def input(self, request: Json, store: Records) -> Json:
        return {**rego_input(request), "context": store.context(request.get("context", {}))}

    def decider(self, policies: Any, store: Records) -> Decider:
        records = store.records
        enforce = policies[0].enforce
        return lambda request: bool(
            enforce(
                records[request["principal"]],
                request["action"],
                records[request["resource"]],
                request["context"],
            )
        )


ENGINE = Casbin()
