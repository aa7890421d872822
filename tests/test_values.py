"""Decimals, durations, instants and addresses are read exactly or not at all, and written so that they read back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.lang.scalars import read_ip_range, within
from interlock.lang.values import (
    Decimal,
    Duration,
    EntityId,
    EnumValue,
    Instant,
    Record,
    Value,
    show,
)

SECOND = 1_000_000_000
WEEK = 7 * 24 * 3600 * SECOND
junk = st.text(st.sampled_from("0123456789.-+:TZwdhmsnu/ _e\u0663\n\x00𝄞"), max_size=30)


# Decimal


@given(st.integers(-(10**40), 10**40))
def test_a_decimal_reads_back(units: int) -> None:
    """Every decimal has one text, with at least one and at most four places."""
    assert Decimal.parse(str(Decimal(units))) == Decimal(units)


@pytest.mark.parametrize(
    ("text", "units"),
    [("0", 0), ("-0.0", 0), ("1", 10_000), ("1.5", 15_000), ("-0.0001", -1), ("007.10", 71_000)],
)
def test_decimals(text: str, units: int) -> None:
    """`units` counts ten-thousandths."""
    assert Decimal.parse(text) == Decimal(units)


@pytest.mark.parametrize(
    "text",
    ["", "-", ".5", "5.", "1.00001", "1e3", "+1", " 1", "1\n", "1_000", "0x1", "\u0663", "NaN"],
)
def test_what_is_no_decimal_is_refused(text: str) -> None:
    """No rounding, no other alphabets, no spaces."""
    assert Decimal.parse(text) is None


def test_a_decimal_has_a_thousand_digits_at_most() -> None:
    """A limit, so that reading a number takes no longer than it should."""
    assert Decimal.parse("9" * 1000) is not None
    assert Decimal.parse("9" * 1001) is None


# Duration


@given(st.integers(-(10**12) * WEEK, 10**12 * WEEK))
def test_a_duration_reads_back(nanoseconds: int) -> None:
    """Every duration has one text, each unit at most once."""
    assert Duration.parse(str(Duration(nanoseconds))) == Duration(nanoseconds)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1h30m", 5_400 * SECOND),
        ("90m", 5_400 * SECOND),
        ("-1w", -WEEK),
        ("1w1d1h1m1s1ms1us1ns", WEEK + 90_061 * SECOND + 1_001_001),
        ("1m1ms", 60_001_000_000),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    """Units go from long to short; a minute is `m` and a millisecond `ms`."""
    assert Duration.parse(text) == Duration(nanoseconds)


@pytest.mark.parametrize(
    "text",
    ["", "-", "1", "s", "1s1m", "1s1s", "1.5h", "1 h", "1h ", "--1s", "+1s", "\u0663s", "1y"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """No fraction, no unit twice, no length that depends on the calendar."""
    assert Duration.parse(text) is None


@given(st.timedeltas())
def test_a_duration_of_python_is_kept_to_the_microsecond(delta: timedelta) -> None:
    """Python counts microseconds, and so does what comes from it."""
    assert Duration.of(delta).nanoseconds == delta // timedelta(microseconds=1) * 1_000


def test_a_duration_of_a_hundred_digits_a_unit_reads_back() -> None:
    """The longest duration that can be written is written again as one that can be read."""
    longest = Duration.parse("9" * 100 + "w")
    assert longest is not None
    assert Duration.parse(str(longest)) == longest


# Instant

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"
moments = st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1)
"""The first and the last nanosecond that a year of four digits can say."""


@given(moments.filter(lambda moment: moment >= -30_610_224_000 * SECOND))
def test_an_instant_reads_back(nanoseconds: int) -> None:
    """Every instant from the year 1000 on has one text, in UTC."""
    assert Instant.parse(str(Instant(nanoseconds))) == Instant(nanoseconds)


def test_an_instant_before_the_year_1000_reads_back() -> None:
    """A text with a year of fewer digits is no RFC 3339, and could be taken for another year."""
    first = Instant.parse(FIRST)
    assert first is not None
    assert str(first) == FIRST


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_an_instant_agrees_with_python(moment: datetime) -> None:
    """Python's own reading of the same text gives the same moment."""
    found = Instant.parse(moment.isoformat())
    assert found is not None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert found.nanoseconds == since // timedelta(microseconds=1) * 1_000


@given(moments, st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_offset_names_the_same_moment(nanoseconds: int, minutes: int) -> None:
    """`01:00+01:00` is `00:00Z`."""
    local = Instant.parse("2026-01-01T00:00:00Z")
    assert local is not None
    sign = "-" if minutes < 0 else "+"
    shifted = f"2026-01-01T00:00:00{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    found = Instant.parse(shifted)
    assert found == Instant(local.nanoseconds - minutes * 60 * SECOND)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND),
        ("2000-02-29T12:00:00-00:00", 951_825_600 * SECOND),
    ],
)
def test_instants(text: str, nanoseconds: int) -> None:
    """Leap days, moments before 1970, nanoseconds."""
    assert Instant.parse(text) == Instant(nanoseconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Z\n",
        "0000-01-01T00:00:00Z",
        "02026-01-01T00:00:00Z",
        "\u06620\u06626-01-01T00:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """No local times, no leap seconds, no days that do not exist, no finer than nanoseconds."""
    assert Instant.parse(text) is None


@given(st.integers(-(10**60), 10**60))
def test_an_instant_beyond_the_calendar_is_shown_all_the_same(nanoseconds: int) -> None:
    """Arithmetic reaches moments that no calendar names; showing one in a message never raises."""
    assert str(Instant(nanoseconds))


def test_instants_at_the_edges_are_told_apart() -> None:
    """The last second of the year 9999 in the far west lies in the year 10000."""
    inside, outside = Instant.parse(LAST), Instant.parse("9999-12-31T23:59:59-23:59")
    assert inside is not None and outside is not None
    assert inside < outside
    assert str(inside) == LAST
    assert str(outside) != str(inside)


# Addresses


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6), st.integers(0, 32))
def test_an_address_is_in_every_range_around_it(address: object, length: int) -> None:
    """And reads back, as does the range."""
    one = read_ip_range(str(address))
    assert one is not None
    around = one.supernet(new_prefix=length)
    assert read_ip_range(str(around)) == around
    assert within(one, around)
    assert within(around, one) == (around == one)


def test_ranges_of_two_versions_never_meet() -> None:
    """Not even `0.0.0.0/0` and `::/0`, and not through addresses of one version written in the other."""
    every_4, every_6 = read_ip_range("0.0.0.0/0"), read_ip_range("::/0")
    mapped = read_ip_range("::ffff:10.0.0.1")
    assert every_4 is not None and every_6 is not None and mapped is not None
    assert not within(every_4, every_6)
    assert not within(every_6, every_4)
    assert not within(mapped, every_4)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.1/8", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/33", " ::1", "::1/129", "a"],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    """Bits beyond the prefix are a mistake, and leading zeros mean different things to different readers."""
    assert read_ip_range(text) is None


@pytest.mark.parametrize("text", ["10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "fe80::1%eth0"])
def test_a_range_is_written_as_a_prefix_and_without_a_zone(text: str) -> None:
    """`0.255.255.255` is a wildcard mask, easily taken for its opposite, and a zone says nothing elsewhere."""
    assert read_ip_range(text) is None


@given(junk)
def test_reading_junk_never_raises(text: str) -> None:
    """Whatever the text, the answer is a value or nothing."""
    for read in (Decimal.parse, Duration.parse, Instant.parse, read_ip_range):
        assert read(text) is None or str(read(text))


# Records and kinds


values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.text(),
        st.builds(Decimal, st.integers()),
        st.builds(Instant, moments),
        st.builds(Duration, st.integers(0, 10**20)),
        st.builds(EntityId, st.just("User"), st.text()),
        st.just(EnumValue("Risk", "low", 0)),
    ),
    lambda inner: st.one_of(
        st.frozensets(inner, max_size=3),
        st.dictionaries(st.sampled_from("abc"), inner).map(Record),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abcd"), values), st.randoms())
def test_records_with_equal_fields_are_equal(fields: dict[str, Value], random: object) -> None:
    """The order in which fields come in does not matter to `==` or to sets."""
    forwards = Record(fields)
    backwards = Record(dict(reversed(list(fields.items()))))
    assert forwards == backwards
    assert hash(forwards) == hash(backwards)
    assert {forwards} == {backwards}
    assert show(forwards) == show(backwards)


def test_an_absent_field_is_no_field() -> None:
    """A record without a field differs from one that has it, whatever it holds."""
    assert Record({}) != Record({"a": 0})
    assert "a" not in Record({"b": 1})


@given(values, values)
def test_different_values_are_shown_differently(left: Value, right: Value) -> None:
    """Digests and messages are made from what is shown."""
    if type(left) is type(right) and not isinstance(left, frozenset | Record):
        assert (show(left) == show(right)) == (left == right)


def test_kinds_are_never_equal_to_each_other() -> None:
    """A decimal is no duration, though both are numbers inside."""
    kinds: list[Value] = [Decimal(1), Duration(1), Instant(1), 1, "1", EntityId("A", "1")]
    for number, left in enumerate(kinds):
        assert all(left != right for right in kinds[number + 1 :])
