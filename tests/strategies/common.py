"""What drawn policies and drawn data have in common, so that they meet."""

from typing import Any

from interlock.lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    STRING,
)
from interlock.lang.values import Decimal, Duration

Json = Any

IDS = ("a", "b")
STRINGS = ("", "prod", "prod-1", "backup 𝄞", "a*b", 'say "hi" \\ {now}', "\u00a0\t")
PATTERNS = (("prod",), ("prod", ""), ("", "-1"), ("", ""), ("a*b",), ("", "o", ""), ("p", "", "1"))
INTEGERS = (0, 1, 2, 3, 100, 12_345, 10**30)
DECIMALS = tuple(map(Decimal, (0, 1, 5_000, 10_000, 15_000, 1_000_000)))
DURATIONS = tuple(map(Duration, (0, 1, 1_000_000_000, 3_600_000_000_000, 90_061_000_000_000)))
INSTANTS = ("2026-01-01T00:00:00Z", "2024-02-29T23:59:59.5Z", "2026-01-01T02:00:00+02:00")
RANGES = ("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::1")
PRIMITIVE_TYPES = (BOOL, INT, DECIMAL, STRING, INSTANT, DURATION, IP_RANGE)
