"""AWS API calls, as an SDK is given them or as CloudTrail records them: each becomes a change, none is dropped.

A CloudTrail record is read as the wish to make that call. A call that failed changed nothing then, but the
error says nothing about the next attempt, so it is judged as if it went through; only the error that AWS gives
to a dry run makes it one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...model import Change, Effect, Position, Reading, Reversibility, Risk, Selector
from ...taxonomy import terraform
from ...taxonomy.cloud import (
    Class,
    Condition,
    Row,
    Step,
    Taxonomy,
    Test,
    shipped,
    spelled,
)
from .. import Options
from ..verdicts import Verdict
from . import aws_command
from .aws_policy import broad
from .aws_records import Call, call_in
from .aws_targets import Known, count_of, kind_of, known_call, singular, targets_of, verb_of
from .calls import (
    MAX_TARGETS,
    Target,
    action_names,
    change,
    classified,
    read_calls,
    shortened,
    unread,
)
from .rules import (
    Parameters,
    Unreadable,
    everywhere,
    gravest,
    holds,
    judge,
    opaque,
    verdict,
)
from .sql import sql_changes

ACTION_NAMES = action_names("aws")


def read(file: str, text: str, options: Options) -> Reading:
    """Every call of a document of SDK events or CloudTrail records."""
    own = options.taxonomies.get("aws")
    taxonomy = own if isinstance(own, Taxonomy) else shipped("aws")
    return read_calls("aws", file, text, ("Records", "calls"), partial(_classify, taxonomy))


def classify_call(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    at: Position,
    *,
    region: str | None = None,
    account: str | None = None,
    unresolved: bool = False,
) -> tuple[Change, ...]:
    """What one call does: at least one change. With `unresolved`, more parameters may follow than are known."""
    given = Parameters(parameters, unresolved)
    return tuple(_changes(shipped("aws"), Call(service, operation, given, region, account), at))


def classify_command(words: Sequence[str | None], at: Position) -> tuple[Change, ...]:
    """What an `aws` command does, from its words after the program; `None` is a word that was not resolved."""
    made = aws_command.call(words)
    if isinstance(made, str):
        shown = " ".join("…" if word is None else word for word in ["aws", *words[:4]])
        return (unread("aws", shown, shown, made, at),)
    given = Parameters(made.parameters, made.unresolved)
    call = Call(made.service, made.operation, given, made.region, said=made.verdict)
    if made.verdict is not None and made.verdict.effect is Effect.READ:
        name = f"{made.service}:{made.operation}"
        kind = f"aws.{shortened(made.service)}"
        target = Target(name, "", kind, Class.STATELESS, Risk.LOW)
        return (change("aws", name, target, made.verdict, at),)
    return tuple(_changes(shipped("aws"), call, at))


def _classify(taxonomy: Taxonomy, value: Any, place: str, at: Position) -> Iterator[Change]:
    yield from classified("aws", call_in, partial(_changes, taxonomy), value, place, at)


def _changes(taxonomy: Taxonomy, call: Call, at: Position) -> Iterator[Change]:
    known = known_call(taxonomy, call.service, call.operation)
    if isinstance(known, str):
        name = f"{call.service}:{call.operation}"
        yield unread("aws", name, shortened(name), known, at)
        return
    row = taxonomy.row(known.operation) or taxonomy.row(
        f"{known.service.prefix}:{known.action.name}"
    )
    found, is_a, criticality = _judged(taxonomy, known, row, call)
    if call.said is not None:
        found = call.said
    if call.note is not None:
        found = replace(found, notes=(*found.notes, call.note))
    kind = (row.kind if row else None) or kind_of(known)
    targets = targets_of(known, row, kind, call)
    rows = count_of(row, call) if row else None
    if row is None or not row.sql or found.effect is Effect.READ:
        inner: list[Change] = []
    else:
        inner, found = sql_changes(row, call.parameters, found, at)
    if not targets or len(targets) > MAX_TARGETS:
        name = f"{len(targets)} of {kind}" if targets else ""
        found = replace(found, selector=_wider(found.selector)) if targets else found
        place = f"{known.service.prefix}:{kind.rpartition('.')[2]}"
        target = Target(place, name, kind, is_a, criticality)
        yield change("aws", known.operation, target, found, at, rows=rows or len(targets) or None)
    for id, name in targets[: MAX_TARGETS if len(targets) <= MAX_TARGETS else 0]:
        target = Target(id, name, kind, is_a, criticality)
        yield change("aws", known.operation, target, found, at, rows=rows)
    yield from inner


def _judged(
    taxonomy: Taxonomy, known: Known, row: Row | None, call: Call
) -> tuple[Verdict, Class | None, Risk]:
    step, noun = verb_of(taxonomy, known.name)
    nouns = taxonomy.nouns.get((known.service.prefix, spelled(noun))) or taxonomy.nouns.get(
        (known.service.prefix, spelled(singular(noun)))
    )
    is_a = row.is_a if row else nouns.is_a if nouns else None
    criticality = row.criticality if row else nouns.criticality if nouns else Risk.HIGH
    if call.was_dry_run or _is_dry_run(taxonomy, known, call.parameters):
        note = "a dry run, which changes nothing"
        return (
            Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE, (note,)),
            is_a,
            criticality,
        )
    rows = [*([row] if row else []), *taxonomy.added_rows(known.operation)]
    verdicts = [
        verdict
        for each in dict.fromkeys(rows)
        for verdict in (judge(each, call.parameters), *_granted(each, call))
    ]
    if row is None:
        plain = _of_name(taxonomy, known, step, is_a)
        # What the shipped tables cannot tell, a user's may; what they can tell, it only tightens.
        verdicts = verdicts if verdicts and plain.opaque is not None else [plain, *verdicts]
    found = gravest(verdicts)
    if found.effect is Effect.READ:
        if call.claims_to_write and known.action.level not in ("Read", "List"):
            found = opaque("CloudTrail says that this call writes")
        return found, is_a, criticality
    is_total = found.selector is Selector.ALL and found.effect in _DELETIONS
    if step is not Step.CREATE and not is_total:
        found = gravest([found, *everywhere(taxonomy.everywhere, call.parameters)])
    return found, is_a, criticality


_DELETIONS = frozenset({Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT})


def _is_dry_run(taxonomy: Taxonomy, known: Known, parameters: Parameters) -> bool:
    if known.service.prefix not in taxonomy.names("dry_run"):
        return False
    try:
        return holds(Condition(parameter="DryRun", test=Test.ON), parameters, every=True)
    except Unreadable:
        # A dry run that cannot be told from a real one is a real one.
        return False


def _of_name(taxonomy: Taxonomy, known: Known, step: Step | None, is_a: Class | None) -> Verdict:
    if known.action.level in ("Read", "List"):
        return _of_read(taxonomy, known)
    return _of_level(taxonomy, known, step, is_a)


def _of_read(taxonomy: Taxonomy, known: Known) -> Verdict:
    action = f"{known.service.prefix}:{known.action.name}".casefold()
    if action in map(str.casefold, taxonomy.names("credentials")):
        note = "it hands out credentials"
        return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))
    if known.action.name.startswith(taxonomy.names("running_verbs")):
        note = "it runs something, though AWS counts it as a read"
        return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN, (note,))
    return Verdict(Effect.READ, Selector.SOME, Reversibility.REVERSIBLE)


def _of_level(taxonomy: Taxonomy, known: Known, step: Step | None, is_a: Class | None) -> Verdict:
    """What no row says, from the access level, the verb and what kind of thing the noun is."""
    action = f"{known.service.prefix}:{known.action.name}".casefold()
    if known.action.level == "Permissions management" or action in map(
        str.casefold, (*taxonomy.names("credentials"), *taxonomy.names("escalation"))
    ):
        return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE)
    if known.action.level == "Tagging":
        return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.REVERSIBLE)
    if step is None or step is Step.READ:
        return opaque(f"the tables do not say what `{known.operation}` does")
    if is_a is not None and step in taxonomy.classes[is_a]:
        return verdict(taxonomy.classes[is_a][step])
    if step in (Step.UPDATE, Step.DISABLE) and any(
        word.casefold() in known.name.casefold() for word in taxonomy.names("guarding_words")
    ):
        return opaque(f"the tables do not say what protection `{known.operation}` takes off")
    match step:
        case Step.CREATE:
            return Verdict(Effect.CREATE, Selector.ONE, Reversibility.REVERSIBLE)
        case Step.UPDATE:
            return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.UNKNOWN)
        case Step.DISABLE:
            return Verdict(Effect.DISARM, Selector.ALL, Reversibility.REVERSIBLE)
        case Step.RUN:
            return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN)
        case Step.DELETE:
            note = "nothing is known of what is lost"
            return Verdict(Effect.DELETE_DATA, Selector.ALL, Reversibility.UNKNOWN, (note,))


def _granted(row: Row, call: Call) -> Iterator[Verdict]:
    escalating = terraform.shipped().patterns.get("escalating_actions", ())
    for path in row.documents:
        try:
            for document in call.parameters.at(path):
                if document is not None and (reason := broad(document, escalating, call.account)):
                    note = f"`{path}` {reason}"
                    yield Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))
        except (Unreadable, ValueError):
            yield opaque(f"`{path}` is a policy that could not be read")


def _wider(selector: Selector) -> Selector:
    return Selector.SOME if selector in (Selector.NONE, Selector.ONE) else selector
