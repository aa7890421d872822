"""A request as JSON before the reference evaluator: what does not fit, or speaks of what is missing, is denied."""

from typing import Any

from . import ir
from .decision import Decision, Problem
from .documents import Misfit
from .entities import Entities
from .reference import decide, deny
from .wire import missing_entities, read_request


def decide_document(policies: ir.PolicySet, document: Any, entities: Entities) -> Decision:
    """The decision about a request as JSON; it never raises."""
    try:
        request = read_request(policies.schema, document)
    except Misfit as misfit:
        return deny(policies, Problem(f"the request does not fit the schema: {misfit}"))
    missing = missing_entities(request, entities)
    if missing:
        return deny(policies, *map(Problem, missing), request=request)
    return decide(policies, request, entities)
