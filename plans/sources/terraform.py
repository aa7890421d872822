"""Terraform and OpenTofu: every entry of a `show -json` plan is one change, and nothing is dropped.

What a plan document does not say, no reader can: `prevent_destroy` stands only in the
configuration language (Terraform itself refuses to plan its breach), and a provisioner says what
it runs, not when. `resource_drift` is what already happened elsewhere, and `before` holds its
outcome, so drift is a note on a change and never a change of its own. `output_changes` touch no
resource, sensitive or not: they write values to the state, which holds them already.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..model import (
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
from ..taxonomy.terraform import Class, Facts, Step, Taxonomy, shipped
from . import MAX_ARTIFACT_BYTES, Options
from .terraform_effects import (
    Values,
    Verdict,
    is_marked,
    is_protected,
    judge,
    leaves_true,
    worst,
)
from .terraform_json import Document, Fault, Lines, Part, decode

ACTIONS: Mapping[tuple[str, ...], str] = {
    ("no-op",): "terraform.no_op",
    ("read",): "terraform.read",
    ("create",): "terraform.create",
    ("update",): "terraform.update",
    ("delete",): "terraform.delete",
    ("delete", "create"): "terraform.delete_then_create",
    ("create", "delete"): "terraform.create_then_delete",
    ("forget",): "terraform.forget",
    ("create", "forget"): "terraform.create_then_forget",
}
"""Terraform's action lists and their names here; any other list is `terraform.unread`."""

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
    document = decode(text, _LISTED)
    found = _not_json(text, document) if isinstance(document, Fault) else _plan_in(text, document)
    if isinstance(found, Fault):
        problem = _problem(file, lines, found.message, found.offset)
        return Reading(artifact=artifact, changes=(), problems=(problem,))
    plan, faults = found
    taxonomy = options.taxonomies.get("terraform")
    reader = _Reader(file, lines, taxonomy if isinstance(taxonomy, Taxonomy) else shipped(), plan)
    return Reading(
        artifact=artifact.model_copy(update={"tool_version": _version_of_tool(plan)}),
        changes=numbered(reader.changes()) if _is_known_format(plan) else (),
        problems=tuple(
            _problem(file, lines, fault.message, fault.offset)
            for fault in sorted([*faults, *_faults(plan)], key=lambda fault: fault.offset)
        ),
    )


_LISTED = frozenset(
    {
        "resource_changes",
        "resource_drift",
        "deferred_changes",
        "action_invocations",
        "deferred_action_invocations",
    }
)
_UNLISTED = frozenset(
    {
        "applyable",
        "checks",
        "complete",
        "condition_results",
        "configuration",
        "errored",
        "format_version",
        "output_changes",
        "plan_format_version",
        "planned_values",
        "prior_state",
        "proposed_unknown",
        "provider_format_version",
        "provider_schemas",
        "relevant_attributes",
        "terraform_version",
        "timestamp",
        "variables",
    }
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
_VERBS = {
    "terraform.no_op": "leaves {} as it is",
    "terraform.read": "reads {}",
    "terraform.create": "creates {}",
    "terraform.update": "updates {}",
    "terraform.delete": "deletes {}",
    "terraform.delete_then_create": "replaces {}, deleting it first",
    "terraform.create_then_delete": "replaces {}, creating the new one first",
    "terraform.forget": "stops managing {}",
    "terraform.create_then_forget": "creates {} anew and stops managing the old one",
    "terraform.invoke": "invokes {}",
}
_REASONS = {
    "replace_because_cannot_update": "it cannot be changed in place",
    "replace_because_tainted": "it is tainted",
    "replace_by_request": "its replacement was asked for",
    "replace_by_triggers": "a trigger fired",
    "delete_because_no_resource_config": "it is not in the configuration",
    "delete_because_wrong_repetition": "its instance key has the wrong kind",
    "delete_because_count_index": "`count` is smaller",
    "delete_because_each_key": "`for_each` lacks its key",
    "delete_because_no_module": "its module is not in the configuration",
    "delete_because_no_move_target": "it was moved to where nothing is",
}
_INSTANCE_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|-?\d+)\]')
_LAST_PART = re.compile(r'[^.\[\]]+(?:\[(?:"(?:[^"\\]|\\.)*"|-?\d+)\])?$')
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})")
_NAMING = ("name", "identifier", "bucket")
_MANY_PATHS = 50
_MANY_LETTERS = 200


@dataclass(frozen=True, slots=True)
class _Entry:
    """One resource of the plan, with its shape checked."""

    address: str
    resource_type: str
    provider: str | None
    is_data: bool
    action: str
    actions: tuple[str, ...]
    values: Values
    raw: Mapping[str, Any]
    change: Mapping[str, Any]


class _Reader:
    """One pass over one document."""

    def __init__(self, file: str, lines: Lines, taxonomy: Taxonomy, plan: Document) -> None:
        self.file = file
        self.lines = lines
        self.taxonomy = taxonomy
        self.plan = plan
        self.configured = dict(_configured(plan.value.get("configuration")))
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
            reason = _plain(part.value.get("reason")) if isinstance(part.value, dict) else "unknown"
            yield self.invocation(part, inner, place, f"the action is deferred: {reason}")

    def resource_change(self, part: Part, place: str) -> Change:
        entry = _entry(part.value)
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
            unknown_until_apply=tuple(sorted(map(_plain, leaves_true(entry.values.unknown))))[
                :_MANY_PATHS
            ],
            summary=_summary(entry.action, entry.address, notes),
            source=self.position(part, f"{entry.address}: {', '.join(entry.actions)}"),
        )

    def verdict(self, entry: _Entry, facts: Facts | None) -> Verdict:
        step = _STEPS.get(entry.action)
        if step is None:
            if entry.is_data and self.taxonomy.runs_when_read(entry.resource_type):
                reason = f"reading `{entry.resource_type}` runs something that is not read here"
                return Verdict(Effect.EXECUTE, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)
            return Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
        configured = self.configured.get(_INSTANCE_KEY.sub("", entry.raw["address"]), {})
        expressions = configured.get("expressions")
        values = replace(
            entry.values, configured=set(expressions) if isinstance(expressions, dict) else None
        )
        verdict = judge(self.taxonomy, facts, step, values, entry.resource_type)
        runs = _provisioners(configured)
        if not runs or step in (Step.UPDATE, Step.FORGET):
            return verdict
        note, reason = f"runs {runs}", f"what the provisioner {runs} runs is not read here"
        execution = Verdict(
            Effect.EXECUTE, Selector.UNKNOWN, Reversibility.UNKNOWN, (note,), reason
        )
        return worst([verdict, execution])

    def circumstances(self, entry: _Entry) -> Iterator[str]:
        if isinstance(deposed := entry.raw.get("deposed"), str) and deposed:
            yield f"the object deposed as {_plain(deposed)}, which a replacement left behind"
        if isinstance(previous := entry.raw.get("previous_address"), str):
            yield f"moved from {_plain(previous)}"
        if isinstance(entry.change.get("importing"), dict):
            yield "imported"
        if reason := _REASONS.get(str(entry.raw.get("action_reason"))):
            yield f"because {reason}"
        if forced := _paths(entry.change.get("replace_paths")):
            yield f"forced by {forced}"
        if entry.raw["address"] in self.drifted:
            yield "it was changed outside Terraform"

    def asset(self, entry: _Entry, facts: Facts | None) -> Asset:
        return Asset(
            type="TerraformResource",
            id=entry.address,
            name=_name(entry),
            kind=entry.resource_type,
            stateful=not entry.is_data and (facts is None or facts.is_a is Class.STATEFUL),
            recovery=not entry.is_data and facts is not None and facts.is_a is Class.RECOVERY,
            protected=is_protected(self.taxonomy, facts, entry.values.known),
            criticality=Risk.LOW if entry.is_data else facts.criticality if facts else Risk.HIGH,
        )

    def deferred_change(self, part: Part, place: str) -> Change:
        if not isinstance(part.value, dict):
            return self.unread(part, part.value, place, "the entry is not an object")
        inner, reason = part.value.get("resource_change"), _plain(part.value.get("reason"))
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
        kind = _plain(action_type)
        unknown = None if known else f"the action type `{kind}` is not in the taxonomy"
        trigger = value.get("lifecycle_action_trigger")
        cause = trigger.get("triggering_resource_address") if isinstance(trigger, dict) else None
        notes = [f"triggered by {_plain(cause)}"] if isinstance(cause, str) else []
        return Change(
            id="",
            action=INVOKE,
            resource=Asset(
                type="TerraformResource",
                id=_plain(address),
                name=_last_part(_plain(address)),
                kind=kind,
                stateful=known is None,
                criticality=known.criticality if known else Risk.HIGH,
            ),
            effect=known.effect if known else Effect.EXECUTE,
            selector=known.selector if known else Selector.UNKNOWN,
            reversibility=known.reversibility if known else Reversibility.UNKNOWN,
            opaque=deferred or unknown,
            unknown_until_apply=tuple(
                sorted(map(_plain, leaves_true(value.get("config_unknown"))))[:_MANY_PATHS]
            ),
            summary=_summary(INVOKE, _plain(address), (*notes, *([deferred] if deferred else []))),
            source=self.position(part, f"{_plain(address)}: invoke"),
        )

    def unread(self, part: Part, value: Any, place: str, reason: str) -> Change:
        fields = value if isinstance(value, dict) else {}
        address = fields.get("address")
        known_as = _plain(address) if isinstance(address, str) and address else place
        kind = fields.get("type")
        return Change(
            id="",
            action=UNREAD,
            resource=Asset(
                type="Unread",
                id=known_as,
                name=_last_part(known_as),
                kind=_plain(kind) if isinstance(kind, str) else "unknown",
                stateful=True,
                criticality=Risk.CRITICAL,
            ),
            effect=Effect.UNKNOWN,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            opaque=reason,
            summary=_shortened(f"does what could not be read to {known_as}: {reason}"),
            source=self.position(part, known_as),
        )

    def position(self, part: Part, text: str) -> Position:
        line, column = self.lines.at(part.offset)
        return Position(file=self.file, line=line, column=column, text=_shortened(text))


def _entry(value: Any) -> _Entry | str:
    """The entry, or why it cannot be read."""
    if not isinstance(value, dict):
        return "the entry is not an object"
    address, resource_type, change = value.get("address"), value.get("type"), value.get("change")
    if not isinstance(address, str) or not address:
        return "the entry has no address"
    if not isinstance(resource_type, str) or not resource_type:
        return "the entry has no resource type"
    if not isinstance(change, dict):
        return "the entry has no change"
    mode, provider = value.get("mode", "managed"), value.get("provider_name")
    if mode not in ("managed", "data"):
        return f"the mode `{_plain(mode)}` is unknown"
    if provider is not None and not isinstance(provider, str):
        return "the name of the provider is not text"
    actions = change.get("actions")
    if actions is None or actions == []:
        return "the entry says no actions"
    if not isinstance(actions, list) or not all(isinstance(each, str) for each in actions):
        return "the actions are not a list of words"
    action = ACTIONS.get(tuple(actions))
    if action is None:
        return f"the actions `{_plain('/'.join(actions))}` are unknown"
    before, after = change.get("before"), change.get("after")
    if not all(each is None or isinstance(each, dict) for each in (before, after)):
        return "the values before and after are not objects"
    return _Entry(
        address=_plain(address),
        resource_type=_plain(resource_type),
        provider=provider,
        is_data=mode == "data",
        action=action,
        actions=tuple(actions),
        values=Values(
            before,
            after,
            change.get("after_unknown"),
            change.get("before_sensitive"),
            change.get("after_sensitive"),
        ),
        raw=value,
        change=change,
    )


# Documents.


def _plan_in(text: str, document: Document) -> tuple[Document, list[Fault]] | Fault:
    """The plan that the document is, or the first one inside it; else what it is instead."""
    faults = [document.ambiguous] if document.ambiguous else []
    value = document.value
    if not isinstance(value, dict):
        return Fault("a plan is a JSON object; is this the output of `terraform show -json`?", 0)
    if "resource_changes" in value or _is_plan_without_changes(value):
        return document, faults
    inside = _plans_inside(value)
    if not inside:
        return Fault(_what_it_is(value), 0)
    found = decode(text, _LISTED, inside[0])
    if isinstance(found, Fault):
        return found
    place = _plain(".".join(inside[0]))
    rest = f"; {len(inside) - 1} more are not read" if len(inside) > 1 else ""
    message = f"this is not a plan but has one inside, at `{place}`{rest}"
    return found, [*faults, Fault(message, 0)]


def _is_plan_without_changes(value: Mapping[str, Any]) -> bool:
    """Terraform leaves the list out when it is empty; what else stands there tells a plan."""
    signs = ("planned_values", "applyable", "complete", "errored", "plan_format_version")
    return any(sign in value for sign in (*signs, *_LISTED))


def _plans_inside(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where plans stand in a document that wraps them, as the inputs of policy engines do."""
    if not isinstance(value, dict) or len(path) > 4:
        return []
    if path and isinstance(value.get("resource_changes"), list):
        return [path]
    return [found for key, each in value.items() for found in _plans_inside(each, (*path, key))]


def _what_it_is(value: Mapping[str, Any]) -> str:
    advice = "run `terraform show -json PLANFILE`, with the file that `terraform plan -out` wrote"
    if "values" in value or ("resources" in value and "version" in value):
        return f"this is a state, not a plan: {advice}"
    if "configuration" in value or "root_module" in value:
        return f"this is a configuration, not a plan: {advice}"
    if "@level" in value:
        return f"this is the log of `terraform plan -json`, not a plan: {advice}"
    if "provider_schemas" in value:
        return f"this is a list of provider schemas, not a plan: {advice}"
    return f"this is JSON but not a plan, it has no `resource_changes`: {advice}"


def _not_json(text: str, fault: Fault) -> Fault:
    """The usual ways in which a plan comes out as something else."""
    start = text[:200].lstrip("\ufeff \t\r\n")
    if start.startswith("PK\x03\x04"):
        return Fault("this is a binary plan file: run `terraform show -json` on it first", 0)
    if start.startswith("[command]") or re.search(r"\n::[a-z-]+[ :]", text[-10_000:]):
        message = (
            "the wrapper script of the `setup-terraform` action has written into the plan: "
            "set `terraform_wrapper: false` in its inputs"
        )
        return Fault(message, 0 if start.startswith("[command]") else fault.offset)
    if start.startswith('{"@level"'):
        return Fault(_what_it_is({"@level": ""}), 0)
    if "\x00" in start:
        return Fault("the file is binary or UTF-16 text; a plan is JSON in UTF-8", 0)
    return fault


def _faults(plan: Document) -> Iterator[Fault]:
    """What makes the plan incomplete, though it can be read."""
    value, keys = plan.value, plan.keys
    for key in _LISTED & value.keys():
        if key not in plan.parts:
            yield Fault(f"`{key}` is not a list", keys[key])
    for key in value.keys() - _LISTED - _UNLISTED:
        # Terraform 1.14 brought changes under a new key without a new format version.
        yield Fault(f"`{_plain(key)}` is unknown and may hold changes", keys[key])
    for name in ("format_version", "plan_format_version"):
        if name in value and _version(value[name]) is None:
            yield Fault(f"the format version `{_plain(value[name])}` is unknown", keys[name])
    if "format_version" not in value and "plan_format_version" not in value:
        yield Fault("the plan does not say its `format_version`", 0)
    if value.get("errored") not in (None, False):
        yield Fault("the plan is incomplete: planning failed (`errored`)", keys["errored"])
    if value.get("complete") not in (None, True):
        message = "the plan is incomplete: applying it would leave changes undone (`complete`)"
        yield Fault(message, keys["complete"])
    addresses = {
        part.value.get("address")
        for part in plan.parts.get("resource_changes", ())
        if isinstance(part.value, dict) and isinstance(part.value.get("address"), str)
    }
    for address in _planned(value.get("planned_values")):
        if address not in addresses:
            message = f"`{_plain(address)}` is planned but has no change: entries were removed"
            yield Fault(message, keys["planned_values"])
            return


def _is_known_format(plan: Document) -> bool:
    names = ("format_version", "plan_format_version")
    return all(_version(plan.value[name]) is not None for name in names if name in plan.value)


def _version(value: Any) -> tuple[int, int] | None:
    """The version, if it is one this reader knows.

    HashiCorp promises that a minor version only adds; what it adds on top is a problem by its key.
    """
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    major, minor = int(match[1]), int(match[2])
    return (major, minor) if major == 1 or (major == 0 and minor in (1, 2)) else None


def _version_of_tool(plan: Document) -> str | None:
    version = plan.value.get("terraform_version")
    return _plain(version) if isinstance(version, str) else None


def _planned(value: Any) -> Iterator[str]:
    """The managed resources to be; Terraform derives them from the changes, so each has one."""
    modules = [value.get("root_module")] if isinstance(value, dict) else []
    while modules:
        module = modules.pop()
        if not isinstance(module, dict):
            continue
        for resource in _list(module.get("resources")):
            if isinstance(resource, dict) and resource.get("mode") == "managed":
                address = resource.get("address")
                if isinstance(address, str):
                    yield address
        modules += _list(module.get("child_modules"))


def _configured(configuration: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the configuration says of each resource, by address without instance keys."""
    root = configuration.get("root_module") if isinstance(configuration, dict) else None
    modules: list[tuple[str, Any]] = [("", root)]
    while modules:
        prefix, module = modules.pop()
        if not isinstance(module, dict):
            continue
        for resource in _list(module.get("resources")):
            if isinstance(resource, dict):
                yield f"{prefix}{resource.get('address')}", resource
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            if isinstance(call, dict):
                modules.append((f"{prefix}module.{name}.", call.get("module")))


def _provisioners(configured: Mapping[str, Any]) -> str:
    runs = _list(configured.get("provisioners"))
    kinds = [each.get("type") if isinstance(each, dict) else None for each in runs]
    return ", ".join(f"`{_plain(kind or 'unknown')}`" for kind in kinds)


# Words.


def _problem(file: str, lines: Lines, message: str, offset: int) -> Problem:
    line, column = lines.at(offset)
    return Problem(message=message, file=file, line=line, column=column)


def _summary(action: str, address: str, notes: tuple[str, ...]) -> str:
    return "; ".join((_VERBS[action].format(_shortened(address)), *map(_shortened, notes)))


def _name(entry: _Entry) -> str:
    known, values = entry.values.known, entry.values
    for attribute in _NAMING:
        name = known.get(attribute) if isinstance(known, dict) else None
        hidden = is_marked(values.sensitive_before, attribute) or is_marked(
            values.sensitive_after, attribute
        )
        if isinstance(name, str) and name and not hidden:
            return _plain(name)
    return _last_part(entry.address)


def _last_part(address: str) -> str:
    match = _LAST_PART.search(address)
    return match.group() if match else address


def _paths(value: Any) -> str:
    paths = [path for path in _list(value) if isinstance(path, list) and path]
    return ", ".join(f"`{_plain('.'.join(map(str, path)))}`" for path in paths[:3])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(value: Any) -> str:
    """Text to show and to hash: what does not print is escaped, so nothing poses as a new line."""
    text = value if isinstance(value, str) else str(value)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _MANY_LETTERS else f"{text[: _MANY_LETTERS - 1]}…"
