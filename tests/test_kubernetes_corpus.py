"""Real manifests: all are read, nothing is dropped, damaged copies never show less; run with `-s` for the table."""

import random
import tarfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from interlock.plans.model import Reading
from interlock.plans.sources import Options
from interlock.plans.sources.kubernetes.source import compare, read, read_all

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "kubernetes"
ARCHIVES = ("examples", "gatekeeper-library", "kube-prometheus", "microservices-demo")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpora at {CORPUS}")


@cache
def files(archive: str) -> tuple[tuple[str, str], ...]:
    with tarfile.open(CORPUS / f"{archive}.tar.gz") as opened:
        return tuple(
            (member.name, file.read().decode("utf-8"))
            for member in opened
            if member.name.endswith((".yaml", ".yml", ".json"))
            and (file := opened.extractfile(member))
        )


@cache
def readings(archive: str) -> tuple[Reading, ...]:
    return read_all(files(archive), Options())


class _Lenient(yaml.CSafeLoader):
    """PyYAML's own reader; nothing of ours."""


# PyYAML has no constructor for `=`, which is text.
_Lenient.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


@cache
def counted(text: str) -> int | None:
    """The objects in a file by PyYAML alone, lists by their elements; `None` where it gives up."""
    try:
        documents = list(yaml.load_all(text, Loader=_Lenient))
    except yaml.YAMLError:
        return None
    return sum(map(_objects, documents))


def _objects(value: Any) -> int:
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List"):
        items = value.get("items")
        return sum(map(_objects, items)) if isinstance(items, list) else 1
    return 0 if value is None else 1


@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_object_is_one_change(archive: str) -> None:
    wrong = {}
    for (file, text), reading in zip(files(archive), readings(archive), strict=True):
        expected, found = counted(text), len(reading.changes)
        if found == 0:
            assert reading.problems, file
            assert not expected, file
        elif expected is None:
            assert any(change.opaque for change in reading.changes), file
        elif expected != found:
            wrong[file] = (expected, found)
    assert wrong == {}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_change_stands_where_its_object_begins(archive: str) -> None:
    for (file, text), reading in zip(files(archive), readings(archive), strict=True):
        lines = text.removeprefix("\ufeff").split("\n")
        for change in reading.changes:
            place = change.source
            assert place.file == file
            rest = lines[place.line - 1][place.column - 1 :] if place.line <= len(lines) else ""
            if change.opaque is None:
                assert rest.strip(), (file, place)


def test_the_totals() -> None:
    print(f"\n{'archive':22}{'files':>7}{'objects':>9}{'changes':>9}{'opaque':>8}{'problems':>10}")
    for archive in ARCHIVES:
        found = readings(archive)
        changes = [change for reading in found for change in reading.changes]
        objects = sum(counted(text) or 0 for _, text in files(archive))
        opaque = sum(change.opaque is not None for change in changes)
        problems = sum(len(reading.problems) for reading in found)
        print(f"{archive:22}{len(found):>7}{objects:>9}{len(changes):>9}{opaque:>8}{problems:>10}")
        effects = Counter(str(change.effect) for change in changes)
        print(" " * 4 + ", ".join(f"{name} {number}" for name, number in effects.most_common()))
        assert len(changes) >= objects


@pytest.mark.parametrize("archive", ARCHIVES)
def test_deleting_all_of_it_is_as_many_deletions(archive: str) -> None:
    manifests = [text for text in files(archive) if "AdmissionReview" not in text[1]]
    found = compare(manifests, [], Options())
    applied = read_all(manifests, Options())
    effects: Counter[str] = Counter()
    for old, new in zip(applied, found, strict=True):
        effects += Counter(str(change.effect) for change in new.changes)
        assert len(new.changes) == len(old.changes)
        for before, after in zip(old.changes, new.changes, strict=True):
            deleted = "kubernetes.delete" if before.action == "kubernetes.apply" else before.action
            assert after.action == deleted or after.action == "kubernetes.unread"
    print(f"\n{archive} deleted: {dict(effects.most_common())}")


@pytest.mark.parametrize("archive", ARCHIVES)
def test_an_unchanged_state_changes_nothing(archive: str) -> None:
    manifests = [
        (file, text)
        for (file, text), reading in zip(files(archive), readings(archive), strict=True)
        if all(change.action == "kubernetes.apply" for change in reading.changes)
    ]
    # Two files may hold one object in two forms, so each is compared with itself.
    for each in manifests[:200]:
        found = compare([each], [each], Options())
        names = [change.resource.id for change in found[1].changes]
        if len(set(names)) == len(names):
            actions = {change.action for reading in found for change in reading.changes}
            assert actions <= {"kubernetes.no_op", "kubernetes.review"}, each[0]


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_cut_copy_shows_what_is_whole_and_says_that_the_rest_is_not(archive: str) -> None:
    chance = random.Random(7)  # noqa: S311  # The same copies every time.
    for file, text in chance.sample(files(archive), min(40, len(files(archive)))):
        if len(text) > 200_000:
            continue
        whole = read(file, text, Options()).changes
        for _ in range(4):
            cut = chance.randrange(1, len(text))
            reading = read(file, text[:cut], Options())
            # Every document that ends before the cut is there as it was.
            ended = text.rfind("\n---", 0, cut)
            kept = read(file, text[:ended] if ended > 0 else "", Options()).changes
            assert [does(each) for each in reading.changes[: len(kept)]] == [
                does(each) for each in kept
            ], (file, cut)
            assert len(reading.changes) >= len(kept)
            assert reading.changes or reading.problems
            assert len(reading.changes) <= len(whole) + 1


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_damaged_copy_never_shows_fewer_changes_in_silence(archive: str) -> None:
    chance = random.Random(11)  # noqa: S311  # The same copies every time.
    fates: Counter[str] = Counter()
    for file, text in chance.sample(files(archive), min(40, len(files(archive)))):
        if len(text) > 100_000:
            continue
        whole = len(read(file, text, Options()).changes)
        for _ in range(6):
            data = bytearray(text.encode("utf-8"))
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
            damaged = data.decode("utf-8", "replace")
            reading = read(file, damaged, Options())
            opaque = any(change.opaque for change in reading.changes)
            # A separator that was hit joins two documents, which then has a key twice, or none.
            assert len(reading.changes) >= whole or opaque or reading.problems, (file, at)
            fates["refused" if reading.problems else "opaque" if opaque else "as many"] += 1
    print(f"\n{archive}, one byte changed: {dict(fates)}")


def does(change: Any) -> tuple[str, str, str]:
    return change.action, change.effect, change.resource.id
