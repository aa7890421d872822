"""Cedar through cedarpy, with policies and entities parsed once (prepared handles), and no schema at decisions."""

import json
from collections.abc import Callable
from typing import Any

import cedarpy

from . import Decider, Engine, Json


class Cedar(Engine):
    name = "Cedar (cedarpy)"
    language = "cedar"
    distribution = "cedarpy"

    def compile(self, text: str) -> cedarpy.PolicySet:
        return cedarpy.PolicySet.from_str(text)

    def store(self, policies: Any, document: bytes) -> cedarpy.Entities:
        return cedarpy.Entities.from_json_str(document.decode())

    def input(self, request: Json, store: Any) -> Json:
        return request

    def decider(self, policies: Any, store: Any) -> Decider:
        authorize = cedarpy.is_authorized
        return lambda request: authorize(request, policies, store).allowed

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        def decide(body: bytes) -> bytes:
            result = cedarpy.is_authorized(json.loads(body), policies, store)
            answer = {
                "decision": result.decision.value,
                "reasons": result.diagnostics.reasons,
                "errors": result.diagnostics.errors,
            }
            return json.dumps(answer).encode()

        return decide


ENGINE = Cedar()
