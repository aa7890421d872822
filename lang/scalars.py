"""Scalars as plain numbers and texts: how each is written, read and quoted. Imports nothing of this project."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

IpRange = IPv4Network | IPv6Network

SECOND = 1_000_000_000
UNITS: tuple[tuple[str, int], ...] = (
    ("w", 7 * 24 * 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
)
"""Units of a duration from long to short, in nanoseconds."""
_DECIMAL = re.compile(r"(-?)([0-9]{1,1000})(?:\.([0-9]{1,4}))?", re.ASCII)
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,1100}}){unit})?" for unit, _ in UNITS), re.ASCII)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_IP_RANGE = re.compile(r"[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?", re.ASCII)
_DECIMAL_BITS = 13_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def read_decimal(text: str) -> int | None:
    """`12.5` in ten-thousandths; `None` unless it is a number with at most four decimal places."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, part = match.groups()
    units = int(whole) * 10_000 + int((part or "").ljust(4, "0"))
    return -units if sign else units


def write_integer(number: int) -> str:
    """Decimal digits, or hexadecimal ones where Python refuses to write so many decimal ones."""
    return str(number) if number.bit_length() < _DECIMAL_BITS else hex(number)


def write_decimal(units: int) -> str:
    whole, part = divmod(abs(units), 10_000)
    places = f"{part:04d}".rstrip("0") or "0"
    return f"{'-' if units < 0 else ''}{write_integer(whole)}.{places}"


def read_duration(text: str) -> int | None:
    """`1h30m` in nanoseconds; each unit at most once, from long to short."""
    body = text.removeprefix("-")
    match = _DURATION.fullmatch(body)
    if match is None or not body:
        return None
    total = sum(
        int(count) * size
        for count, (_, size) in zip(match.groups(), UNITS, strict=True)
        if count is not None
    )
    return -total if text.startswith("-") else total


def write_duration(nanoseconds: int) -> str:
    rest, text = abs(nanoseconds), ""
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        if count:
            text += f"{write_integer(count)}{unit}"
    return ("-" if nanoseconds < 0 else "") + (text or "0s")


def read_instant(text: str) -> int | None:
    """An RFC 3339 date and time with its offset, in nanoseconds since 1970; `None` if it is not one."""
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
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def write_instant(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, SECOND)
    places = f".{fraction:09d}".rstrip("0") if fraction else ""
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{write_integer(seconds)}s{places} after 1970-01-01T00:00:00Z"
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{places}Z"


def read_ip_range(text: str) -> IpRange | None:
    """An address or a CIDR block without host bits; `None` if it is neither. Netmasks and zones are not taken."""
    if not _IP_RANGE.fullmatch(text):
        return None
    try:
        return ip_network(text)
    except ValueError:
        return None


def within(inner: IpRange, outer: IpRange) -> bool:
    """Whether every address of `inner` is in `outer`; never across versions of IP."""
    return inner.version == outer.version and (
        int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


def matches(text: str, pattern: tuple[str, ...]) -> bool:
    """Whether the text is the pieces of the pattern in order, with any text between them."""
    first, *rest = pattern
    if not rest:
        return text == first
    *middle, last = rest
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    start, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, start, end)
        if found < 0:
            return False
        start = found + len(piece)
    return True


def quote(text: str) -> str:
    """A string as the language writes it; control characters and lone surrogates are escaped."""
    return '"' + "".join(map(escaped, text)) + '"'


def escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
