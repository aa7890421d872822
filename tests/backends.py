"""Every back end by name: a function from a policy set, a request and its entities to a decision as JSON."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from weakref import WeakKeyDictionary

from interlock.cli.decisions import decision_document
from interlock.compiler import reference
from interlock.compiler.backends.python.load import Program, load_module
from interlock.compiler.backends.python.program import generate
from interlock.compiler.backends.python.runtime import entities_of
from interlock.compiler.backends.python.vendor import vendor
from interlock.compiler.decision import Request
from interlock.compiler.entities import Entities
from interlock.compiler.ir import PolicySet
from interlock.lang.schema import Schema
from interlock.lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value

Json = Any
_PROGRAMS: WeakKeyDictionary[Schema, dict[str, Program]] = WeakKeyDictionary()


def program_of(policies: PolicySet) -> Program:
    """The generated evaluator of a policy set, made once."""
    programs = _PROGRAMS.setdefault(policies.schema, {})
    if policies.digest not in programs:
        programs[policies.digest] = load_module(generate(policies), policies.digest)
    return programs[policies.digest]


def with_reference(policies: PolicySet, request: Request, entities: Entities) -> Json:
    return decision_document(reference.decide(policies, request, entities))


def with_python(policies: PolicySet, request: Request, entities: Entities) -> Json:
    program = program_of(policies)
    store = entities_of(program.world, entity_documents(policies.schema, entities))
    return decision_document(program.decide(request_document(request), store))


def with_vendored_file(policies: PolicySet, request: Request, entities: Entities) -> Json:
    module = vendored_module(policies)
    store = module["read_store"](entity_documents(policies.schema, entities))
    return module["decide"](request_document(request), store)


def vendored_module(policies: PolicySet) -> dict[str, Any]:
    """What the vendored file of a policy set defines."""
    found: dict[str, Any] = {"__name__": "vendored"}
    exec(vendor(policies, generate(policies)), found)  # noqa: S102  # our own generated source
    return found


BACK_ENDS: dict[str, Callable[[PolicySet, Request, Entities], Json]] = {
    "reference": with_reference,
    "python": with_python,
    "vendored file": with_vendored_file,
}


# Values as JSON documents


def request_document(request: Request) -> dict[str, Any]:
    return {
        "principal": document(request.principal),
        "action": {"type": "Action", "id": request.action},
        "resource": document(request.resource),
        "context": document(request.context),
    }


def entity_documents(schema: Schema, entities: Entities) -> list[dict[str, Any]]:
    """The entities, each in all that it may directly be in, which closes to the same hierarchy."""
    return [
        {
            "uid": document(entity),
            "attrs": document(data.attributes),
            "parents": [
                document(parent)
                for parent in sorted(data.ancestors)
                if parent.type in schema.entities[entity.type].parents
            ],
        }
        for entity, data in entities.known.items()
    ]


def document(value: Value) -> Any:
    match value:
        case bool() | int() | str():
            return value
        case Decimal() | Instant() | Duration() | IPv4Network() | IPv6Network():
            return str(value)
        case EnumValue(name=name):
            return name
        case EntityId(type, id):
            return {"type": type, "id": id}
        case frozenset():
            return [document(item) for item in value]
        case Record():
            return {name: document(item) for name, item in value.items()}
