"""Graphs are joined by identifiers, written and read again, compared, and refused when they are not what they say."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from graphs import NOW, SOURCE, change, edge, graph, keys, plan, reach, resource, way
from hypothesis import given
from hypothesis import strategies as st

from interlock.plans.blast import radius
from interlock.plans.graph import (
    Does,
    Event,
    Fragment,
    Graph,
    Link,
    Origin,
    build,
    difference,
    dump,
    load,
)
from interlock.plans.model import Risk, RowBasis


def read(text: str) -> Graph:
    found = load(text)
    assert isinstance(found, Graph), found
    return found


FULL = graph(
    [
        resource("a", rows=3, row_basis=RowBasis.ESTIMATED, offers=("arn:x",)),
        resource("b", container="a", criticality=Risk.HIGH, spared=(Event.DELETE,)),
        resource("s", recovery=True),
    ],
    [edge("a", "b", share=0.5), edge("b", "s", Does.NONE, then=None, certain=False)],
    [way("s", "a", within=60, tested_at=datetime(2026, 2, 1, tzinfo=UTC))],
)


def test_a_graph_comes_back_as_it_was_written() -> None:
    again = read(dump(FULL))
    assert again.resources == FULL.resources
    assert set(again.edges()) == set(FULL.edges())
    assert again.all_ways_back() == FULL.all_ways_back()
    assert (again.built_at, again.sources) == (FULL.built_at, FULL.sources)
    assert dump(again) == dump(FULL)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("version",), 2, "version"),
        (("edges", 0, "target"), "gone", "names a resource that is not in the graph"),
        (("ways_back", 0, "recovery"), "gone", "names a resource that is not in the graph"),
        (("resources", 1, "key"), "a", "a key stands twice"),
        (("resources", 0, "stately"), True, "stately"),
        (("resources", 0, "rows"), -1, "rows"),
        (("resources", 0, "name"), "x" * 1001, "name"),
        (("edges", 0, "does"), "explodes", "does"),
        (("edges", 0, "share"), 2, "share"),
        (("built_at",), "2026-03-02T10:00:00", "has no time zone"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_place(
    path: tuple[str | int, ...], value: object, reason: str
) -> None:
    document = json.loads(dump(FULL))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = load(json.dumps(document))
    assert isinstance(found, str) and reason in found


@given(st.text() | st.binary())
def test_reading_never_raises(text: str | bytes) -> None:
    assert isinstance(load(text), str)


def test_a_graph_knows_its_age() -> None:
    assert FULL.age(NOW + timedelta(hours=3)) == timedelta(hours=3)
    assert graph("a", built_at=None).age(NOW) is None


def test_containers_that_contain_each_other_end() -> None:
    some = graph([resource("a", container="b"), resource("b", container="a")])
    assert list(some.containers("a")) == ["b"]
    assert set(some.content("a")) == {"b"}


# Joining


def fragment(source: str, *resources: object, links: tuple[Link, ...] = ()) -> Fragment:
    return Fragment(Origin("test", source), list(resources), links=list(links))  # type: ignore[arg-type]


def test_a_link_makes_a_thing_part_of_what_offers_its_identifier() -> None:
    server = resource("server", source="cloud", offers=("host:db.example",))
    database = resource("database")
    link = Link("database", "host:db.example", "the database runs on it")
    some = build([fragment("cloud", server), fragment("db", database, links=(link,))], NOW)
    assert some.resources["database"].container == "server"
    found = radius(plan(change("server")), some, NOW)
    assert [each.why for each in found.by_key["database"].path] == [
        "the database runs on it, by `host:db.example`"
    ]
    assert some.links == ()


def test_a_link_to_nothing_waits() -> None:
    link = Link("a", "host:elsewhere", "runs there")
    assert build([fragment("x", resource("a"), links=(link,))], NOW).links == (link,)


def test_two_sources_with_one_identifier_speak_of_the_same_thing() -> None:
    one = resource("disk", source="cloud", offers=("volume:v1",))
    other = resource("volume", source="cluster", offers=("volume:v1",))
    some = build([fragment("cloud", one), fragment("cluster", other)], NOW)
    for start in ("disk", "volume"):
        assert keys(radius(plan(change(start)), some, NOW)) == {"disk", "volume"}


def test_one_source_with_one_identifier_twice_joins_nothing() -> None:
    some = graph([resource("a", offers=("name:x",)), resource("b", offers=("name:x",))])
    assert some.edges() == ()


def test_two_descriptions_of_one_thing_keep_the_worse_of_each() -> None:
    one = resource("a", criticality=Risk.LOW, protected=True, rows=5)
    other = resource("a", criticality=Risk.CRITICAL, recovery=True, bytes=9)
    merged = build([fragment("x", one), fragment("y", other)], NOW).resources["a"]
    assert (merged.criticality, merged.protected, merged.recovery) == (Risk.CRITICAL, False, True)
    assert (merged.rows, merged.bytes) == (5, 9)


def test_an_edge_to_what_nobody_describes_is_a_problem() -> None:
    part = Fragment(Origin("test", SOURCE), [resource("a")], [edge("a", "gone")])
    some = build([part], NOW)
    assert some.edges() == ()
    assert "`gone`, which no source describes" in some.problems[0]


# Differences


def test_a_difference_names_what_came_and_went() -> None:
    old = graph("ab", [edge("a", "b")])
    new = graph([resource("a", criticality=Risk.HIGH), resource("c")], [edge("a", "c")])
    found = difference(old, new)
    assert [each.key for each in found.added] == ["c"]
    assert [each.key for each in found.removed] == ["b"]
    assert [each.key for _, each in found.changed] == ["a"]
    assert [each.target for each in found.added_edges] == ["c"]
    assert [each.target for each in found.removed_edges] == ["b"]


def test_more_rows_are_no_difference() -> None:
    assert not difference(graph([resource("a", rows=1)]), graph([resource("a", rows=9)]))


def test_an_asset_is_found_by_type_and_id_then_by_id_then_by_identifier() -> None:
    some = graph(
        [
            resource("t", id="x"),
            resource("v", type="View", id="x"),
            resource("w", offers=("arn:z",)),
        ]
    )
    assert some.named("View", "x") == ("v",)
    assert set(some.named("Routine", "x")) == {"t", "v"}
    assert some.named("Routine", "arn:z") == ("w",)
    assert reach(some, change("nothing")).unmapped
