"""What goes with an object that is deleted: by its kind, its policies, its owner references, its namespace."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.kubernetes import Class, Facts, Outcome, Step, Taxonomy
from ..verdicts import Verdict
from .objects import Name, Operation
from .values import at, canonical, field, word

MAX_DEPENDENTS = 10_000
MAX_STEPS = 1_000_000
"""The most steps from owners to what they own, for a whole plan."""
_CORE = ""
_SNAPSHOTS = frozenset({"snapshot.storage.k8s.io", "groupsnapshot.storage.k8s.io"})

Object = Mapping[str, Any]


class World:
    """The objects that a plan shows: as they stand, and as they will be."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.standing: dict[Name, Object] = {}
        self.coming: dict[Name, Object] = {}
        for each in operations:
            if each.subresource:
                continue
            if each.before is not None:
                self.standing[each.name] = each.before
            if each.after is not None:
                self.coming[each.name] = each.after
        self.steps = 0
        self._by_owner: dict[tuple[str, str], list[Name]] = {}
        self._by_any_owner: dict[str, list[Name]] = {}
        self._by_namespace: dict[str, list[Name]] = {}
        self._by_kind: dict[tuple[str, str], list[Name]] = {}
        for name, value in {**self.coming, **self.standing}.items():
            for owner in at(value, ("metadata", "ownerReferences")):
                called = f"{field(owner, 'kind')}/{field(owner, 'name')}"
                self._by_owner.setdefault((name.namespace, called), []).append(name)
                self._by_any_owner.setdefault(called, []).append(name)
            if name.namespace:
                self._by_namespace.setdefault(name.namespace, []).append(name)
            self._by_kind.setdefault((name.group, name.kind), []).append(name)

    def will_be(self, name: Name) -> Object | None:
        return self.coming.get(name) or self.standing.get(name)

    def going_with(self, name: Name) -> tuple[list[Name], bool]:
        """The objects shown that are deleted with one, and with those; and whether these are all."""
        found: dict[Name, None] = {}
        waiting = [name]
        while waiting:
            for each in self._directly_with(waiting.pop()):
                self.steps += 1
                if len(found) >= MAX_DEPENDENTS or self.steps > MAX_STEPS:
                    return list(found), False
                if each not in found and each != name:
                    found[each] = None
                    waiting.append(each)
        return list(found), True

    def _directly_with(self, name: Name) -> Iterator[Name]:
        called = f"{name.kind}/{name.name}"
        # What lives in no namespace may own what lives in any.
        if name.namespace:
            yield from self._by_owner.get((name.namespace, called), ())
        else:
            yield from self._by_any_owner.get(called, ())
        if (name.group, name.kind) == (_CORE, "Namespace"):
            yield from self._by_namespace.get(name.name, ())
        if (name.group, name.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
            spec = field(self.standing.get(name) or self.coming.get(name), "spec")
            key = (field(spec, "group"), field(spec, "names", "kind"))
            if isinstance(key[0], str) and isinstance(key[1], str):
                yield from self._by_kind.get((key[0], key[1]), ())


def deletion(
    taxonomy: Taxonomy, operation: Operation, world: World, step: Step = Step.DELETE
) -> list[Verdict]:
    """What deleting one object does: to itself, and to each object shown that goes with it."""
    name, value = operation.name, operation.before
    facts = taxonomy.facts(name.table_kind)
    own = _own(taxonomy, facts, name, value, world, step)
    hinted = [] if (verdict := hint(taxonomy, name, value)) is None else [verdict]
    if step is not Step.DELETE:
        return [own, *hinted]
    if orphans(operation):
        if taxonomy.pods_of(name.table_kind) is not None:
            note = "what it owns stays (`Orphan`)"
            return [Verdict(Effect.UPDATE, Selector.ONE, Reversibility.RECOVERABLE, (note,))]
        return [own, *hinted, *_forced(operation)]
    verdicts = [own, *hinted, *_forced(operation)]
    going, complete = world.going_with(name)
    if not complete:
        reason = "more goes with it than is counted here"
        verdicts.append(
            Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)
        )
    if going:
        shown = ", ".join(map(str, going[:5])) + (", …" if len(going) > 5 else "")
        verdicts.append(
            Verdict(
                Effect.UPDATE,
                Selector.ONE,
                Reversibility.RECOVERABLE,
                (f"takes {len(going)} known with it: {shown}",),
            )
        )
    for each in going:
        known = taxonomy.facts(each.table_kind)
        verdict = _own(taxonomy, known, each, world.standing.get(each), world, Step.DELETE)
        # What nobody knows goes with its owner, whose own verdict says already how bad that is.
        if verdict.effect is not Effect.UNKNOWN:
            verdicts.append(Verdict(verdict.effect, verdict.selector, verdict.reversibility))
        elif facts is not None and facts.is_a is not Class.STATEFUL:
            verdicts.append(verdict)
    return verdicts


def orphans(operation: Operation) -> bool:
    """Whether a deletion leaves what the object owns, as its `DeleteOptions` may ask."""
    options = operation.options
    return operation.verb == "delete" and (
        options.get("propagationPolicy") == "Orphan" or options.get("orphanDependents") is True
    )


def hint(taxonomy: Taxonomy, name: Name, value: Object | None) -> Verdict | None:
    """What the words in an object tell of its purpose, as those of a job that makes backups."""
    for each in taxonomy.hints:
        if value is not None and name.table_kind in each.kinds:
            text = canonical(value).lower()
            found = next((word for word in each.words if word in text), None)
            if found is not None:
                note = f"{each.why} (`{found}`)"
                return Verdict(each.effect, Selector.ALL, Reversibility.REVERSIBLE, (note,))
    return None


def scaled_down(name: Name, before: Any, after: Any, world: World) -> Verdict | None:
    """The claims that go with replicas, where the set itself says so, as it stands or as it will be."""
    if name.kind != "StatefulSet":
        return None
    states = (world.standing.get(name), world.coming.get(name), before, after)
    path = ("spec", "persistentVolumeClaimRetentionPolicy", "whenScaled")
    old, new = field(before, "spec", "replicas"), field(after, "spec", "replicas")
    if isinstance(old, int) and isinstance(new, int) and new >= old:
        return None
    if not any(field(each, *path) == "Delete" for each in states):
        return None
    note = "the claims of the replicas that go are deleted (`whenScaled`)"
    return Verdict(Effect.DELETE_DATA, Selector.ALL, Reversibility.IRREVERSIBLE, (note,))


def collection(taxonomy: Taxonomy, operation: Operation) -> Verdict:
    """What deleting many of one kind does; the selector that narrows it is not in the request."""
    facts = taxonomy.facts(operation.name.table_kind)
    namespace = operation.name.namespace
    place = f"in `{namespace}`" if namespace else "in every namespace"
    note = f"every `{operation.name.kind}` {place} that its selector matches, which is not shown"
    if facts is None:
        return _unknown(operation.name)
    outcome = taxonomy.outcomes[facts.is_a][Step.DELETE]
    return Verdict(outcome.effect, Selector.ALL, outcome.reversibility, (note,))


def _own(
    taxonomy: Taxonomy,
    facts: Facts | None,
    name: Name,
    value: Object | None,
    world: World,
    step: Step,
) -> Verdict:
    if facts is None:
        return _unknown(name)
    outcome = taxonomy.outcomes[facts.is_a][step]
    if value is not None:
        for kept in facts.kept_when:
            found = [word(each) for each in at(value, kept.path)] or (
                [kept.absent] if kept.absent is not None else []
            )
            if (not found and not kept.values) or any(each in kept.values for each in found):
                return _verdict(kept.outcome, kept.why)
        if reason := _kept_elsewhere(name, value, world):
            return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.RECOVERABLE, (reason,))
    note = facts.why if facts.why and step is Step.DELETE else outcome.why
    return _verdict(outcome, note)


def _kept_elsewhere(name: Name, value: Object, world: World) -> str | None:
    """Why the data outlives a claim or a snapshot, as the object behind it says."""
    if (name.group, name.kind) == (_CORE, "PersistentVolumeClaim"):
        volume = field(value, "spec", "volumeName")
        behind = Name(_CORE, "PersistentVolume", "", str(volume))
        if _retains(world, behind, "persistentVolumeReclaimPolicy"):
            return f"the reclaim policy of its volume `{str(volume)[:80]}` is `Retain`"
    if name.group in _SNAPSHOTS and name.kind in ("VolumeSnapshot", "VolumeGroupSnapshot"):
        suffix = "Content"
        bound = f"bound{name.kind}{suffix}Name"
        content = field(value, "status", bound) or field(
            value, "spec", "source", f"volume{name.kind.removeprefix('Volume')}{suffix}Name"
        )
        behind = Name(name.group, name.kind + suffix, "", str(content))
        if _retains(world, behind, "deletionPolicy"):
            return f"the deletion policy of its content `{str(content)[:80]}` is `Retain`"
    return None


def _retains(world: World, name: Name, policy: str) -> bool:
    """Whether an object says so as it stands, and no part of the plan would have it say otherwise."""
    standing, coming = world.standing.get(name), world.coming.get(name)
    states = [standing] if coming is None else [standing, coming]
    return all(field(each, "spec", policy) == "Retain" for each in states)


def _forced(operation: Operation) -> Iterator[Verdict]:
    """Deletions that do not wait for what they should wait for."""
    options, name = operation.options, operation.name
    if options.get("ignoreStoreReadErrorWithClusterBreakingPotential") is True:
        note = "it goes without its finalizers, even where it cannot be read"
        yield Verdict(Effect.DISARM, Selector.ALL, Reversibility.IRREVERSIBLE, (note,))
    if options.get("gracePeriodSeconds") == 0 and (name.group, name.kind) == (_CORE, "Pod"):
        owners = at(operation.before, ("metadata", "ownerReferences", "kind"))
        if operation.before is None or "StatefulSet" in owners:
            note = "it does not wait for the pod to stop, so that two may write the same volume"
            yield Verdict(Effect.DISARM, Selector.ONE, Reversibility.IRREVERSIBLE, (note,))


def _unknown(name: Name) -> Verdict:
    return Verdict(
        Effect.UNKNOWN,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        ("nothing is known of what is lost",),
        f"the kind `{name.table_kind[:120]}` is not in the taxonomy",
    )


def _verdict(outcome: Outcome, note: str) -> Verdict:
    notes = (note,) if note else ()
    return Verdict(outcome.effect, outcome.selector, outcome.reversibility, notes)
