"""What shell commands are reported as: the closed list of actions, and the changes made of them."""

from ...model import Asset, Change, Effect, Reversibility, Risk, Selector
from .syntax import Origin

ACTIONS = {
    Effect.READ: "shell.read",
    Effect.CREATE: "shell.create",
    Effect.UPDATE: "shell.update",
    Effect.DELETE_DATA: "shell.delete",
    Effect.DELETE_RECOVERY: "shell.delete",
    Effect.DELETE_AUDIT: "shell.delete",
    Effect.DISARM: "shell.disarm",
    Effect.ESCALATE: "shell.grant",
    Effect.EXECUTE: "shell.run",
    Effect.UNKNOWN: "shell.unread",
}
ACTION_NAMES = frozenset(ACTIONS.values())

_SELECTORS = {Effect.READ: Selector.NONE, Effect.UNKNOWN: Selector.UNKNOWN}
_WIDE = frozenset({Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT})
_LONGEST = 200


def is_wide(effect: Effect) -> bool:
    """Whether an effect counts as reaching everything where nothing says how much."""
    return effect in _WIDE


def shortened(text: str, length: int = _LONGEST) -> str:
    line = " ".join(text[: 10 * length].encode("utf-8", "replace").decode().split())
    return line if len(line) <= length else line[: length - 1] + "…"


def change(
    origin: Origin,
    at: int,
    text: str,
    *,
    effect: Effect,
    operation: str,
    why: str,
    target: str = "",
    type: str = "Command",
    selector: Selector | None = None,
    reversibility: Reversibility | None = None,
    criticality: Risk = Risk.MEDIUM,
    stateful: bool = False,
    recovery: bool = False,
    opaque: str | None = None,
) -> Change:
    """One change; what is not said follows from the effect, on the side of care."""
    if selector is None:
        selector = Selector.ALL if effect in _WIDE else _SELECTORS.get(effect, Selector.ONE)
    if reversibility is None:
        reversibility = (
            Reversibility.REVERSIBLE
            if effect in (Effect.READ, Effect.CREATE, Effect.UPDATE)
            else Reversibility.IRREVERSIBLE
            if effect in _WIDE
            else Reversibility.UNKNOWN
        )
    operation = shortened(operation)
    program = operation.partition(" ")[0] or "shell"
    name = shortened(target) or operation or "shell"
    if effect is Effect.UNKNOWN:
        type = "Unread"
    return Change(
        id="0",
        action=ACTIONS[effect],
        resource=Asset(
            type=type,
            id=name if type == "File" else f"{program}: {name}",
            name=name,
            kind="shell.file" if type == "File" else f"shell.{program}",
            stateful=stateful or effect is Effect.DELETE_DATA,
            recovery=recovery or effect is Effect.DELETE_RECOVERY,
            criticality=criticality,
        ),
        effect=effect,
        selector=selector,
        reversibility=reversibility,
        operation=operation,
        opaque=None if opaque is None else shortened(opaque),
        summary=shortened(f"{operation}: {why}" if why else operation),
        source=origin.position(at, text),
    )
