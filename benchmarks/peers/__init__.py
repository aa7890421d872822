"""What the benchmark asks of every engine, and the engines that are installed; one file speaks to each."""

import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any
Decider = Callable[[Any], bool]

MODULES = {
    "cedar": "Cedar (cedarpy)",
    "regorus_rvm": "Regorus RVM",
    "regorus_engine": "Regorus",
    "opa": "OPA",
    "cel_rust": "CEL (Rust)",
    "cel_cpp": "CEL (C++)",
    "casbin_abac": "Casbin",
}
"""File → engine, in the order of the tables; facts about each stand at the top of its file."""


class Engine:
    """One engine. Policies, stores and inputs are whatever it makes of the text and the documents it gets."""

    name: str
    language: str
    """Which text of a workload it reads: `ilk`, `cedar`, `rego`, `cel` or `casbin`."""
    distribution: str
    """The package that its version is read from."""
    has_store = True
    """Whether the engine keeps entities; else its caller looks them up in a dictionary."""

    def compile(self, text: str) -> Any:
        """Policy text made ready, once; timed as compiling."""
        raise NotImplementedError

    def load_seconds(self, text: str) -> float | None:
        """How long policies take that an earlier run has compiled; `None` where an engine keeps nothing."""
        return None

    def document(self, entities: Sequence[Json]) -> bytes:
        """The entities as the JSON text that this engine reads; not timed."""
        return json.dumps(entities).encode()

    def store(self, policies: Any, document: bytes) -> Any:
        """Entities made ready from that text, once; timed as building."""
        raise NotImplementedError

    def input(self, request: Json, store: Any) -> Any:
        """A request as a caller of this engine holds it; not timed."""
        raise NotImplementedError

    def decider(self, policies: Any, store: Any) -> Decider:
        """The decision about an input, by the fastest documented way; this is timed."""
        raise NotImplementedError

    def encode(self, request: Json, store: Any) -> bytes:
        """A request as the JSON that a server in front of this engine would receive."""
        return json.dumps(self.input(request, store)).encode()

    def json_decider(self, policies: Any, store: Any) -> Callable[[bytes], bytes]:
        """JSON bytes in, JSON bytes out."""
        decide = self.decider(policies, store)
        return lambda body: json.dumps({"allow": decide(json.loads(body))}).encode()

    def close(self, policies: Any, store: Any) -> None:
        """Frees what the garbage collector does not."""


@dataclass(frozen=True)
class Workload:
    """Policies in every language that can say them, a store, and requests."""

    name: str
    texts: dict[str, str]
    """Language → policies. A language that is not there cannot say them, or nobody translated them."""
    entities: Sequence[Json]
    requests: Sequence[Json]
    expected: dict[str, list[bool]] = field(default_factory=dict)
    """Language → whether each request is permitted; `ilk` holds for every language that is not there."""

    def expected_in(self, language: str) -> list[bool]:
        return self.expected.get(language, self.expected["ilk"])


def installed() -> tuple[list[Engine], dict[str, str]]:
    """Every engine that can be imported here, and why the others cannot."""
    found: list[Engine] = []
    absent: dict[str, str] = {}
    for module, name in MODULES.items():
        try:
            found.append(importlib.import_module(f"peers.{module}").ENGINE)
        except (ImportError, OSError) as error:
            absent[name] = str(error)
    return found, absent
