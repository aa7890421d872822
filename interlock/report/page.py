"""The page as a whole: parts in order, styles and scripts inline, and a policy that lets nothing else in."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from . import sections
from .forest import Row, forest
from .quoting import html, json_block
from .table import table
from .words import DOES, FAMILY_WORDS, FATES, HARMS, SHAPES, family, number

CYTOSCAPE = "cytoscape-3.34.4.min.js"


def render(radius: dict[str, Any], title: str, *, verdict: dict[str, Any] | None = None) -> str:
    """One HTML page of a radius, in the form of `interlock blast --format json`.

    `verdict` has the form of `interlock gate --format json`; without it, that of the radius counts.
    """
    decided = radius.get("verdict") if verdict is None else verdict
    rows = forest(radius)
    scripts = [_asset(f"vendor/{CYTOSCAPE}"), _asset("report.js")]
    styles = [_asset("report.css"), CYTOSCAPE_STYLE]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts, styles)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer"><meta name="generator" content="interlock">',
            '<link rel="icon" href="data:,">',
            f"<title>{html(title)}</title>",
            f"<style>{styles[0]}</style>",
            # Cytoscape adds exactly this, unless it is there.
            f'<style id="__________cytoscape_stylesheet">{styles[1]}</style>',
            "</head><body>",
            '<a class="skip" href="#everything">Skip to everything that is reached</a>',
            f"<main>{sections.header(radius, decided, title)}",
            sections.summary(radius, decided),
            sections.needs(radius, decided),
            sections.decisions(radius, decided),
            _everything(rows, radius),
            sections.findings(radius),
            sections.origin(radius, decided),
            "</main>",
            f'<script type="application/json" id="radius">{json_block(_data(rows, radius))}</script>',
            f"<!-- Cytoscape.js, MIT licence\n{_asset('vendor/cytoscape-LICENSE.txt')}-->",
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>",
            "",
        ]
    )


CYTOSCAPE_STYLE = ".__________cytoscape_container { position: relative; }"


@cache
def _asset(name: str) -> str:
    return files("interlock.report").joinpath(name).read_text(encoding="utf-8")


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing is fetched, and only what this page was made with runs."""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hashes(texts: list[str]) -> str:
    digests = (sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)


def _everything(rows: list[Row], radius: dict[str, Any]) -> str:
    """The graph, its filters, the path of what is chosen, and the table that says it all in words."""
    total = radius["summary"]["assets"]
    limit = ""
    if len(rows) < total:
        limit = (
            f'<p class="limit">The {number(len(rows))} heaviest of {number(total)} assets are '
            "here; <code>interlock blast --format json</code> has every one.</p>"
        )
    if not rows:
        return ""
    return (
        '<section aria-labelledby="everything" class="wide"><h2 id="everything" tabindex="-1">'
        f'Everything that is reached <span class="count">{number(total)}</span></h2>{limit}'
        '<p class="hint" data-plain>There is no picture without scripts; the table says all of it.</p>'
        f"{_filters(rows, radius)}"
        f'<div class="split"><div class="left"><div id="graph-box" data-script hidden>{_GRAPH}'
        f'{_shapes(rows)}</div><img id="graph-print" alt="" hidden>{table(rows, radius)}</div>'
        '<aside id="detail" data-script hidden aria-label="The asset that is chosen">'
        '<p class="hint">Choose an asset, in the picture or in the table, to see how it is reached '
        "and what brings it back.</p></aside></div>"
        '<p id="status" role="status" aria-live="polite" class="unseen"></p></section>'
    )


_GRAPH = (
    '<div class="toolbar" role="group" aria-label="The picture">'
    '<button type="button" id="zoom-in" aria-label="larger">+</button>'
    '<button type="button" id="zoom-out" aria-label="smaller">&minus;</button>'
    '<button type="button" id="fit">Fit</button>'
    '<button type="button" id="more">Open more</button>'
    '<button type="button" id="less">Close all</button>'
    '<label><input type="checkbox" id="also"> other ways it is reached</label></div>'
    '<div id="graph" tabindex="0" role="application" aria-describedby="graph-keys" '
    'aria-label="Picture of what is reached, from left to right"></div>'
    '<p id="caption" class="hint"></p>'
    '<p id="graph-keys" class="unseen">Arrow keys move along the paths, Enter opens a branch, '
    "plus and minus zoom, 0 fits, Escape lets go. The table below has the same content.</p>"
)


def _filters(rows: list[Row], radius: dict[str, Any]) -> str:
    counts = dict.fromkeys(FATES, 0)
    kinds: dict[str, int] = {}
    for row in rows:
        counts[row.asset["fate"]] += 1
        kinds[row.asset["kind"]] = kinds.get(row.asset["kind"], 0) + 1
    fates = "".join(
        f'<label class="pill"><input type="checkbox" name="fate" value="{fate}" checked>'
        f'<span class="fate {fate}"><i aria-hidden="true">{word.mark}</i> {word.short} '
        f"<b>{number(counts[fate])}</b></span></label>"
        for fate, word in FATES.items()
        if counts[fate]
    )
    kind_options = "".join(
        f'<option value="{html(kind)}">{html(kind)} ({number(count)})</option>'
        for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:200]
    )
    change_options = "".join(
        f'<option value="{html(change["id"])}">{html(change["file"])}:{change["line"]} '
        f"{html(change['summary'][:80])}</option>"
        for change in radius["changes"]
        if change["assets"]
    )
    return (
        '<form id="filters" role="search" aria-label="Filters" data-script hidden>'
        '<label>Find <input type="search" id="find" autocomplete="off" '
        'placeholder="name, kind, reason"></label>'
        f'<label>Kind <select id="kind"><option value="">all</option>{kind_options}</select></label>'
        f'<label>Change <select id="change"><option value="">all</option>{change_options}'
        "</select></label>"
        '<label><input type="checkbox" id="bare"> without recovery</label>'
        '<button type="reset">Reset</button><output id="count"></output>'
        f'<fieldset><legend class="unseen">What becomes of it</legend>{fates}</fieldset></form>'
    )


def _shapes(rows: list[Row]) -> str:
    """The legend of shapes that occur."""
    found = {family(row.asset["kind"], row.asset["recovery"]) for row in rows}
    items = "".join(
        f'<li><svg viewBox="0 0 26 16" aria-hidden="true">{_OUTLINES[SHAPES[name]]}</svg>{word}</li>'
        for name, word in FAMILY_WORDS.items()
        if name in found
    )
    return (
        f'<ul class="shapes" aria-label="Shapes">{items}'
        '<li><svg viewBox="0 0 26 16" aria-hidden="true"><rect x="2" y="2" width="22" height="12" '
        'stroke-width="3"/></svg>touched by the plan</li>'
        '<li><svg viewBox="0 0 26 16" aria-hidden="true"><rect x="2" y="2" width="22" height="12" '
        'stroke-dasharray="3 2"/></svg>not certain</li></ul>'
    )


_OUTLINES = {
    "rectangle": '<rect x="2" y="2" width="22" height="12"/>',
    "tag": '<path d="M2 2H18L24 8 18 14H2Z"/>',
    "cut-rectangle": '<path d="M6 2H20L24 6V10L20 14H6L2 10V6Z"/>',
    "barrel": '<path d="M2 4Q13 0 24 4V12Q13 16 2 12Z"/>',
    "hexagon": '<path d="M7 2H19L24 8 19 14H7L2 8Z"/>',
    "octagon": '<path d="M8 2H18L24 5V11L18 14H8L2 11V5Z"/>',
    "round-rectangle": '<rect x="2" y="2" width="22" height="12" rx="4"/>',
}


def _data(rows: list[Row], radius: dict[str, Any]) -> dict[str, Any]:
    """What the script needs beside the table: short rows, and words only once."""
    place = {row.asset["key"]: number for number, row in enumerate(rows)}
    used: dict[int, int] = {}
    edges: list[list[Any]] = []
    for index, edge in enumerate(radius["edges"]):
        source, target = place.get(edge["source"]), place.get(edge["target"])
        if source is not None and target is not None:
            used[index] = len(edges)
            edges.append([source, target, edge["why"], DOES[edge["does"]], int(edge["certain"])])
    return {
        "fates": {
            fate: {"mark": word.mark, "short": word.short, "long": word.long}
            for fate, word in FATES.items()
        },
        "harms": HARMS,
        "shapes": SHAPES,
        "changes": [
            [each["id"], f"{each['file']}:{each['line']}", each["summary"]]
            for each in radius["changes"]
        ],
        "containers": _containers(rows, radius, place),
        "edges": edges,
        "assets": [
            [
                row.asset["name"],
                row.asset["kind"],
                row.asset["id"],
                row.asset["fate"],
                row.asset["harm"],
                family(row.asset["kind"], row.asset["recovery"]),
                row.parent,
                None if row.edge is None else used[row.edge],
                row.last,
                round(row.weight, 2),
                (1 if row.asset["root"] else 0)
                | (2 if row.asset["certain"] else 0)
                | (4 if row.asset["unmapped"] else 0)
                | (8 if row.asset["recovery"] else 0)
                | (16 if _is_bare(row.asset) else 0),
                row.asset["rows_lost"],
                row.asset["changes"][:50],
                row.asset["criticality"],
                row.asset["source"],
                row.asset["container"],
                _way_back(row.asset["way_back"]),
                _own_path(row, used),
            ]
            for row in rows
        ],
    }


def _is_bare(asset: dict[str, Any]) -> bool:
    """Data that nothing outside the radius brings back."""
    return bool(asset["stateful"] and asset["fate"] in ("lost", "undecided"))


def _own_path(row: Row, used: dict[int, int]) -> list[int] | None:
    if row.own_path is None or not all(edge in used for edge in row.own_path):
        return None
    return [used[edge] for edge in row.own_path]


def _way_back(way: dict[str, Any] | None) -> str | None:
    return None if way is None else way["why"]


def _containers(
    rows: list[Row], radius: dict[str, Any], place: dict[str, int]
) -> dict[str, list[Any]]:
    """Names of what the assets are in, and what that is in."""
    named = {row.asset["key"]: row.asset for row in rows} | radius["containers"]
    wanted: dict[str, list[Any]] = {}
    for row in rows:
        key = row.asset["container"]
        while key is not None and key in named and key not in wanted:
            wanted[key] = [named[key]["name"], named[key]["kind"], named[key]["container"]]
            key = named[key]["container"]
    return wanted
