"""Numbers and address ranges that are only compared with constants: cells, exact clauses, a value of each cell.

Numbers are integers in the unit of their kind: decimals in ten-thousandths, instants and durations in nanoseconds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network
from itertools import pairwise
from typing import Literal, assert_never

from ..lang.scalars import SECOND, UNITS, IpRange, read_instant, within

Clause = tuple[int, ...]
Operator = Literal["<", "<=", ">", ">=", "="]


class Kind(Enum):
    """What a number counts: it decides which values are round."""

    INTEGER = 1
    DECIMAL = 10_000
    DURATION = SECOND
    INSTANT = 24 * 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers above one bound and up to another, which is included; `None` is no bound."""

    above: int | None = None
    up_to: int | None = None

    def __contains__(self, number: int) -> bool:
        return (self.above is None or number > self.above) and (
            self.up_to is None or number <= self.up_to
        )


ALL = Interval()
_FIRST, _LAST, _USUAL = map(
    read_instant, ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2025-01-01T00:00:00Z")
)
_EARLIEST, _LATEST = map(
    read_instant, ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59")
)
assert _FIRST is not None and _LAST is not None and _USUAL is not None
assert _EARLIEST is not None and _LATEST is not None
INSTANTS = Interval(_EARLIEST - 1, _LATEST)
"""The instants that a request can name."""


# Numbers, by their order


def interval(operator: Operator, constant: int) -> Interval:
    """The numbers that compare so with the constant. Inequality is what `=` leaves out."""
    match operator:
        case "<":
            return Interval(None, constant - 1)
        case "<=":
            return Interval(None, constant)
        case ">":
            return Interval(constant, None)
        case ">=":
            return Interval(constant - 1, None)
        case "=":
            return Interval(constant - 1, constant)
        case _:
            assert_never(operator)


def bounds(intervals: Iterable[Interval]) -> tuple[int, ...]:
    """The thresholds k at which the intervals differ: each interval is ¬(x ≤ above) ∧ (x ≤ up_to)."""
    return tuple(sorted({k for one in intervals for k in (one.above, one.up_to) if k is not None}))


def order_clauses(thresholds: tuple[int, ...], domain: Interval = ALL) -> list[Clause]:
    """All that holds of the atoms x ≤ k, as literals ±(1 + position): an assignment keeps them iff a number has it."""
    clauses: list[Clause] = [(-at, at + 1) for at in range(1, len(thresholds))]
    for at, threshold in enumerate(thresholds, 1):
        if domain.above is not None and threshold <= domain.above:
            clauses.append((-at,))
        if domain.up_to is not None and threshold >= domain.up_to:
            clauses.append((at,))
    return clauses


def cells(thresholds: tuple[int, ...], domain: Interval = ALL) -> list[Interval]:
    """The domain cut at the thresholds, in order: numbers of one cell agree on every atom."""
    cuts = [k for k in thresholds if k in domain and k != domain.up_to]
    return [Interval(*ends) for ends in pairwise([domain.above, *cuts, domain.up_to])]


def representative(cell: Interval, kind: Kind, mentioned: Iterable[int] = ()) -> int:
    """A number of the cell for a reader: the simplest that is mentioned, else the smallest of the roundest."""
    assert cell.above is None or cell.up_to is None or cell.above < cell.up_to
    known = [number for number in mentioned if number in cell]
    if known:
        return min(known, key=lambda number: (abs(number), number < 0))
    if kind is Kind.INSTANT:
        return _instant(cell)
    if 0 in cell:
        return 0
    if cell.above is not None and cell.above >= 0:
        return _round(cell.above + 1, cell.up_to, kind)
    assert cell.up_to is not None
    return -_round(-cell.up_to, None if cell.above is None else -cell.above - 1, kind)


def _round(low: int, high: int | None, kind: Kind) -> int:
    """The first multiple from `low` on of the largest step that is not larger than it, and not beyond `high`."""
    for step in _steps(max(low, kind.value), kind):
        number = -(-low // step) * step
        if high is None or number <= high:
            return number
    raise AssertionError("a step of one always fits")


def _steps(most: int, kind: Kind) -> Iterator[int]:
    if kind in (Kind.DURATION, Kind.INSTANT):
        yield from (size for _, size in UNITS if size <= most)
        most = UNITS[-1][1]
    power = 1
    while power * 10 <= most:
        power *= 10
    while power:
        yield power
        power //= 10


def _instant(cell: Interval) -> int:
    """A whole day where there is one, in the years that a date can name where there is one, and near a bound."""
    assert _FIRST is not None and _LAST is not None and _USUAL is not None
    if _USUAL in cell:
        return _USUAL
    low = _FIRST if cell.above is None else max(cell.above + 1, _FIRST)
    high = _LAST if cell.up_to is None else min(cell.up_to, _LAST)
    if low > high:
        return (
            cell.above + 1 if cell.above is not None else high if cell.up_to is None else cell.up_to
        )
    for step in _steps(Kind.INSTANT.value, Kind.INSTANT):
        number = -(-low // step) * step if low > _USUAL else high // step * step
        if low <= number <= high:
            return number
    raise AssertionError("a step of one always fits")


# Address ranges, by what is inside what


@dataclass(frozen=True, slots=True)
class Block:
    """A range that is mentioned, or at which two of them branch off, or all addresses of a version."""

    range: IpRange
    parent: int | None
    children: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IpSpace:
    """Ranges as a tree: two are apart, or one is inside the other, which intervals of numbers are not.

    A value is itself a range: an address is the longest. For the block at position n the atom `inside(n)` says that the
    value is in the block and `covers(n)` that the block is in the value; both together are equality.
    The clauses are linear in the blocks, and an assignment keeps them iff a range has it.
    """

    blocks: tuple[Block, ...]
    positions: dict[IpRange, int]

    def inside(self, range: IpRange) -> int:
        """The literal that the value is in a range that was mentioned."""
        return 2 * self.positions[range] + 1

    def covers(self, range: IpRange) -> int:
        """The literal that the value holds a range that was mentioned."""
        return 2 * self.positions[range] + 2

    def truth(self, value: IpRange) -> list[bool]:
        """The atoms in order, for one value."""
        return [
            holds
            for block in self.blocks
            for holds in (within(value, block.range), within(block.range, value))
        ]

    def clauses(self) -> list[Clause]:
        roots = [n for n, block in enumerate(self.blocks) if block.parent is None]
        four, six = (2 * n + 1 for n in roots)
        found: list[Clause] = [(four, six), (-four, -six)]
        for n, block in enumerate(self.blocks):
            inside, covers = 2 * n + 1, 2 * n + 2
            below = [(2 * child + 1, 2 * child + 2) for child in block.children]
            if block.parent is None:
                found.append((-covers, inside))
            for child, (in_child, covers_child) in zip(block.children, below, strict=True):
                found += [
                    (-in_child, inside),
                    (-covers, covers_child),
                    (-covers, -in_child),
                    (-covers_child, covers, inside),
                ]
                if not self._has_between(n, child):
                    found.append((-inside, -covers_child, covers, in_child))
            if len(below) == 2:
                (in_one, covers_one), (in_other, covers_other) = below
                found += [
                    (-in_one, -in_other),
                    (-in_one, -covers_other),
                    (-in_other, -covers_one),
                    (-covers_one, -covers_other, covers),
                ]
            if self._beside(n) is None:
                found.append((-inside, covers, *(in_child for in_child, _ in below)))
        return found

    def cells(self) -> Iterator[IpRange]:
        """A value of each cell: each block, what is between it and its parent, and what is beside its children."""
        for n, block in enumerate(self.blocks):
            yield block.range
            for child in block.children:
                if self._has_between(n, child):
                    yield self.blocks[child].range.supernet()
            beside = self._beside(n)
            if beside is not None:
                yield beside

    def representative(self, holds: Callable[[int], bool]) -> IpRange:
        """A value for a reader that has the truth of the atoms, which keep the clauses: a block where one does."""
        n = next(
            n for n, block in enumerate(self.blocks) if block.parent is None and holds(2 * n + 1)
        )
        while True:
            block = self.blocks[n]
            if holds(2 * n + 2):
                return block.range
            deeper = next((child for child in block.children if holds(2 * child + 1)), None)
            if deeper is None:
                break
            n = deeper
        for child in block.children:
            if holds(2 * child + 2):
                return self.blocks[child].range.supernet()
        beside = self._beside(n)
        assert beside is not None
        return beside

    def _has_between(self, parent: int, child: int) -> bool:
        return self.blocks[child].range.prefixlen > self.blocks[parent].range.prefixlen + 1

    def _beside(self, n: int) -> IpRange | None:
        """An address in the block and in none of its children, less than the block; `None` if there is none."""
        block = self.blocks[n]
        if block.range.prefixlen == block.range.max_prefixlen:
            return None
        if not block.children:
            return _address(block.range)
        for child in block.children:
            if len(block.children) == 1 or self._has_between(n, child):
                one, other = self.blocks[child].range.supernet().subnets()
                return _address(other if one == self.blocks[child].range else one)
        return None


def ip_space(mentioned: Iterable[IpRange]) -> IpSpace:
    """The tree of the ranges that are mentioned."""
    roots: list[IpRange] = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    ranges = sorted({*roots, *mentioned}, key=_place)
    joins = {_join(one, other) for one, other in pairwise(ranges) if one.version == other.version}
    ranges = sorted({*ranges, *joins}, key=_place)
    parents: list[int | None] = []
    children: list[list[int]] = [[] for _ in ranges]
    path: list[int] = []
    for n, range in enumerate(ranges):
        while path and not within(range, ranges[path[-1]]):
            path.pop()
        parents.append(path[-1] if path else None)
        if path:
            children[path[-1]].append(n)
        path.append(n)
    blocks = zip(ranges, parents, map(tuple, children), strict=True)
    return IpSpace(
        tuple(Block(*block) for block in blocks), {range: n for n, range in enumerate(ranges)}
    )


def _place(range: IpRange) -> tuple[int, int, int]:
    return range.version, int(range.network_address), range.prefixlen


def _join(one: IpRange, other: IpRange) -> IpRange:
    """The smallest range that holds both."""
    apart = (int(one.network_address) ^ int(other.network_address)).bit_length()
    length = min(one.prefixlen, other.prefixlen, one.max_prefixlen - apart)
    return one.supernet(new_prefix=length)


def _address(range: IpRange) -> IpRange:
    """One address of a range; the first is left to the network where there is a second."""
    return ip_network(range[min(1, range.num_addresses - 1)])
