"""What is told of a Terraform change: its verb, its circumstances, and text that is safe to show."""

import re
from typing import Any

VERBS = {
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
REASONS = {
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
_MANY_LETTERS = 200


def summary(action: str, address: str, notes: tuple[str, ...]) -> str:
    return "; ".join((VERBS[action].format(shortened(address)), *map(shortened, notes)))


def without_keys(address: str) -> str:
    """The address of the block that makes all instances: `module.a["b"].c.d[0]` is one of `module.a.c.d`."""
    return _INSTANCE_KEY.sub("", address)


def last_part(address: str) -> str:
    match = _LAST_PART.search(address)
    return match.group() if match else address


def paths(value: Any) -> str:
    paths = [path for path in elements(value) if isinstance(path, list) and path]
    return ", ".join(f"`{plain('.'.join(map(str, path)))}`" for path in paths[:3])


def elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def plain(value: Any) -> str:
    """Text to show and to hash: what does not print is escaped, so nothing poses as a new line."""
    text = value if isinstance(value, str) else str(value)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def shortened(text: str) -> str:
    return text if len(text) <= _MANY_LETTERS else f"{text[: _MANY_LETTERS - 1]}…"
