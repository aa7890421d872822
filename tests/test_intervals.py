"""Cells of numbers and ranges are exact: what keeps the clauses is what a value has, and each has a readable one."""

from ipaddress import ip_network
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysat.solvers import Cadical153

from interlock.analyzer.intervals import (
    ALL,
    INSTANTS,
    Clause,
    Interval,
    Kind,
    Operator,
    bounds,
    cells,
    interval,
    ip_space,
    order_clauses,
    representative,
)
from interlock.lang.scalars import IpRange, within
from interlock.lang.values import Decimal, Duration, Instant

OPERATORS: tuple[Operator, ...] = ("<", "<=", ">", ">=", "=")
operators = st.sampled_from(OPERATORS)
numbers = st.integers(-12, 12)
comparisons = st.lists(st.tuples(operators, numbers), max_size=4)
domains = st.one_of(
    st.just(ALL),
    st.tuples(numbers, st.integers(1, 9)).map(lambda d: Interval(d[0], d[0] + d[1])),
    numbers.map(lambda low: Interval(low, None)),
    numbers.map(lambda high: Interval(None, high)),
)
kinds = st.sampled_from(Kind)


def compare(number: int, operator: Operator, constant: int) -> bool:
    return {
        "<": number < constant,
        "<=": number <= constant,
        ">": number > constant,
        ">=": number >= constant,
        "=": number == constant,
    }[operator]


def models(clauses: list[Clause], atoms: int) -> set[tuple[bool, ...]]:
    """Every assignment that keeps the clauses."""
    found = set()
    with Cadical153(bootstrap_with=clauses) as solver:
        for signs in product((1, -1), repeat=atoms):
            if solver.solve(assumptions=[n * sign for n, sign in enumerate(signs, 1)]):
                found.add(tuple(sign > 0 for sign in signs))
    return found


# Numbers


@given(operators, numbers, numbers)
def test_a_comparison_is_an_interval(operator: Operator, constant: int, number: int) -> None:
    assert (number in interval(operator, constant)) == compare(number, operator, constant)


@given(comparisons, domains)
def test_what_keeps_the_clauses_is_what_a_number_has(
    mentioned: list[tuple[Operator, int]], domain: Interval
) -> None:
    thresholds = bounds(interval(*comparison) for comparison in mentioned)
    possible = {
        tuple(number <= k for k in thresholds) for number in range(-40, 41) if number in domain
    }
    assert models(order_clauses(thresholds, domain), len(thresholds)) == possible


@given(comparisons, domains)
def test_each_number_is_in_one_cell_and_each_cell_is_another_assignment(
    mentioned: list[tuple[Operator, int]], domain: Interval
) -> None:
    thresholds = bounds(interval(*comparison) for comparison in mentioned)
    found = cells(thresholds, domain)
    for number in range(-40, 41):
        assert sum(number in cell for cell in found) == (number in domain)
    seen = {tuple(representative(cell, Kind.INTEGER) <= k for k in thresholds) for cell in found}
    assert len(seen) == len(found)


@given(
    st.integers(),
    st.one_of(st.none(), st.integers(1)),
    st.booleans(),
    kinds,
    st.lists(st.integers()),
)
def test_a_representative_is_in_its_cell(
    above: int, size: int | None, open_below: bool, kind: Kind, mentioned: list[int]
) -> None:
    cell = Interval(
        None if open_below else above,
        None if size is None and not open_below else above + (size or 1),
    )
    chosen = representative(cell, kind, mentioned)
    assert chosen in cell
    known = [number for number in mentioned if number in cell]
    assert not known or chosen in known


@pytest.mark.parametrize(
    ("above", "up_to", "number"),
    [
        (None, None, 0),
        (0, None, 1),
        (100, None, 200),
        (100, 5_000, 200),
        (100, 150, 110),
        (100, 101, 101),
        (999, None, 1_000),
        (None, -1, -1),
        (None, -101, -200),
    ],
)
def test_integers_are_small_and_round(above: int | None, up_to: int | None, number: int) -> None:
    assert representative(Interval(above, up_to), Kind.INTEGER) == number


def test_a_number_too_long_to_write_is_no_problem() -> None:
    cell = Interval(-(10**5000), -2 * 10**4999)
    assert representative(cell, Kind.INTEGER) == -2 * 10**4999


def test_what_is_mentioned_comes_first() -> None:
    assert representative(Interval(100, 5_000), Kind.INTEGER, [7, 5_000, 250]) == 250


@pytest.mark.parametrize(
    ("above", "expected"), [("0.0", "1.0"), ("0.5", "1.0"), ("12.5", "20.0"), ("-3.0", "0.0")]
)
def test_decimals_are_round(above: str, expected: str) -> None:
    bound = Decimal.parse(above)
    assert bound is not None
    assert str(Decimal(representative(Interval(bound.units), Kind.DECIMAL))) == expected


@pytest.mark.parametrize(
    ("above", "expected"),
    [("0s", "1s"), ("1h", "2h"), ("90m", "2h"), ("36h", "2d"), ("10ms", "1s")],
)
def test_durations_are_round(above: str, expected: str) -> None:
    bound = Duration.parse(above)
    assert bound is not None
    assert str(Duration(representative(Interval(bound.nanoseconds), Kind.DURATION))) == expected


@pytest.mark.parametrize(
    ("above", "up_to", "expected"),
    [
        (None, None, "2025-01-01T00:00:00Z"),
        ("2026-03-01T12:00:00Z", None, "2026-03-02T00:00:00Z"),
        ("2026-03-01T12:00:00Z", "2026-03-01T13:30:00Z", "2026-03-01T13:00:00Z"),
        (None, "2024-05-05T05:05:05Z", "2024-05-05T00:00:00Z"),
        (None, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_instants_are_whole_days_near_a_bound(
    above: str | None, up_to: str | None, expected: str
) -> None:
    ends = [Instant.parse(text) if text else None for text in (above, up_to)]
    cell = Interval(*(end.nanoseconds if end else None for end in ends))
    assert str(Instant(representative(cell, Kind.INSTANT))) == expected


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("0001-01-01T00:00:00+23:59", True),
        ("9999-12-31T23:59:59.999999999-23:59", True),
    ],
)
def test_the_instants_that_a_request_can_name(text: str, inside: bool) -> None:
    """The ends are the earliest and the latest: one nanosecond beyond is out."""
    moment = Instant.parse(text)
    assert moment is not None
    assert (moment.nanoseconds in INSTANTS) == inside
    beyond = -1 if text.startswith("0") else 1
    assert moment.nanoseconds + beyond not in INSTANTS


# Address ranges

SMALL = ip_network("10.0.0.0/29")
NEAR: list[IpRange] = [
    *(block for length in range(29, 33) for block in SMALL.subnets(new_prefix=length)),
    *(SMALL.supernet(new_prefix=length) for length in range(29)),
]
FAR: list[IpRange] = [
    *(ip_network(f"{address}/32") for address in ("10.0.0.9", "10.0.1.1", "11.0.0.0", "200.1.1.1")),
    *(
        ip_network(text)
        for text in ("10.0.0.8/29", "11.0.0.0/8", "128.0.0.0/1", "::/0", "::1", "fe80::/10")
    ),
]
mentionable = st.sampled_from(
    [*NEAR, ip_network("::/0"), ip_network("fe80::/10"), ip_network("::1")]
)


@given(st.lists(mentionable, max_size=3))
def test_what_keeps_the_clauses_is_what_a_range_has(mentioned: list[IpRange]) -> None:
    """All that differ on ranges in one small block are in it, around it, or elsewhere."""
    space = ip_space(mentioned)
    tried = [*NEAR, *FAR, *space.cells()]
    clauses = space.clauses()
    for value in tried:
        truth = space.truth(value)
        for clause in clauses:
            assert any(truth[abs(literal) - 1] == (literal > 0) for literal in clause)
    possible = {tuple(space.truth(value)) for value in tried}
    count = 0
    with Cadical153(bootstrap_with=clauses) as solver:
        while solver.solve():
            model = (solver.get_model() or [])[: 2 * len(space.blocks)]
            assert tuple(literal > 0 for literal in model) in possible
            solver.add_clause([-literal for literal in model])
            count += 1
    assert count == len(possible)


@given(st.lists(mentionable, max_size=8))
def test_every_cell_has_its_value(mentioned: list[IpRange]) -> None:
    space = ip_space(mentioned)
    values = list(space.cells())
    truths = [space.truth(value) for value in values]
    assert len({*map(tuple, truths)}) == len(values)
    for truth in truths:
        chosen = space.representative(lambda literal, truth=truth: truth[literal - 1])  # type: ignore[misc]
        assert space.truth(chosen) == truth
    for value in (*NEAR, *FAR):
        assert space.truth(value) in truths


@given(st.lists(mentionable, min_size=1, max_size=8), st.sampled_from([*NEAR, *FAR]))
def test_the_atoms_are_about_the_ranges(mentioned: list[IpRange], value: IpRange) -> None:
    space = ip_space(mentioned)
    truth = space.truth(value)
    for range in mentioned:
        assert truth[space.inside(range) - 1] == within(value, range)
        assert truth[space.covers(range) - 1] == within(range, value)


def test_clauses_are_linear_in_the_ranges() -> None:
    ranges: list[IpRange] = [*ip_network("10.0.0.0/16").subnets(new_prefix=28)]
    space = ip_space(ranges)
    assert len(ranges) == 4_096
    assert len(space.clauses()) < 12 * len(ranges) * 2


def test_values_are_readable() -> None:
    space = ip_space([ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16")])
    assert {str(value) for value in space.cells()} == {
        "0.0.0.0/0",
        "10.0.0.0/7",
        "11.0.0.1/32",
        "10.0.0.0/8",
        "10.0.0.0/15",
        "10.0.0.1/32",
        "10.1.0.0/16",
        "10.1.0.1/32",
        "::/0",
        "::1/128",
    }
