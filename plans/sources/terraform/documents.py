"""Which document a JSON text is, what a plan in it lacks, and what its configuration says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..json_text import Document, Fault, decode
from .words import elements, plain

LISTED = frozenset(
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
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})")


def plan_in(text: str, document: Document) -> tuple[Document, list[Fault]] | Fault:
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
    found = decode(text, LISTED, inside[0])
    if isinstance(found, Fault):
        return found
    place = plain(".".join(inside[0]))
    rest = f"; {len(inside) - 1} more are not read" if len(inside) > 1 else ""
    message = f"this is not a plan but has one inside, at `{place}`{rest}"
    return found, [*faults, Fault(message, 0)]


def _is_plan_without_changes(value: Mapping[str, Any]) -> bool:
    """Terraform leaves the list out when it is empty; what else stands there tells a plan."""
    signs = ("planned_values", "applyable", "complete", "errored", "plan_format_version")
    return any(sign in value for sign in (*signs, *LISTED))


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


def not_json(text: str, fault: Fault) -> Fault:
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


def faults_of(plan: Document) -> Iterator[Fault]:
    """What makes the plan incomplete, though it can be read."""
    value, keys = plan.value, plan.keys
    for key in LISTED & value.keys():
        if key not in plan.parts:
            yield Fault(f"`{key}` is not a list", keys[key])
    for key in value.keys() - LISTED - _UNLISTED:
        # Terraform 1.14 brought changes under a new key without a new format version.
        yield Fault(f"`{plain(key)}` is unknown and may hold changes", keys[key])
    for name in ("format_version", "plan_format_version"):
        if name in value and _version(value[name]) is None:
            yield Fault(f"the format version `{plain(value[name])}` is unknown", keys[name])
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
    for key, what in (("planned_values", "planned"), ("prior_state", "in the state")):
        # Before 0.2, the addresses of the state have neither modules nor keys.
        if key == "prior_state" and value.get("format_version") == "0.1":
            continue
        for address in _resources(value.get(key)):
            if address not in addresses:
                message = (
                    f"`{plain(address)}` is {what} but has no change: entries were removed, "
                    "or the plan is for some resources only (`-target`)"
                )
                yield Fault(message, keys[key])
                break


def is_known_format(plan: Document) -> bool:
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


def tool_version(plan: Document) -> str | None:
    version = plan.value.get("terraform_version")
    return plain(version) if isinstance(version, str) else None


def _resources(value: Any) -> Iterator[str]:
    """The managed resources to be, or that are; each has a change, if only to stay as it is."""
    if isinstance(value, dict) and "values" in value:
        value = value["values"]
    modules = [value.get("root_module")] if isinstance(value, dict) else []
    while modules:
        module = modules.pop()
        if not isinstance(module, dict):
            continue
        for resource in elements(module.get("resources")):
            if isinstance(resource, dict) and resource.get("mode") == "managed":
                address = resource.get("address")
                if isinstance(address, str):
                    yield address
        modules += elements(module.get("child_modules"))


def configurations(configuration: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the configuration says of each resource, by address without instance keys."""
    root = configuration.get("root_module") if isinstance(configuration, dict) else None
    modules: list[tuple[str, Any]] = [("", root)]
    while modules:
        prefix, module = modules.pop()
        if not isinstance(module, dict):
            continue
        for resource in elements(module.get("resources")):
            if isinstance(resource, dict):
                yield f"{prefix}{resource.get('address')}", resource
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            if isinstance(call, dict):
                modules.append((f"{prefix}module.{name}.", call.get("module")))
