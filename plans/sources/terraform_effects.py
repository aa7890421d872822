"""From values to an effect: which guards fall, what is granted, and what a deletion loses."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..model import Effect, Reversibility, Selector
from ..taxonomy.terraform import Facts, Guard, Loss, Step, Taxonomy


@dataclass(frozen=True, slots=True)
class Values:
    """One resource as a plan shows it; the mirrors `unknown` and `sensitive_…` mark with `true`."""

    before: Any
    after: Any
    unknown: Any = None
    sensitive_before: Any = None
    sensitive_after: Any = None
    configured: Collection[str] | None = None
    """The attributes that the configuration sets, where the plan shows it."""

    @property
    def known(self) -> Any:
        """What the resource is now, or what it will be when it is new."""
        return self.after if self.before is None else self.before


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a change does, the worst of all it does, with every reason."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility
    notes: tuple[str, ...] = ()
    opaque: str | None = None


def judge(
    taxonomy: Taxonomy, facts: Facts | None, step: Step, values: Values, resource_type: str
) -> Verdict:
    """The worst of what the step itself does, the guards that fall and what is granted."""
    verdicts = [_of_step(taxonomy, facts, step, values, resource_type)]
    if step in (Step.UPDATE, Step.REPLACE):
        verdicts += _fallen(taxonomy, facts, values)
    if step is Step.CREATE and facts is not None and facts.configures_another:
        verdicts += _fallen(taxonomy, facts, Values({}, values.after, values.unknown))
    if facts is not None:
        verdicts += _access(taxonomy, facts, step, values)
    return worst(verdicts)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The most severe of them, with the notes of all."""
    head = max(verdicts, key=lambda verdict: _SEVERITY.index(verdict.effect))
    notes = dict.fromkeys(note for verdict in verdicts for note in verdict.notes)
    opaque = next((verdict.opaque for verdict in verdicts if verdict.opaque is not None), None)
    return Verdict(head.effect, head.selector, head.reversibility, tuple(notes), opaque)


def is_protected(taxonomy: Taxonomy, facts: Facts | None, value: Any) -> bool:
    """Whether at least one guard stands."""
    return any(
        _stands(guard, _leaves(value, guard.attribute))
        for guard in _guards(taxonomy, facts)
        if _may_hold(value, guard)
    )


def leaves_true(value: Any) -> Iterator[str]:
    """The dotted paths of all that a mirror marks."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, current = stack.pop()
        match current:
            case True:
                yield path or "*"
            case dict():
                stack += [(f"{path}.{key}" if path else key, each) for key, each in current.items()]
            case list():
                stack += [
                    (f"{path}.{index}" if path else str(index), each)
                    for index, each in enumerate(current)
                ]


def is_marked(mirror: Any, attribute: str) -> bool:
    """Whether the mirror marks something at the path, above it or below it."""
    current = [mirror]
    for step in attribute.split("."):
        current = _flat(current)
        if any(each is True for each in current):
            return True
        current = [child[step] for child in current if isinstance(child, dict) and step in child]
    return any(True for each in current for _ in leaves_true(each))


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
_ON = frozenset({"true", "enabled", "enable", "on", "yes", "1"})
_EVERYONE = frozenset({"*", "arn:aws:iam::*:root"})
_ONLY_LABELS = frozenset({"tags", "tags_all", "labels", "effective_labels", "description"})


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
            and _stands(guard, _leaves(values.before, guard.attribute))
        ):
            return f"`{guard.attribute}` leaves a way back"
    return None


# Guards.


def _fallen(taxonomy: Taxonomy, facts: Facts | None, values: Values) -> list[Verdict]:
    return [
        verdict
        for guard in _guards(taxonomy, facts)
        if any(_may_hold(each, guard) for each in (values.before, values.after, values.unknown))
        and (verdict := _fall(guard, values)) is not None
    ]


def _guards(taxonomy: Taxonomy, facts: Facts | None) -> Iterator[Guard]:
    """Those of the type, then those of every type that the type itself does not define."""
    own = facts.guards if facts else ()
    yield from own
    named = {guard.attribute for guard in own}
    yield from (guard for guard in taxonomy.everywhere if guard.attribute not in named)


def _may_hold(value: Any, guard: Guard) -> bool:
    """Whether the path of the guard begins in the value; most do not, and are done with here."""
    return not isinstance(value, dict) or guard.attribute.partition(".")[0] in value


def _fall(guard: Guard, values: Values) -> Verdict | None:
    before = _leaves(values.before, guard.attribute)
    after = _leaves(values.after, guard.attribute)
    if is_marked(values.unknown, guard.attribute):
        if not _could_fall(guard, before):
            return None
        note = f"`{guard.attribute}` is known only after apply"
    elif _falls(guard, before, after):
        old, new = _shown(guard, values, before), _shown(guard, values, after)
        note = f"`{guard.attribute}` {old} → {new}"
    else:
        return None
    lasting = Reversibility.IRREVERSIBLE if guard.irreversible else Reversibility.REVERSIBLE
    return Verdict(Effect.DISARM, Selector.ALL, lasting, (note,))


def _falls(guard: Guard, before: list[Any], after: list[Any]) -> bool:
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(after) < _count_on(before)
        case Loss.TURNED_ON:
            return _count_on(after) > _count_on(before)
        case Loss.LOWERED:
            old, new = _numbers(before), _numbers(after)
            return len(new) < len(old) or any(a < b for b, a in zip(old, new, strict=False))
        case Loss.SHORTENED:
            return min(_days(after)) < min(_days(before))
        case Loss.REMOVED:
            return len(_filled(after)) < len(_filled(before))
        case Loss.ADDED:
            old_texts = {_canonical(each) for each in before}
            return any(_canonical(each) not in old_texts for each in _filled(after))
        case Loss.BECOMES:
            return _count_in(after, guard.values) > _count_in(before, guard.values)
        case Loss.LEAVES:
            return _count_in(after, guard.values) < _count_in(before, guard.values)
        case Loss.CHANGED:
            return [_canonical(each) for each in before] != [_canonical(each) for each in after]


def _could_fall(guard: Guard, before: list[Any]) -> bool:
    """Whether the worst value that may yet come would bring the guard down."""
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(before) > 0
        case Loss.TURNED_ON:
            return not before or _count_on(before) < len(before)
        case Loss.LOWERED:
            return bool(_numbers(before))
        case Loss.REMOVED:
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
        case Loss.SHORTENED | Loss.ADDED | Loss.CHANGED:
            return False


def _shown(guard: Guard, values: Values, leaves: list[Any]) -> str:
    if is_marked(values.sensitive_before, guard.attribute) or is_marked(
        values.sensitive_after, guard.attribute
    ):
        return "(sensitive)"
    if len(leaves) != 1 or isinstance(leaves[0], dict | list):
        return f"({len(leaves)} entries)" if leaves else "(not set)"
    shown = _canonical(leaves[0])
    return shown if len(shown) <= 40 else "(long text)"


def _leaves(value: Any, attribute: str) -> list[Any]:
    """All values at a path, through blocks and lists alike; what is null is not set."""
    current = [value]
    for step in attribute.split("."):
        current = [
            child[step] for child in _flat(current) if isinstance(child, dict) and step in child
        ]
    return [each for each in _flat(current) if each is not None]


def _flat(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat += _flat(value) if isinstance(value, list) else [value]
    return flat


def _text(value: Any) -> str:
    return value.casefold() if isinstance(value, str) else _canonical(value)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _count_on(values: list[Any]) -> int:
    return sum(_text(value) in _ON for value in values)


def _count_in(values: list[Any], wanted: tuple[str, ...]) -> int:
    known = {each.casefold() for each in wanted}
    return sum(_text(value) in known for value in values)


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
            digits = value.removesuffix("s")
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 19
            return float(digits) if is_number else None
        case _:
            return None


def _days(values: list[Any]) -> list[float]:
    return [number if number > 0 else float("inf") for number in _numbers(values)] or [float("inf")]


# Grants.


def _access(taxonomy: Taxonomy, facts: Facts, step: Step, values: Values) -> list[Verdict]:
    verdicts: list[Verdict] = []
    if step in (Step.UPDATE, Step.REPLACE, Step.DELETE):
        verdicts += _denials_lost(facts, step, values)
    if step in (Step.CREATE, Step.UPDATE, Step.REPLACE) and not (
        step is Step.UPDATE and _changed(values) <= _ONLY_LABELS
    ):
        notes = _broad_grants(taxonomy, facts, values)
        if notes:
            verdicts.append(Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, notes))
    return verdicts


def _changed(values: Values) -> set[str]:
    before = values.before if isinstance(values.before, dict) else {}
    after = values.after if isinstance(values.after, dict) else {}
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    unknown = values.unknown if isinstance(values.unknown, dict) else {}
    return changed | {key for key in unknown if is_marked(unknown, key)}


def _broad_grants(taxonomy: Taxonomy, facts: Facts, values: Values) -> tuple[str, ...]:
    notes: list[str] = []
    for path in facts.policies:
        if _may_yet_grant(values, path):
            notes.append(f"what `{path}` grants is known only after apply")
        for document in _leaves(values.after, path):
            reason = _broad_policy(taxonomy.patterns, document)
            if reason:
                notes.append(f"`{path}` {reason}")
    for path in facts.bindings:
        if _may_yet_grant(values, path):
            notes.append(f"what `{path}` grants is known only after apply")
        for document in _leaves(values.after, path):
            reason = _broad_bindings(taxonomy.patterns, document)
            if reason:
                notes.append(f"`{path}` {reason}")
    notes += [note for grant in facts.grants if (note := _broad_grant(grant, values))]
    return tuple(dict.fromkeys(notes))


def _broad_grant(grant: Mapping[str, tuple[str, ...]], values: Values) -> str | None:
    """Every attribute matches one of its patterns; a value that is not known yet may."""
    waiting: list[str] = []
    for path, patterns in grant.items():
        if any(_matches(_text(each), patterns) for each in _leaves(values.after, path)):
            continue
        if not _may_yet_grant(values, path):
            return None
        waiting.append(path)
    if len(waiting) == len(grant):
        return f"what `{waiting[0]}` grants is known only after apply"
    return f"grants broadly by `{next(path for path in grant if path not in waiting)}`"


def _may_yet_grant(values: Values, path: str) -> bool:
    """Whether the value is unknown and its author chose it.

    A provider fills in an attribute that the configuration leaves out, and grants nothing by it.
    Of a block the configuration may say nothing and still hold it, as a `dynamic` one.
    """
    if not is_marked(values.unknown, path):
        return False
    return "." in path or values.configured is None or path in values.configured


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def _broad_policy(patterns: Mapping[str, tuple[str, ...]], document: Any) -> str | None:
    """Why an AWS policy document grants broadly; one that cannot be read might."""
    statements = _statements(document)
    if statements is None:
        return "is a policy that could not be read"
    for statement in statements:
        if _text(statement.get("Effect")) == "deny":
            continue
        if "NotAction" in statement or "NotPrincipal" in statement:
            return "allows everything but a list"
        actions = [_text(each) for each in _flat([statement.get("Action")]) if each is not None]
        resources = [_text(each) for each in _flat([statement.get("Resource")]) if each is not None]
        if "Principal" in statement:
            if _is_everyone(statement["Principal"]) and not statement.get("Condition"):
                return "allows everyone"
            continue
        everything = "*" in resources or "NotResource" in statement
        if any(action in ("*", "*:*") for action in actions):
            return "allows every action"
        if everything and any(action.endswith(":*") for action in actions):
            return "allows every action of a service on every resource"
        if everything and any(
            fnmatchcase(escalating.casefold(), action)
            for action in actions
            for escalating in patterns.get("escalating_actions", ())
        ):
            return "allows raising one's own rights"
    return None


def _statements(document: Any) -> list[dict[str, Any]] | None:
    policy = _parsed(document)
    statements = policy.get("Statement", []) if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        return None
    readable = [each for each in statements if isinstance(each, dict)]
    return readable if len(readable) == len(statements) else None


def _parsed(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    if not document.strip():
        return {}
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        # What is not JSON is not a policy; the callers take that for the worst.
        return None


def _is_everyone(principal: Any) -> bool:
    who = principal.values() if isinstance(principal, dict) else [principal]
    return any(_text(each) in _EVERYONE for each in _flat(list(who)))


def _broad_bindings(patterns: Mapping[str, tuple[str, ...]], document: Any) -> str | None:
    """Why a Google policy grants broadly; one that cannot be read might."""
    policy = _parsed(document)
    bindings = policy.get("bindings", []) if isinstance(policy, dict) else None
    if not isinstance(bindings, list):
        return "is a policy that could not be read"
    for binding in bindings:
        if not isinstance(binding, dict):
            return "is a policy that could not be read"
        if _matches(_text(binding.get("role")), patterns.get("google_roles", ())):
            return "grants a role over everything"
        members = _flat([binding.get("members")])
        if any(_matches(_text(each), patterns.get("google_everyone", ())) for each in members):
            return "allows everyone"
    return None


def _denials_lost(facts: Facts, step: Step, values: Values) -> list[Verdict]:
    """An explicit Deny protects even against an administrator, so losing one disarms."""
    verdicts: list[Verdict] = []
    for path in facts.policies:
        before = _denials(_leaves(values.before, path))
        after = set() if step is Step.DELETE else _denials(_leaves(values.after, path))
        if before - after:
            note = f"`{path}` loses a statement that denies"
            verdicts.append(Verdict(Effect.DISARM, Selector.ALL, Reversibility.REVERSIBLE, (note,)))
    return verdicts


def _denials(documents: list[Any]) -> set[str]:
    return {
        _canonical(statement)
        for document in documents
        for statement in _statements(document) or []
        if _text(statement.get("Effect")) == "deny"
    }
