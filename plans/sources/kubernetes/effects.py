"""From an operation to its action and effect: what the step does, which guards fall, what is granted and run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.kubernetes import Class, Facts, Guard, Loss, Step, Taxonomy
from ..verdicts import Verdict, worst
from .cascades import World, collection, deletion, hint, scaled_down
from .objects import Operation
from .pods import pod_verdicts
from .rights import raised_rights
from .values import at, canonical, falls, field, may_have_fallen, stands, word

ACTIONS: Mapping[str, str] = {
    "kubernetes.no_op": "leaves {} as it is",
    "kubernetes.review": "asks with {}",
    "kubernetes.read": "reads from {}",
    "kubernetes.dry_run": "tries out a change of {}, and nothing is stored",
    "kubernetes.create": "creates {}",
    "kubernetes.update": "updates {}",
    "kubernetes.apply": "creates or updates {}",
    "kubernetes.scale": "scales {}",
    "kubernetes.status": "updates the status of {}",
    "kubernetes.bind": "places {} on a node",
    "kubernetes.delete": "deletes {}",
    "kubernetes.delete_collection": "deletes a collection of {}",
    "kubernetes.replace": "replaces {}, deleting it first",
    "kubernetes.evict": "evicts {}",
    "kubernetes.finalize": "ends the deletion of {} by force",
    "kubernetes.issue_token": "issues a token of {}",
    "kubernetes.approve": "approves {}",
    "kubernetes.exec": "runs a command in {}",
    "kubernetes.attach": "attaches to a process of {}",
    "kubernetes.port_forward": "opens a tunnel to {}",
    "kubernetes.proxy": "passes requests on to {}",
    "kubernetes.debug": "runs a container inside {}",
    "kubernetes.unread": "does what could not be read to {}",
}
"""Every action of this source, and what it does to its object."""

UNREAD = "kubernetes.unread"
_SUBRESOURCES = {
    ("connect", "exec"): "kubernetes.exec",
    ("connect", "attach"): "kubernetes.attach",
    ("connect", "portforward"): "kubernetes.port_forward",
    ("connect", "proxy"): "kubernetes.proxy",
    ("connect", "log"): "kubernetes.read",
    ("create", "eviction"): "kubernetes.evict",
    ("create", "binding"): "kubernetes.bind",
    ("create", "token"): "kubernetes.issue_token",
    ("update", "approval"): "kubernetes.approve",
    ("update", "finalize"): "kubernetes.finalize",
    ("update", "ephemeralcontainers"): "kubernetes.debug",
    ("update", "scale"): "kubernetes.scale",
    ("update", "status"): "kubernetes.status",
    ("update", "resize"): "kubernetes.update",
}
"""https://kubernetes.io/docs/reference/using-api/api-concepts/"""

_STORED = frozenset(
    {"kubernetes.create", "kubernetes.update", "kubernetes.delete", "kubernetes.delete_collection"}
)
"""The actions that a dry run can try out; a command that runs has run."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an operation is called and does, and the field that makes it so."""

    action: str
    verdict: Verdict
    path: tuple[str, ...] = ()
    facts: Facts | None = None


def judge(taxonomy: Taxonomy, operation: Operation, world: World) -> Judgement:
    """The worst of all that an operation does."""
    facts = taxonomy.facts(operation.name.table_kind)
    if operation.verb == "unread":
        return _unread(operation.reason or "it could not be read")
    if operation.subresource:
        action = _SUBRESOURCES.get((operation.verb, operation.subresource))
        if action is None:
            asked = f"{operation.verb} {operation.subresource}"
            return _unread(f"what `{asked[:80]}` does is not known here")
        return Judgement(
            action, _of_subresource(taxonomy, facts, action, operation, world), (), facts
        )
    if operation.verb == "connect":
        return _unread("a connection without a subresource is not known here")
    found = _of_object(taxonomy, facts, operation, world)
    if operation.dry_run and found.action in _STORED:
        verdict = Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
        return Judgement("kubernetes.dry_run", verdict, (), facts)
    return found


def is_protected(taxonomy: Taxonomy, facts: Facts | None, value: Any) -> bool:
    """Whether at least one guard stands, a finalizer among them."""
    return any(stands(guard, value) for guard in _guards(taxonomy, facts))


_KEPT_BY_THE_SERVER = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
_Found = tuple[Verdict, tuple[str, ...]]
"""One thing that an operation does, and the field that makes it so."""
_ONE = (Selector.ONE, Reversibility.REVERSIBLE)


def _of_object(
    taxonomy: Taxonomy, facts: Facts | None, operation: Operation, world: World
) -> Judgement:
    before, after = operation.before, operation.after
    match operation.verb:
        case "delete":
            verdicts = deletion(taxonomy, operation, world)
            return Judgement("kubernetes.delete", worst(verdicts), (), facts)
        case "delete_collection":
            verdict = collection(taxonomy, operation)
            return Judgement("kubernetes.delete_collection", verdict, (), facts)
        case "create":
            action, step = "kubernetes.create", Step.CREATE
        case "update" if operation.before_known:
            if before is not None and _stripped(before) == _stripped(after):
                verdict = Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
                return Judgement("kubernetes.no_op", verdict, (), facts)
            action, step = "kubernetes.update", Step.UPDATE
        case "update":
            action, step = "kubernetes.update", Step.UPDATE
        case _:
            action, step = "kubernetes.apply", Step.UPDATE
    if facts is not None and facts.is_a is Class.REVIEW:
        verdict = Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
        return Judgement("kubernetes.review", verdict, (), facts)
    found: list[_Found] = [(_of_step(taxonomy, facts, step, operation), ())]
    replaced = _replaced(facts, operation)
    if replaced:
        action = "kubernetes.replace"
        verdict = worst(deletion(taxonomy, operation, world, Step.REPLACE))
        shown = ".".join(replaced)
        notes = (f"`{shown}` cannot be changed in place", *verdict.notes, *_emptied(operation))
        found.append(
            (
                Verdict(
                    verdict.effect, verdict.selector, verdict.reversibility, notes, verdict.opaque
                ),
                replaced,
            )
        )
    found += _fallen(taxonomy, facts, operation)
    if operation.verb != "create" and before is not None:
        if lost := scaled_down(operation.name, before, after, world):
            found.append((lost, ("spec", "replicas")))
        # What is left without its purpose, or does not run any more, is as good as deleted.
        purpose = hint(taxonomy, operation.name, before)
        suspended = at(after, ("spec", "suspend")) == [True] != at(before, ("spec", "suspend"))
        if purpose and (suspended or hint(taxonomy, operation.name, after) is None):
            found.append((purpose, ("spec",)))
    found += raised_rights(taxonomy, operation.name, before, after, world.will_be)
    if pods := taxonomy.pods_of(operation.name.table_kind):
        found += pod_verdicts(taxonomy, pods, before, after)
    return _worst(action, found, facts)


def _of_step(taxonomy: Taxonomy, facts: Facts | None, step: Step, operation: Operation) -> Verdict:
    """The step itself, which an apply leaves open: it may make the object or change it."""
    notes: tuple[str, ...] = ()
    lasting = Reversibility.REVERSIBLE
    if not operation.before_known:
        notes, lasting = ("what stands there now is not known",), Reversibility.UNKNOWN
    if facts is None:
        effect = Effect.CREATE if step is Step.CREATE else Effect.UPDATE
        known = step is Step.CREATE
        return Verdict(effect, Selector.ONE, lasting if known else Reversibility.UNKNOWN, notes)
    outcome = taxonomy.outcomes[facts.is_a][step]
    if facts.creating is not None and (step is Step.CREATE or not operation.before_known):
        outcome = facts.creating
    why = (outcome.why,) if outcome.why else ()
    if outcome.reversibility is not Reversibility.REVERSIBLE:
        lasting = outcome.reversibility
    return Verdict(outcome.effect, outcome.selector, lasting, (*why, *notes))


def _replaced(facts: Facts | None, operation: Operation) -> tuple[str, ...]:
    """The field for whose change the object is deleted and made anew, if there is one."""
    before, after = operation.before, operation.after
    if facts is None or before is None or after is None:
        return ()
    paths = list(facts.immutable)
    if field(before, "immutable") is True:
        paths += [("data",), ("binaryData",), ("stringData",)]
    for path in paths:
        old, new = at(before, path), at(after, path)
        # The server fills in what a manifest leaves out, so only what both say can differ.
        if old and new and list(map(_spoken, old)) != list(map(_spoken, new)):
            return path
    return ()


def _emptied(operation: Operation) -> Iterator[str]:
    path = ("spec", "volumeClaimTemplates", "metadata", "name")
    old, new = (set(map(canonical, at(each, path))) for each in (operation.before, operation.after))
    if old and new and not new & old:
        yield "the new one starts on new, empty volumes"


def _spoken(value: Any) -> str:
    """A value without what the server adds to it."""
    if isinstance(value, dict):
        value = {
            key: each
            for key, each in value.items()
            if key not in ("status", "creationTimestamp", "apiVersion", "kind")
        }
    return canonical(value)


def _fallen(taxonomy: Taxonomy, facts: Facts | None, operation: Operation) -> Iterator[_Found]:
    before, after = operation.before, operation.after
    for guard in _guards(taxonomy, facts):
        if operation.verb == "create":
            # What is new lowers nothing; but some values do harm wherever they stand.
            harms = guard.effect is Effect.ESCALATE or (
                guard.lost_when is Loss.BECOMES
                and guard.effect not in (Effect.DISARM, Effect.UPDATE)
            )
            fell = harms and falls(guard, {}, after)
        elif operation.before_known:
            fell = falls(guard, before, after)
        else:
            fell = may_have_fallen(guard, after)
        if fell:
            yield _fall(guard, operation), guard.path


def _fall(guard: Guard, operation: Operation) -> Verdict:
    shown = f"`{'.'.join(guard.path)}`"
    old, new = (_shown(each, guard) for each in (operation.before, operation.after))
    if operation.name.table_kind == "Secret":
        change = "changes"
    elif operation.before_known and operation.before is not None:
        change = f"{old} → {new}"
    else:
        change = f"is {new}"
    note = f"{shown} {change}" + (f": {guard.why}" if guard.why else "")
    return Verdict(guard.effect, guard.selector, guard.reversibility, (note,))


def _shown(value: Any, guard: Guard) -> str:
    values = at(value, guard.path)
    if not values:
        return "absent"
    if len(values) > 1 or isinstance(values[0], dict):
        return f"{len(values)} of them" if len(values) > 1 else "another"
    text = word(values[0])
    return text if len(text) <= 60 else f"{text[:59]}…"


def _guards(taxonomy: Taxonomy, facts: Facts | None) -> Iterator[Guard]:
    if facts is not None:
        yield from facts.guards
    yield from taxonomy.everywhere


def _of_subresource(
    taxonomy: Taxonomy, facts: Facts | None, action: str, operation: Operation, world: World
) -> Verdict:
    match action:
        case "kubernetes.read":
            return Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
        case "kubernetes.evict":
            if field(operation.after, "deleteOptions", "gracePeriodSeconds") == 0:
                note = "it does not wait for the pod to stop, so that two may write the same volume"
                return Verdict(Effect.DISARM, Selector.ONE, Reversibility.IRREVERSIBLE, (note,))
            note = "its controller makes another, within its disruption budget"
            return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.RECOVERABLE, (note,))
        case "kubernetes.bind" | "kubernetes.status":
            return Verdict(Effect.UPDATE, *_ONE)
        case "kubernetes.issue_token":
            note = "its bearer acts as the account"
            return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.IRREVERSIBLE, (note,))
        case "kubernetes.approve":
            note = "a certificate is made out to whom it names"
            return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.IRREVERSIBLE, (note,))
        case "kubernetes.finalize":
            note = "what its finalizers waited for does not happen"
            return Verdict(Effect.DISARM, Selector.ALL, Reversibility.IRREVERSIBLE, (note,))
        case "kubernetes.scale":
            return _scaled(operation, world)
        case "kubernetes.update":
            pods = taxonomy.pods_of(operation.name.table_kind)
            found: list[_Found] = [(Verdict(Effect.UPDATE, *_ONE), ())]
            if pods is not None:
                found += pod_verdicts(taxonomy, pods, operation.before, operation.after)
            return _worst(action, found, facts).verdict
        case _:
            words = [word(each) for each in at(operation.after, ("command",))]
            text = " ".join(words)
            text = text if len(text) <= 80 else f"{text[:79]}…"
            notes = (f"`{text}`",) if words else ()
            return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN, notes)


def _scaled(operation: Operation, world: World) -> Verdict:
    """A scale says nothing of claims: those of replicas that go are kept or not as the set itself says."""
    old = field(operation.before, "spec", "replicas")
    new = field(operation.after, "spec", "replicas")
    # Zero is what absence means, since the field leaves zero out.
    count = new if isinstance(new, int) and not isinstance(new, bool) else 0
    notes: tuple[str, ...] = (
        f"{old} → {count} replicas" if isinstance(old, int) else f"to {count} replicas",
    )
    if lost := scaled_down(operation.name, operation.before, operation.after, world):
        return Verdict(lost.effect, lost.selector, lost.reversibility, (*notes, *lost.notes))
    if count <= 0 and canonical(old) != "0":
        notes = (*notes, "every replica stops")
        return Verdict(Effect.UPDATE, Selector.ALL, Reversibility.RECOVERABLE, notes)
    return Verdict(Effect.UPDATE, *_ONE, notes)


def _worst(action: str, found: list[_Found], facts: Facts | None) -> Judgement:
    """The worst of them; where several are equally bad, the one that reaches furthest."""
    verdict = worst([each for each, _ in found])
    same = [(each, path) for each, path in found if each.effect is verdict.effect]
    reach = list(Selector)
    widest, path = max(same, key=lambda each: (reach.index(each[0].selector), bool(each[1])))
    lasting = list(Reversibility)
    reversibility = max((each.reversibility for each, _ in same), key=lasting.index)
    whole = Verdict(verdict.effect, widest.selector, reversibility, verdict.notes, verdict.opaque)
    return Judgement(action, whole, path, facts)


def _unread(reason: str) -> Judgement:
    verdict = Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)
    return Judgement(UNREAD, verdict)


def _stripped(value: Any) -> str:
    """An object without what the server counts and stamps by itself."""
    metadata = field(value, "metadata")
    kept = {
        key: each
        for key, each in (metadata if isinstance(metadata, dict) else {}).items()
        if key not in _KEPT_BY_THE_SERVER
    }
    return canonical({**value, "metadata": kept})
