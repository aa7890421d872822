"""The algebra of globs agrees with automata: inclusion, intersection, realisable assignments, witnesses and lemmas."""

import os
import time
from itertools import combinations, product

import pytest
from glob_automata import example
from hypothesis import given, settings
from hypothesis import strategies as st
from interegular import parse_pattern
from interegular.fsm import Alphabet, anything_else
from pysat.solvers import Cadical153

from interlock.analyzer.globs import (
    EVERYTHING,
    Conflict,
    Index,
    Lemmas,
    Pattern,
    TooLarge,
    Witness,
    disjoint,
    includes,
    intersect,
    intersect_all,
    lemmas,
    normal,
    realisable,
    write,
)
from interlock.lang.scalars import matches

ALPHABET = "ab"
pieces = st.text(ALPHABET, max_size=3)
patterns = st.lists(pieces, min_size=1, max_size=4).map(tuple)
families = st.lists(patterns, max_size=4)
words = st.text("abx", max_size=8)


def glob(text: str) -> Pattern:
    return tuple(text.split("*"))


def globs(text: str) -> list[Pattern]:
    return [glob(word) for word in text.split()]


# Inclusion


@given(patterns, patterns)
def test_one_word_decides_inclusion(broad: Pattern, narrow: Pattern) -> None:
    assert includes(broad, narrow) == (example([narrow], [broad]) is None)


@given(patterns, families)
def test_a_union_includes_a_glob_only_if_a_member_does(
    narrow: Pattern, union: list[Pattern]
) -> None:
    assert any(includes(broad, narrow) for broad in union) == (example([narrow], union) is None)


@given(patterns, patterns)
def test_two_normal_forms_are_equal_where_the_texts_are(one: Pattern, other: Pattern) -> None:
    same = example([one], [other]) is None and example([other], [one]) is None
    assert (normal(one) == normal(other)) == same


@pytest.mark.parametrize(
    ("broad", "narrow", "expected"),
    [
        ("*", "prod", True),
        ("prod-*", "prod-db-*", True),
        ("prod-db-*", "prod-*", False),
        ("a*a", "a", False),
        ("*ab*", "*a*b*", False),
        ("*a*b*", "*ab*", True),
        ("a**b", "a*b", True),
        ("\x00*", "\x00\x00", True),
        ("*\U0010ffff*", "*", False),
        ("\ud800*", "\ud800*\udfff", True),
    ],
)
def test_inclusion_over_any_letters(broad: str, narrow: str, expected: bool) -> None:
    """No letter is special: neither NUL nor the last code point nor a lone surrogate."""
    assert includes(glob(broad), glob(narrow)) == expected


# Intersection


@given(patterns, patterns, words)
def test_an_intersection_holds_what_both_hold(one: Pattern, other: Pattern, word: str) -> None:
    shared = intersect(one, other)
    assert not isinstance(shared, TooLarge)
    both = matches(word, one) and matches(word, other)
    assert any(matches(word, member) for member in shared) == both


@given(patterns, patterns)
def test_an_intersection_is_exact_and_minimal(one: Pattern, other: Pattern) -> None:
    """No text of both is outside the union, no member is outside one of them, none is inside another."""
    shared = intersect(one, other)
    assert not isinstance(shared, TooLarge)
    assert example([one, other], shared) is None
    for member in shared:
        assert example([member], [one]) is None
        assert example([member], [other]) is None
        assert member == normal(member)
    assert not any(includes(a, b) or includes(b, a) for a, b in combinations(shared, 2))


@given(patterns, patterns)
def test_an_intersection_has_no_sides(one: Pattern, other: Pattern) -> None:
    assert intersect(one, other) == intersect(other, one)


@given(patterns, patterns)
def test_disjoint_globs_share_nothing(one: Pattern, other: Pattern) -> None:
    assert (
        disjoint(one, other) == (intersect(one, other) == ()) == (example([one, other], []) is None)
    )


@given(families)
def test_an_intersection_of_many_is_exact(family: list[Pattern]) -> None:
    shared = intersect_all(family)
    assert not isinstance(shared, TooLarge)
    assert example(family, shared) is None
    assert all(includes(pattern, member) for pattern in family for member in shared)


@given(patterns, patterns)
@settings(max_examples=20)
def test_inclusion_and_disjointness_agree_with_regular_expressions(
    one: Pattern, other: Pattern
) -> None:
    """A second judge, which shares nothing with the first."""
    letters = Alphabet.from_groups({"a"}, {"b"}, {"x"}, {anything_else})  # type: ignore[no-untyped-call]

    def machine(pattern: Pattern):  # type: ignore[no-untyped-def]  # interegular has no types
        return parse_pattern("[abx]*".join(pattern) or "()").to_fsm(letters)

    first, second = machine(one), machine(other)
    assert includes(one, other) == second.difference(first).empty()
    assert disjoint(one, other) == first.intersection(second).empty()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("prod/*/db-*", "*/t1/backup", "prod/*/db-*/t1/backup"),
        ("prod/*", "*/db", "prod/*/db prod/db"),
        ("x*", "*x", "x*x x"),
        ("*ab*", "*bc*", "*ab*bc* *abc* *bc*ab*"),
        ("prod-*", "dev-*", ""),
        ("prod-db", "prod-*", "prod-db"),
        ("prod-db", "*x*", ""),
        ("*", "*", "*"),
    ],
)
def test_intersections(one: str, other: str, expected: str) -> None:
    found = intersect(glob(one), glob(other))
    assert not isinstance(found, TooLarge)
    assert {write(member) for member in found} == set(expected.split())


def test_an_intersection_too_large_is_named() -> None:
    """Twenty pieces can be shuffled with twenty others in more ways than anyone would read."""
    one = ("", *"abcdefghij", "")
    other = ("", *"klmnopqrst", "")
    assert intersect(one, other) == TooLarge("work on an intersection")
    assert intersect(one * 4, other * 4) == TooLarge("pieces of a glob")
    assert len(intersect(glob("*a*b*c*"), glob("*d*e*f*"))) == 20  # type: ignore[arg-type]
    assert realisable([one, other], []) == TooLarge("work on an intersection")
    three = intersect(glob("*a*b*c*"), glob("*d*e*f*"), limit=19)
    assert three == TooLarge("globs of an intersection")


def test_the_limit_on_work_is_reached_soon() -> None:
    """The worst that the limits let in."""
    one = ("", *["ab", "ba"] * 15, "")
    other = ("", *["ba", "aab"] * 15, "")
    started = time.perf_counter()
    assert isinstance(intersect(one, other), TooLarge)
    assert time.perf_counter() - started < 5


# Realisable assignments


def check_answer(positive: list[Pattern], negative: list[Pattern], **options: object) -> None:
    exact = example(positive, negative)
    match realisable(positive, negative, **options):  # type: ignore[arg-type]
        case Witness(found, text):
            assert exact is not None
            assert all(matches(text, pattern) for pattern in positive)
            assert not any(matches(text, pattern) for pattern in negative)
            assert matches(text, found)
            assert all(includes(pattern, found) for pattern in positive)
        case Conflict(cores):
            assert exact is None
            assert cores
            for core in cores:
                assert {*core.positive} <= {normal(p) for p in positive}
                assert {*core.negative} <= {normal(q) for q in negative}
                check_core(core.positive, core.negative)
        case other:
            pytest.fail(str(other))


def check_core(positive: tuple[Pattern, ...], negative: tuple[Pattern, ...]) -> None:
    """No text has it, and each smaller part is had by a text."""
    assert example(positive, negative) is None
    for left_out in positive:
        assert example([p for p in positive if p != left_out], negative) is not None
    for left_out in negative:
        assert example(positive, [q for q in negative if q != left_out]) is not None


@given(families, families)
def test_an_assignment_has_a_witness_or_a_minimal_core(
    positive: list[Pattern], negative: list[Pattern]
) -> None:
    check_answer(positive, negative)


@given(st.lists(patterns, min_size=1, max_size=6, unique_by=normal), st.data())
def test_an_index_of_more_patterns_changes_no_answer(
    family: list[Pattern], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.booleans(), min_size=len(family), max_size=len(family)))
    positive = [p for p, holds in zip(family, chosen, strict=True) if holds]
    negative = [p for p, holds in zip(family, chosen, strict=True) if not holds]
    check_answer(positive, negative, index=Index(family))


@given(families, families, st.lists(words, max_size=5))
def test_a_candidate_is_taken_where_one_fits(
    positive: list[Pattern], negative: list[Pattern], candidates: list[str]
) -> None:
    fitting = [
        text
        for text in candidates
        if all(matches(text, p) for p in positive) and not any(matches(text, q) for q in negative)
    ]
    found = realisable(positive, negative, candidates=candidates)
    if fitting:
        assert isinstance(found, Witness | Conflict)
        literal = any(len(p) == 1 for p in positive)
        assert isinstance(found, Witness)
        assert found.text == (found.text if literal else fitting[0])
    check_answer(positive, negative, candidates=candidates)


@pytest.mark.parametrize(
    ("positive", "negative", "text"),
    [
        ("prod-*", "", "prod-x"),
        ("*-db", "", "x-db"),
        ("*backup*", "", "backup"),
        ("prod/*/db-*", "", "prod/x/db-x"),
        ("prod-* *-db", "", "prod-db"),
        ("prod-*", "*x*", "prod-y"),
        ("prod-*", "prod-x", "prod-y"),
        ("*a*b*", "*ab*", "axb"),
        ("*", "", "x"),
        ("prod-db prod-*", "prod-web", "prod-db"),
    ],
)
def test_witnesses_are_readable(positive: str, negative: str, text: str) -> None:
    found = realisable(globs(positive), globs(negative))
    assert isinstance(found, Witness)
    assert found.text == text


@pytest.mark.parametrize(
    ("positive", "negative", "core"),
    [
        ("prod-* dev-* *", "", ({"prod-*", "dev-*"}, set())),
        ("prod-* *x*", "p* *y*", ({"prod-*"}, {"p*"})),
        ("*a* *b*", "*a*b* *b*a* c*", ({"*a*", "*b*"}, {"*a*b*", "*b*a*"})),
        ("prod", "p* *x*", ({"prod"}, {"p*"})),
    ],
)
def test_cores(positive: str, negative: str, core: tuple[set[str], set[str]]) -> None:
    """Two globs that share several may need several refusals: the lemma is then a longer clause."""
    found = realisable(globs(positive), globs(negative))
    assert isinstance(found, Conflict)
    assert [({*map(write, c.positive)}, {*map(write, c.negative)}) for c in found.cores] == [core]


def test_every_letter_that_is_easy_to_read_may_be_taken() -> None:
    """A pattern may refuse each readable letter; the next letter of Unicode is still there."""
    taken = [("", chr(point), "") for point in range(0x20, 0x250)]
    found = realisable([("<", ">")], taken[:0] + [t for t in taken if t[1] not in "<>"])
    assert isinstance(found, Witness)
    assert matches(found.text, ("<", ">"))


# Lemmas


def holds(family: Lemmas, text: str) -> list[bool]:
    return [matches(text, pattern) for pattern in family.patterns]


@given(st.lists(patterns, max_size=8), words)
def test_every_text_keeps_the_lemmas(family: list[Pattern], word: str) -> None:
    found = lemmas(family)
    truth = holds(found, word)
    for clause in found.clauses:
        assert any(truth[abs(literal) - 1] == (literal > 0) for literal in clause), clause


@given(st.lists(patterns, max_size=8))
def test_every_lemma_is_one_by_automata(family: list[Pattern]) -> None:
    found = lemmas(family)
    for clause in found.clauses:
        positive = [found.patterns[-literal - 1] for literal in clause if literal < 0]
        negative = [found.patterns[literal - 1] for literal in clause if literal > 0]
        assert example(positive, negative) is None
    assert found.patterns[: len({*map(normal, family)})] == tuple(
        dict.fromkeys(map(normal, family))
    )


@given(st.lists(patterns, max_size=7))
def test_what_two_patterns_decide_follows_from_the_lemmas(family: list[Pattern]) -> None:
    """Inclusions, and exclusions of globs: unit propagation finds each from the clauses, helpers included."""
    found = lemmas(family)
    with Cadical153(bootstrap_with=found.clauses) as solver:
        for (i, one), (j, other) in product(enumerate(found.patterns, 1), repeat=2):
            if max(i, j) > len({*map(normal, family)}):
                continue
            if includes(other, one):
                assert not solver.solve(assumptions=[i, -j]), (one, other)
            if disjoint(one, other) and len(one) > 1 and len(other) > 1:
                assert not solver.solve(assumptions=[i, j]), (one, other)


simple = st.one_of(
    pieces.map(lambda text: (text,)),
    pieces.map(lambda text: (text, "")),
    pieces.map(lambda text: ("", text)),
    st.tuples(st.text("ab", max_size=2), st.text("cd", max_size=2)),
    patterns,
)


@given(st.lists(simple, max_size=6))
def test_complete_lemmas_leave_only_what_a_text_has(family: list[Pattern]) -> None:
    found = lemmas(family)
    if not found.complete:
        return
    given_patterns = found.patterns[: len({*map(normal, family)})]
    with Cadical153(bootstrap_with=found.clauses) as solver:
        for signs in product((1, -1), repeat=len(given_patterns)):
            allowed = solver.solve(assumptions=[n * s for n, s in enumerate(signs, 1)])
            positive = [p for p, sign in zip(given_patterns, signs, strict=True) if sign > 0]
            negative = [p for p, sign in zip(given_patterns, signs, strict=True) if sign < 0]
            assert allowed == (example(positive, negative) is not None), (positive, negative)


@pytest.mark.parametrize(
    ("family", "complete"),
    [
        ("prod-* prod-db-* dev-* *", True),
        ("prod-1 prod-2 prod-* *-1", True),
        ("prod/*-db prod/* *-db", True),
        ("ab*ba", False),
        ("*backup*", False),
    ],
)
def test_the_families_that_pairs_decide(family: str, complete: bool) -> None:
    """`ab*ba` is not complete: `aba` has both ends, and they overlap."""
    assert lemmas(globs(family)).complete == complete


def test_names_are_told_apart_without_all_their_pairs() -> None:
    """Five thousand names have twelve million pairs and a few clauses each."""
    names = [(f"resource-{number}",) for number in range(5_000)]
    found = lemmas(names)
    assert found.complete
    assert len(found.clauses) < 10 * len(names)
    with Cadical153(bootstrap_with=found.clauses) as solver:
        assert solver.solve(assumptions=[17])
        assert not solver.solve(assumptions=[17, 4_711])


def test_ten_thousand_patterns_take_a_moment() -> None:
    family = [
        shape
        for team, kind in product(range(500), ("db", "queue", "bucket", "table", "key"))
        for shape in (
            (f"prod/t{team}/{kind}-", ""),
            (f"prod/t{team}/{kind}",),
            ("", f"/t{team}/{kind}"),
            (f"dev/t{team}/", f"/{kind}-", ""),
        )
    ]
    started = time.perf_counter()
    found = lemmas(family)
    elapsed = time.perf_counter() - started
    assert len(family) == 10_000
    assert len(found.clauses) < 12 * len(family)
    assert elapsed < (2 if "CI" not in os.environ else 10)


def test_everything_is_always_true() -> None:
    assert lemmas([EVERYTHING]).clauses == [(1,)]
