"""Workloads of any size: policy sets that grow while a decision stays the same, and stores that grow."""

import random
from collections.abc import Callable
from typing import Any

from peers import Workload

SEED = 20_241_124
REQUESTS = 100

Json = Any


def scope_only(rules: int) -> Workload:
    """Each rule is about one user and one document by name."""
    numbers = range(rules)
    texts = {
        "ilk": """/// Rules that differ in their scopes.
module growth

entity User
entity Document
action read { principal User  resource Document }
"""
        + "".join(
            f'permit rule_{n} {{ principal User::"u{n}" action read resource Document::"d{n}" }}\n'
            for n in numbers
        ),
        "cedar": "".join(
            f'permit (principal == User::"u{n}", action == Action::"read", '
            f'resource == Document::"d{n}");\n'
            for n in numbers
        ),
        "rego": REGO
        + "".join(
            f'allow if {{ input.principal == "User::u{n}"; input.action == "read"; '
            f'input.resource == "Document::d{n}" }}\n'
            for n in numbers
        ),
        "cel": "\n|| ".join(
            f'(principal.id == "User::u{n}" && action == "read" && resource.id == "Document::d{n}")'
            for n in numbers
        ),
        "casbin": CASBIN_SCOPES + "".join(f"User::u{n}, read, Document::d{n}\n" for n in numbers),
    }
    chance = random.Random(SEED)  # noqa: S311  # the same requests every time
    asked = _spread(rules)
    pairs = [(n, n if chance.random() < 0.5 else chance.choice(asked)) for n in asked]
    entities = [
        _entity(type, f"{letter}{n}")
        for n in sorted(set(asked))
        for type, letter in (("User", "u"), ("Document", "d"))
    ]
    requests = [_request(f"u{user}", f"d{document}", {}) for user, document in pairs]
    expected = {"ilk": [user == document for user, document in pairs]}
    return Workload(f"scope only, {rules:,} rules", texts, entities, requests, expected)


def resource_guards(rules: int) -> Workload:
    """Each rule forbids one kind of document to people below a level; the kind is an attribute of the document."""
    numbers = range(rules)
    texts = {
        "ilk": """/// Rules that differ in a guard on an attribute.
module growth

entity User { level: Int }
entity Document { kind: String }
action read { principal User  resource Document }
permit readers { action read }
"""
        + "".join(
            f'forbid rule_{n} {{ action read when resource.kind == "kind{n}" '
            f"and principal.level < {n % 10} }}\n"
            for n in numbers
        ),
        "cedar": 'permit (principal, action == Action::"read", resource);\n'
        + "".join(
            f'forbid (principal, action == Action::"read", resource) '
            f'when {{ resource.kind == "kind{n}" && principal.level < {n % 10} }};\n'
            for n in numbers
        ),
        "rego": REGO
        + 'allow if { input.action == "read"; not denied }\n'
        + "user := data.entities[input.principal]\n"
        + "document := data.entities[input.resource]\n"
        + "".join(
            f'denied if {{ input.action == "read"; document.kind == "kind{n}"; '
            f"user.level < {n % 10} }}\n"
            for n in numbers
        ),
        "cel": 'action == "read"'
        + "".join(
            f'\n&& !(resource.kind == "kind{n}" && principal.level < {n % 10})' for n in numbers
        ),
        "casbin": 'allow, r.action == "read"\n'
        + "".join(
            f'deny, r.action == "read" and r.resource.kind == "kind{n}" '
            f"and r.principal.level < {n % 10}\n"
            for n in numbers
        ),
    }
    asked = _spread(rules)
    entities = [
        entity
        for n in sorted(set(asked))
        for entity in (
            _entity("User", f"u{n}", {"level": _level(n)}),
            _entity("Document", f"d{n}", {"kind": f"kind{n}"}),
        )
    ]
    requests = [_request(f"u{n}", f"d{n}", {}) for n in asked]
    expected = {"ilk": [_level(n) >= n % 10 for n in asked]}
    return Workload(f"resource guards, {rules:,} rules", texts, entities, requests, expected)


def context_guards(rules: int) -> Workload:
    """The same guards on values of the request itself, which is where OPA can index them."""
    numbers = range(rules)
    texts = {
        "ilk": """/// Rules that differ in a guard on the context.
module growth

entity User
entity Document
action read { principal User  resource Document  context { kind: String, level: Int } }
permit readers { action read }
"""
        + "".join(
            f'forbid rule_{n} {{ action read when context.kind == "kind{n}" '
            f"and context.level < {n % 10} }}\n"
            for n in numbers
        ),
        "cedar": 'permit (principal, action == Action::"read", resource);\n'
        + "".join(
            f'forbid (principal, action == Action::"read", resource) '
            f'when {{ context.kind == "kind{n}" && context.level < {n % 10} }};\n'
            for n in numbers
        ),
        "rego": REGO
        + 'allow if { input.action == "read"; not denied }\n'
        + "".join(
            f'denied if {{ input.action == "read"; input.context.kind == "kind{n}"; '
            f"input.context.level < {n % 10} }}\n"
            for n in numbers
        ),
        "cel": 'action == "read"'
        + "".join(
            f'\n&& !(context.kind == "kind{n}" && context.level < {n % 10})' for n in numbers
        ),
        "casbin": 'allow, r.action == "read"\n'
        + "".join(
            f'deny, r.action == "read" and r.context.kind == "kind{n}" '
            f"and r.context.level < {n % 10}\n"
            for n in numbers
        ),
    }
    asked = _spread(rules)
    entities = [_entity("User", "u"), _entity("Document", "d")]
    requests = [_request("u", "d", {"kind": f"kind{n}", "level": _level(n)}) for n in asked]
    expected = {"ilk": [_level(n) >= n % 10 for n in asked]}
    return Workload(f"context guards, {rules:,} rules", texts, entities, requests, expected)


SHAPES: dict[str, Callable[[int], Workload]] = {
    "scope only": scope_only,
    "resource guards": resource_guards,
    "context guards": context_guards,
}

REGO = """package app

import rego.v1

default allow := false
"""

CASBIN_SCOPES = """[request_definition]
r = principal, action, resource, context
[policy_definition]
p = principal, action, resource
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.principal.id == p.principal && r.action == p.action && r.resource.id == p.resource
---
"""

STAFF_TEXTS = {
    "ilk": """/// Documents belong to teams, and have a level.
module staff

entity Team in Team
entity User in Team { name: String, level: Int }
entity Document { title: String, owner: Team, level: Int }
action read { principal User  resource Document }
permit members { action read when principal in resource.owner }
forbid below { action read when principal.level < resource.level }
""",
    "cedar": """permit (principal, action == Action::"read", resource) when { principal in resource.owner };
forbid (principal, action == Action::"read", resource) when { principal.level < resource.level };
""",
    "rego": REGO
    + """document := data.entities[input.resource]
allow if {
	input.action == "read"
	data.above[input.principal][document.owner]
	not data.entities[input.principal].level < document.level
}
""",
}


def staff(size: int) -> Workload:
    """`size` entities: users in a tree of teams that is four levels deep at most, and the teams' documents."""
    teams = max(1, size // 100)
    users = size // 2
    documents = size - teams - users
    entities = [
        _entity("Team", f"t{n}", {}, [("Team", f"t{n // 20}")] if n else []) for n in range(teams)
    ]
    entities += [
        _entity("User", f"u{n}", {"name": f"user {n}", "level": n % 7}, [("Team", f"t{n % teams}")])
        for n in range(users)
    ]
    entities += [
        _entity(
            "Document",
            f"d{n}",
            {
                "title": f"document {n}",
                "owner": {"__entity": {"type": "Team", "id": f"t{n % teams}"}},
                "level": n % 5,
            },
        )
        for n in range(documents)
    ]
    chance = random.Random(SEED)  # noqa: S311  # the same requests every time
    requests = []
    for _ in range(REQUESTS):
        user = chance.randrange(users)
        # Half of the documents are of the user's own team.
        document = user % teams if chance.random() < 0.5 else chance.randrange(documents)
        requests.append(_request(f"u{user}", f"d{document}", {}))
    return Workload(f"{size:,} entities", STAFF_TEXTS, entities, requests)


def _spread(rules: int) -> list[int]:
    """The numbers of the rules that the requests are about: all over the set, in no order."""
    numbers = [n * rules // REQUESTS if rules > REQUESTS else n % rules for n in range(REQUESTS)]
    random.Random(SEED).shuffle(numbers)  # noqa: S311  # the same order every time
    return numbers


def _level(number: int) -> int:
    return number * 7 % 11


def _entity(
    type: str, id: str, attributes: Json = None, parents: list[tuple[str, str]] | None = None
) -> Json:
    return {
        "uid": {"type": type, "id": id},
        "attrs": attributes or {},
        "parents": [{"type": type, "id": id} for type, id in parents or ()],
    }


def _request(user: str, document: str, context: Json) -> Json:
    return {
        "principal": {"type": "User", "id": user},
        "action": {"type": "Action", "id": "read"},
        "resource": {"type": "Document", "id": document},
        "context": context,
    }
