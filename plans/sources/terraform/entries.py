"""One element of a plan's `resource_changes`: its shape is checked, and what contradicts itself is not believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .values import Values
from .words import plain, without_keys

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


@dataclass(frozen=True, slots=True)
class Entry:
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


def entry_of(value: Any) -> Entry | str:
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
        return f"the mode `{plain(mode)}` is unknown"
    if provider is not None and not isinstance(provider, str):
        return "the name of the provider is not text"
    actions = change.get("actions")
    if actions is None or actions == []:
        return "the entry says no actions"
    if not isinstance(actions, list) or not all(isinstance(each, str) for each in actions):
        return "the actions are not a list of words"
    action = ACTIONS.get(tuple(actions))
    if action is None:
        return f"the actions `{plain('/'.join(actions))}` are unknown"
    if mode == "data" and action not in ("terraform.read", "terraform.no_op"):
        return f"a data source is only read, and this says `{plain('/'.join(actions))}`"
    if without_keys(address).split(".")[-2:-1] != [resource_type]:
        return f"the address does not name the resource type `{plain(resource_type)}`"
    before, after = change.get("before"), change.get("after")
    if not all(each is None or isinstance(each, dict) for each in (before, after)):
        return "the values before and after are not objects"
    return Entry(
        address=plain(address),
        resource_type=plain(resource_type),
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
