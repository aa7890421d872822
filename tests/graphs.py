"""Small graphs and plans, written in one line each."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock.plans.blast import Radius, radius
from interlock.plans.graph import (
    Does,
    Edge,
    Event,
    Fragment,
    Graph,
    Origin,
    Resource,
    WayBack,
    build,
)
from interlock.plans.model import (
    Artifact,
    Asset,
    Change,
    Effect,
    Identity,
    Plan,
    Position,
    Reversibility,
    Selector,
    numbered,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SOURCE = "test"


def resource(key: str, **facts: Any) -> Resource:
    """A table of a database; its key is its id."""
    plain = Resource(key, "Table", key, key, "postgres.table", SOURCE, stateful=True)
    return replace(plain, **facts)


def edge(
    source: str,
    target: str,
    does: Does = Does.DESTROYS,
    on: Event = Event.DESTROY,
    then: Any = "same",
    **facts: Any,
) -> Edge:
    return Edge(source, target, (on,), does, f"{source} takes {target}", then, **facts)


def way(recovery: str, restores: str, **facts: Any) -> WayBack:
    return WayBack(recovery, restores, f"{recovery} brings back {restores}", **facts)


def graph(
    resources: Iterable[Resource | str],
    edges: Iterable[Edge] = (),
    ways: Iterable[WayBack] = (),
    built_at: datetime | None = NOW,
) -> Graph:
    found = [resource(each) if isinstance(each, str) else each for each in resources]
    fragment = Fragment(Origin("test", "test"), found, list(edges), list(ways))
    made = build([fragment], built_at)
    assert made.problems == ()
    return made


def change(id: str, action: str = "terraform.delete", **facts: Any) -> Change:
    """Destroys an asset, if not said otherwise."""
    asset = Asset(type="Table", id=id, name=id, kind="postgres.table", stateful=True)
    plain = Change(
        id="",
        action=action,
        resource=asset,
        effect=Effect.DELETE_DATA,
        selector=Selector.ALL,
        reversibility=Reversibility.IRREVERSIBLE,
        summary=f"destroys {id}",
        source=Position(file="plan", line=1, column=1),
    )
    return plain.model_copy(update=facts)


def plan(*changes: Change, environment: str = "production") -> Plan:
    return Plan(
        author=Identity(type="Agent", id="bot"),
        environment=environment,
        artifacts=(Artifact(kind="sql", file="plan", sha256="0" * 64),),
        changes=numbered(changes),
    )


def reach(of: Graph, *changes: Change, age: timedelta = timedelta()) -> Radius:
    return radius(plan(*changes), of, NOW + age)


def keys(found: Radius) -> set[str]:
    return set(found.by_key)
