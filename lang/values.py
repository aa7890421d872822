"""The values a policy computes with: exact, immutable, hashable, and never two kinds equal to each other."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NamedTuple, Self

from .scalars import (
    IpRange,
    escaped,
    quote,
    read_decimal,
    read_duration,
    read_instant,
    write_decimal,
    write_duration,
    write_instant,
    write_integer,
)

__all__ = ["IpRange", "quote"]


@dataclass(frozen=True, slots=True, order=True)
class Decimal:
    """An exact number with four decimal places; `units` counts ten-thousandths."""

    units: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`12.5` as a value; `None` unless it is a number with at most four decimal places."""
        units = read_decimal(text)
        return None if units is None else cls(units)

    def __str__(self) -> str:
        return write_decimal(self.units)


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`1h30m` as a value; each unit at most once, from long to short."""
        nanoseconds = read_duration(text)
        return None if nanoseconds is None else cls(nanoseconds)

    @classmethod
    def of(cls, delta: timedelta) -> Self:
        return cls((delta // timedelta(microseconds=1)) * 1_000)

    def __str__(self) -> str:
        return write_duration(self.nanoseconds)


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A moment, in nanoseconds since 1970-01-01T00:00:00Z."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """An RFC 3339 date and time with its offset from UTC; `None` if it is not one."""
        nanoseconds = read_instant(text)
        return None if nanoseconds is None else cls(nanoseconds)

    def __str__(self) -> str:
        return write_instant(self.nanoseconds)


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

    def __reduce__(self) -> tuple[type["Record"], tuple[dict[str, "Value"]]]:
        return Record, (dict(self),)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a record does not change")

    __setitem__: Any = _refuse
    __delitem__: Any = _refuse
    __ior__: Any = _refuse
    clear: Any = _refuse
    pop: Any = _refuse
    popitem: Any = _refuse
    setdefault: Any = _refuse
    update: Any = _refuse


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


def quote_template_text(text: str) -> str:
    """The inside of a quoted string whose `{` start holes, so that `text` has none."""
    return "".join("\\{" if character == "{" else escaped(character) for character in text)


def show(value: Value) -> str:
    """A value as the language writes it, sets in a stable order."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quote(value)
        case int():
            return write_integer(value)
        case frozenset():
            return "{" + ", ".join(sorted(map(show, value))) + "}"
        case Record():
            fields = ", ".join(f"{name}: {show(item)}" for name, item in sorted(value.items()))
            return "{ " + fields + " }" if fields else "{}"
        case _:
            return str(value)
