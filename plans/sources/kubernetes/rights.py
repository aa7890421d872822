"""Who may do what afterwards: rights that roles add, and whom bindings give them to."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.kubernetes import Rights, Taxonomy
from ..verdicts import Verdict
from .objects import Name
from .values import at, canonical, field

RBAC = "rbac.authorization.k8s.io"
_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})

_CLOUD_IDENTITIES = Name("", "ConfigMap", "kube-system", "aws-auth")
"""https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html"""

Look = Callable[[Name], Mapping[str, Any] | None]
"""The object of a name as it will be, where the plan shows it."""


def raised_rights(
    taxonomy: Taxonomy, name: Name, before: Any, after: Any, look: Look
) -> Iterator[tuple[Verdict, tuple[str, ...]]]:
    """What a change to a role or a binding lets somebody do, and by which field."""
    if name == _CLOUD_IDENTITIES and field(before, "data") != field(after, "data"):
        note = "it says which identities of the cloud are administrators of the cluster"
        yield _escalation(note), ("data",)
    if name.group != RBAC:
        return
    if name.kind in _ROLES:
        old = {canonical(rule) for rule in at(before, ("rules",))}
        added = [rule for rule in at(after, ("rules",)) if canonical(rule) not in old]
        for right in _rights_of(taxonomy, added):
            yield _escalation(f"its holder {right.why}"), ("rules",)
        if field(after, "aggregationRule") != field(before, "aggregationRule"):
            yield _escalation("it gathers the rules of roles not shown here"), ("aggregationRule",)
    elif name.kind in _BINDINGS:
        subjects = _new_subjects(before, after)
        if not subjects:
            return
        broad = sorted({each for each in subjects if each in taxonomy.broad_subjects})
        if broad:
            yield _escalation(f"it gives rights to `{broad[0]}`"), ("subjects",)
        if reason := _granted(taxonomy, name, after, look):
            yield _escalation(reason), ("roleRef",)


def _granted(taxonomy: Taxonomy, name: Name, after: Any, look: Look) -> str | None:
    """Why what a binding gives counts as much, if it does."""
    kind, role = field(after, "roleRef", "kind"), field(after, "roleRef", "name")
    if not (isinstance(kind, str) and isinstance(role, str)):
        return "it does not say a role"
    shown = look(Name(RBAC, kind, name.namespace if kind == "Role" else "", role))
    if shown is not None:
        if field(shown, "aggregationRule") is not None:
            return f"it gives `{role[:80]}`, which gathers the rules of other roles"
        right = next(_rights_of(taxonomy, at(shown, ("rules",))), None)
        return f"it gives `{role[:80]}`, whose holder {right.why}" if right else None
    if role in taxonomy.harmless_roles:
        return None
    return f"it gives `{role[:80]}`, and what that role grants is not shown here"


def _rights_of(taxonomy: Taxonomy, rules: list[Any]) -> Iterator[Rights]:
    for right in taxonomy.rights:
        if any(_has(rule, right) for rule in rules if isinstance(rule, dict)):
            yield right


def _has(rule: Mapping[str, Any], right: Rights) -> bool:
    groups, resources = at(rule, ("apiGroups",)), at(rule, ("resources",))
    if at(rule, ("resourceNames",)) and not right.also_named:
        return False
    return (
        any(each == "*" or each in right.groups for each in groups)
        and any(each == "*" or each in right.resources for each in resources)
        and any(each in right.verbs for each in at(rule, ("verbs",)))
    )


def _new_subjects(before: Any, after: Any) -> list[str]:
    old = at(before, ("subjects",)) if field(before, "roleRef") == field(after, "roleRef") else []
    known = {canonical(each) for each in old}
    return [
        str(field(each, "name"))
        for each in at(after, ("subjects",))
        if canonical(each) not in known
    ]


def _escalation(note: str) -> Verdict:
    return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))
