"""The kind of every word of a file, for colouring that knows a type from an action; whole, changed or in a range."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from lsprotocol.types import (
    Range,
    SemanticTokenModifiers,
    SemanticTokens,
    SemanticTokensDelta,
    SemanticTokensEdit,
    SemanticTokensLegend,
    SemanticTokenTypes,
)

from ...lang.parser import grammar
from ..documents import Part
from ..occurrences import occurrences
from ..symbols import BUILT_IN, Kind
from ..text import units
from ..view import View

_TYPES = {
    Kind.MODULE: SemanticTokenTypes.Namespace,
    Kind.ENUM: SemanticTokenTypes.Enum,
    Kind.MEMBER: SemanticTokenTypes.EnumMember,
    Kind.ENTITY: SemanticTokenTypes.Class,
    Kind.ALIAS: SemanticTokenTypes.Type,
    Kind.PRIMITIVE: SemanticTokenTypes.Type,
    Kind.ATTRIBUTE: SemanticTokenTypes.Property,
    Kind.ACTION: SemanticTokenTypes.Event,
    Kind.GROUP: SemanticTokenTypes.Event,
    Kind.DEFINE: SemanticTokenTypes.Function,
    Kind.FUNCTION: SemanticTokenTypes.Function,
    Kind.METHOD: SemanticTokenTypes.Method,
    Kind.PARAMETER: SemanticTokenTypes.Parameter,
    Kind.ELEMENT: SemanticTokenTypes.Parameter,
    Kind.VARIABLE: SemanticTokenTypes.Variable,
    Kind.RULE: SemanticTokenTypes.Decorator,
    Kind.CLAIM: SemanticTokenTypes.Decorator,
    Kind.TEST: SemanticTokenTypes.Decorator,
    Kind.ENTITY_ID: SemanticTokenTypes.String,
}
_ORDER = list(
    dict.fromkeys(
        [*_TYPES.values(), SemanticTokenTypes.Keyword, SemanticTokenTypes.Comment,
         SemanticTokenTypes.Number, SemanticTokenTypes.String, SemanticTokenTypes.Operator]
    )
)  # fmt: skip
_MODIFIERS = [
    SemanticTokenModifiers.Declaration,
    SemanticTokenModifiers.DefaultLibrary,
    SemanticTokenModifiers.Documentation,
]
LEGEND = SemanticTokensLegend(
    [str(one.value) for one in _ORDER], [str(one.value) for one in _MODIFIERS]
)
_WORD = re.compile(
    r'(?P<doc>///[^\r\n]*)|(?P<comment>//[^\r\n]*)|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*"?)'
    r"|(?P<number>\b[0-9][0-9A-Za-z_.]*)|(?P<word>[a-z_][a-z_]*\b)"
)
_Token = tuple[int, int, int, int]
"""Start, end, type and modifiers, in code points of the file."""


def semantic_tokens(view: View) -> SemanticTokens:
    return SemanticTokens(_encoded(view, view.document.parts))


def semantic_tokens_range(view: View, range: Range) -> SemanticTokens:
    start, end = view.span_of(range)
    parts = [
        part
        for part in view.document.parts
        if part.fragment.offset <= end and part.fragment.offset + len(part.fragment.text) >= start
    ]
    first = (range.start.line, range.start.character)
    last = (range.end.line, range.end.character)
    return SemanticTokens(_encoded(view, parts, first, last))


def delta(before: Sequence[int], after: Sequence[int]) -> SemanticTokensDelta:
    """One edit that makes one list of numbers out of another."""
    start = 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    removed = len(before) - start - end
    added = list(after[start : len(after) - end])
    if not removed and not added:
        return SemanticTokensDelta([])
    return SemanticTokensDelta([SemanticTokensEdit(start, removed, added)])


_Placed = tuple[int, int, int, int, int]
"""Line within the declaration, character, length, type and modifiers, in the client's units."""


def _encoded(
    view: View,
    parts: Sequence[Part],
    first: tuple[int, int] = (0, 0),
    last: tuple[int, int] | None = None,
) -> list[int]:
    """Tokens as differences of places, those that touch the stretch from `first` to `last`."""
    result: list[int] = []
    last_line = last_character = 0
    for part in parts:
        above = part.fragment.line
        for below, character, length, type, modifiers in _placed(view, part):
            line = above + below
            if (line, character + length) <= first or (
                last is not None and (line, character) >= last
            ):
                continue
            right = character - last_character if line == last_line else character
            result += (line - last_line, right, length, type, modifiers)
            last_line, last_character = line, character
    return result


def _placed(view: View, part: Part) -> list[_Placed]:
    """The tokens of a declaration; kept with its check where it begins a line, since then nothing moves them."""
    entry = view.analysis.entry_of(part.declaration)
    is_kept = entry is not None and not entry.is_broken and part.fragment.column == 0
    kept = entry.tokens if entry is not None and is_kept else {}
    found = kept.get(view.unit)
    if found is None:
        text, unit, above = view.document.text, view.unit, part.fragment.line
        found = []
        for start, end, type, modifiers in _part_tokens(view, part):
            line, character = text.position(start, unit)
            length = units(text.source[start:end], unit)
            found.append((line - above, character, length, type, modifiers))
        kept[view.unit] = found
    return found


def _part_tokens(view: View, part: Part) -> Iterator[_Token]:
    """The names as the checker knows them, and between them what the text says of itself."""
    base = part.fragment.offset
    entry = view.analysis.entry_of(part.declaration)
    named: list[_Token] = []
    if entry is not None:
        done = 0
        for one in occurrences(view.analysis, entry):
            if one.span.start < done:
                continue
            done = one.span.end
            symbol = one.symbols[0]
            modifiers = int(one.declares) | (2 if symbol.kind in BUILT_IN else 0)
            named.append(
                (one.span.start, one.span.end, _ORDER.index(_TYPES[symbol.kind]), modifiers)
            )
    index = 0
    for match in _WORD.finditer(part.fragment.text):
        while index < len(named) and named[index][0] < match.start():
            start, end, type, modifiers = named[index]
            yield base + start, base + end, type, modifiers
            index += 1
        if index and named[index - 1][1] > match.start():
            continue
        if index < len(named) and named[index][0] < match.end():
            if match.lastgroup == "string":
                yield from _message(base, match, named, index)
                while index < len(named) and named[index][1] <= match.end():
                    index += 1
            continue
        token = _plain(base, match)
        if token is not None:
            yield token
    for start, end, type, modifiers in named[index:]:
        yield base + start, base + end, type, modifiers


@cache
def _keywords() -> frozenset[str]:
    return frozenset(grammar().spoken.values())


def _plain(base: int, match: re.Match[str]) -> _Token | None:
    start, end = base + match.start(), base + match.end()
    match match.lastgroup:
        case "doc":
            return start, end, _ORDER.index(SemanticTokenTypes.Comment), 4
        case "comment":
            return start, end, _ORDER.index(SemanticTokenTypes.Comment), 0
        case "string":
            return start, end, _ORDER.index(SemanticTokenTypes.String), 0
        case "number":
            return start, end, _ORDER.index(SemanticTokenTypes.Number), 0
        case _ if match[0] in _keywords():
            return start, end, _ORDER.index(SemanticTokenTypes.Keyword), 0
        case _:
            return None


def _message(base: int, match: re.Match[str], named: list[_Token], index: int) -> Iterator[_Token]:
    """A text with holes: the names in it, and the text around them."""
    text = _ORDER.index(SemanticTokenTypes.String)
    done = match.start()
    for start, end, type, modifiers in named[index:]:
        if start >= match.end():
            break
        if start > done:
            yield base + done, base + start, text, 0
        yield base + start, base + end, type, modifiers
        done = end
    if done < match.end():
        yield base + done, base + match.end(), text, 0
