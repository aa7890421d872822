"""Every back end by name: a function from a policy set, a request and its entities to a decision."""

from collections.abc import Callable

from interlock.compiler import reference
from interlock.compiler.decision import Decision, Request
from interlock.compiler.entities import Entities
from interlock.compiler.ir import PolicySet

BACK_ENDS: dict[str, Callable[[PolicySet, Request, Entities], Decision]] = {
    "reference": reference.decide,
}
