"""What an AWS policy document grants: whether broadly, to whom, and whether that can be told at all."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .rules import UNRESOLVED, parsed

_ACCOUNT = re.compile(r"^(?:arn:aws[a-z-]*:(?:iam|sts)::)?(\d{12})(?::.*)?$")


def broad(document: Any, escalating: tuple[str, ...], account: str | None) -> str | None:
    """Why the document grants broadly, `None` when it does not; raises `ValueError` when it cannot be read."""
    reasons = [
        reason
        for statement in _statements(parsed(document))
        if (reason := _broad_statement(statement, escalating, account))
    ]
    return reasons[0] if reasons else None


def _statements(policy: Any) -> Iterator[Mapping[str, Any]]:
    if policy is UNRESOLVED or not isinstance(policy, Mapping):
        raise ValueError("not a policy document")
    statements = policy.get("Statement")
    for statement in [statements] if isinstance(statements, Mapping) else statements or []:
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError("not a policy statement")
        yield statement


def _broad_statement(
    statement: Mapping[str, Any], escalating: tuple[str, ...], account: str | None
) -> str | None:
    if statement["Effect"] == "Deny":
        return None
    if "NotAction" in statement or "NotPrincipal" in statement:
        return "allows everything but a list"
    actions = [action.casefold() for action in _texts(statement.get("Action"))]
    resources = _texts(statement.get("Resource"))
    if "Principal" in statement:
        return _broad_principal(statement, account)
    if any(action in ("*", "*:*") for action in actions):
        return "allows every action"
    if "*" not in resources and "NotResource" not in statement:
        return None
    if any(action.endswith(":*") for action in actions):
        return "allows every action of a service on every resource"
    for action in actions:
        if any(fnmatchcase(each.casefold(), action) for each in escalating):
            return "allows raising one's own rights"
    return None


def _broad_principal(statement: Mapping[str, Any], account: str | None) -> str | None:
    principal = statement["Principal"]
    who = principal if isinstance(principal, Mapping) else {"AWS": principal}
    for kind, names in who.items():
        for name in _texts(names):
            if name == "*" and not statement.get("Condition"):
                return "allows everyone"
            found = _ACCOUNT.match(name) if kind == "AWS" else None
            if found and found[1] != account:
                return f"allows account {found[1]}"
    return None


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if value is not None and not texts:
        raise ValueError("not a name or a list of names")
    for text in texts:
        if not isinstance(text, str):
            raise ValueError("not a name")
    return texts
