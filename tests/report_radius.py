"""Radii to make reports of: any size, with every fate, and names that nobody would choose."""

from datetime import timedelta
from typing import Any

from graphs import NOW, change, edge, graph, plan, resource, way

from interlock.plans.blast import radius
from interlock.plans.blast_document import document
from interlock.plans.graph import Does
from interlock.plans.model import Position, Risk, RowBasis

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"`&<>",
    "line\u2028separator\u2029end",
    "right\u202eto left\u202c",
    "<!-- <script>",
    "]]>\x00\x1b[31m\u200b",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
]

KINDS = ("postgres.table", "postgres.view", "postgres.index", "aws_ebs_volume", "v1.Service")


def report(count: int) -> dict[str, Any]:
    """A radius of `count` assets: two roots, a broad branch, deep branches, and each fate but one."""
    resources = [
        resource("vault", recovery=True),
        *(
            resource(
                f"t{number}",
                name=f"asset_{number}",
                kind=KINDS[number % len(KINDS)],
                stateful=number % 3 != 1,
                rows=number * 17 if number % 2 else None,
                row_basis=RowBasis.ESTIMATED if number % 2 else None,
                criticality=list(Risk)[number % len(Risk)],
            )
            for number in range(count - 1)
        ),
    ]
    edges = [
        edge(
            f"t{_parent(number)}", f"t{number}", Does.DISABLES if number % 7 == 6 else Does.DESTROYS
        )
        for number in range(1, count - 1)
    ]
    edges += [edge(f"t{number}", f"t{number + 1}") for number in range(2, count - 2, 5)]
    ways = [way("vault", f"t{number}", within=3600) for number in range(3, count - 1, 4)]
    found = radius(
        plan(
            change(
                "t0", source=Position(file="migrate.sql", line=3, column=1, text="DROP TABLE t0;")
            ),
            change("gone"),
        ),
        graph(resources, edges, ways),
        NOW + timedelta(hours=1),
    )
    return document(found)


def _parent(number: int) -> int:
    """A third hangs on one asset, the others in branches of three."""
    return 1 if number % 3 == 2 else (number - 1) // 3


def hostile() -> dict[str, Any]:
    """A radius in which every text that an artifact or a database can choose is hostile."""
    resources = [
        resource(f"t{number}", id=text, name=text, kind=text) for number, text in enumerate(HOSTILE)
    ]
    edges = [edge(f"t{number}", f"t{number + 1}") for number in range(len(HOSTILE) - 1)]
    found = document(radius(plan(change(HOSTILE[0])), graph(resources, edges), NOW))
    for number, text in enumerate(HOSTILE):
        found["edges"][number % len(found["edges"])]["why"] = text
        found["assets"][number % len(found["assets"])]["because"] = text
        found["notes"].append(text)
    found["plan"]["artifacts"] = [{"kind": text, "file": text, "sha256": text} for text in HOSTILE]
    found["plan"]["author"] = {"type": HOSTILE[0], "id": HOSTILE[1]}
    found["plan"]["environment"] = HOSTILE[4]
    for text in HOSTILE:
        copy = {**found["changes"][0], "id": text, "file": text, "summary": text, "text": text}
        found["changes"].append({**copy, "action": text, "opaque": text, "reversibility": text})
    found["stopped"] = [
        {"source": text, "target": text, "target_name": text, "on": text, "why": text}
        for text in HOSTILE
    ]
    found["verdict"] = verdict(found, HOSTILE[0], HOSTILE[4])
    return found


def verdict(
    of: dict[str, Any], because: str = "it reaches too much", need: str = "two people approve"
) -> dict[str, Any]:
    """What a gate says: the first change denied, the others permitted, the plan on hold."""
    place = {"file": "pack.ilk", "line": 7, "column": 1}
    reason = {
        "rule": "wide",
        "effect": "forbid",
        "because": because,
        "instead": because,
        "source": place,
    }
    plain: dict[str, Any] = {"rules": [], "reasons": [], "needs": [], "problems": []}
    held = {"rule": "two_people", "message": need, "source": place}
    results: list[dict[str, Any]] = [
        {**plain, "change": None, "action": "apply", "decision": "hold", "needs": [held]}
    ]
    for number, each in enumerate(of["changes"]):
        said = {"decision": "deny", "reasons": [reason]} if number == 0 else {"decision": "permit"}
        results.append({**plain, "change": each["id"], "action": each["action"], **said})
    return {
        "decision": "deny",
        "plan": None,
        "results": results,
        "problems": [],
        "policy_digest": "0" * 64,
        "decided_at": "2026-03-02T10:00:00+00:00",
    }
