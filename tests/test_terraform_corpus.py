"""Real plans: all are read, nothing is dropped, and the actions are those an independent count found."""

import csv
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from interlock.plans.model import Change, Reading
from interlock.plans.sources import Options
from interlock.plans.sources.terraform.entries import ACTIONS
from interlock.plans.sources.terraform.source import UNREAD, read

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "terraform"
MANIFEST = CORPUS / "MANIFEST.tsv"

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the corpora are not beside the checkout"
)


def rows() -> list[dict[str, str]]:
    with MANIFEST.open(encoding="utf-8", newline="") as manifest:
        return list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))


def expected(row: dict[str, str]) -> Counter[str]:
    """The manifest's count, by our names; it writes an action list with `/` and a missing one as nothing."""
    counted: Counter[str] = Counter()
    for actions, number in json.loads(row["actions"]).items():
        counted[ACTIONS.get(tuple(actions.split("/")), UNREAD)] += number
    return counted


def reading(row: dict[str, str]) -> Reading:
    file = CORPUS / f"{row['file']}.json"
    return read(file.name, file.read_text(encoding="utf-8"), Options())


def actions_of(found: Reading) -> Counter[str]:
    return Counter(change.action for change in found.changes)


def test_every_plan_has_the_changes_of_the_independent_count() -> None:
    wrong = {
        row["file"]: (counted, actions_of(found))
        for row in rows()
        if (counted := expected(row)) != actions_of(found := reading(row))
    }
    assert wrong == {}


def test_the_totals_agree() -> None:
    counted: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    problems = 0
    for row in rows():
        found = reading(row)
        counted += expected(row)
        ours += actions_of(found)
        effects += Counter(str(change.effect) for change in found.changes)
        problems += bool(found.problems)
    print(
        f"\n{len(rows())} plans, {problems} with problems\n{'action':32} {'manifest':>8} {'ours':>8}"
    )
    for action in sorted({*counted, *ours}):
        print(f"{action:32} {counted[action]:8} {ours[action]:8}")
    for name, number in effects.most_common():
        print(f"{name:32} {'':8} {number:8}")
    assert ours == counted


def test_every_change_stands_at_its_address() -> None:
    for row in rows():
        lines = (CORPUS / f"{row['file']}.json").read_text(encoding="utf-8").split("\n")
        for change in reading(row).changes:
            place = change.source
            assert lines[place.line - 1][place.column - 1 :].startswith('"address"'), (row, place)


def test_what_could_not_be_read_is_unknown() -> None:
    for row in rows():
        for change in reading(row).changes:
            if change.action == UNREAD:
                assert (change.effect, change.selector) == ("unknown", "unknown")
                assert change.opaque


def test_a_large_plan_is_read_in_well_under_a_second() -> None:
    largest = max(rows(), key=lambda row: int(row["bytes"]))
    start = time.perf_counter()
    found = reading(largest)
    seconds = time.perf_counter() - start
    print(f"\n{largest['bytes']} bytes, {len(found.changes)} changes, {seconds * 1000:.0f} ms")
    assert seconds < 1


def test_a_damaged_copy_never_shows_fewer_changes_in_silence() -> None:
    """Every plan cut off twice, and with one byte changed four times."""
    chance = random.Random(5)  # noqa: S311  # The same copies every time.
    seen: dict[str, Counter[str]] = {"cut off": Counter(), "one byte changed": Counter()}
    for row in rows():
        data = (CORPUS / f"{row['file']}.json").read_bytes()
        whole = reading(row).changes
        for _ in range(2):
            cut = data[: chance.randrange(len(data.rstrip()))]
            seen["cut off"][_fate(cut, whole)] += 1
        for _ in range(4):
            damaged = bytearray(data)
            at = chance.randrange(len(data))
            damaged[at] ^= 1 << chance.randrange(8)
            seen["one byte changed"][_fate(bytes(damaged), whole)] += 1
    print(f"\n{'copies':20}" + "".join(f"{fate:>18}" for fate in _FATES))
    for damage, fates in seen.items():
        print(f"{damage:20}" + "".join(f"{fates[fate]:18}" for fate in _FATES))
    assert set(seen["cut off"]) == {"refused"}
    assert all(fates["fewer, in silence"] == 0 for fates in seen.values())


_FATES = ("refused", "more is opaque", "as many changes", "fewer, in silence")


def _fate(data: bytes, whole: tuple[Change, ...]) -> str:
    found = read("plan.json", data.decode("utf-8", "surrogateescape"), Options())
    if found.problems:
        return "refused"
    if len(found.changes) < len(whole):
        return "fewer, in silence"
    unread, before = (
        sum(each.opaque is not None for each in changes) for changes in (found.changes, whole)
    )
    return "more is opaque" if unread > before else "as many changes"
