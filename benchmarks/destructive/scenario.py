"""A company's entities and 200 requests from a fixed seed; expected decisions come from Interlock.

What a peer cannot say is left out of its policies, and it is then held to the decisions without those rules.
"""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peers import Workload

HERE = Path(__file__).parent
SEED = 20_241_155
"""With it, every rule of the set decides at least one of the requests."""
REQUESTS = 200

CANNOT_SAY: dict[str, dict[str, str]] = {
    "cedar": {
        "two_people": "Cedar does not count the elements of a set",
        "owner_approves": "Cedar does not look into the elements of a set",
    },
}
"""Language → rule → why. The rule is then left out of the policies and of what is expected of them."""

SAID_OTHERWISE = (
    ("cedar", "the four requires", "a hold is a denial: Cedar has only permit and forbid"),
    ("casbin", "the four requires", "a hold is a denial: a policy line is allow or deny"),
    (
        "casbin",
        "two_people, owner_approves",
        "by `distinct`, `len` and `any`, which the caller adds",
    ),
    (
        "rego",
        "the four requires",
        "a hold is a denial; another rule could tell them apart, by hand",
    ),
    (
        "rego",
        "8 on optional fields",
        "absence is handled by hand; nothing asks for it, and the rule is skipped",
    ),
    ("cel", "the four requires", "a hold is a denial; another expression could tell them apart"),
    ("cel", "8 on optional fields", "`has` by hand; nothing asks for it, and there is no decision"),
    (
        "cedar",
        "8 on optional fields",
        "`has`, as its validator asks; a forbid without it is skipped",
    ),
)
"""Language, rules, and how they are said."""

Json = Any
Decide = Callable[[str, Sequence[Json], Sequence[Json]], list[bool]]


def load(decide: Decide) -> Workload:
    """`decide` gives, for a policy text, whether each request is permitted by Interlock."""
    texts = {path.suffix[1:]: path.read_text() for path in sorted(HERE.glob("destructive.*"))}
    entities, requests = company(), some_requests()
    expected = {"ilk": decide(texts["ilk"], entities, requests)}
    for language, rules in CANNOT_SAY.items():
        expected[language] = decide(without(texts["ilk"], rules), entities, requests)
    return Workload("destructive operations", texts, entities, requests, expected)


def without(text: str, rules: dict[str, str]) -> str:
    """The policies without some rules."""
    for name in rules:
        text, count = re.subn(
            rf"^(?:permit|forbid|require) {name} \{{\n.*?^\}}\n", "", text, flags=re.M | re.S
        )
        assert count == 1, name
    return text


TEAMS = {"dba": [], "shop": [], "billing": ["finance"], "finance": [], "janitors": [], "root": []}
ENVIRONMENTS = {
    "production": (True, False),
    "canary": (True, True),
    "staging": (False, False),
    "scratch": (False, False),
}
ASSETS = ("Table", "Bucket", "Volume", "Backup")
SELECTORS = ("none", *["narrow"] * 7, "wide", "wide", "all", "unknown")
CHANGES = {
    "Table": ("read", "drop", "truncate", "truncate", "delete_rows", "delete_rows"),
    "Bucket": ("read", "purge", "purge", "purge"),
    "Volume": ("read", "erase", "erase", "erase"),
    "Backup": ("read", "delete_backup", "delete_backup", "delete_backup"),
}


def company() -> list[Json]:
    """About 200 entities; each is in a project or a database of one of four environments."""
    chance = random.Random(SEED)  # noqa: S311  # the same company every time
    found = [entity("Action", "destroy")]
    found += [
        entity("Action", name, {}, [("Action", "destroy")] if name != "read" else [])
        for name in sorted({name for names in CHANGES.values() for name in names})
    ]
    found += [entity("Team", name, {}, [("Team", up) for up in ups]) for name, ups in TEAMS.items()]
    for number in range(20):
        teams = chance.sample(sorted(TEAMS), 2)
        on_call = {"on_call": chance.random() < 0.5}
        found.append(entity("Human", f"human{number}", on_call, [("Team", t) for t in teams]))
    for number in range(10):
        attributes: Json = {"owner": reference("Human", f"human{chance.randrange(20)}")}
        if chance.random() < 0.7:
            attributes["sandboxed"] = chance.random() < 0.3
        team = [("Team", "janitors")] if chance.random() < 0.5 else []
        found.append(entity("Agent", f"agent{number}", attributes, team))
    for name, (production, frozen) in ENVIRONMENTS.items():
        found.append(entity("Environment", name, {"production": production, "frozen": frozen}))
        for project in ("shop", "billing"):
            there = f"{project}-{name}"
            found.append(entity("Project", there, {}, [("Environment", name)]))
            found.append(entity("Database", there, {}, [("Project", there)]))
            for type in ASSETS:
                found += [
                    asset(chance, type, f"{there}-{type.lower()}{number}", project, name)
                    for number in range(4)
                ]
    return found


def asset(chance: random.Random, type: str, id: str, project: str, environment: str) -> Json:
    attributes: Json = {
        "name": f"{'tmp_' if chance.random() < 0.4 else ''}{id}",
        "owner": reference("Team", project),
        "environment": reference("Environment", environment),
        "classification": chance.choice(("public", "public", "internal", "secret")),
        "protected": chance.random() < 0.08,
    }
    if chance.random() < 0.8:
        attributes["legal_hold"] = chance.random() < 0.1
    if type == "Table" and chance.random() < 0.8:
        attributes["rows"] = chance.randrange(100_000)
    if type == "Volume":
        attributes["attached"] = chance.random() < 0.3
    if type == "Backup":
        attributes |= {"copies": chance.randrange(1, 5), "age_days": chance.randrange(200)}
    home = ("Database", f"{project}-{environment}")
    return entity(type, id, attributes, [home if type == "Table" else ("Project", home[1])])


def some_requests() -> list[Json]:
    chance = random.Random(SEED + 1)  # noqa: S311  # the same requests every time
    return [request(chance) for _ in range(REQUESTS)]


def request(chance: random.Random) -> Json:
    type = chance.choice((*ASSETS, "Table"))
    environment = chance.choice(("production", "production", *ENVIRONMENTS))
    place = f"{chance.choice(('shop', 'billing'))}-{environment}"
    human = chance.random() < 0.7
    plan = "plan-7"
    change: Json = {
        "selector": chance.choice(SELECTORS),
        "plan": plan,
        "approvals": [
            {
                "by": reference("Human", f"human{chance.randrange(20)}"),
                "plan": plan if chance.random() < 0.8 else "plan-6",
            }
            for _ in range(chance.choice((0, 1, 2, 4)))
        ],
    }
    for name, value in (
        ("rows", chance.choice((10, 500, 50_000))),
        ("dry_run", chance.random() < 0.8),
        ("ticket", chance.choice(("INC-7", "CHG-9"))),
        ("backup_age_hours", chance.choice((2, 12, 100))),
    ):
        if chance.random() < 0.85:
            change[name] = value
    principal = f"human{chance.randrange(20)}" if human else f"agent{chance.randrange(10)}"
    return {
        "principal": {"type": "Human" if human else "Agent", "id": principal},
        "action": {"type": "Action", "id": chance.choice(CHANGES[type])},
        "resource": {"type": type, "id": f"{place}-{type.lower()}{chance.randrange(4)}"},
        "context": {"change": change},
    }


def entity(
    type: str, id: str, attributes: Json = None, parents: Sequence[tuple[str, str]] = ()
) -> Json:
    return {
        "uid": {"type": type, "id": id},
        "attrs": attributes or {},
        "parents": [{"type": type, "id": id} for type, id in parents],
    }


def reference(type: str, id: str) -> Json:
    return {"__entity": {"type": type, "id": id}}
