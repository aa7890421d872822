"""One file as one client sees it: its analysis, and places in the client's units. Every feature is given a view."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol.types import Location, Position, Range, TextEdit

from ..lang.names import Scope
from ..lang.source import Fragment, Span
from .analysis import Analysis, Entry
from .documents import Document, Part
from .occurrences import declared_at, occurrence_at, uses
from .symbols import Occurrence, Symbol
from .text import Unit


@dataclass(frozen=True, slots=True)
class View:
    analysis: Analysis
    document: Document
    unit: Unit = Unit.UTF16
    uri_of: Callable[[str], str] = str
    modules: Callable[[], Sequence[str]] = tuple
    """Every module that a `use` can name."""
    modules_with: Callable[[str], Sequence[str]] = lambda name: ()
    """The modules that declare a type or a definition of a name."""
    is_editable: Callable[[str], bool] = bool
    """Whether a file is the user's to change."""
    shown: Callable[[Span], str] = str
    """A place in words, with its file as it is called in the project."""
    module: Callable[[str], Document | None] = lambda name: None
    """The file of a module that the file can use."""
    sets: Callable[[], Iterable[Analysis]] = tuple
    """Every policy set of the project."""
    document_of: Callable[[str], Document | None] = lambda file: None
    """A file that only another policy set reads."""

    @property
    def file(self) -> str:
        return self.document.file

    @property
    def source(self) -> str:
        return self.document.text.source

    @property
    def scope(self) -> Scope | None:
        """What the file sees; none where its module is also another file."""
        for scope in self.analysis.names.scopes.values():
            if scope.module.file == self.file:
                return scope
        return None

    # From the client

    def offset(self, position: Position) -> int:
        return self.document.text.offset(position.line, position.character, self.unit)

    def span_of(self, range: Range) -> tuple[int, int]:
        return self.offset(range.start), self.offset(range.end)

    def part_at(self, offset: int) -> Part | None:
        return self.document.part_at(offset)

    def entry_at(self, offset: int) -> tuple[Entry, int] | None:
        """The checked declaration at an offset, and the offset in its fragment."""
        part = self.document.part_at(offset)
        entry = self.analysis.entry_of(part.declaration) if part is not None else None
        if part is None or entry is None:
            return None
        return entry, offset - part.fragment.offset

    def occurrence_at(self, position: Position) -> Occurrence | None:
        found = self.entry_at(self.offset(position))
        return occurrence_at(self.analysis, *found) if found is not None else None

    def entries(self) -> Iterator[Entry]:
        """The checked declarations of the file, in order."""
        for part in self.document.parts:
            entry = self.analysis.entry_of(part.declaration)
            if entry is not None:
                yield entry

    def sets_with(self, symbol: Symbol) -> list[Analysis]:
        """This policy set, and every other that reads the files in which something is declared."""
        files = {span.file for span in declared_at(self.analysis, symbol)}
        others = (one for one in self.sets() if one is not self.analysis)
        return [self.analysis, *(one for one in others if files and files <= one.documents.keys())]

    def uses(self, symbols: Iterable[Symbol]) -> Iterator[tuple[Entry, Occurrence]]:
        """Every place in the project that names one of the symbols, once."""
        found: dict[int, tuple[Analysis, set[Symbol]]] = {}
        for symbol in symbols:
            for analysis in self.sets_with(symbol):
                found.setdefault(id(analysis), (analysis, set()))[1].add(symbol)
        seen: set[tuple[int, int, int]] = set()
        for analysis, wanted in found.values():
            for entry, one in uses(analysis, wanted):
                # A file that several sets read is one document with the same fragments.
                place = (id(one.span.fragment), one.span.start, one.span.end)
                if place not in seen:
                    seen.add(place)
                    yield entry, one

    # To the client

    def position(self, offset: int) -> Position:
        return Position(*self.document.text.position(offset, self.unit))

    def range_between(self, start: int, end: int) -> Range:
        return Range(self.position(start), self.position(end))

    def range(self, span: Span) -> Range:
        """A span of this file or of another of the project."""
        known = self.analysis.documents.get(span.file) or self.document_of(span.file)
        text = (known or self.document).text
        offset = span.fragment.offset
        length = len(text.source)
        start, end = min(offset + span.start, length), min(offset + span.end, length)
        return Range(
            Position(*text.position(start, self.unit)), Position(*text.position(end, self.unit))
        )

    def location(self, span: Span) -> Location:
        return Location(self.uri_of(span.file), self.range(span))

    def edit(self, span: Span, text: str) -> TextEdit:
        return TextEdit(self.range(span), text)

    def edit_between(self, start: int, end: int, text: str) -> TextEdit:
        return TextEdit(self.range_between(start, end), text)


def whole(fragment: Fragment) -> Span:
    """A fragment without the space after it."""
    return Span(fragment, 0, len(fragment.text.rstrip()))
