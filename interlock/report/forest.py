"""The assets of a radius as a forest along their paths, in the order in which a reader walks through it."""

from dataclasses import dataclass
from typing import Any

MAX_ASSETS = 20_000
"""Assets in one page; the heaviest stay, with what is on their paths."""

Asset = dict[str, Any]


@dataclass(slots=True)
class Row:
    """An asset where it stands: `parent` and `last` are numbers of rows, `edge` a number of an edge.

    `own_path` are the edges of its path where that is not the path of its parent and one edge more:
    what leads on from the parent need not be the worst that happens to it.
    """

    asset: Asset
    level: int
    parent: int | None
    edge: int | None
    last: int
    below: int = 0
    weight: float = 0.0
    own_path: list[int] | None = None


def forest(radius: dict[str, Any], limit: int = MAX_ASSETS) -> list[Row]:
    """Every asset once, each after what it is reached from, heavy branches first.

    Assets whose paths run in a circle hang on no root: the first of them stands at the top.
    """
    assets: list[Asset] = radius["assets"]
    edges: list[dict[str, Any]] = radius["edges"]
    by_key = {asset["key"]: asset for asset in assets}
    via = {key: _via(asset, edges, by_key) for key, asset in by_key.items()}
    kept = _heaviest(assets, via, edges, limit)
    children: dict[str | None, list[str]] = {}
    for key in by_key:
        if key in kept:
            edge = via[key]
            parent = None if edge is None else edges[edge]["source"]
            children.setdefault(parent, []).append(key)
    order = _parents_first(children, len(kept))
    weights = {key: float(by_key[key]["score"]["points"]) for key in order}
    for key in reversed(order):
        weights[key] += sum(weights[child] for child in children.get(key, ()))
    for siblings in children.values():
        siblings.sort(key=lambda key: -weights[key])
    return _walk(children, order, by_key, via, weights)


def _via(asset: Asset, edges: list[dict[str, Any]], by_key: dict[str, Asset]) -> int | None:
    """The last edge of the path to an asset, if what it comes from is in the radius."""
    number = asset.get("via")
    if number is None and asset["path"]:
        number = asset["path"][-1]
    if number is None or edges[number]["source"] not in by_key:
        return None
    return int(number)


def _heaviest(
    assets: list[Asset],
    via: dict[str, int | None],
    edges: list[dict[str, Any]],
    limit: int,
) -> set[str]:
    """At most `limit` assets, and none without what it is reached from."""
    kept: set[str] = set()
    for asset in assets:
        if len(kept) >= limit:
            break
        missing: dict[str, None] = {}
        key: str | None = asset["key"]
        while key is not None and key not in kept and key not in missing:
            missing[key] = None
            edge = via[key]
            key = None if edge is None else edges[edge]["source"]
        if len(kept) + len(missing) <= limit:
            kept.update(missing)
    return kept


def _parents_first(children: dict[str | None, list[str]], count: int) -> list[str]:
    """The keys, each after its parent; whoever hangs on no root becomes one."""
    order: list[str] = []
    placed: set[str] = set()
    pending = list(reversed(children.get(None, [])))
    parents = {key: parent for parent, keys in children.items() for key in keys}
    waiting = iter(parents)
    while len(order) < count:
        if not pending:
            top = next(key for key in waiting if key not in placed)
            children[parents[top]].remove(top)
            children.setdefault(None, []).append(top)
            pending.append(top)
        key = pending.pop()
        placed.add(key)
        order.append(key)
        pending += reversed(children.get(key, []))
    return order


def _walk(
    children: dict[str | None, list[str]],
    order: list[str],
    by_key: dict[str, Asset],
    via: dict[str, int | None],
    weights: dict[str, float],
) -> list[Row]:
    rows: list[Row] = []
    stack: list[tuple[str, int | None, int]] = [
        (key, None, 1) for key in reversed(children.get(None, []))
    ]
    while stack:
        key, parent, level = stack.pop()
        number = len(rows)
        edge = via[key] if parent is not None else None
        row = Row(by_key[key], level, parent, edge, number, weight=weights[key])
        path = row.asset["path"]
        if parent is not None and path and path[:-1] != rows[parent].asset["path"]:
            row.own_path = path
        rows.append(row)
        stack += [(child, number, level + 1) for child in reversed(children.get(key, []))]
    for number in range(len(rows) - 1, -1, -1):
        row = rows[number]
        if row.parent is not None:
            above = rows[row.parent]
            above.last = max(above.last, row.last)
            above.below += row.below + 1
    assert len(rows) == len(order)
    return rows
