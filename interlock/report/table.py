"""Everything that is reached, as a table in tree order: complete without scripts, a tree grid with them."""

from typing import Any

from .forest import Row
from .quoting import html, prose
from .words import DOES, FATES, HARMS, number, size
from .words import length as time_length


def table(rows: list[Row], radius: dict[str, Any]) -> str:
    """One row for each asset; the order is that of the paths."""
    changes = {change["id"]: change for change in radius["changes"]}
    names = {asset["key"]: asset["name"] for asset in radius["assets"]}
    body = "\n".join(
        _row(place, row, rows, radius["edges"], changes, names) for place, row in enumerate(rows)
    )
    return (
        '<div class="scroll"><table id="tree" aria-label="Everything that is reached">\n'
        '<thead><tr><th scope="col">Asset, and how it is reached</th>'
        '<th scope="col">What happens</th><th scope="col">What becomes of it</th>'
        '<th scope="col" class="number">Rows lost</th>'
        '<th scope="col" class="number"><abbr title="data &times; criticality &times; environment &times; '
        'irreversibility">Score</abbr></th></tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(
    place: int,
    row: Row,
    rows: list[Row],
    edges: list[dict[str, Any]],
    changes: dict[str, dict[str, Any]],
    names: dict[str, str],
) -> str:
    asset = row.asset
    fate = FATES[asset["fate"]]
    marks = "".join(f' <span class="mark">{word}</span>' for word in _marks(asset))
    identity = (
        "" if asset["id"] == asset["name"] else f' <span class="kind">{html(asset["id"])}</span>'
    )
    return (
        f'<tr id="a{place}" data-level="{min(row.level, 12)}">'
        f'<th scope="row"><span class="name">{html(asset["name"])}</span>'
        f' <span class="kind">{html(asset["kind"])}</span>{identity}{marks}'
        f'<span class="why">{_way(row, rows, edges, changes, names)}</span></th>'
        f"<td>{html(_harm(asset))}</td>"
        f'<td><span class="fate {asset["fate"]}"><i aria-hidden="true">{fate.mark}</i> '
        f"{fate.short}</span>{_way_back(asset)}</td>"
        f'<td class="number">{_rows(asset)}</td>'
        f'<td class="number">{_score(asset["score"])}</td></tr>'
    )


def _harm(asset: dict[str, Any]) -> str:
    word = HARMS[asset["harm"]]
    return word if asset["certain"] or asset["unmapped"] else f"may be {word}"


def _marks(asset: dict[str, Any]) -> list[str]:
    marks = {
        "touched by the plan": asset["root"] and not asset["unmapped"],
        "not in the graph": asset["unmapped"],
        "a way back": asset["recovery"],
        "protected": asset["protected"],
    }
    found = [word for word, holds in marks.items() if holds]
    return [
        *found,
        *([asset["criticality"]] if asset["criticality"] in ("high", "critical") else []),
    ]


def _way(
    row: Row,
    rows: list[Row],
    edges: list[dict[str, Any]],
    changes: dict[str, dict[str, Any]],
    names: dict[str, str],
) -> str:
    if row.parent is None or row.edge is None:
        places = [changes[each] for each in row.asset["changes"] if each in changes]
        links = ", ".join(change_link(change) for change in places[:3])
        more = f" and {number(len(places) - 3)} more" if len(places) > 3 else ""
        return f"{prose(row.asset['because'])}{' · ' if links else ''}{links}{more}"
    edge = edges[row.edge]
    name = html(rows[row.parent].asset["name"])
    maybe = "" if edge["certain"] else "maybe "
    return (
        f'<a href="#a{row.parent}">{name}</a> {maybe}{DOES[edge["does"]]} it: {prose(edge["why"])}'
        f"{_whole_way(row, edges, names)}"
    )


def _whole_way(row: Row, edges: list[dict[str, Any]], names: dict[str, str]) -> str:
    """The path by name, where the rows above would tell another."""
    if row.own_path is None:
        return ""
    steps = [names[edges[each]["source"]] for each in row.own_path]
    shown = steps if len(steps) <= 12 else [*steps[:6], f"{len(steps) - 11} more", *steps[-5:]]
    return f" (the way here: {' → '.join(html(step) for step in shown)})"


def change_link(change: dict[str, Any]) -> str:
    """The place of a change, which leads to it."""
    return (
        f'<a href="#change-{html(change["id"])}"><bdi>{html(change["file"])}</bdi>'
        f":{change['line']}</a>"
    )


def _way_back(asset: dict[str, Any]) -> str:
    way = asset["way_back"]
    if way is None:
        return ""
    within = (
        "in an unknown time" if way["within"] is None else f"within {time_length(way['within'])}"
    )
    tested = "" if way["tested_at"] else ", never tested"
    return f'<span class="why">from <bdi>{html(way["name"])}</bdi> {within}{tested}</span>'


def _rows(asset: dict[str, Any]) -> str:
    lost, basis = asset["rows_lost"], asset["row_basis"]
    extent = f'<span class="why">{size(asset["bytes"])}</span>' if asset["bytes"] else ""
    if lost is None:
        unknown = (
            '<abbr title="nobody has counted them">?</abbr>' if asset["stateful"] else "&ndash;"
        )
        return unknown + extent
    sign = {"estimated": "≈\u202f", "upper_bound": "≤\u202f"}.get(basis or "", "")
    return f"{sign}{number(lost)}{extent}"


def _score(score: dict[str, float]) -> str:
    parts = ("data", "criticality", "environment", "irreversibility")
    product = " &times; ".join(f"{score[part]:.3g}" for part in parts)
    return f'{score["points"]:.1f}<span class="why">{product}</span>'
