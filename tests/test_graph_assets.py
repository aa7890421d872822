"""The user's own assets: checked with lines, and joined to what the sources describe."""

import pytest
from graphs import NOW, change, plan, resource

from interlock.plans.blast import radius
from interlock.plans.blast_score import Fate
from interlock.plans.graph import Does, Event, Fragment, Graph, Origin, build
from interlock.plans.graph_builders import assets
from interlock.plans.model import Risk


def built(text: str, *others: str) -> Graph:
    known = Fragment(Origin("test", "test"), [resource(each) for each in others])
    return build([known, assets.build("a.yaml", text, [known])], NOW)


def test_a_file_adds_assets_edges_and_ways_back() -> None:
    some = built(
        """
        assets:
          - {id: vault, recovery: true, criticality: critical, kind: vault}
          - {id: page, inside: 'Table::a'}
        edges:
          - {from: 'Table::a', to: page, does: disables, why: reads it, on: delete}
        ways_back:
          - {recovery: vault, restores: 'Table::a', within: 2h, tested_at: 2026-02-20, why: nightly}
        """,
        "a",
    )
    assert some.problems == ()
    (way,) = some.all_ways_back()
    assert (way.within, way.tested_at and way.tested_at.isoformat()) == (
        7200,
        "2026-02-20T00:00:00+00:00",
    )
    found = radius(plan(change("a", "sql.delete")), some, NOW)
    assert found.by_key["a"].fate is Fate.RETURNS
    assert found.by_key["assets:page"].because == "reads it"
    assert some.resources["assets:page"].container == "a"


def test_an_edge_goes_on_every_loss_if_not_said_otherwise() -> None:
    some = built("edges: [{from: 'Table::a', to: 'Table::b', does: destroys, why: x}]", "a", "b")
    (edge,) = some.edges()
    assert Event.DELETE in edge.on and Event.DESTROY in edge.on
    assert edge.does is Does.DESTROYS


def test_a_file_knows_better_what_a_source_says() -> None:
    some = built("facts: [{asset: 'Table::a', criticality: low, rows: 7, environment: dev}]", "a")
    found = some.resources["a"]
    assert (found.criticality, found.rows, found.environment) == (Risk.LOW, 7, "dev")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("assets:\n  - {id: a}\n  - {id: a}", "a.yaml:3: the id `a` stands twice"),
        ("assets:\n  - {id: a, colour: red}", "a.yaml:2: assets.0.colour: extra inputs"),
        ("joins:\n- asset: Table::x\n  inside: Table::a", "a.yaml:2: there is no asset `Table::x`"),
        (
            "edges:\n- {from: 'Table::a', to: 'Table::a', does: burns, why: x}",
            "a.yaml:2: edges.0.does",
        ),
        (
            "ways_back:\n- {recovery: v, restores: 'Table::a', why: x, within: soon}",
            "a.yaml:2: ways_back",
        ),
        ("version: 2", "a.yaml:1: version"),
        ("- 1", "a.yaml:1: the file"),
        ("a: [", "a.yaml:"),
        ("{}\n---\n{}", "a.yaml:1: an assets file is one YAML document"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, problem: str) -> None:
    problems = built(text, "a").problems
    assert any(each.startswith(problem) for each in problems), problems
