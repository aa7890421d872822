"""A log-log plot as SVG: one panel for each title, one line for each engine, names at the ends of the lines."""

import math
from collections.abc import Mapping, Sequence
from html import escape

COLORS = (
    "#c0392b", "#2471a3", "#1e8449", "#b7950b", "#7d3c98", "#117a65", "#ca6f1e", "#5d6d7e", "#34495e",
)  # fmt: skip
WIDTH, HEIGHT = 490, 400
LEFT, RIGHT, TOP, BOTTOM = 84, 138, 40, 48

Points = Sequence[tuple[float, float]]


def log_log(panels: Mapping[str, Mapping[str, Points]], x_label: str, y_label: str) -> str:
    """The same axes for all panels, so that heights compare; the first engine has the first color everywhere."""
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    points = [point for lines in panels.values() for line in lines.values() for point in line]
    xs = _decades([x for x, _ in points])
    ys = _decades([y for _, y in points])
    width = WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>',
    ]
    for number, (title, lines) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({WIDTH * number} 0)">')
        parts += _axes(title, xs, ys, x_label, y_label if number == 0 else "")
        ends = []
        for name, line in lines.items():
            color = COLORS[names.index(name) % len(COLORS)]
            places = [(_x(x, xs), _y(y, ys)) for x, y in line]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            wide = 3 if name == names[0] else 1.6
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{wide}"/>'
            )
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places
            ]
            if places:
                ends.append((*places[-1], name, color))
        parts += _labels(ends)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = min(values, default=1), max(values, default=10)
    return math.floor(math.log10(low)), max(
        math.ceil(math.log10(high)), math.floor(math.log10(low)) + 1
    )


def _x(value: float, decades: tuple[int, int]) -> float:
    share = (math.log10(value) - decades[0]) / (decades[1] - decades[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(value: float, decades: tuple[int, int]) -> float:
    share = (math.log10(value) - decades[0]) / (decades[1] - decades[0])
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _axes(
    title: str, xs: tuple[int, int], ys: tuple[int, int], x_label: str, y_label: str
) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    middle = (LEFT + right) / 2
    parts = [
        f'<text x="{middle}" y="22" text-anchor="middle" font-size="14" font-weight="bold">'
        f"{escape(title)}</text>",
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(14 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    for decade in range(xs[0], xs[1] + 1):
        x = _x(10.0**decade, xs)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#e5e5e5"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_number(decade)}</text>'
        )
    for decade in range(ys[0], ys[1] + 1):
        y = _y(10.0**decade, ys)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e5e5e5"/>')
        parts.append(
            f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{_number(decade)}</text>'
        )
    return parts


def _labels(ends: list[tuple[float, float, str, str]]) -> list[str]:
    """Names beside the ends of lines, moved apart where they would overlap."""
    parts = []
    previous = -math.inf
    for x, y, name, color in sorted(ends, key=lambda end: end[1]):
        place = max(y + 4, previous + 14)
        previous = place
        parts.append(f'<text x="{x + 8:.1f}" y="{place:.1f}" fill="{color}">{escape(name)}</text>')
    return parts


def _number(decade: int) -> str:
    return f"{10**decade:,}" if decade >= 0 else f"{10.0**decade:g}"
