"""What a plan reaches, what comes back, and what it weighs, on graphs small enough to see."""

import json
from datetime import timedelta
from typing import Any

import networkx
import pytest
from graphs import NOW, change, edge, graph, keys, plan, reach, resource, way
from hypothesis import given
from hypothesis import strategies as st

import interlock
from interlock.plans.blast import Radius, radius
from interlock.plans.blast_document import document
from interlock.plans.blast_picture import mermaid, svg, tree
from interlock.plans.blast_plan import of_plan, with_radius
from interlock.plans.blast_score import IRREVERSIBILITY, UNKNOWN_DATA, Fate
from interlock.plans.blast_spread import Harm
from interlock.plans.graph import Does, Event
from interlock.plans.model import Effect, Risk, RowBasis, Selector
from interlock.plans.requests import entities, requests


def fate(found: Radius, key: str) -> Fate:
    return found.by_key[key].fate


def test_what_hangs_on_it_goes_with_it() -> None:
    found = reach(graph("abcd", [edge("a", "b"), edge("b", "c")]), change("a"))
    assert keys(found) == {"a", "b", "c"}
    assert [each.target for each in found.by_key["c"].path] == ["b", "c"]
    assert found.by_key["c"].because == "b takes c"


def test_an_edge_is_asked_with_its_event() -> None:
    some = graph("abc", [edge("a", "b", on=Event.DELETE), edge("a", "c", on=Event.TRUNCATE)])
    assert keys(reach(some, change("a", "sql.delete"))) == {"a", "b"}
    assert keys(reach(some, change("a", "sql.truncate"))) == {"a", "c"}


def test_an_edge_that_ends_goes_no_further() -> None:
    some = graph("abc", [edge("a", "b", Does.DISABLES, then=None), edge("b", "c")])
    found = reach(some, change("a"))
    assert keys(found) == {"a", "b"}
    assert (found.by_key["b"].harm, fate(found, "b")) == (Harm.DISABLED, Fate.KEPT)


def test_an_edge_of_none_stops_and_says_why() -> None:
    found = reach(graph("ab", [edge("a", "b", Does.NONE)]), change("a"))
    assert keys(found) == {"a"}
    assert [each.why for each, _ in found.stopped] == ["a takes b"]


def test_the_worst_that_happens_stays() -> None:
    some = graph("abc", [edge("a", "c", Does.DISABLES), edge("a", "b"), edge("b", "c")])
    assert reach(some, change("a")).by_key["c"].harm is Harm.DESTROYED


def test_what_could_not_be_read_may_take_every_way() -> None:
    some = graph("abc", [edge("a", "b", on=Event.DELETE), edge("a", "c", on=Event.DROP)])
    found = reach(some, change("a", opaque="dynamic"))
    assert keys(found) == {"a", "b", "c"}
    assert {each.harm for each in found.reached} == {Harm.UNKNOWN}
    assert {each.fate for each in found.reached} == {Fate.UNDECIDED}


def test_reading_and_creating_reach_nothing() -> None:
    some = graph("ab", [edge("a", "b")])
    for effect in (Effect.READ, Effect.CREATE, Effect.ESCALATE):
        assert keys(reach(some, change("a", effect=effect))) == set()


def test_new_rows_matter_where_they_set_something_off() -> None:
    added = change("a", "sql.insert", effect=Effect.CREATE)
    assert keys(reach(graph("ab", [edge("a", "b", on=Event.DELETE)]), added)) == set()
    swept = graph("ab", [edge("a", "b", on=Event.INSERT, then=Event.DELETE)])
    found = reach(swept, added)
    assert (fate(found, "a"), fate(found, "b")) == (Fate.KEPT, Fate.LOST)


def test_what_is_removed_is_gone_whatever_its_loss_is_called() -> None:
    some = graph([resource("a", stateful=False), "b"], [edge("a", "b")])
    for effect in (Effect.UPDATE, Effect.DISARM, Effect.DELETE_RECOVERY):
        found = reach(some, change("a", "kubernetes.delete", effect=effect))
        assert found.by_key["a"].harm is Harm.DESTROYED
        assert "b" in keys(found)


def test_some_rows_are_a_change_and_not_the_loss_of_all() -> None:
    some = graph(
        [resource("a", rows=10, row_basis=RowBasis.EXACT), resource("b", rows=50)],
        [edge("a", "b", on=Event.DELETE)],
    )
    few = change("a", "sql.delete", selector=Selector.SOME, rows=3, row_basis=RowBasis.UPPER_BOUND)
    found = reach(some, few)
    assert (found.by_key["a"].harm, found.by_key["a"].rows_lost) == (Harm.CHANGED, 3)
    assert found.by_key["b"].harm is Harm.CHANGED
    whole = reach(some, few, change("a", "sql.delete"))
    assert whole.by_key["b"].harm is Harm.DESTROYED


# What comes back


def test_what_has_no_way_back_is_lost_for_good() -> None:
    assert fate(reach(graph("a"), change("a")), "a") is Fate.LOST


def test_a_way_back_outside_the_radius_brings_it_back() -> None:
    some = graph(
        ["a", resource("s", recovery=True, stateful=False)], ways=[way("s", "a", within=3600)]
    )
    found = reach(some, change("a"))
    assert fate(found, "a") is Fate.RETURNS
    assert found.back_within == timedelta(hours=1)
    assert found.recovery == ()


def test_a_way_back_of_its_container_brings_it_back() -> None:
    some = graph(
        ["db", resource("t", container="db"), resource("s", recovery=True)], ways=[way("s", "db")]
    )
    assert fate(reach(some, change("t")), "t") is Fate.RETURNS


def test_a_way_back_inside_the_radius_is_none() -> None:
    some = graph(["a", resource("s", recovery=True)], [edge("a", "s")], [way("s", "a")])
    found = reach(some, change("a"))
    assert fate(found, "a") is Fate.LOST
    (lost,) = found.recovery
    assert (lost.resource.key, [each.recovery for each in lost.ways]) == ("a", ["s"])


def test_one_way_back_that_stays_is_enough() -> None:
    some = graph(
        ["a", resource("s", recovery=True), resource("far", recovery=True)],
        [edge("a", "s")],
        [way("s", "a", within=60), way("far", "a", within=7200)],
    )
    found = reach(some, change("a"))
    assert found.recovery == ()
    assert found.by_key["a"].way_back == way("far", "a", within=7200)


def test_a_time_that_is_not_known_makes_the_whole_time_unknown() -> None:
    some = graph(
        ["a", "b", resource("s", recovery=True)],
        [edge("a", "b")],
        [way("s", "a", within=60), way("s", "b")],
    )
    assert reach(some, change("a")).back_within is None


def test_what_is_known_to_be_empty_is_made_again() -> None:
    some = graph([resource("a", rows=0, row_basis=RowBasis.EXACT)])
    assert fate(reach(some, change("a")), "a") is Fate.RECREATED
    guessed = graph([resource("a", rows=0, row_basis=RowBasis.ESTIMATED)])
    assert fate(reach(guessed, change("a")), "a") is Fate.LOST


def test_the_recovery_check_adds_a_change_with_its_effect() -> None:
    some = graph(["a", resource("s", recovery=True)], [edge("a", "s")], [way("s", "a")])
    asked = plan(change("a"))
    marked = with_radius(radius(asked, some, NOW))
    original, added = marked.changes
    assert original.effect is Effect.DELETE_DATA
    assert (added.id, added.effect) == ("2", Effect.DELETE_RECOVERY)
    assert added.summary == "takes along `s`, the last way back of `a`"
    assert marked.digest != asked.digest


def test_data_that_never_had_a_way_back_adds_no_effect_but_is_counted() -> None:
    marked = with_radius(reach(graph("a"), change("a")))
    assert len(marked.changes) == 1
    assert marked.blast is not None and marked.blast.without_recovery == 1


# What is not in the graph


def test_what_is_not_in_the_graph_is_listed_and_counts_as_lost() -> None:
    found = reach(graph("ab"), change("gone"))
    (missing,) = found.unmapped
    assert (missing.reason, missing.may_reach) == ("no asset of the graph is `Table::gone`", 2)
    assert fate(found, "unmapped:Table:gone") is Fate.UNDECIDED
    assert found.at_most == 3
    assert of_plan(found).without_recovery == 1


def test_what_is_missing_in_a_known_schema_may_reach_all_of_it() -> None:
    some = graph(
        [
            resource("s", type="Schema", id="public"),
            resource("t", container="s"),
            resource("elsewhere"),
        ]
    )
    found = reach(some, change("public.gone"))
    assert (found.unmapped[0].container, found.at_most) == ("s", 2)


def test_code_that_could_not_be_read_may_reach_all_of_its_database() -> None:
    some = graph(
        [
            resource("db", type="Database", id="shop"),
            resource("f", type="Routine", id="public.f", container="db", stateful=False),
            *(resource(each, container="db") for each in "abc"),
        ]
    )
    routine = change("x").resource.model_copy(update={"type": "Routine", "id": "public.f"})
    called = change("x", "sql.call", resource=routine, opaque="dynamic", effect=Effect.UNKNOWN)
    found = reach(some, called)
    assert keys(found) == {"f"}
    assert (found.at_most, found.unmapped[0].container) == (4, "db")
    assert of_plan(found).unmapped == 1


def test_a_stale_graph_is_said_to_be_stale() -> None:
    fresh = reach(graph("a"), change("a"), age=timedelta(hours=23))
    old = reach(graph("a"), change("a"), age=timedelta(hours=25))
    ahead = reach(graph("a"), change("a"), age=-timedelta(hours=1))
    timeless = reach(graph("a", built_at=None), change("a"))
    assert [each.is_stale for each in (fresh, old, ahead, timeless)] == [False, True, True, True]
    assert "stale" in old.notes[0] and "stale" in timeless.notes[0]


# Weights


def test_the_score_is_the_product_of_its_parts() -> None:
    some = graph([resource("a", rows=999, criticality=Risk.HIGH)])
    score = reach(some, change("a")).by_key["a"].score
    assert (score.data, score.criticality, score.environment) == (4.0, 4.0, 1.0)
    assert score.irreversibility == IRREVERSIBILITY[Fate.LOST]
    assert score.points == 16.0


def test_unknown_data_weighs_as_much_as_much_data() -> None:
    assert reach(graph("a"), change("a")).by_key["a"].score.data == UNKNOWN_DATA


def test_what_is_not_production_weighs_less() -> None:
    some = graph([resource("a"), resource("b", environment="production")])
    here = radius(plan(change("a"), change("b"), environment="staging"), some, NOW)
    assert here.by_key["a"].score.points < here.by_key["b"].score.points


@given(st.permutations(list(Fate)))
def test_a_worse_fate_never_weighs_less(order: list[Fate]) -> None:
    ranks = [Fate.LOST, Fate.UNDECIDED, Fate.RETURNS, Fate.KEPT, Fate.RECREATED]
    for one in order:
        for other in order:
            if ranks.index(one) < ranks.index(other):
                assert IRREVERSIBILITY[one] >= IRREVERSIBILITY[other]


# Against plain reachability

Pairs = list[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40)
roots = st.lists(st.integers(0, 11), min_size=1, max_size=3, unique=True)


def made(of: Pairs) -> Any:
    return graph(
        [f"n{number}" for number in range(12)],
        dict.fromkeys(edge(f"n{one}", f"n{other}") for one, other in of if one != other),
    )


@given(pairs, roots)
def test_where_every_edge_passes_on_it_is_plain_reachability(of: Pairs, starts: list[int]) -> None:
    found = reach(made(of), *(change(f"n{number}") for number in starts))
    plain: Any = networkx.DiGraph(of)
    expected = {f"n{number}" for number in starts}
    for number in starts:
        if number in plain:
            expected |= {f"n{each}" for each in networkx.descendants(plain, number)}
    assert keys(found) == expected


@given(pairs, roots)
def test_every_path_leads_from_a_root_to_its_asset(of: Pairs, starts: list[int]) -> None:
    found = reach(made(of), *(change(f"n{number}") for number in starts))
    rooted = {f"n{number}" for number in starts}
    for each in found.reached:
        stops = [one.source for one in each.path] + [each.resource.key]
        assert stops[0] in rooted
        assert all(one.target == after for one, after in zip(each.path, stops[1:], strict=True))
        assert len(set(stops)) == len(stops)


@given(pairs, roots, st.integers(0, 11))
def test_one_more_change_never_reaches_less(of: Pairs, starts: list[int], more: int) -> None:
    some = made(of)
    changes = [change(f"n{number}") for number in starts]
    before, after = reach(some, *changes), reach(some, *changes, change(f"n{more}"))
    assert keys(before) <= keys(after)
    assert before.score <= after.score


@given(pairs, roots)
def test_the_radius_of_a_change_is_that_of_a_plan_of_it_alone(of: Pairs, starts: list[int]) -> None:
    some = made(of)
    changes = [change(f"n{number}") for number in starts]
    whole = reach(some, *changes)
    for number, each in enumerate(changes, start=1):
        assert whole.of_change[str(number)].reached == keys(reach(some, each))


def test_where_there_are_too_many_changes_each_counts_as_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("interlock.plans.blast.MAX_STEPS", 1)
    some = graph("abcd", [edge("a", "b"), edge("b", "c")])
    found = reach(some, change("a"), change("d"))
    assert found.is_coarse
    assert found.of_change["1"].reached == keys(found) == {"a", "b", "c", "d"}
    assert "so large" in " ".join(found.notes)


def test_two_assets_that_make_each_other_worse_are_both_shown() -> None:
    some = graph(
        ["r", "a", "b"],
        [
            edge("r", "a", Does.DISABLES, then=Event.DROP),
            edge("a", "b", on=Event.DROP, then=Event.TRUNCATE),
            edge("r", "b", Does.DISABLES, then=Event.DELETE),
            edge("b", "a", on=Event.DELETE, then=None),
        ],
    )
    found = reach(some, change("r"))
    assert found.by_key["a"].via == edge("b", "a", on=Event.DELETE, then=None)
    assert found.by_key["b"].via == edge("a", "b", on=Event.DROP, then=Event.TRUNCATE)
    shown = [line.reached.resource.key for line in tree(found) if line.reached is not None]
    assert sorted(shown) == ["a", "b", "r"]
    assert svg(found).count("<rect") == 3 and mermaid(found).count(":::") == 3


# In the vocabulary


def asked(rule: str, of: Radius, tmp_path: Any) -> str:
    path = tmp_path / "p.ilk"
    path.write_text(f"module m\nuse std.change\nuse std.sql\nuse std.terraform\n{rule}\n")
    policies = interlock.load(path)
    marked = with_radius(of)
    from interlock.plans.model import Evidence

    described = policies.entities(entities(marked, Evidence()))
    decisions = [policies.decide(one, described) for _, one in requests(marked, NOW)]
    return " ".join(str(decision.outcome) for decision in decisions)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("resource has blast and resource.blast.assets > 2", "deny"),
        ("resource has blast and resource.blast.assets > 3", "permit"),
        ("resource has blast and resource.blast.lost.any(a => not a.recovery)", "deny"),
        ("resource has blast and resource.blast.stale", "permit"),
        ("resource has blast.age and resource.blast.age > 1h", "permit"),
    ],
)
def test_policies_ask_about_the_radius_of_a_plan(
    condition: str, expected: str, tmp_path: Any
) -> None:
    rule = f"permit any {{ action apply }}\nforbid wide {{ action apply resource Plan when {condition} }}"
    found = reach(graph("abc", [edge("a", "b"), edge("b", "c")]), change("a"))
    assert asked(rule, found, tmp_path).split()[0] == expected


def test_policies_ask_about_the_radius_of_one_change(tmp_path: Any) -> None:
    rule = (
        "permit any { action change }\n"
        "forbid wide { action change when resource has blast and resource.blast.assets > 1 }"
    )
    some = graph("abc", [edge("a", "b")])
    assert asked(rule, reach(some, change("a", "sql.delete")), tmp_path).split()[1:] == ["permit"]
    wide = graph("abc", [edge("a", "b", on=Event.DELETE)])
    found = reach(wide, change("a", "sql.delete"), change("c", "sql.delete"))
    assert asked(rule, found, tmp_path).split()[1:] == ["deny", "permit"]


def test_the_digest_of_a_plan_says_nothing_of_its_radius() -> None:
    asked_for = plan(change("a"))
    one = with_radius(radius(asked_for, graph("a"), NOW))
    other = with_radius(radius(asked_for, graph("ab", [edge("a", "b")]), NOW))
    assert one.blast != other.blast
    assert one.digest == other.digest == asked_for.digest


# Written down

NASTY = '</text><script>alert("1")</script>\x1b[31m\x00"] --> x'


def nasty() -> Radius:
    some = graph([resource("a", name=NASTY), resource("b", name=NASTY)], [edge("a", "b")])
    return reach(some, change("a", summary=NASTY))


def test_text_in_a_drawing_is_only_text() -> None:
    from xml.etree import ElementTree

    drawing = svg(nasty())
    root = ElementTree.fromstring(drawing)  # noqa: S314  (what is drawn here is known)
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert "\x1b" not in drawing and "\x00" not in drawing


def test_text_in_a_flowchart_stays_in_its_quotes() -> None:
    chart = mermaid(nasty())
    assert "<script" not in chart and "\x1b" not in chart
    for line in chart.splitlines():
        assert line.count('"') in (0, 2)


def test_a_document_is_json_and_its_parts_agree() -> None:
    some = graph(
        ["a", "b", "c", resource("s", recovery=True)],
        [edge("a", "b"), edge("b", "c", Does.ORPHANS, then=None), edge("a", "s")],
        [way("s", "a")],
    )
    found = json.loads(json.dumps(document(reach(some, change("a"), change("gone")))))
    numbers = found["summary"]
    harms = ("destroyed", "changed", "orphaned", "disabled", "unknown")
    fates = ("lost_for_good", "returning", "recreated", "kept", "undecided")
    assert sum(numbers[each] for each in harms) == numbers["assets"] == len(found["assets"])
    assert sum(numbers[each] for each in fates) == numbers["assets"]
    for each in found["assets"]:
        stops = [found["edges"][index] for index in each["path"]]
        assert not stops or stops[-1]["target"] == each["key"]
    assert [each["derived"] for each in found["changes"]] == [False, False, True]


def test_a_tree_has_a_limit() -> None:
    some = graph(
        [f"n{number}" for number in range(50)], [edge("n0", f"n{n}") for n in range(1, 50)]
    )
    lines = list(tree(reach(some, change("n0")), limit=10))
    assert len(lines) == 11 and lines[-1].text == "and 40 more"
