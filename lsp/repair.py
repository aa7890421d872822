"""A declaration that cannot be read, mended until it can be: what stands in it keeps its meaning while it is written.

A name that nobody chose is put in where one is missing, a word that does not fit is left out, and what is open is
closed. Nothing of this is ever shown; places in the mended text are told as places of the text as it is.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from ..lang import syntax
from ..lang.grammar_state import state_after
from ..lang.parser import parse_fragment
from ..lang.source import Fragment, Span

MISSING = "ilk_missing"
"""The name that stands where one is missing."""
_MAX_MENDS = 8
MAX_CHARACTERS = 20_000
"""Longer declarations are not mended."""
_NO_VALUE = "and|or|in|is|has|like|then|else|when|unless|because|instead|need|expect"
_OPENERS = tuple(".<>=+*(,-")
_SLIPS = re.compile(
    r'"(?:[^"\\\r\n]|\\[^\r\n])*(?P<text>"?)|//[^\r\n]*|(?P<other>&&|\|\|)'
    rf"|(?P<open>[.<>=+*(,-]|\b(?:and|or|not)\b)(?=\s+(?:{_NO_VALUE})\b)|(?P<bracket>[()])"
    r"|(?P<clause>[\r\n][ \t]*(?=(?:when|unless|because|instead|need|expect|never)\b))"
)
"""What is mended before the grammar is asked, which knows no better than to leave out the word after it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A declaration as it was read, and where what it says stands in its `fragment`."""

    declaration: syntax.Declaration
    fragment: Fragment
    starts: tuple[int, ...] = ()
    """Where something was put in, in the mended text."""
    added: tuple[int, ...] = ()
    """How much was put in up to there."""

    def span(self, span: Span) -> Span:
        """A place of the mended text, in the text as it is."""
        if span.fragment is not self.declaration.span.fragment:
            return span
        return Span(self.fragment, self._original(span.start), self._original(span.end))

    def offset(self, original: int) -> int:
        """A place of the text as it is, in the mended text."""
        offset = original
        for start, more in zip(self.starts, _steps(self.added), strict=True):
            if start <= offset:
                offset += more
        return offset

    def _original(self, offset: int) -> int:
        index = bisect_right(self.starts, offset) - 1
        if index >= 0:
            before = self.added[index - 1] if index else 0
            # Within what was put in is where it was put in.
            offset = max(self.starts[index] - before, offset - self.added[index])
        return min(offset, len(self.fragment.text))


def reading(declaration: syntax.Declaration) -> Reading:
    """The declaration itself where it could be read, else what can be made of it."""
    fragment = declaration.span.fragment
    if isinstance(declaration, syntax.Broken) and len(fragment.text) <= MAX_CHARACTERS:
        text, added = _mended(fragment.text)
        found, _ = parse_fragment(Fragment(fragment.file, text))
        if not isinstance(found, syntax.Broken):
            added.sort()
            total = tuple(accumulate(length for _, length in added))
            return Reading(found, fragment, tuple(start for start, _ in added), total)
    return Reading(declaration, fragment)


def _steps(totals: tuple[int, ...]) -> list[int]:
    return [total - before for total, before in zip(totals, (0, *totals), strict=False)]


def _mended(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text that the grammar takes, and the places in it where something was put in, with how much."""
    text, added = without_slips(text)
    put = f" {MISSING} "
    for _ in range(_MAX_MENDS):
        kept = state_after(text).text
        wrong = _first_wrong(text, kept)
        if wrong is None:
            break
        tried = text[:wrong] + put + text[wrong:]
        next_wrong = _first_wrong(tried, state_after(tried).text)
        if next_wrong is None or next_wrong > wrong + len(put):
            text = tried
            # The slips were mended in the whole text before.
            added = [(start + len(put) * (start >= wrong), more) for start, more in added]
            added.append((wrong, len(put)))
        else:
            end = wrong
            while end < len(text) and text[end] != kept[end]:
                end += 1
            text = text[:wrong] + " " * (end - wrong) + text[end:]
    state = state_after(text)
    rest = state.completion(MISSING)
    return state.text + ("\n" + rest if rest else ""), added


def without_slips(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text with `and` for `&&`, a name before a word that is no value, and closed texts and calls."""
    added: list[tuple[int, int]] = []
    parts: list[str] = []
    done = length = depth = 0
    for match in _SLIPS.finditer(text):
        found = match[0]
        new = found
        if match["text"] == "":
            new = f'{found}"'
        elif match["other"] is not None:
            new = " and " if found == "&&" else " or "
            if text[: match.start()].rstrip().endswith(_OPENERS):
                new = f" {MISSING}{new}"
        elif match["open"] is not None:
            new = f"{found} {MISSING}"
        elif match["clause"] is not None:
            new, depth = ")" * depth + found, 0
        if found in "()":
            depth = depth + 1 if found == "(" else max(0, depth - 1)
        if new == found:
            continue
        more = len(new) - len(found)
        parts += [text[done : match.start()], new]
        length += match.start() - done + len(new)
        # What was put in stands before the line end of a clause, and else after what was there.
        added.append((length - len(found) - more if match["clause"] else length - more, more))
        done = match.end()
    return "".join(parts) + text[done:], added


def _first_wrong(text: str, kept: str) -> int | None:
    """Where the first word stands that does not fit; it was left out of what was kept."""
    if text == kept:
        return None
    pairs = zip(text, kept, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), None)
