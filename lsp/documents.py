"""A policy file under the cursor: its declarations, of which an edit reads again only those it touches."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from ..lang import syntax
from ..lang.diagnostics import Diagnostic
from ..lang.fragments import starts
from ..lang.limits import MAX_FILE_CHARACTERS
from ..lang.parser import parse, parse_fragment, parse_head
from ..lang.source import Fragment
from .text import Text

_BEFORE = 3
"""Declarations before an edit that are split again, since a split looks ahead to the next header."""


@dataclass(frozen=True, slots=True)
class Part:
    """One declaration of a file as it was read from its fragment."""

    fragment: Fragment
    declaration: syntax.Declaration
    problems: tuple[Diagnostic, ...]


class Document:
    """A file as an editor or the disk has it; `version` is the editor's."""

    def __init__(self, file: str, source: str, version: int | None = None) -> None:
        self.file = file
        self.version = version
        self.revision = 0
        """Grows with every edit."""
        self.text = Text(source)
        self.parts: list[Part] = []
        self._header: tuple[int, str, list[str]] | None = None
        self.head: list[Diagnostic] = []
        """What is wrong beside the declarations."""
        self.is_readable = True
        """Whether there is a text; where there is none, `head` says why."""
        self._split_again(0, 0, len(source), 0)

    def edit(self, start: int, end: int, new: str) -> None:
        """Replaces the code points from `start` to `end`."""
        before = len(self.text.source)
        # A line that the edit joins to the one before it begins there.
        line_start = self.text.line_starts[self.text.line_of(max(0, start - 1))]
        self.text.replace(start, end, new)
        self.revision += 1
        self._split_again(line_start, end, start + len(new), before)

    def set_source(self, source: str) -> None:
        """Replaces the whole text, as an edit of what differs."""
        old = self.text.source
        if source == old:
            return
        start = _common(old, source)
        rest = _common(old[start:][::-1], source[start:][::-1])
        self.edit(start, len(old) - rest, source[start : len(source) - rest])

    @property
    def header(self) -> tuple[str, list[str]]:
        """The module that the file says it is, and the modules that it uses."""
        if self._header is None or self._header[0] != self.revision:
            module, uses = "", []
            for part in self.parts:
                match part.declaration:
                    case syntax.Module(name):
                        module = module or name
                    case syntax.Use(used):
                        uses.append(used)
                    case _:
                        pass
            self._header = self.revision, module, uses
        return self._header[1], self._header[2]

    def part_at(self, offset: int) -> Part | None:
        """The declaration whose text an offset is in, or stands right after."""
        index = bisect_right(self.parts, offset, key=lambda part: part.fragment.offset) - 1
        return self.parts[index] if index >= 0 else None

    def has(self, fragment: Fragment) -> bool:
        """Whether a fragment is one of this text as it is now."""
        part = self.part_at(fragment.offset)
        return part is not None and part.fragment is fragment

    def _split_again(self, start: int, old_end: int, new_end: int, old_length: int) -> None:
        source = self.text.source
        if len(source) > MAX_FILE_CHARACTERS:
            self.parts, self.head = [], parse(self.file, source)[1]
            return
        if old_length > MAX_FILE_CHARACTERS:
            self.parts, start, old_end, new_end = [], 0, old_length, len(source)
        delta = new_end - old_end
        before = bisect_right(self.parts, start, key=lambda part: part.fragment.offset) - 1
        kept = max(0, before - _BEFORE)
        begin = self.parts[kept].fragment.offset if kept else 0
        after = {
            part.fragment.offset + delta: index
            for index, part in enumerate(self.parts)
            if part.fragment.offset >= old_end
        }
        found: list[int] = []
        resumed, end = len(self.parts), len(source)
        for place in starts(source, begin):
            # The same text is split the same way, whatever stands before it.
            if place >= new_end and place in after:
                resumed, end = after[place], place
                break
            found.append(place)
        known: dict[str, list[Part]] = {}
        for part in self.parts[kept:resumed]:
            known.setdefault(part.fragment.text, []).append(part)
        self.parts[kept:resumed] = [
            self._read(source[place:stop], known) for place, stop in pairwise([*found, end])
        ]
        self._place(kept, found[0] if found else end)
        head = source[: self.parts[0].fragment.offset] if self.parts else source
        self.head = parse_head(Fragment(self.file, head))

    def _read(self, text: str, known: dict[str, list[Part]]) -> Part:
        """A declaration, as it was read before where its text is the same."""
        same = known.get(text)
        if same:
            return same.pop(0)
        fragment = Fragment(self.file, text)
        declaration, problems = parse_fragment(fragment)
        return Part(fragment, declaration, tuple(problems))

    def _place(self, first: int, offset: int) -> None:
        """Gives every fragment from `first` on its place; they follow each other without a gap."""
        line_starts = self.text.line_starts
        line = self.text.line_of(offset)
        for part in self.parts[first:]:
            fragment = part.fragment
            while line + 1 < len(line_starts) and line_starts[line + 1] <= offset:
                line += 1
            fragment.offset, fragment.line = offset, line
            fragment.column = offset - line_starts[line]
            offset += len(fragment.text)


def unreadable(file: str, problem: Diagnostic) -> Document:
    """A file on the disk of which nothing is known but what is wrong with it."""
    fragment = problem.span.fragment
    # The line that is wrong is kept at its place, so that it can be pointed at.
    document = Document(file, "\n" * fragment.line + fragment.text)
    fragment.offset = fragment.line
    document.parts, document.head, document.is_readable = [], [problem], False
    return document


def _common(left: str, right: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[:middle] == right[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
