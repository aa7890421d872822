"""The algebra of globs against automata on the patterns of AWS managed policies: what both say of pairs, counted."""

import json
import random
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from glob_automata import TooManyStatesError, example  # noqa: E402

from interlock.analyzer.globs import (  # noqa: E402
    Pattern,
    TooLarge,
    disjoint,
    includes,
    intersect,
    lemmas,
    normal,
    write,
)

CORPUS = ROOT.parent / "shared" / "corpora" / "iam" / "mamip-managed-policies.tar.gz"
PAIRS = {"actions": 190_000, "resources": 12_000}
NEAR = 0.6
STATES = 2_000
"""The most states of automata for one question; a pair that needs more is counted as skipped, in its own row."""
SEED = 20_241_124
FIELDS = {
    "actions": ("Action", "NotAction"),
    "resources": ("Resource", "NotResource"),
}


def main() -> int:
    if not CORPUS.exists():
        print(f"skipped: {CORPUS} is not beside the checkout")
        return 0
    policies = list(statements())
    print(f"{len(policies)} policies")
    wrong = 0
    for name, fields in FIELDS.items():
        texts = {text for policy in policies for text in values(policy, fields)}
        questioned = {text for text in texts if "?" in text}
        # Actions are compared without regard to case, resources with it.
        words = {text.lower() if name == "actions" else text for text in texts - questioned}
        patterns = sorted({normal(tuple(text.split("*"))) for text in words})
        print(
            f"\n{name}: {len(patterns)} patterns, {sum(len(p) > 1 for p in patterns)} with `*`, "
            f"{sum(len(p) > 2 or (len(p) == 2 and bool(p[1])) for p in patterns)} more than a prefix, "
            f"{len(questioned)} left out for `?`"
        )
        started = time.perf_counter()
        found = lemmas(patterns)
        print(
            f"{len(found.clauses)} lemmas over {len(found.patterns)} patterns "
            f"in {time.perf_counter() - started:.2f} s"
        )
        wrong += compare(patterns, PAIRS[name])
    return 1 if wrong else 0


def statements() -> Iterator[list[Any]]:
    """The statements of each policy."""
    with tarfile.open(CORPUS) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            found = json.loads(file.read())["PolicyVersion"]["Document"]["Statement"]
            yield found if isinstance(found, list) else [found]


def values(policy: list[Any], fields: tuple[str, ...]) -> Iterator[str]:
    for statement in policy:
        for field in fields:
            found = statement.get(field, [])
            yield from [found] if isinstance(found, str) else found


def pairs(patterns: list[Pattern], number: int) -> Iterator[tuple[Pattern, Pattern]]:
    """Neighbours in alphabetic order, which share much, and pairs from anywhere."""
    chance = random.Random(SEED)  # noqa: S311  # the same pairs every time
    globs = [number for number, pattern in enumerate(patterns) if len(pattern) > 1]
    for _ in range(number):
        one = chance.choice(globs)
        near = chance.random() < NEAR
        other = one + chance.randint(-40, 40) if near else chance.randrange(len(patterns))
        yield patterns[one], patterns[other % len(patterns)]


def nothing(positive: Sequence[Pattern], negative: Sequence[Pattern]) -> bool:
    """Whether the automata find no text that matches all of `positive` and none of `negative`."""
    return example(positive, negative, limit=STATES) is None


def compare(patterns: list[Pattern], number: int) -> int:
    """How many pairs the two judges see differently; prints the table of what they say."""
    counted: Counter[str] = Counter()
    slow = fast = 0.0
    wrong = 0
    for one, other in pairs(patterns, number):
        started = time.perf_counter()
        shared = intersect(one, other)
        ours = includes(one, other), includes(other, one), disjoint(one, other)
        fast += time.perf_counter() - started
        if isinstance(shared, TooLarge):
            counted["skipped: intersection too large"] += 1
            continue
        started = time.perf_counter()
        try:
            theirs = (
                nothing([other], [one]),
                nothing([one], [other]),
                nothing([one, other], []),
            )
            exact = nothing([one, other], shared) and all(
                nothing([member], [side]) for member in shared for side in (one, other)
            )
        except TooManyStatesError:
            counted["skipped: automata too large"] += 1
            continue
        finally:
            slow += time.perf_counter() - started
        if ours != theirs or not exact:
            wrong += 1
            print(f"differ: {write(one)}  {write(other)}  {ours} {theirs} {exact}")
        counted["pairs"] += 1
        counted["one includes the other"] += ours[0] or ours[1]
        counted["disjoint"] += ours[2]
        counted["neither"] += not any(ours)
        counted["globs of intersections"] += len(shared)
        counted["most globs of one"] = max(counted["most globs of one"], len(shared))
    for title, count in counted.items():
        print(f"  {title:32} {count:9,}")
    print(f"  {'differences':32} {wrong:9,}")
    print(f"  seconds: algebra {fast:.1f}, automata {slow:.1f}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
