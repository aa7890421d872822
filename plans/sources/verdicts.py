"""What one change does, whatever artifact it stands in; of several things it does, the worst names it."""

from dataclasses import dataclass

from ..model import Effect, Reversibility, Selector


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a change does, the worst of all it does, with every reason."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility
    notes: tuple[str, ...] = ()
    opaque: str | None = None


def worst(verdicts: list[Verdict]) -> Verdict:
    """The most severe of them, of equally severe ones that which reaches furthest, with the notes of all."""
    head = max(verdicts, key=lambda each: (severity(each.effect), _REACH.index(each.selector)))
    notes = dict.fromkeys(note for verdict in verdicts for note in verdict.notes)
    opaque = next((verdict.opaque for verdict in verdicts if verdict.opaque is not None), None)
    return Verdict(head.effect, head.selector, head.reversibility, tuple(notes), opaque)


def severity(effect: Effect) -> int:
    """How much harm an effect may do, compared with others."""
    return _SEVERITY.index(effect)


# From harmless to worst: where one change does several things, the last of them names it.
_SEVERITY = (
    Effect.READ,
    Effect.CREATE,
    Effect.UPDATE,
    Effect.EXECUTE,
    Effect.ESCALATE,
    Effect.DISARM,
    Effect.DELETE_AUDIT,
    Effect.DELETE_DATA,
    Effect.DELETE_RECOVERY,
    Effect.UNKNOWN,
)
_REACH = tuple(Selector)
