"""The values a policy computes with: exact, immutable, hashable, and never two kinds equal to each other."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple, NoReturn, Self

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
UNITS: tuple[tuple[str, int], ...] = (
    ("w", 7 * 24 * 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("us", MICROSECOND),
    ("ns", NANOSECOND),
)
"""Units of a duration from long to short, in nanoseconds."""


@dataclass(frozen=True, slots=True, order=True)
class Decimal:
    """An exact number with four decimal places; `units` counts ten-thousandths."""

    units: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`12.5` as a value; `None` unless it is a number with at most four decimal places."""
        match = re.fullmatch(r"(-?)([0-9]{1,1000})(?:\.([0-9]{1,4}))?", text, re.ASCII)
        if match is None:
            return None
        sign, whole, part = match.groups()
        units = int(whole) * 10_000 + int((part or "").ljust(4, "0"))
        return cls(-units if sign else units)

    def __str__(self) -> str:
        whole, part = divmod(abs(self.units), 10_000)
        places = f"{part:04d}".rstrip("0") or "0"
        return f"{'-' if self.units < 0 else ''}{whole}.{places}"


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`1h30m` as a value; each unit at most once, from long to short."""
        body = text.removeprefix("-")
        pattern = "".join(rf"(?:([0-9]{{1,100}}){unit})?" for unit, _ in UNITS)
        match = re.fullmatch(pattern, body, re.ASCII)
        if match is None or not body:
            return None
        total = sum(
            int(count) * size
            for count, (_, size) in zip(match.groups(), UNITS, strict=True)
            if count is not None
        )
        return cls(-total if text.startswith("-") else total)

    @classmethod
    def of(cls, delta: timedelta) -> Self:
        return cls((delta // timedelta(microseconds=1)) * MICROSECOND)

    def __str__(self) -> str:
        rest, text = abs(self.nanoseconds), ""
        for unit, size in UNITS:
            count, rest = divmod(rest, size)
            if count:
                text += f"{count}{unit}"
        return ("-" if self.nanoseconds < 0 else "") + (text or "0s")


_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A moment, in nanoseconds since 1970-01-01T00:00:00Z."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """An RFC 3339 date and time with its offset from UTC; `None` if it is not one."""
        match = _INSTANT.fullmatch(text)
        if match is None:
            return None
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        try:
            moment = datetime(
                int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        except ValueError:
            return None
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
        if offset not in "Zz":
            hours, minutes = int(offset[1:3]), int(offset[4:6])
            if hours > 23 or minutes > 59:
                return None
            shift = hours * 3600 + minutes * 60
            seconds -= -shift if offset[0] == "-" else shift
        return cls(seconds * SECOND + int((fraction or "").ljust(9, "0")))

    def __str__(self) -> str:
        seconds, fraction = divmod(self.nanoseconds, SECOND)
        places = f".{fraction:09d}".rstrip("0") if fraction else ""
        try:
            moment = _EPOCH + timedelta(seconds=seconds)
        except OverflowError:
            return f"{seconds}s{places} after 1970-01-01T00:00:00Z"
        return f"{moment:%Y-%m-%dT%H:%M:%S}{places}Z"


IpRange = IPv4Network | IPv6Network


def parse_ip_range(text: str) -> IpRange | None:
    """An address or a CIDR block without host bits; `None` if it is neither."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def within(inner: IpRange, outer: IpRange) -> bool:
    """Whether every address of `inner` is in `outer`; never across versions of IP."""
    return (
        inner.version == outer.version
        and outer.network_address <= inner.network_address  # type: ignore[operator]  # same version
        and inner.broadcast_address <= outer.broadcast_address  # type: ignore[operator]
    )


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A member of a declared enum; `rank` is its place in the declaration."""

    enum: str
    name: str
    rank: int

    def __str__(self) -> str:
        return self.name


class EntityId(NamedTuple):
    """The name of an entity: `Type::"id"`. Actions are entities of type `Action`."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}::{quote(self.id)}"


class Record(dict[str, "Value"]):
    """A value with named fields; an optional field that is absent has no key. Never changed once made."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a record does not change")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


Value = (
    bool
    | int
    | Decimal
    | str
    | Instant
    | Duration
    | IPv4Network
    | IPv6Network
    | EnumValue
    | EntityId
    | Record
    | frozenset["Value"]
)

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "{": "\\{"}


def quote(text: str) -> str:
    """A string as the language writes it; control characters and lone surrogates are escaped."""
    return '"' + "".join(_quoted(character) for character in text) + '"'


def _quoted(character: str) -> str:
    if character in _ESCAPES and character != "{":
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\u{{{ord(character):x}}}"


def quote_template_text(text: str) -> str:
    """The inside of a quoted string whose `{` start holes, so that `text` has none."""
    return "".join("\\{" if character == "{" else _quoted(character) for character in text)


def show(value: Value) -> str:
    """A value as the language writes it, sets in a stable order."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quote(value)
        case frozenset():
            return "{" + ", ".join(sorted(map(show, value))) + "}"
        case Record():
            fields = ", ".join(f"{name}: {show(item)}" for name, item in sorted(value.items()))
            return "{ " + fields + " }" if fields else "{}"
        case _:
            return str(value)
