"""The text of an open file, edited in place, and its places in the units that a client counts in."""

import re
from bisect import bisect_right
from enum import StrEnum

_LINE_END = re.compile(r"\r\n|\r|\n")


class Unit(StrEnum):
    """What a client counts within a line; the names are those of the protocol."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Text:
    """A text and where its lines start. Lines end as the protocol says: `\\n`, `\\r\\n` or `\\r`, nothing else."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.line_starts = [0, *(match.end() for match in _LINE_END.finditer(source))]

    def replace(self, start: int, end: int, new: str) -> None:
        """Puts `new` where `start` to `end` was, in code points."""
        # A line end may be made of what was before an edit and what it puts in, or come apart.
        first = max(0, bisect_right(self.line_starts, max(0, start - 1)) - 1)
        last = bisect_right(self.line_starts, min(len(self.source), end + 1))
        self.source = self.source[:start] + new + self.source[end:]
        delta = len(new) - (end - start)
        after = [offset + delta for offset in self.line_starts[last:]]
        stop = after[0] if after else len(self.source)
        begin = self.line_starts[first]
        between = [match.end() for match in _LINE_END.finditer(self.source, begin, stop)]
        if after and between and between[-1] == after[0]:
            between.pop()
        self.line_starts[first + 1 :] = between + after

    def line(self, number: int) -> str:
        """A line without its end, from 0; beyond the last there is the empty one."""
        if not 0 <= number < len(self.line_starts):
            return ""
        start = self.line_starts[number]
        last = number + 1 == len(self.line_starts)
        end = len(self.source) if last else self.line_starts[number + 1]
        return self.source[start:end].rstrip("\r\n")

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset) - 1

    def offset(self, line: int, character: int, unit: Unit) -> int:
        """The code point that a client's position stands before; one beyond the line or the text is its end."""
        if line >= len(self.line_starts):
            return len(self.source)
        return self.line_starts[line] + code_points(self.line(line), character, unit)

    def position(self, offset: int, unit: Unit) -> tuple[int, int]:
        """`(line, character)` as a client counts, both from 0."""
        line = self.line_of(offset)
        return line, units(self.source[self.line_starts[line] : offset], unit)


def units(text: str, unit: Unit) -> int:
    """How long a text is in the units of a client."""
    if unit is Unit.UTF32 or text.isascii():
        return len(text)
    if unit is Unit.UTF16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def code_points(line: str, count: int, unit: Unit) -> int:
    """How many whole characters of a line there are in `count` units."""
    if unit is Unit.UTF32 or line.isascii():
        return max(0, min(count, len(line)))
    done = 0
    for index, character in enumerate(line):
        done += units(character, unit)
        if done > count:
            return index
    return len(line)
