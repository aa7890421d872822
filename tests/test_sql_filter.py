"""The SQL filter: on SQLite, DuckDB and a real PostgreSQL it finds exactly the rows that the reference decides so."""

import contextlib
import itertools
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import postgres
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from sql_rows import TABLE, Connection, connected, create, decide_in_sqlite, ids

from interlock.cli import cli
from interlock.compiler import compile_policies
from interlock.compiler.backends.sql.filter import DIALECTS, Refused, Table, filter_for
from interlock.compiler.decision import Request
from interlock.compiler.entities import Entities, EntityData
from interlock.compiler.ir import OnFailure, PolicySet
from interlock.compiler.reference import decide
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load_texts
from interlock.lang.syntax import Outcome
from interlock.lang.typesystem import RecordField, RecordOf
from interlock.lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value

SCHEMA = """
enum Risk ordered { low, medium, high }
entity Team in Team { level: Int }
entity User in Team { name: String, level: Int, boss: User?, favorite: Doc? }
entity Folder in Folder
type Hold = { active: Bool, by: User, note: String? }
entity Doc in Folder {
  title: String, owner: User, team: Team?, open: Bool, risk: Risk, worst: Risk?, count: Int, size: Int?,
  hold: Hold?, made: Instant, ttl: Duration, price: Decimal?, tags: Set<String>, from: IpRange?, nick: String?
}
action read {
  principal User
  resource Doc
  context { now: Instant, names: Set<String>, limits: Set<Int>, by: User, from: IpRange, risk: Risk? }
}
"""
FINDS_ALL = "permit all { action read }\n"


def policies_of(text: str, schema: str = SCHEMA) -> PolicySet:
    checked, problems = load_texts({"policy.ilk": schema + text})
    policies, more = compile_policies(checked)
    assert not has_errors(problems + more), "\n".join(map(str, problems + more))
    return policies


# What a filter looks like

ANN = EntityId("User", "ann")
STAFF = Entities(
    {
        ANN: EntityData(
            Record({"name": "Ann", "level": 3, "boss": EntityId("User", "zoe")}),
            frozenset({EntityId("Team", "ops"), EntityId("Team", "all")}),
        )
    }
)
CONTEXT = Record(
    {
        "now": Instant(1_706_659_200_000_000_000),
        "names": frozenset({"a", "b"}),
        "limits": frozenset({1, 2}),
        "by": ANN,
        "from": ip_network("10.1.0.0/16"),
    }
)


def condition_of(
    condition: str, dialect: str = "sqlite", table: Table = TABLE
) -> str | list[Refused]:
    """The filter of one permit, without what only makes sure that a row fits the schema."""
    policies = policies_of(f"permit it {{ when {condition} }}")
    arguments = (policies, ANN, "read", CONTEXT, STAFF, "Doc", table, dialect)
    found, fits = filter_for(*arguments), filter_for(policies_of(FINDS_ALL), *arguments[1:])
    assert not isinstance(fits, list)
    if isinstance(found, list):
        return found
    guard = fits.sql(dialect=dialect) + " AND "
    return found.sql(dialect=dialect).removeprefix(guard)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("resource.owner == principal", "\"owner\" = 'ann'"),
        ("principal in resource.owner", "\"owner\" = 'ann'"),
        ("resource.title == principal.name", "\"title\" = 'Ann'"),
        ('resource.title == "O\'Neill"', "\"title\" = 'O''Neill'"),
        ("not resource.open", 'NOT "open"'),
        ("resource.open == false", 'NOT "open"'),
        ("resource.count != principal.level", '"count" <> 3'),
        ("(resource.size ?? 0) > 5", 'COALESCE("size", 0) > 5'),
        ("resource has size and resource.size > 5", '"size" IS NOT NULL AND "size" > 5'),
        ("not (resource has size) or resource.size > 5", '("size" IS NULL OR "size" > 5)'),
        ("resource.risk < high", "\"risk\" IN ('low', 'medium')"),
        ("resource.risk >= high", "\"risk\" = 'high'"),
        ("context.names contains resource.title", "\"title\" IN ('a', 'b')"),
        ("resource.count - 1 > 5", '"count" > 6'),
        ("5 - resource.count > 1", '"count" < 4'),
        ("context.now - resource.made < 30d", '"made" > 1704067200000000000'),
        ("resource.count < 9223372036854775808", ""),
        ("resource.count == 9223372036854775808", "FALSE"),
        ("context.limits.any(n => n == resource.count)", '"count" IN (1, 2)'),
        ("context.limits.all(n => n < resource.count)", '"count" > 1 AND "count" > 2'),
        ("resource has team and principal in resource.team",
         "\"team\" IS NOT NULL AND \"team\" IN ('all', 'ops')"),
        ("resource has hold and not resource.hold.active",
         '"hold_active" IS NOT NULL AND NOT "hold_active"'),
        ('resource in Folder::"x"',
         "\"id\" IN (SELECT \"id\" FROM \"resource_ancestors\" WHERE \"type\" = 'Doc'"
         " AND \"ancestor_type\" = 'Folder' AND \"ancestor_id\" = 'x' AND \"id\" IS NOT NULL)"),
        ("context.by.boss == principal", "FALSE"),
        ("principal.level > 3 and resource.tags.size > 3", "FALSE"),
    ],
)  # fmt: skip
def test_a_condition_becomes(condition: str, expected: str) -> None:
    if ".boss" in condition:
        condition = f"context.by has boss and {condition}"
    found = condition_of(condition)
    assert isinstance(found, str), found
    assert found.endswith(expected)


def test_whether_a_set_is_there_is_refused() -> None:
    """SQLite would take the name of a column that is not there for a text, which is always there."""
    schema = SCHEMA.replace("tags: Set<String>", "tags: Set<String>?")
    policies = policies_of("permit it { unless resource has tags }", schema)
    found = filter_for(policies, ANN, "read", CONTEXT, STAFF, "Doc", TABLE, "sqlite")
    assert isinstance(found, list)
    assert found[0].span.text == "resource has tags"


def test_addresses_that_the_row_chooses_are_refused_where_there_are_none() -> None:
    chosen = 'ip("10.0.0.0/8") in (if {} then ip("10.0.0.0/8") else ip("::1"))'
    assert condition_of(chosen.format("resource is Doc")) == condition_of("resource is Doc")
    for dialect in ("sqlite", "duckdb"):
        assert isinstance(condition_of(chosen.format("resource.open"), dialect), list)
    assert "<<=" in str(condition_of(chosen.format("resource.open"), "postgres"))


def test_an_optional_record_may_have_nothing_but_optional_columns() -> None:
    schema = """enum Risk { low, high }
entity User
entity Doc { seen: { risk: Risk?, tags: Set<String> }? }
action read { principal User  resource Doc }
"""
    staff = Entities({ANN: EntityData(Record({}), frozenset())})
    arguments = (ANN, "read", Record({}), staff, "Doc", TABLE, "sqlite")
    found = filter_for(policies_of(FINDS_ALL, schema), *arguments)
    assert not isinstance(found, list)
    expected = "\"seen_risk\" IS NULL OR \"seen_risk\" IN ('low', 'high')"
    assert found.sql(dialect="sqlite") == expected


@pytest.mark.parametrize(
    ("dialect", "condition", "expected"),
    [
        ("sqlite", 'resource.title like "a*b?c[d]_%"', "\"title\" GLOB 'a*b[?]c[[]d]_%'"),
        ("duckdb", r'resource.title like "a*b%c_d\\"', r"""LIKE 'a%b\%c\_d\\' ESCAPE '\'"""),
        ("postgres", 'resource.title starts_with "a"', "\"title\" LIKE 'a%'"),
        ("postgres", "resource has from and resource.from in context.from",
         "\"from\" IS NOT NULL AND \"from\" OPERATOR(pg_catalog.<<=) CAST('10.1.0.0/16' AS CIDR)"),
        ("postgres", "resource.made < context.now",
         "\"made\" < CAST('2024-01-31 00:00:00+00:00' AS TIMESTAMPTZ)"),
        ("duckdb", "(resource.price ?? 0.0) <= 10.5",
         "COALESCE(\"price\", CAST('0.0' AS DECIMAL(38, 4))) <= CAST('10.5' AS DECIMAL(38, 4))"),
        ("postgres", "resource.count * 2 > 5", '(CAST("count" AS DECIMAL) * 2) > 5'),
        ("duckdb", "resource.count * 2 > 5", '(CAST("count" AS INT128) * 2) > 5'),
    ],
)  # fmt: skip
def test_a_dialect_has_its_own_words(dialect: str, condition: str, expected: str) -> None:
    found = condition_of(condition, dialect)
    assert isinstance(found, str), found
    assert found.endswith(expected)


@pytest.mark.parametrize(
    ("dialect", "condition", "place", "reason"),
    [
        ("sqlite", "resource.count * 2 > 5", "resource.count", "64 bits"),
        ("sqlite", "(resource.price ?? 1.0) > 5.0", "resource.price", "no exact decimals"),
        ("duckdb", "resource has from and resource.from in context.from", "resource.from",
         "only PostgreSQL has addresses"),
        ("postgres", 'resource.tags contains "x"', "resource.tags", "a set of the resource"),
        ("postgres", "resource.owner.level > 3", "resource.owner.level", "of another entity"),
        ("postgres", 'resource.owner in Team::"ops"', 'resource.owner in Team::"ops"',
         "what another entity is in"),
        ("postgres", 'resource.title == "a\\u{0}"', '"a\\u{0}"', "such a character"),
        ("postgres", "principal has favorite and principal.favorite.open", "principal.favorite.open",
         "may be another row"),
    ],
)  # fmt: skip
def test_what_has_no_equivalent_is_refused_with_its_place(
    dialect: str, condition: str, place: str, reason: str
) -> None:
    policies = policies_of(f"permit it {{ when {condition} }}")
    favorite = Record({**STAFF.known[ANN].attributes, "favorite": EntityId("Doc", "d")})
    entities = Entities({ANN: replace(STAFF.known[ANN], attributes=favorite)})
    refused = filter_for(policies, ANN, "read", CONTEXT, entities, "Doc", TABLE, dialect)
    assert isinstance(refused, list)
    assert [(item.rule, item.span.text) for item in refused] == [("it", place)]
    assert reason in refused[0].reason


def test_a_hierarchy_without_a_table_of_ancestors_is_refused() -> None:
    found = condition_of('resource in Folder::"x"', table=Table())
    assert isinstance(found, list) and "table of ancestors" in found[0].reason


def test_an_attribute_without_a_column_of_its_own_is_refused() -> None:
    for column in (None, "count", "ID"):
        found = condition_of(
            "resource.title == principal.name", table=Table(columns={"title": column})
        )
        assert isinstance(found, list) and "no column of its own" in found[0].reason


def test_names_of_columns_are_quoted() -> None:
    table = Table(id='i"d', columns={"owner": 'o"; DROP'})
    found = condition_of('resource == Doc::"x" or resource.owner == principal', table=table)
    assert found == '("i""d" = \'x\' OR "o""; DROP" = \'ann\')'


def test_a_rule_that_never_applies_may_be_inexpressible() -> None:
    text = FINDS_ALL + 'forbid no { when resource.tags contains "x" and principal.level > 9 }'
    found, fits = (
        filter_for(policies_of(text), ANN, "read", CONTEXT, STAFF, "Doc", TABLE, "sqlite")
        for text in (text, FINDS_ALL)
    )
    assert found == fits


def test_nobody_is_permitted_what_no_request_may_say() -> None:
    policies = policies_of(FINDS_ALL)
    for principal, action, resource_type in (
        (EntityId("User", "zoe"), "read", "Doc"),
        (ANN, "write", "Doc"),
        (ANN, "read", "Folder"),
        (EntityId("Doc", "d"), "read", "Doc"),
    ):
        found = filter_for(
            policies, principal, action, CONTEXT, STAFF, resource_type, TABLE, "sqlite"
        )
        assert not isinstance(found, list) and found.sql() == "FALSE"


def test_no_more_is_written_out_than_databases_take() -> None:
    policies = policies_of("permit it { when context.limits.any(n => n > resource.count) }")
    context = Record({**CONTEXT, "limits": frozenset(range(501))})
    found = filter_for(policies, ANN, "read", context, STAFF, "Doc", TABLE, "sqlite")
    assert isinstance(found, list) and "more than 500 elements" in found[0].reason


# The command


COMMAND = [
    "filter", "--policy", "policy.ilk", "--action", "read", "--dialect", "sqlite", "--resource-type", "Doc",
    "--entities", "people.json", "--context", "context.json",
]  # fmt: skip
PEOPLE = [{"uid": {"type": "User", "id": "ann"}, "attrs": {"name": "Ann", "level": 3}}]
SAID = {
    "now": "2024-01-31T00:00:00Z",
    "names": [],
    "limits": [],
    "by": {"type": "User", "id": "ann"},
    "from": "10.0.0.0/8",
}


def run(
    folder: Path, condition: str, *more: str, principal: str = 'User::"ann"', context: object = SAID
) -> Result:
    (folder / "policy.ilk").write_text(SCHEMA + f"permit it {{ when {condition} }}")
    (folder / "people.json").write_text(json.dumps(PEOPLE))
    (folder / "context.json").write_text(json.dumps(context))
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, [*COMMAND, "--principal", principal, *more])


def test_the_command_prints_the_condition(tmp_path: Path) -> None:
    result = run(
        tmp_path, "resource.owner == principal", "--column", "owner=by", "--column", "ttl="
    )
    assert result.exit_code == 0
    assert result.output.endswith("\"by\" = 'ann'\n") and '"ttl"' not in result.output


def test_the_command_tells_what_it_refuses(tmp_path: Path) -> None:
    result = run(tmp_path, "resource.owner.level > 3", "--format", "json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["where"] is None
    (refused,) = document["refused"]
    assert (refused["rule"], refused["line"]) == ("it", 16)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ({"principal": "ann"}, 2, "is not written as"),
        ({"principal": 'Doc::"d"'}, 3, "takes `User` here"),
        ({"principal": 'User::"zoe"'}, 3, 'User::"zoe" is missing'),
        ({"context": {}}, 3, "context.now: this is missing"),
        ({"context": 7}, 3, "context"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, arguments: dict[str, Any], exit_code: int, message: str
) -> None:
    result = run(tmp_path, "resource.open", **arguments)
    assert (result.exit_code, message in result.output) == (exit_code, True), result.output


@pytest.mark.parametrize("column", ["ownr=x", "owner", "tags=x"])
def test_a_column_of_no_attribute_is_wrong_use(tmp_path: Path, column: str) -> None:
    result = run(tmp_path, "resource.open", "--column", column)
    assert (result.exit_code, result.stdout) == (2, "")


# Agreement: every filter on real databases, against the reference on every row

TEXTS = [
    "", " a", "a", "A", "a_b", "axb", "a%", "a*b", "a[b]", "a?", "O'N\"", "x\\y", "𝄞", "\u00e9", "e\u0301", "ss",
    "\u00df", "a\nb",
]  # fmt: skip
INTEGERS = [0, 1, -1, 7, 2**63 - 1, -(2**63), 2**62]
MOMENTS = [0, 1_000, -1_000, 1_706_659_200_000_000_000, 1_706_659_200_000_001_000]
DURATIONS = [0, 1, -1, 3_600_000_000_000, 2**63 - 1]
DECIMALS = [0, 1, -105_000, 105_000, 10**18 - 1]
RANGES = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "::/0", "2001:db8::/32"]
USERS = [EntityId("User", name) for name in ("ann", "Ann", "ben", "gone")]
TEAMS = [EntityId("Team", name) for name in ("ops", "all", "other")]
FOLDERS = [EntityId("Folder", name) for name in ("x", "y")]
RISKS = [EnumValue("Risk", name, rank) for rank, name in enumerate(("low", "medium", "high"))]


def people() -> Entities:
    """Who asks: one is in teams, one has a boss whom nobody described."""
    ann, other, ben, gone = USERS
    ops, everyone, _ = TEAMS
    return Entities(
        {
            ann: EntityData(Record({"name": "a", "level": 3}), frozenset({ops, everyone})),
            other: EntityData(Record({"name": "𝄞", "level": -1, "boss": ann}), frozenset()),
            ben: EntityData(Record({"name": "", "level": 2**63, "boss": gone}), frozenset({ops})),
        }
    )


def population() -> dict[EntityId, EntityData]:
    """Rows of every kind of value; some lack what the schema asks for."""
    choose = random.Random(1).choice  # noqa: S311
    pools: dict[str, list[Any]] = {
        "title": TEXTS, "owner": USERS, "team": TEAMS, "open": [True, False], "risk": RISKS, "worst": RISKS,
        "count": INTEGERS, "size": INTEGERS, "made": list(map(Instant, MOMENTS)), "nick": TEXTS,
        "ttl": list(map(Duration, DURATIONS)), "price": list(map(Decimal, DECIMALS)),
        "from": list(map(ip_network, RANGES)),
    }  # fmt: skip
    optional = {"team", "worst", "size", "price", "from", "nick"}
    rows = {}
    for number in range(100):
        attributes: dict[str, Value] = {
            name: choose(pool)
            for name, pool in pools.items()
            if name not in optional or choose([True, False])
        }
        if choose([True, False]):
            hold: dict[str, Value] = {"active": choose([True, False]), "by": choose(USERS)}
            if choose([True, False]):
                hold["note"] = choose(TEXTS)
            if number % 20 == 7:
                del hold["active"]
            attributes["hold"] = Record(hold)
        if number % 10 == 3:
            del attributes[choose(sorted(pools.keys() - optional))]
        if number % 25 == 9:
            attributes["risk"] = EnumValue("Risk", "High", 2)
        above = frozenset(folder for folder in FOLDERS if choose([True, False]))
        rows[EntityId("Doc", f"d{number}")] = EntityData(Record(attributes), above)
    return rows


def fits(record: RecordOf, attributes: Record) -> bool:
    """Whether a row says all that the schema asks for; sets have no column."""

    def field_fits(field: RecordField) -> bool:
        value = attributes.get(field.name)
        if value is None:
            return field.optional or field.name == "tags"
        if isinstance(value, EnumValue):
            return value in RISKS
        return not isinstance(value, Record) or (
            isinstance(field.type, RecordOf) and fits(field.type, value)
        )

    return all(map(field_fits, record.fields))


ROWS = population()


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, Connection]]:
    """A database of every dialect that has all rows."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running_server())
        if server is None:
            print("PostgreSQL is not installed: the filters were not run on it")
        connections = {
            dialect: stack.enter_context(connected(dialect, server or ""))
            for dialect in DIALECTS
            if dialect != "postgres" or server is not None
        }
        for dialect, connection in connections.items():
            create(connection, policies_of(FINDS_ALL).schema, "Doc", ROWS, dialect)
        yield connections


REFUSED_BY = {
    "sqlite": ("64 bits", "no exact decimals", "only PostgreSQL has addresses", "no room"),
    "duckdb": ("only PostgreSQL has addresses", "no room"),
    "postgres": (),
}
"""What a dialect may refuse of the policies below."""


def compare(
    databases: dict[str, Connection], policies: PolicySet, principal: EntityId, context: Record
) -> None:
    """Every row is found by the filter of the outcome that the reference gives it, and by no other."""
    entities = people()
    doc = RecordOf(tuple(policies.schema.entities["Doc"].attributes.values()))
    expected: dict[Outcome, set[str]] = {outcome: set() for outcome in Outcome}
    for row, data in ROWS.items():
        outcome = Outcome.DENY
        if fits(doc, data.attributes) and principal in entities.known:
            everyone = Entities({**entities.known, row: data})
            outcome = decide(policies, Request(principal, "read", row, context), everyone).outcome
        expected[outcome].add(row.id)
    for dialect, connection in databases.items():
        for outcome in Outcome:
            found = filter_for(
                policies, principal, "read", context, entities, "Doc", TABLE, dialect, outcome
            )
            if isinstance(found, list):
                for refused in found:
                    assert any(reason in refused.reason for reason in REFUSED_BY[dialect]), refused
                continue
            assert ids(connection, found, dialect) == expected[outcome], (dialect, outcome, found)


SHAPES = [
    "resource.open", "resource.open == (resource.count > 0)", "resource.owner == principal",
    "resource has team and principal in resource.team", 'resource == Doc::"d7"',
    "principal in resource.owner", "(resource.team ?? Team::\"ops\") != Team::\"ops\"",
    'resource in Folder::"x"', 'resource in {Folder::"x", Folder::"y"}', 'principal in Team::"ops"',
    "resource has size", "resource has hold", "resource has hold.note", "resource has worst",
    "resource has hold and resource.hold.active", "resource has hold and resource.hold.by == principal",
    "not (resource has hold) or resource.hold.by != context.by",
    "resource is Doc", "(resource.hold.active ?? resource.open)",
    "context.names contains resource.title", "{resource.title, principal.name} subset_of context.names",
    "context.names.any(n => n == resource.title and resource.open)",
    "context.names.none(n => (resource.nick ?? \"\") == n)",
    "context.limits.all(n => n < resource.count or resource.open)",
    "context.limits.count(n => n < resource.count) >= 2",
    "context.limits.where(n => n < resource.count).size == 1",
    "context.limits.where(n => n < resource.count) contains principal.level",
    "(context.limits minus {resource.count}).any(n => n > 0)",
    "context.limits.sum(n => n * resource.count) > 5",
    "resource.count in context.limits", "resource.risk in {Risk.low, Risk.high}",
    "principal.level in {resource.count, 3}",
    "(resource.from ?? ip(\"::/0\")) in context.from", "context.from in (resource.from ?? ip(\"10.0.0.0/8\"))",
    "resource has from and resource.from == context.from",
    "context.by.level > 0", "principal has boss and principal.boss.level > 0", "context.by has boss",
    "resource has team and context.by in resource.team", "context.by in resource.owner",
    "resource.open or context.by.level > 0", "resource.open and context.by.level > 0",
    "if resource.open then context.by.level > 0 else resource.count > 0",
    "context.limits.where(n => resource.open or context.by.level > n) contains resource.count",
]  # fmt: skip
"""One condition of each kind."""


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def pattern(pieces: list[str]) -> str:
    return '"' + "*".join(quoted(piece)[1:-1].replace("*", "\\*") for piece in pieces) + '"'


texts = st.one_of(
    st.sampled_from(TEXTS).map(quoted),
    st.sampled_from(
        ["resource.title", "resource.title", "principal.name", '(resource.nick ?? "a")',
         '(if resource.open then resource.title else "a")', '(resource.hold.note ?? resource.title)']
    ),
)  # fmt: skip
whole = st.sampled_from([*INTEGERS, 2**63, -(2**63) - 1, 2**130, -(2**130)]).map(
    lambda number: f"({number})"
)
integers = st.recursive(
    whole
    | st.sampled_from(
        ["resource.count", "resource.count", "(resource.size ?? 7)", "principal.level",
         "(if resource.open then resource.count else 3)", "context.limits.sum(n => n)",
         "context.limits.count(n => n == resource.count)"]
    ),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    )
    | inner.map(lambda number: f"(-{number})"),
    max_leaves=3,
)  # fmt: skip
moments = st.sampled_from(
    ["resource.made", "resource.made", "context.now", "(resource.made + resource.ttl)",
     "(context.now - resource.ttl)", "(context.now - 1h)", "(context.now + 1ns)", "(context.now + 999999w)",
     "(if resource.open then resource.made else context.now)"]
)  # fmt: skip
durations = st.sampled_from(
    ["resource.ttl", "resource.ttl", "1h", "(0s - 1ns)", "(resource.ttl * 2)", "(context.now - resource.made)",
     "(resource.made - context.now)", "(resource.ttl + 1h)", "999999w"]
)  # fmt: skip
decimals = st.sampled_from(
    ["(resource.price ?? 0.0)", "(resource.price ?? 0.0001)", "10.5", "(0.0 - 10.5)",
     "((resource.price ?? 0.0) + 10.5)", "((resource.price ?? 1.0) * resource.count)", "99999999999999.9999",
     "((resource.price ?? 1.0) - (resource.price ?? 0.0))"]
)  # fmt: skip
risks = st.sampled_from(
    ["resource.risk", "(resource.worst ?? high)", "(context.risk ?? low)", "Risk.high", "Risk.medium",
     "(if resource.open then resource.risk else Risk.low)"]
)  # fmt: skip
orders = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
atoms = st.one_of(
    st.tuples(texts, st.sampled_from(["==", "!="]), texts).map(" ".join),
    st.builds(
        lambda text, pieces: f"{text} like {pattern(pieces)}",
        st.sampled_from(["resource.title", "principal.name", '(resource.nick ?? "a")']),
        st.lists(st.sampled_from(["", "a", "A", "_", "%", "*", "[", "b", "?", "\\", "𝄞", "é"]), min_size=1, max_size=4),
    ),
    st.tuples(st.sampled_from(["resource.title", "principal.name"]),
              st.sampled_from(["starts_with", "ends_with", "contains"]),
              st.sampled_from(TEXTS).map(quoted)).map(" ".join),
    *(st.tuples(side, orders, side).map(" ".join) for side in (integers, moments, durations, decimals, risks)),
    st.sampled_from(
        SHAPES
    ),
)  # fmt: skip
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda condition: f"not ({condition})"),
        st.tuples(inner, inner, inner).map(
            lambda parts: f"if {parts[0]} then ({parts[1]}) else ({parts[2]})"
        ),
    ),
    max_leaves=4,
)
rules = st.one_of(
    conditions.map(lambda condition: f"permit NAME {{ when {condition} }}"),
    conditions.map(lambda condition: f"forbid NAME {{ unless {condition} }}"),
    st.tuples(conditions, conditions).map(
        lambda parts: f"require NAME {{ when {parts[0]} need {parts[1]} }}"
    ),
    st.sampled_from(
        ['permit NAME { resource in Folder::"x" | Folder::"y" }',
         'forbid NAME { resource Doc::"d1" | Doc::"d2" }',
         'permit NAME { principal User in Team::"ops" }', "permit NAME { action read }"]
    ),
)  # fmt: skip
contexts = st.builds(
    lambda now, names, limits, by, source, risk: Record(
        {"now": Instant(now), "names": frozenset(names), "limits": frozenset(limits), "by": by,
         "from": ip_network(source), **risk}
    ),
    st.sampled_from([*MOMENTS, 1_706_659_200_000_000_001]),
    st.lists(st.sampled_from(TEXTS), max_size=3),
    st.lists(st.sampled_from([*INTEGERS, 3]), max_size=3),
    st.sampled_from(USERS),
    st.sampled_from(RANGES),
    st.sampled_from([{}, {"risk": RISKS[0]}, {"risk": RISKS[2]}]),
)  # fmt: skip


@given(
    st.lists(rules, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(USERS),
    contexts,
    st.sampled_from([frozenset(), frozenset({0}), frozenset({0, 1, 2})]),
)
def test_filters_agree_with_the_reference(
    databases: dict[str, Connection],
    written: list[str],
    permits_all: bool,
    principal: EntityId,
    context: Record,
    skipping: frozenset[int],
) -> None:
    text = "\n".join(rule.replace("NAME", f"r{number}") for number, rule in enumerate(written))
    policies = policies_of((FINDS_ALL if permits_all else "") + text)
    skip = tuple(
        replace(rule, on_failure=OnFailure.SKIP) if number in skipping else rule
        for number, rule in enumerate(policies.rules)
    )
    compare(databases, replace(policies, rules=skip), principal, context)


def test_every_text_equals_only_itself(databases: dict[str, Connection]) -> None:
    for text in TEXTS:
        for condition in (f"== {quoted(text)}", f"like {pattern([text, ''])}"):
            policies = policies_of(f"permit it {{ when resource.title {condition} }}")
            compare(databases, policies, ANN, CONTEXT)


def test_every_integer_is_on_its_side_of_every_other(databases: dict[str, Connection]) -> None:
    for number, order in itertools.product((*INTEGERS, 2**63, -(2**63) - 1), ("<", "<=", "==")):
        policies = policies_of(f"permit it {{ when resource.count {order} {number} }}")
        compare(databases, policies, ANN, CONTEXT)


def test_every_moment_is_on_its_side_of_one_between_two_microseconds(
    databases: dict[str, Connection],
) -> None:
    context = Record({**CONTEXT, "now": Instant(1_706_659_200_000_000_001)})
    for order in ("<", "<=", "==", "!=", ">=", ">"):
        for sides in ("context.now {} resource.made", "resource.made {} context.now"):
            policies = policies_of(f"permit it {{ when {sides.format(order)} }}")
            compare(databases, policies, ANN, context)


@pytest.mark.parametrize("by", [ANN, EntityId("User", "gone")], ids=str)
@pytest.mark.parametrize("effect", ["permit it { when", FINDS_ALL + "forbid it { when"])
def test_every_kind_of_condition_agrees(
    databases: dict[str, Connection], effect: str, by: EntityId
) -> None:
    for shape in SHAPES:
        compare(databases, policies_of(f"{effect} {shape} }}"), ANN, Record({**CONTEXT, "by": by}))


def test_one_request_is_decided_by_three_filters() -> None:
    text = (
        FINDS_ALL + "forbid closed { unless resource.open } require big { need resource.count > 0 }"
    )
    policies = policies_of(text)
    found = {}
    for row, data in ROWS.items():
        if fits(
            RecordOf(tuple(policies.schema.entities["Doc"].attributes.values())), data.attributes
        ):
            entities = Entities({**people().known, row: data})
            request = Request(ANN, "read", row, CONTEXT)
            found[row.id] = decide_in_sqlite(policies, request, entities)
            assert found[row.id] == decide(policies, request, entities).outcome
    assert set(found.values()) == set(Outcome)
