"""What a change lets others do: broad grants in attributes, policies and bindings, and denials that go."""

import json
import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.terraform import Class, Facts, Step, Taxonomy
from ..verdicts import Verdict
from .doors import opened
from .values import Values, canonical, flattened, is_marked, leaves, text

_EVERYONE = frozenset({"*", "arn:aws:iam::*:root"})
_EVERY_SUBJECT = frozenset({"*", "repo:*", "repo:*/*", "repo:*/*:*", "system:serviceaccount:*:*"})
_LAST_STAR = re.compile(r"[:/][*]$")
"""A resource name that ends in a star names all of a kind."""
_ONLY_LABELS = frozenset({"tags", "tags_all", "labels", "effective_labels", "description"})


def access(taxonomy: Taxonomy, facts: Facts, step: Step, values: Values) -> list[Verdict]:
    """What a step lets others do from then on, and what it no longer denies them."""
    verdicts: list[Verdict] = []
    if step in (Step.UPDATE, Step.REPLACE, Step.DELETE):
        verdicts += _denials_lost(facts, step, values)
    if step in (Step.CREATE, Step.UPDATE, Step.REPLACE) and not (
        step is Step.UPDATE and _changed(values) <= _ONLY_LABELS
    ):
        notes = _broad_grants(taxonomy, facts, step, values)
        if notes:
            verdicts.append(Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, notes))
        verdicts += opened(taxonomy, facts, values)
    return verdicts


def _changed(values: Values) -> set[str]:
    before = values.before if isinstance(values.before, dict) else {}
    after = values.after if isinstance(values.after, dict) else {}
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    unknown = values.unknown if isinstance(values.unknown, dict) else {}
    return changed | {key for key in unknown if is_marked(unknown, key)}


def _broad_grants(taxonomy: Taxonomy, facts: Facts, step: Step, values: Values) -> tuple[str, ...]:
    # Of what only grants, any change may widen; of all else, only a change of the grant itself.
    as_before = step is Step.UPDATE and facts.is_a is not Class.ACCESS
    notes: list[str] = []
    for path in facts.policies:
        if as_before and _is_unchanged(values, (path,)):
            continue
        if _may_yet_grant(values, path):
            notes.append(f"what `{path}` grants is known only after apply")
        for document in leaves(values.after, path):
            reason = _broad_policy(taxonomy.patterns, document)
            if reason:
                notes.append(f"`{path}` {reason}")
    for path in facts.bindings:
        if _may_yet_grant(values, path):
            notes.append(f"what `{path}` grants is known only after apply")
        for document in leaves(values.after, path):
            reason = _broad_bindings(taxonomy.patterns, document)
            if reason:
                notes.append(f"`{path}` {reason}")
    notes += [
        note
        for grant in facts.grants
        if not (as_before and _is_unchanged(values, grant))
        and (note := _broad_grant(grant, values))
    ]
    return tuple(dict.fromkeys(notes))


def _is_unchanged(values: Values, paths: Collection[str]) -> bool:
    return not any(is_marked(values.unknown, path) for path in paths) and all(
        leaves(values.before, path) == leaves(values.after, path) for path in paths
    )


def _broad_grant(grant: Mapping[str, tuple[str, ...]], values: Values) -> str | None:
    """Every attribute matches one of its patterns; a value that is not known yet may."""
    above = {path.rpartition(".")[0] for path in grant}
    if len(grant) > 1 and len(above) == 1 and "" not in above:
        (place,) = above
        blocks = leaves(values.after, place)
        if blocks and not is_marked(values.unknown, place):
            wanted = [(path.rpartition(".")[2], patterns) for path, patterns in grant.items()]
            broad = any(all(_finds(block, *each) for each in wanted) for block in blocks)
            return f"grants broadly by `{place}`" if broad else None
    waiting: list[str] = []
    for path, patterns in grant.items():
        if _finds(values.after, path, patterns):
            continue
        if not _may_yet_grant(values, path):
            return None
        waiting.append(path)
    if len(waiting) == len(grant):
        return f"what `{waiting[0]}` grants is known only after apply"
    return f"grants broadly by `{next(path for path in grant if path not in waiting)}`"


def _may_yet_grant(values: Values, path: str) -> bool:
    """Whether the value is unknown and its author chose it.

    A provider fills in an attribute that the configuration leaves out, and grants nothing by it.
    Of a block the configuration may say nothing and still hold it, as a `dynamic` one.
    """
    if not is_marked(values.unknown, path):
        return False
    return "." in path or values.configured is None or path in values.configured


def _finds(value: Any, path: str, patterns: tuple[str, ...]) -> bool:
    return any(_matches(text(each), patterns) for each in leaves(value, path))


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def _broad_policy(patterns: Mapping[str, tuple[str, ...]], document: Any) -> str | None:
    """Why an AWS policy document grants broadly; one that cannot be read might."""
    statements = _statements(document)
    if statements is None:
        return "is a policy that could not be read"
    for statement in statements:
        if text(statement.get("Effect")) == "deny":
            continue
        if "NotAction" in statement or "NotPrincipal" in statement:
            return "allows everything but a list"
        actions = [text(each) for each in flattened([statement.get("Action")]) if each is not None]
        resources = [
            text(each) for each in flattened([statement.get("Resource")]) if each is not None
        ]
        if "Principal" in statement:
            if reason := _lets_in(statement["Principal"], statement.get("Condition")):
                return reason
            continue
        everything = "*" in resources or "NotResource" in statement
        if any(action in ("*", "*:*") for action in actions):
            return "allows every action"
        if everything and any(action.endswith(":*") for action in actions):
            return "allows every action of a service on every resource"
        all_of_a_kind = everything or any(_LAST_STAR.search(each) for each in resources)
        if all_of_a_kind and any(
            fnmatchcase(escalating.casefold(), action)
            for action in actions
            for escalating in patterns.get("escalating_actions", ())
        ):
            return "allows raising one's own rights"
    return None


def _statements(document: Any) -> list[dict[str, Any]] | None:
    policy = _parsed(document)
    statements = policy.get("Statement", []) if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        return None
    readable = [each for each in statements if isinstance(each, dict)]
    return readable if len(readable) == len(statements) else None


def _parsed(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    if not document.strip():
        return {}
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        # What is not JSON is not a policy; the callers take that for the worst.
        return None


def _lets_in(principal: Any, condition: Any) -> str | None:
    """Why a statement that names who may use a resource lets in whoever wants to."""
    if _is_everyone(principal) and not condition:
        return "allows everyone"
    provider = principal.get("Federated") if isinstance(principal, dict) else None
    if isinstance(provider, str) and "oidc-provider/" in provider:
        tests = condition.values() if isinstance(condition, dict) else ()
        wanted = {
            name.rpartition(":")[2]: [text(each) for each in flattened([value])]
            for test in tests
            if isinstance(test, dict)
            for name, value in test.items()
        }
        subjects = wanted.get("sub", [])
        if not subjects or any(each in _EVERY_SUBJECT for each in subjects):
            return "allows everyone whom the identity provider knows"
    return None


def _is_everyone(principal: Any) -> bool:
    who = principal.values() if isinstance(principal, dict) else [principal]
    return any(text(each) in _EVERYONE for each in flattened(list(who)))


def _broad_bindings(patterns: Mapping[str, tuple[str, ...]], document: Any) -> str | None:
    """Why a Google policy grants broadly; one that cannot be read might."""
    policy = _parsed(document)
    bindings = policy.get("bindings", []) if isinstance(policy, dict) else None
    if not isinstance(bindings, list):
        return "is a policy that could not be read"
    for binding in bindings:
        if not isinstance(binding, dict):
            return "is a policy that could not be read"
        if _matches(text(binding.get("role")), patterns.get("google_roles", ())):
            return "grants a role over everything"
        members = flattened([binding.get("members")])
        if any(_matches(text(each), patterns.get("google_everyone", ())) for each in members):
            return "allows everyone"
    return None


def _denials_lost(facts: Facts, step: Step, values: Values) -> list[Verdict]:
    """An explicit Deny protects even against an administrator, so losing one disarms."""
    verdicts: list[Verdict] = []
    for path in facts.policies:
        before = _denials(leaves(values.before, path))
        after = set() if step is Step.DELETE else _denials(leaves(values.after, path))
        if before - after:
            note = f"`{path}` loses a statement that denies"
            verdicts.append(Verdict(Effect.DISARM, Selector.ALL, Reversibility.REVERSIBLE, (note,)))
    return verdicts


def _denials(documents: list[Any]) -> set[str]:
    return {
        canonical(statement)
        for document in documents
        for statement in _statements(document) or []
        if text(statement.get("Effect")) == "deny"
    }
