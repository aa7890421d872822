"""A plan as Markdown for a comment on a pull request; text from artifacts stands there only as code."""

from collections.abc import Iterable

from ..lang.render import safe
from ..plans.model import Change, Effect, Plan, Position, Problem, Selector, risk_of, risk_of_change
from .artifacts import summary
from .common import plural

MAX_LETTERS = 60_000
"""A comment on GitHub has at most 65,536."""


def plan_markdown(plan: Plan) -> str:
    """What the plan does, the harmful changes first, as far as it fits into a comment."""
    lines = [f"**{summary(plan)}** · risk {risk_of(plan.changes)} · plan `{plan.digest[:12]}`", ""]
    lines += [f"- cannot read {_place(each)}: {code(each.message)}" for each in plan.problems[:50]]
    if len(plan.problems) > 50:
        lines.append(f"- and {plural(len(plan.problems) - 50, 'more problem')}")
    if plan.problems:
        lines.append("")
    harmful = [change for change in plan.changes if not _is_harmless(change)]
    harmless = [change for change in plan.changes if _is_harmless(change)]
    lines += _table(harmful, MAX_LETTERS - sum(map(len, lines)))
    if harmless:
        room = MAX_LETTERS - sum(map(len, lines))
        counted = plural(len(harmless), "change") + " with nothing to fear"
        lines += ["<details>", f"<summary>{counted}</summary>", "", *_table(harmless, room)]
        lines += ["</details>", ""]
    return "\n".join(lines)


def code(text: str) -> str:
    """Text that stays what it is: no markup, no link, no mention, no end of the cell."""
    return "<code>" + "".join(map(_letter, safe(text).replace("\t", " "))) + "</code>"


def code_block(lines: Iterable[str]) -> str:
    """Lines that stay what they are, in a block that no line of them can end."""
    kept = ["".join(map(_letter, safe(line).replace("\t", " "))) for line in lines]
    return "<pre>\n" + "\n".join(line or "&#32;" for line in kept) + "\n</pre>"


def _letter(letter: str) -> str:
    plain = letter.isalnum() or letter == " " or not letter.isascii()
    return letter if plain else f"&#{ord(letter)};"


def _table(changes: list[Change], room: int) -> list[str]:
    """Rows as far as there is room, and how many there was none for."""
    if not changes:
        return []
    lines = ["| effect | reach | risk | change | where |", "|---|---|---|---|---|"]
    for count, change in enumerate(changes):
        row = _row(change)
        room -= len(row) + 1
        if room < 500:
            return [*lines, "", f"and {len(changes) - count:,} more, which do not fit here", ""]
        lines.append(row)
    return [*lines, ""]


def _row(change: Change) -> str:
    what = code(change.summary)
    if change.opaque is not None:
        what += f"<br>not read: {code(change.opaque)}"
    reach = str(change.selector)
    if change.rows is not None:
        reach += f", {change.rows:,} rows ({change.row_basis})"
    cells = (change.effect, reach, risk_of_change(change), what, _place(change.source))
    return f"| {' | '.join(map(str, cells))} |"


def _place(place: Position | Problem) -> str:
    return code(f"{place.file}:{place.line}")


def _is_harmless(change: Change) -> bool:
    return change.opaque is None and (
        change.effect in (Effect.READ, Effect.CREATE)
        or (change.effect is Effect.UPDATE and change.selector in (Selector.NONE, Selector.ONE))
    )
