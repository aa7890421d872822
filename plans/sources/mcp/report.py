"""What calls of MCP tools are reported as: the closed list of actions, and the changes made of them."""

from typing import TYPE_CHECKING

from ...model import Asset, Change, Effect, Reversibility, Risk, Selector
from ..shell.report import shortened
from ..shell.syntax import Origin

if TYPE_CHECKING:
    from .arguments import Call

ACTIONS = {
    Effect.READ: "mcp.read",
    Effect.CREATE: "mcp.create",
    Effect.UPDATE: "mcp.update",
    Effect.DELETE_DATA: "mcp.delete",
    Effect.DELETE_RECOVERY: "mcp.delete",
    Effect.DELETE_AUDIT: "mcp.delete",
    Effect.DISARM: "mcp.disarm",
    Effect.ESCALATE: "mcp.grant",
    Effect.EXECUTE: "mcp.run",
    Effect.UNKNOWN: "mcp.unread",
}
ACTION_NAMES = frozenset(ACTIONS.values())

_WIDE = frozenset({Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT})
_SELECTORS = {Effect.READ: Selector.NONE, Effect.UNKNOWN: Selector.UNKNOWN}


def change(
    origin: Origin,
    call: "Call",
    excerpt: str,
    *,
    effect: Effect,
    why: str,
    target: str = "",
    selector: Selector | None = None,
    reversibility: Reversibility | None = None,
    criticality: Risk = Risk.MEDIUM,
    opaque: str | None = None,
) -> Change:
    """One change; what is not said follows from the effect, on the side of care."""
    if selector is None:
        selector = Selector.ALL if effect in _WIDE else _SELECTORS.get(effect, Selector.ONE)
    if effect is Effect.READ:
        selector = Selector.NONE
    if reversibility is None:
        known = effect in (Effect.READ, Effect.CREATE, Effect.UPDATE) and opaque is None
        wide = Reversibility.IRREVERSIBLE if effect in _WIDE else Reversibility.UNKNOWN
        reversibility = Reversibility.REVERSIBLE if known else wide
    operation = shortened(call.tool)
    server = shortened(call.server or "?", 60)
    name = shortened(target) or operation
    return Change(
        id="0",
        action=ACTIONS[effect],
        resource=Asset(
            type="Unread" if effect is Effect.UNKNOWN else "ToolTarget",
            id=f"{server}: {name}",
            name=name,
            kind=f"mcp.{server}",
            stateful=effect is Effect.DELETE_DATA,
            recovery=effect is Effect.DELETE_RECOVERY,
            criticality=criticality,
        ),
        effect=effect,
        selector=selector,
        reversibility=reversibility,
        operation=operation,
        opaque=None if opaque is None else shortened(opaque),
        summary=shortened(
            f"`{operation}` of `{server}`: {why}" if why else f"`{operation}` of `{server}`"
        ),
        source=origin.position(call.place, excerpt),
    )
