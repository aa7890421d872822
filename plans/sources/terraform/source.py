"""Terraform and OpenTofu: every entry of a `show -json` plan is one change, and nothing is dropped.

What a plan document does not say, no reader can: `prevent_destroy` stands only in the
configuration language (Terraform itself refuses to plan its breach), and a provisioner says what
it runs, not when. `resource_drift` is what already happened elsewhere, and `before` holds its
outcome, so drift is a note on a change and never a change of its own. `output_changes` touch no
resource, sensitive or not: they write values to the state, which holds them already.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...model import (
    Artifact,
    Asset,
    Change,
    Effect,
    Position,
    Problem,
    Reading,
    Reversibility,
    Risk,
    Selector,
    numbered,
)
from ...taxonomy.terraform import Class, Facts, Step, Taxonomy, shipped
from .. import MAX_ARTIFACT_BYTES, Options
from ..json_text import Document, Fault, Lines, Part, decode
from ..verdicts import Verdict, worst
from .documents import (
    LISTED,
    configurations,
    faults_of,
    is_known_format,
    not_json,
    plan_in,
    tool_version,
)
from .effects import is_protected, judge
from .entries import ACTIONS, Entry, entry_of
from .manifests import manifest_verdict
from .values import is_marked, leaves_true
from .words import (
    REASONS,
    elements,
    last_part,
    paths,
    plain,
    shortened,
    summary,
    without_keys,
)

INVOKE = "terraform.invoke"
UNREAD = "terraform.unread"
ACTION_NAMES = frozenset({*ACTIONS.values(), INVOKE, UNREAD})


def read(file: str, text: str, options: Options) -> Reading:
    """Every change of the plan; a document that is not a whole plan has a problem."""
    encoded = text.encode("utf-8", "surrogatepass")
    artifact = Artifact(kind="terraform", file=file, sha256=hashlib.sha256(encoded).hexdigest())
    if len(encoded) > MAX_ARTIFACT_BYTES:
        message = f"the file is larger than {MAX_ARTIFACT_BYTES} bytes"
        problem = Problem(message=message, file=file)
        return Reading(artifact=artifact, changes=(), problems=(problem,))
    lines = Lines(text)
    document = decode(text, LISTED)
    found = not_json(text, document) if isinstance(document, Fault) else plan_in(text, document)
    if isinstance(found, Fault):
        problem = _problem(file, lines, found.message, found.offset)
        return Reading(artifact=artifact, changes=(), problems=(problem,))
    plan, faults = found
    reader = _Reader(file, lines, options, plan)
    return Reading(
        artifact=artifact.model_copy(update={"tool_version": tool_version(plan)}),
        changes=numbered(reader.changes()) if is_known_format(plan) else (),
        problems=tuple(
            _problem(file, lines, fault.message, fault.offset)
            for fault in sorted([*faults, *faults_of(plan)], key=lambda fault: fault.offset)
        ),
    )


_STEPS = {
    "terraform.create": Step.CREATE,
    "terraform.update": Step.UPDATE,
    "terraform.delete": Step.DELETE,
    "terraform.delete_then_create": Step.REPLACE,
    "terraform.create_then_delete": Step.REPLACE,
    "terraform.forget": Step.FORGET,
    "terraform.create_then_forget": Step.FORGET,
}
_NEW_FIRST = "terraform.create_then_delete"
_HOLDING = frozenset({Class.STATEFUL, Class.DEPLOYMENT})
_NAMING = ("name", "identifier", "bucket")
_MANY_PATHS = 50


class _Reader:
    """One pass over one document."""

    def __init__(self, file: str, lines: Lines, options: Options, plan: Document) -> None:
        taxonomy = options.taxonomies.get("terraform")
        self.file = file
        self.lines = lines
        self.options = options
        self.taxonomy = taxonomy if isinstance(taxonomy, Taxonomy) else shipped()
        self.plan = plan
        self.configured = dict(configurations(plan.value.get("configuration")))
        self.drifted = {
            part.value.get("address")
            for part in plan.parts.get("resource_drift", ())
            if isinstance(part.value, dict) and isinstance(part.value.get("address"), str)
        }

    def changes(self) -> Iterator[Change]:
        parts = self.plan.parts
        for index, part in enumerate(parts.get("resource_changes", ())):
            yield self.resource_change(part, f"resource_changes[{index}]")
        for index, part in enumerate(parts.get("deferred_changes", ())):
            yield self.deferred_change(part, f"deferred_changes[{index}]")
        for index, part in enumerate(parts.get("action_invocations", ())):
            yield self.invocation(part, part.value, f"action_invocations[{index}]", None)
        for index, part in enumerate(parts.get("deferred_action_invocations", ())):
            place = f"deferred_action_invocations[{index}]"
            inner = part.value.get("action_invocation") if isinstance(part.value, dict) else None
            reason = plain(part.value.get("reason")) if isinstance(part.value, dict) else "unknown"
            yield self.invocation(part, inner, place, f"the action is deferred: {reason}")

    def resource_change(self, part: Part, place: str) -> Change:
        entry = entry_of(part.value)
        if isinstance(entry, str):
            return self.unread(part, part.value, place, entry)
        facts = self.taxonomy.facts(entry.resource_type, entry.provider)
        verdict = self.verdict(entry, None if entry.is_data else facts)
        notes = (*verdict.notes, *self.circumstances(entry))
        return Change(
            id="",
            action=entry.action,
            resource=self.asset(entry, facts),
            effect=verdict.effect,
            selector=verdict.selector,
            reversibility=verdict.reversibility,
            opaque=verdict.opaque,
            unknown_until_apply=tuple(sorted(map(plain, leaves_true(entry.values.unknown))))[
                :_MANY_PATHS
            ],
            summary=summary(entry.action, entry.address, notes),
            source=self.position(part, f"{entry.address}: {', '.join(entry.actions)}"),
        )

    def verdict(self, entry: Entry, facts: Facts | None) -> Verdict:
        step = _STEPS.get(entry.action)
        if step in (None, Step.CREATE) and not entry.is_data and entry.values.differ:
            # The values are what Terraform applies, whatever the entry calls it.
            step = Step.UPDATE
        if step is None:
            if entry.is_data and self.taxonomy.runs_when_read(entry.resource_type):
                reason = f"reading `{entry.resource_type}` runs something that is not read here"
                return Verdict(Effect.EXECUTE, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)
            return Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
        configured = self.configured.get(without_keys(entry.raw["address"]), {})
        expressions = configured.get("expressions")
        values = replace(
            entry.values, configured=set(expressions) if isinstance(expressions, dict) else None
        )
        if facts is not None and facts.manifest and step is not Step.FORGET:
            verdict = manifest_verdict(facts.manifest, step, values, self.options)
        else:
            if facts is not None and facts.handed_over and entry.action == _NEW_FIRST:
                facts = replace(facts, is_a=Class.STATELESS)
            verdict = judge(self.taxonomy, facts, step, values, entry.resource_type)
        runs = _provisioners(configured)
        if not runs or step in (Step.UPDATE, Step.FORGET):
            return verdict
        note, reason = f"runs {runs}", f"what the provisioner {runs} runs is not read here"
        execution = Verdict(
            Effect.EXECUTE, Selector.UNKNOWN, Reversibility.UNKNOWN, (note,), reason
        )
        return worst([verdict, execution])

    def circumstances(self, entry: Entry) -> Iterator[str]:
        if isinstance(deposed := entry.raw.get("deposed"), str) and deposed:
            yield f"the object deposed as {plain(deposed)}, which a replacement left behind"
        if isinstance(previous := entry.raw.get("previous_address"), str):
            yield f"moved from {plain(previous)}"
        if isinstance(entry.change.get("importing"), dict):
            yield "imported"
        if reason := REASONS.get(str(entry.raw.get("action_reason"))):
            yield f"because {reason}"
        if forced := paths(entry.change.get("replace_paths")):
            yield f"forced by {forced}"
        if entry.raw["address"] in self.drifted:
            yield "it was changed outside Terraform"

    def asset(self, entry: Entry, facts: Facts | None) -> Asset:
        return Asset(
            type="TerraformResource",
            id=entry.address,
            name=_name(entry),
            kind=entry.resource_type,
            stateful=not entry.is_data and (facts is None or facts.is_a in _HOLDING),
            recovery=not entry.is_data and facts is not None and facts.is_a is Class.RECOVERY,
            protected=is_protected(self.taxonomy, facts, entry.values.known),
            criticality=Risk.LOW if entry.is_data else facts.criticality if facts else Risk.HIGH,
        )

    def deferred_change(self, part: Part, place: str) -> Change:
        if not isinstance(part.value, dict):
            return self.unread(part, part.value, place, "the entry is not an object")
        inner, reason = part.value.get("resource_change"), plain(part.value.get("reason"))
        return self.unread(part, inner, place, f"the change is deferred: {reason}")

    def invocation(self, part: Part, value: Any, place: str, deferred: str | None) -> Change:
        if not isinstance(value, dict):
            return self.unread(part, value, place, deferred or "the entry is not an object")
        address, action_type = value.get("address"), value.get("type")
        if not (isinstance(address, str) and isinstance(action_type, str)):
            return self.unread(part, value, place, deferred or "the action has no address or type")
        provider = value.get("provider_name")
        known = self.taxonomy.invocation(
            action_type, provider if isinstance(provider, str) else None
        )
        kind = plain(action_type)
        unknown = None if known else f"the action type `{kind}` is not in the taxonomy"
        trigger = value.get("lifecycle_action_trigger")
        cause = trigger.get("triggering_resource_address") if isinstance(trigger, dict) else None
        notes = [f"triggered by {plain(cause)}"] if isinstance(cause, str) else []
        return Change(
            id="",
            action=INVOKE,
            resource=Asset(
                type="TerraformResource",
                id=plain(address),
                name=last_part(plain(address)),
                kind=kind,
                stateful=known is None,
                criticality=known.criticality if known else Risk.HIGH,
            ),
            effect=known.effect if known else Effect.EXECUTE,
            selector=known.selector if known else Selector.UNKNOWN,
            reversibility=known.reversibility if known else Reversibility.UNKNOWN,
            opaque=deferred or unknown,
            unknown_until_apply=tuple(
                sorted(map(plain, leaves_true(value.get("config_unknown"))))[:_MANY_PATHS]
            ),
            summary=summary(INVOKE, plain(address), (*notes, *([deferred] if deferred else []))),
            source=self.position(part, f"{plain(address)}: invoke"),
        )

    def unread(self, part: Part, value: Any, place: str, reason: str) -> Change:
        fields = value if isinstance(value, dict) else {}
        address = fields.get("address")
        known_as = plain(address) if isinstance(address, str) and address else place
        kind = fields.get("type")
        return Change(
            id="",
            action=UNREAD,
            resource=Asset(
                type="Unread",
                id=known_as,
                name=last_part(known_as),
                kind=plain(kind) if isinstance(kind, str) else "unknown",
                stateful=True,
                criticality=Risk.CRITICAL,
            ),
            effect=Effect.UNKNOWN,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            opaque=reason,
            summary=shortened(f"does what could not be read to {known_as}: {reason}"),
            source=self.position(part, known_as),
        )

    def position(self, part: Part, text: str) -> Position:
        line, column = self.lines.at(part.offset)
        return Position(file=self.file, line=line, column=column, text=shortened(text))


def _provisioners(configured: Mapping[str, Any]) -> str:
    runs = elements(configured.get("provisioners"))
    kinds = [each.get("type") if isinstance(each, dict) else None for each in runs]
    return ", ".join(f"`{plain(kind or 'unknown')}`" for kind in kinds)


def _problem(file: str, lines: Lines, message: str, offset: int) -> Problem:
    line, column = lines.at(offset)
    return Problem(message=message, file=file, line=line, column=column)


def _name(entry: Entry) -> str:
    known, values = entry.values.known, entry.values
    for attribute in _NAMING:
        name = known.get(attribute) if isinstance(known, dict) else None
        hidden = is_marked(values.sensitive_before, attribute) or is_marked(
            values.sensitive_after, attribute
        )
        if isinstance(name, str) and name and not hidden:
            return plain(name)
    return last_part(entry.address)
