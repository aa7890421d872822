"""From values to an effect: which guards fall, what is granted, and what a deletion loses."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.terraform import Facts, Guard, Loss, Step, Taxonomy
from ..verdicts import Verdict, worst
from .charts import CHART_VALUES, chart_settings
from .grants import access
from .values import Values, canonical, is_marked, leaves, text
from .words import plain


def judge(
    taxonomy: Taxonomy, facts: Facts | None, step: Step, values: Values, resource_type: str
) -> Verdict:
    """The worst of what the step itself does, the guards that fall and what is granted."""
    verdicts = [_of_step(taxonomy, facts, step, values, resource_type)]
    # The same name from another provider is another type, which its rows may accuse and never acquit.
    facts = facts or taxonomy.facts(resource_type, None)
    if step in (Step.UPDATE, Step.REPLACE):
        verdicts += _fallen(taxonomy, facts, values)
        verdicts += _settings_fallen(facts, values)
    if step is Step.CREATE and facts is not None and facts.configures_another:
        new = Values({}, values.after, values.unknown)
        verdicts += _fallen(taxonomy, facts, new, is_new=True)
    if facts is not None:
        verdicts += access(taxonomy, facts, step, values)
    return worst(verdicts)


def is_protected(taxonomy: Taxonomy, facts: Facts | None, value: Any) -> bool:
    """Whether at least one guard stands."""
    return any(
        _stands(guard, _guarded(guard, value))
        for guard in _guards(taxonomy, facts)
        if _may_hold(value, guard)
    )


_AMOUNT = re.compile(r"(\d{1,18})(s|m|h|d|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ON = frozenset({"true", "enabled", "enable", "on", "yes", "1"})


def _of_step(
    taxonomy: Taxonomy, facts: Facts | None, step: Step, values: Values, resource_type: str
) -> Verdict:
    if facts is not None:
        outcome = taxonomy.outcomes[facts.is_a][step]
        if step in (Step.DELETE, Step.REPLACE) and (kept := _kept(facts, values)):
            reasons = (outcome.why, kept)
            return Verdict(outcome.effect, outcome.selector, Reversibility.RECOVERABLE, reasons)
        notes = (outcome.why,) if outcome.why else ()
        return Verdict(outcome.effect, outcome.selector, outcome.reversibility, notes)
    match step:
        case Step.CREATE:
            return Verdict(Effect.CREATE, Selector.ONE, Reversibility.REVERSIBLE)
        case Step.UPDATE:
            return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.UNKNOWN)
        case Step.DELETE | Step.REPLACE | Step.FORGET:
            reason = f"the resource type `{resource_type}` is not in the taxonomy"
            return Verdict(
                Effect.UNKNOWN,
                Selector.UNKNOWN,
                Reversibility.UNKNOWN,
                ("nothing is known of what is lost",),
                reason,
            )


def _kept(facts: Facts, values: Values) -> str | None:
    """The guard that leaves a way back at deletion, if one is known to stand."""
    for guard in facts.guards:
        if (
            guard.attribute in facts.kept_when
            and not is_marked(values.sensitive_before, guard.attribute)
            and _stands(guard, leaves(values.before, guard.attribute))
        ):
            return f"`{guard.attribute}` leaves a way back"
    return None


# Guards.


def _fallen(
    taxonomy: Taxonomy, facts: Facts | None, values: Values, *, is_new: bool = False
) -> list[Verdict]:
    return [
        verdict
        for guard in _guards(taxonomy, facts)
        if any(_may_hold(each, guard) for each in (values.before, values.after, values.unknown))
        and (verdict := _fall(guard, values, is_new=is_new)) is not None
    ]


def _settings_fallen(facts: Facts | None, values: Values) -> list[Verdict]:
    """The guards among the values of a chart that fall; values that cannot be read may hold any."""
    if facts is None or not facts.settings:
        return []
    before, after = chart_settings(values.before), chart_settings(values.after)
    if isinstance(before, str) or isinstance(after, str):
        reason = before if isinstance(before, str) else str(after)
        return [Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)]
    hidden = any(
        is_marked(mirror, each)
        for mirror in (values.sensitive_before, values.sensitive_after)
        for each in CHART_VALUES
    )
    later = next((each for each in CHART_VALUES if is_marked(values.unknown, each)), None)
    verdicts: list[Verdict] = []
    for setting in facts.settings:
        for path in dict.fromkeys((*before, *after)):
            if not fnmatchcase(path, setting.attribute):
                continue
            old, new = before.get(path, []), after.get(path, [])
            if later is not None and _could_fall(setting, old):
                verdicts.append(_verdict(setting, f"`{later}` is known only after apply"))
            elif _falls(setting, old, new):
                told = "(sensitive)" if hidden else f"{_told(old)} → {_told(new)}"
                verdicts.append(_verdict(setting, f"`{plain(path)}` {told}"))
    return verdicts


def _guards(taxonomy: Taxonomy, facts: Facts | None) -> Iterator[Guard]:
    """Those of the type, then those of every type that the type itself does not define."""
    own = facts.guards if facts else ()
    yield from own
    named = {guard.attribute for guard in own}
    yield from (guard for guard in taxonomy.everywhere if guard.attribute not in named)


def _may_hold(value: Any, guard: Guard) -> bool:
    """Whether the path of the guard begins in the value; most do not, and are done with here."""
    return not isinstance(value, dict) or guard.attribute.partition(".")[0] in value


def _fall(guard: Guard, values: Values, *, is_new: bool) -> Verdict | None:
    before, after = _guarded(guard, values.before), _guarded(guard, values.after)
    if is_new and guard.lost_when is Loss.TURNED_OFF and not before:
        # Whoever sets up what is on, or may be, turns it off by saying so.
        before = [True] * len(after)
    if any(is_marked(values.unknown, path) for path in _paths(guard)):
        if not _could_fall(guard, before):
            return None
        note = f"`{guard.attribute}` is known only after apply"
    elif _falls(guard, before, after):
        old, new = _shown(guard, values, before), _shown(guard, values, after)
        note = f"`{guard.attribute}` {old} → {new}"
    else:
        return None
    return _verdict(guard, note)


def _verdict(guard: Guard, note: str) -> Verdict:
    lasting = Reversibility.IRREVERSIBLE if guard.irreversible else Reversibility.REVERSIBLE
    return Verdict(guard.effect, Selector.ALL, lasting, (note,))


def _guarded(guard: Guard, value: Any) -> list[Any]:
    """The values that the guard speaks of, only of blocks that hold what it needs beside it."""
    if not (guard.beside or guard.where or guard.unless):
        return leaves(value, guard.attribute)
    place, _, attribute = guard.attribute.rpartition(".")
    blocks = leaves(value, place) if place else [value]
    return [
        leaf
        for block in blocks
        if not guard.beside or any(_filled(leaves(block, each)) for each in guard.beside)
        for leaf in leaves(block, attribute)
        if _counts(guard, leaf if isinstance(leaf, dict) else block)
    ]


def _counts(guard: Guard, block: Any) -> bool:
    def has_only(path: str, wanted: tuple[str, ...]) -> bool:
        found = leaves(block, path)
        return 0 < len(found) == _count_in(found, wanted)

    return all(has_only(*each) for each in guard.where.items()) and not any(
        has_only(*each) for each in guard.unless.items()
    )


def _paths(guard: Guard) -> Iterator[str]:
    """The paths of all that decides whether a guard stands."""
    yield guard.attribute
    place = guard.attribute.rpartition(".")[0]
    for name in (*guard.where, *guard.unless):
        yield f"{place}.{name}" if place else name


def _falls(guard: Guard, before: list[Any], after: list[Any]) -> bool:
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(after) < _count_on(before)
        case Loss.TURNED_ON:
            return _count_on(after) > _count_on(before)
        case Loss.LOWERED:
            old, new = _numbers(before), _numbers(after)
            if len(old) < len(_filled(before)) or len(new) < len(_filled(after)):
                return [canonical(each) for each in before] != [canonical(each) for each in after]
            return len(new) < len(old) or any(a < b for b, a in zip(old, new, strict=False))
        case Loss.SHORTENED:
            return min(_days(after)) < min(_days(before))
        case Loss.REMOVED:
            return len(_filled(after)) < len(_filled(before))
        case Loss.DROPPED:
            return not {canonical(each) for each in before} <= {canonical(each) for each in after}
        case Loss.ADDED:
            old_texts = {canonical(each) for each in before}
            return any(canonical(each) not in old_texts for each in _filled(after))
        case Loss.BECOMES:
            return _count_in(after, guard.values) > _count_in(before, guard.values)
        case Loss.LEAVES:
            return _count_in(after, guard.values) < _count_in(before, guard.values)
        case Loss.CHANGED:
            return [canonical(each) for each in before] != [canonical(each) for each in after]


def _could_fall(guard: Guard, before: list[Any]) -> bool:
    """Whether the worst value that may yet come would bring the guard down."""
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(before) > 0
        case Loss.TURNED_ON:
            return not before or _count_on(before) < len(before)
        case Loss.LOWERED:
            return bool(_numbers(before))
        case Loss.REMOVED | Loss.DROPPED:
            return bool(_filled(before))
        case Loss.BECOMES:
            return not before or _count_in(before, guard.values) < len(before)
        case Loss.LEAVES:
            return _count_in(before, guard.values) > 0
        case Loss.SHORTENED | Loss.ADDED | Loss.CHANGED:
            return True


def _stands(guard: Guard, values: list[Any]) -> bool:
    """Whether the guard protects with these values; what is not set is not known to."""
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(values) > 0
        case Loss.TURNED_ON:
            return bool(values) and _count_on(values) == 0
        case Loss.LOWERED:
            return any(number > 0 for number in _numbers(values))
        case Loss.REMOVED:
            return bool(_filled(values))
        case Loss.BECOMES:
            return bool(values) and _count_in(values, guard.values) == 0
        case Loss.LEAVES:
            return _count_in(values, guard.values) > 0
        case Loss.SHORTENED | Loss.DROPPED | Loss.ADDED | Loss.CHANGED:
            return False


def _shown(guard: Guard, values: Values, leaves: list[Any]) -> str:
    if is_marked(values.sensitive_before, guard.attribute) or is_marked(
        values.sensitive_after, guard.attribute
    ):
        return "(sensitive)"
    return _told(leaves)


def _told(leaves: list[Any]) -> str:
    if len(leaves) != 1 or isinstance(leaves[0], dict | list):
        return f"({len(leaves)} entries)" if leaves else "(not set)"
    shown = canonical(leaves[0])
    return shown if len(shown) <= 40 else "(long text)"


def _count_on(values: list[Any]) -> int:
    return sum(text(value) in _ON for value in values)


def _count_in(values: list[Any], wanted: tuple[str, ...]) -> int:
    known = {each.casefold() for each in wanted}
    return sum(text(value) in known for value in values)


def _filled(values: list[Any]) -> list[Any]:
    return [value for value in values if value not in ("", {}, False)]


def _numbers(values: list[Any]) -> list[float]:
    return sorted(number for value in values if (number := _number(value)) is not None)


def _number(value: Any) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return float(min(max(value, -1e18), 1e18))
        case str():
            match = _AMOUNT.fullmatch(value)
            return float(match[1]) * _SECONDS[match[2]] if match else None
        case _:
            return None


def _days(values: list[Any]) -> list[float]:
    return [number if number > 0 else float("inf") for number in _numbers(values)] or [float("inf")]
