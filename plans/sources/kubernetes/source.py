"""Kubernetes: every object of a manifest, every request of an admission review is one change, and nothing is dropped.

A manifest alone says what is to be, not what is: without a state before it, it is a `kubernetes.apply`
that creates or updates, and a guard that it may take off counts as taken off. With `compare`, what is
only in the first state is deleted, what is only in the second is made, and the rest is compared.
An admission review says all three itself, in `object`, `oldObject` and `options`.

A deletion that leaves what the object owns (`propagationPolicy: Orphan`) says so in the change's
`operation`, as `delete Deployment (orphan)`, for whoever follows what goes along.

What no manifest says, no reader can: who else is in a namespace, what an image does, whether a claim's
volume is kept. Where that decides what is lost, the worse is taken.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...model import Artifact, Asset, Change, Position, Problem, Reading, Risk, numbered
from ...taxonomy.kubernetes import Class, Taxonomy, shipped
from .. import MAX_ARTIFACT_BYTES, Options
from .cascades import World, orphans
from .effects import ACTIONS, UNREAD, Judgement, is_protected, judge
from .objects import Name, Operation, compared, operations
from .values import canonical, field

ACTION_NAMES = frozenset(ACTIONS)
Text = tuple[str, str]
"""A file's name and what stands in it."""


def read(file: str, text: str, options: Options) -> Reading:
    """Every change of one file, with nothing known of what stands there now."""
    (reading,) = read_all([(file, text)], options)
    return reading


def read_all(files: Iterable[Text], options: Options) -> tuple[Reading, ...]:
    """As `read`, for files that are applied together and explain each other."""
    readings = [_Reading(*each) for each in files]
    asked = [each for reading in readings for each in reading.operations]
    return _finished(readings, asked, options)


def compare(before: Iterable[Text], after: Iterable[Text], options: Options) -> tuple[Reading, ...]:
    """The changes from one state to the next, a reading for each file of both."""
    old = [_Reading(*each) for each in before]
    new = [_Reading(*each) for each in after]
    asked = list(
        compared(
            [each for reading in old for each in reading.operations],
            [each for reading in new for each in reading.operations],
        )
    )
    return _finished([*old, *new], asked, options)


_LONGEST = 300
_MANY_NOTES = 8


class _Reading:
    """One file on its way to a `Reading`."""

    def __init__(self, file: str, text: str) -> None:
        encoded = text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(encoded).hexdigest()
        self.artifact = Artifact(kind="kubernetes", file=file, sha256=digest)
        self.problems: tuple[Problem, ...] = ()
        self.operations: list[Operation] = []
        if len(encoded) > MAX_ARTIFACT_BYTES:
            message = f"the file is larger than {MAX_ARTIFACT_BYTES} bytes"
            self.problems = (Problem(message=message, file=file),)
            return
        self.operations = list(operations(file, text))
        if not self.operations:
            # An empty file asks for nothing, which is more often a mistake than a wish.
            self.problems = (Problem(message="there is no Kubernetes object in it", file=file),)


def _finished(
    readings: list[_Reading], asked: list[Operation], options: Options
) -> tuple[Reading, ...]:
    taxonomy = options.taxonomies.get("kubernetes")
    if not isinstance(taxonomy, Taxonomy):
        taxonomy = shipped()
    world = World(asked)
    renamed = _renamed(taxonomy, asked)
    changes: dict[int, list[Change]] = {}
    # Two files may have one name, as `-`, but a document is part of exactly one reading.
    owner = {
        id(operation.document): index
        for index, reading in enumerate(readings)
        for operation in reading.operations
    }
    for operation in asked:
        change = _change(taxonomy, operation, world, renamed.get(id(operation)))
        changes.setdefault(owner[id(operation.document)], []).append(change)
    return tuple(
        Reading(
            artifact=reading.artifact,
            changes=numbered(changes.get(index, ())),
            problems=reading.problems,
        )
        for index, reading in enumerate(readings)
    )


def _change(taxonomy: Taxonomy, operation: Operation, world: World, renamed: str | None) -> Change:
    found = judge(taxonomy, operation, world)
    verdict = found.verdict
    notes = [*verdict.notes]
    if renamed is not None:
        notes.insert(0, f"it seems to be renamed to {renamed}, which starts empty")
    line, column = operation.place_of(found.path)
    called = _plain(_called(operation))
    words = f"{found.action.partition('.')[2].replace('_', ' ')} {operation.name.kind}"
    return Change(
        id="",
        action=found.action,
        resource=_asset(taxonomy, operation, found),
        effect=verdict.effect,
        selector=verdict.selector,
        reversibility=verdict.reversibility,
        operation=_asked(words, operation),
        opaque=verdict.opaque,
        unknown_until_apply=_unknown(operation),
        summary=_shortened(_summary(found.action, called, notes, verdict.opaque), _LONGEST * 2),
        source=Position(
            file=operation.file,
            line=line,
            column=column,
            text=_shortened(
                _plain(_with_subresource(f"{words} {_short(operation.name)}", operation)), 200
            ),
        ),
    )


def _asset(taxonomy: Taxonomy, operation: Operation, found: Judgement) -> Asset:
    name, facts = operation.name, found.facts
    called = _shortened(_plain(_called(operation)), _LONGEST)
    if found.action == UNREAD:
        return Asset(
            type="Unread",
            id=called,
            name=_shortened(_plain(name.name or called), _LONGEST),
            kind=_shortened(_plain(_kind(operation)), _LONGEST),
            stateful=True,
            criticality=Risk.CRITICAL,
        )
    value: Any = operation.before if operation.before is not None else operation.after
    return Asset(
        type="KubernetesResource",
        id=called,
        name=_shortened(_plain(name.name or name.kind), _LONGEST),
        kind=_shortened(_plain(_kind(operation)), _LONGEST),
        stateful=facts is None or facts.is_a is Class.STATEFUL,
        recovery=facts is not None and facts.is_a is Class.RECOVERY,
        protected=is_protected(taxonomy, facts, value),
        criticality=facts.criticality if facts is not None else Risk.HIGH,
    )


def _unknown(operation: Operation) -> tuple[str, ...]:
    """What only the cluster knows: what stands there now, and a name that it makes up."""
    metadata = field(operation.after, "metadata")
    unknown = [] if operation.before_known or operation.verb == "unread" else ["before"]
    if isinstance(metadata, dict) and "name" not in metadata and "generateName" in metadata:
        unknown.append("metadata.name")
    return tuple(unknown)


def _renamed(taxonomy: Taxonomy, asked: list[Operation]) -> dict[int, str]:
    """Deletions of what holds data beside the creation of its like: the same under another name."""
    deleted = [
        each
        for each in asked
        if each.verb == "delete" and not each.subresource and _holds_data(taxonomy, each.name)
    ]
    gone = Counter((each.name.group, each.name.kind) for each in deleted)
    by_kind: dict[tuple[str, str], list[Operation]] = {}
    by_trait: dict[tuple[str, str, str], Operation] = {}
    for each in asked:
        key = (each.name.group, each.name.kind)
        if each.verb == "create" and not each.subresource and key in gone:
            by_kind.setdefault(key, []).append(each)
            for trait in (each.name.name, _like(each.after)):
                by_trait.setdefault((*key, trait), each)
    renamed: dict[int, str] = {}
    for old in deleted:
        key = (old.name.group, old.name.kind)
        made = by_kind.get(key, [])
        new = by_trait.get((*key, old.name.name)) or by_trait.get((*key, _like(old.before)))
        if new is None and len(made) == gone[key] == 1:
            new = made[0]
        if new is not None:
            renamed[id(old)] = f"`{_short(new.name)}`"
    return renamed


def _holds_data(taxonomy: Taxonomy, name: Name) -> bool:
    facts = taxonomy.facts(name.table_kind)
    return facts is None or facts.is_a in (Class.STATEFUL, Class.RECOVERY)


def _like(value: Mapping[str, Any] | None) -> str:
    return canonical({key: each for key, each in (value or {}).items() if key != "metadata"})


# Words.


def _summary(action: str, called: str, notes: list[str], opaque: str | None) -> str:
    if action == UNREAD:
        return f"{ACTIONS[action].format(called)}: {_plain(opaque or '')}"
    shown = [_shortened(_plain(each), _LONGEST) for each in dict.fromkeys(notes)]
    more = [f"and {len(shown) - _MANY_NOTES} more"] if len(shown) > _MANY_NOTES else []
    return "; ".join((ACTIONS[action].format(called), *shown[:_MANY_NOTES], *more))


def _called(operation: Operation) -> str:
    """The identity of the object, or of the place of what could not be read."""
    if operation.name.kind == "unknown" and not operation.name.name:
        line, column = operation.place
        return f"{operation.file}:{line}:{column}"
    return str(operation.name)


def _short(name: Name) -> str:
    return "/".join(part for part in (name.namespace, name.name) if part) or name.kind


def _kind(operation: Operation) -> str:
    """As manifests write it: `apps/v1.StatefulSet`."""
    name = operation.name
    version = "/".join(part for part in (name.group, operation.version) if part)
    return f"{version}.{name.kind}" if version else name.kind


def _asked(words: str, operation: Operation) -> str:
    """What is asked, in the words of the interface; how dependents fare stands last and is never cut off."""
    asked = _shortened(_plain(_with_subresource(words, operation)), 180)
    return f"{asked} (orphan)" if orphans(operation) else asked


def _with_subresource(words: str, operation: Operation) -> str:
    return f"{words} ({operation.subresource})" if operation.subresource else words


def _plain(text: str) -> str:
    """Text to show and to hash: what does not print is escaped, so nothing poses as a new line."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
