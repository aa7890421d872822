"""A blast radius drawn: a tree for a terminal, Mermaid for a comment, SVG for a page; all text is quoted."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .blast import Radius, Reached
from .blast_score import Fate
from .blast_spread import Harm
from .graph import Edge

MAX_LINES = 200
MAX_DRAWN = 300

FATE_WORDS = {
    Fate.LOST: "lost for good",
    Fate.UNDECIDED: "not known, counts as lost",
    Fate.RETURNS: "comes back",
    Fate.RECREATED: "made again from its definition",
    Fate.KEPT: "stays",
}
HARM_WORDS = {
    Harm.UNKNOWN: "reached by what could not be read",
    Harm.DESTROYED: "destroyed",
    Harm.CHANGED: "changed",
    Harm.ORPHANED: "orphaned",
    Harm.DISABLED: "disabled",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a tree; `depth` says how far it is indented."""

    depth: int
    reached: Reached | None
    text: str


def tree(radius: Radius, limit: int = MAX_LINES) -> Iterator[Line]:
    """The radius as a tree along the paths, heaviest first, at most `limit` assets.

    What is made again from its definition, and leads to nothing else, is only counted.
    """
    telling = _telling(radius)
    children: dict[str | None, list[Reached]] = {}
    parts: Counter[str] = Counter()
    for each in radius.reached:
        parent = each.via.source if each.via is not None else None
        if each.resource.key in telling:
            children.setdefault(parent, []).append(each)
        else:
            shown = _nearest(radius, each, telling)
            if shown is not None:
                parts[shown] += 1
    top = children.pop(None, [])
    stack = [(0, each) for each in reversed(top)]
    count = 0
    while stack:
        depth, each = stack.pop()
        if count == limit:
            yield Line(0, None, f"and {len(telling) - limit:,} more")
            return
        count += 1
        key = each.resource.key
        text = describe(each)
        if parts[key]:
            word = "part" if parts[key] == 1 else "parts"
            text += f" (with {parts[key]:,} {word} that the definition brings back)"
        yield Line(depth, each, text)
        stack += [(depth + 1, inner) for inner in reversed(children.pop(key, []))]
        if not stack:
            # Two assets whose worst comes from each other hang on no root.
            stack = [(0, inner) for left in children.values() for inner in left]
            children.clear()


def _telling(radius: Radius) -> set[str]:
    """The assets worth a line: all but what its definition brings back, and what leads to them."""
    telling: set[str] = set()
    for each in radius.reached:
        if each.is_root or each.fate is not Fate.RECREATED:
            above: Reached | None = each
            while above is not None and above.resource.key not in telling:
                telling.add(above.resource.key)
                above = radius.by_key.get(above.via.source) if above.via is not None else None
    return telling


def _nearest(radius: Radius, each: Reached, telling: set[str]) -> str | None:
    """What is shown and leads to an asset that is not."""
    for _ in range(each.depth):
        if each.via is None or each.via.source in telling:
            break
        each = radius.by_key[each.via.source]
    return each.via.source if each.via is not None and each.via.source in telling else None


def describe(each: Reached) -> str:
    """An asset and what becomes of it, in one line."""
    words = [f"{each.resource.kind} {each.resource.id}: {HARM_WORDS[each.harm]}"]
    if each.rows_lost:
        words.append(f"{each.rows_lost:,} rows")
    fate = FATE_WORDS[each.fate]
    if each.way_back is not None:
        fate += f" from {each.way_back.recovery.rpartition(':')[2]}"
        if each.way_back.within is not None:
            fate += f" within {length(each.way_back.within)}"
    words.append(fate)
    if not each.is_certain:
        words.append("maybe")
    return ", ".join(words)


def length(seconds: int) -> str:
    """A time in its largest unit that fits."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds} s"


# Mermaid


def mermaid(radius: Radius, limit: int = MAX_DRAWN) -> str:
    """A flowchart of the paths, at most `limit` assets."""
    drawn = _drawn(radius, limit)
    names = {each.resource.key: f"n{number}" for number, each in enumerate(drawn)}
    lines = ["flowchart LR"]
    for each in drawn:
        words = (each.resource.name, each.resource.kind, FATE_WORDS[each.fate])
        label = "<br/>".join(map(_mermaid_text, words))
        lines.append(f'  {names[each.resource.key]}["{label}"]:::{each.fate}')
    for edge in _path_edges(drawn):
        if edge.source in names and edge.target in names:
            why = _mermaid_text(edge.why)
            lines.append(f'  {names[edge.source]} -->|"{why}"| {names[edge.target]}')
    if len(radius.reached) > len(drawn):
        lines.append(f'  more["{_more(radius, drawn)}"]')
    lines += [
        f"  classDef {fate} fill:{fill},stroke:{stroke},color:#111"
        for fate, (fill, stroke) in COLORS.items()
    ]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Text between quotes: whatever is no plain character is written as an entity."""
    short = text if len(text) <= 80 else text[:79] + "…"
    return re.sub(r"[^\w .,:;/()-]", lambda found: f"#{ord(found[0])};", short)


COLORS = {
    Fate.LOST: ("#f8c9c4", "#b3261e"),
    Fate.UNDECIDED: ("#e6d3f5", "#6b3fa0"),
    Fate.RETURNS: ("#fde7b0", "#8a6100"),
    Fate.RECREATED: ("#d3e7fb", "#1b5e9e"),
    Fate.KEPT: ("#e4e6e8", "#5c636a"),
}


# SVG

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 220, 46, 330, 64, 24


def svg(radius: Radius, limit: int = MAX_DRAWN) -> str:
    """A drawing in layers: roots at the left, what they reach to the right of them."""
    drawn = _drawn(radius, limit)
    layers: dict[int, list[Reached]] = {}
    for each, depth in _layered(drawn):
        layers.setdefault(depth, []).append(each)
    places: dict[str, tuple[int, int]] = {}
    for depth in sorted(layers):
        # Beside its parent, so that the lines cross less.
        layers[depth].sort(
            key=lambda each: places.get(each.via.source, (0, 0))[1] if each.via is not None else 0
        )
        for number, each in enumerate(layers[depth]):
            places[each.resource.key] = (_MARGIN + depth * _ACROSS, _MARGIN + number * _DOWN)
    width = 2 * _MARGIN + max(layers, default=0) * _ACROSS + _WIDTH
    height = 2 * _MARGIN + max(map(len, layers.values()), default=1) * _DOWN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{_xml(_title(radius))}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#5c636a"/></marker></defs>',
    ]
    for edge in _path_edges(drawn):
        if edge.source in places and edge.target in places:
            (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
            x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
            middle = (x1 + x2) // 2
            dash = "" if edge.certain else ' stroke-dasharray="4 3"'
            parts.append(
                f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none"'
                f' stroke="#5c636a"{dash} marker-end="url(#arrow)"><title>{_xml(edge.why)}</title></path>'
            )
    for each in drawn:
        x, y = places[each.resource.key]
        fill, stroke = COLORS[each.fate]
        dash = ' stroke-dasharray="4 3"' if each.is_unmapped or not each.is_certain else ""
        bold = ' stroke-width="2.5"' if each.is_root else ""
        parts.append(
            f'<g><title>{_xml(describe(each))}</title><rect x="{x}" y="{y}" width="{_WIDTH}"'
            f' height="{_HEIGHT}" rx="6" fill="{fill}" stroke="{stroke}"{bold}{dash}/>'
            f'<text x="{x + 10}" y="{y + 19}" font-weight="600" fill="#111">'
            f"{_xml(_cut(each.resource.name, 28))}</text>"
            f'<text x="{x + 10}" y="{y + 36}" fill="#333">'
            f"{_xml(_cut(f'{each.resource.kind} · {each.fate}', 34))}</text></g>"
        )
    if len(radius.reached) > len(drawn):
        more = _more(radius, drawn)
        parts.append(f'<text x="{_MARGIN}" y="{height - 6}" fill="#333">{more}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _layered(drawn: list[Reached]) -> Iterator[tuple[Reached, int]]:
    """Each asset one layer behind what it is drawn from."""
    depths: dict[str, int] = {}
    for each in sorted(drawn, key=lambda each: each.depth):
        before = -1 if each.via is None else depths.get(each.via.source, -1)
        depths[each.resource.key] = before + 1
        yield each, before + 1


def _title(radius: Radius) -> str:
    return (
        f"blast radius of {len(radius.reached):,} assets, {radius.count(Fate.LOST):,} lost for good"
    )


def _more(radius: Radius, drawn: list[Reached]) -> str:
    left = len(radius.reached) - len(drawn)
    parts = radius.count(Fate.RECREATED) - sum(each.fate is Fate.RECREATED for each in drawn)
    return f"and {left:,} more, of which {parts:,} come back from their definition"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _xml(text: str) -> str:
    """Text for XML, without the characters that no XML document may hold."""
    plain = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    return escape(plain, {'"': "&quot;"})


def _drawn(radius: Radius, limit: int) -> list[Reached]:
    """The heaviest assets worth a line, with those on their paths, so that all that is drawn hangs together."""
    telling = _telling(radius)
    chosen: dict[str, Reached] = {}
    for each in radius.reached:
        if len(chosen) == limit:
            break
        if each.resource.key not in telling:
            continue
        wanted = [edge.source for edge in each.path] + [each.resource.key]
        missing = [key for key in wanted if key not in chosen]
        if len(chosen) + len(missing) > limit:
            continue
        for key in missing:
            chosen[key] = radius.by_key[key]
    return list(chosen.values())


def _path_edges(drawn: list[Reached]) -> Iterator[Edge]:
    """The last edge of every path; the others are the last of the assets before."""
    yield from dict.fromkeys(each.via for each in drawn if each.via is not None)
