"""Policies with marks in them for the tests of the language server: `<|>` is the cursor, `<[` and `]>` a range.

Every fixture has a character outside the basic plane before its marks, so that units are told apart.
"""

import re
from dataclasses import dataclass, field

from lsprotocol.types import Position, Range, TextEdit

from interlock.lsp.session import Session
from interlock.lsp.text import Unit
from interlock.lsp.view import View

SCHEMA = """\
// 𝄞
enum Risk ordered { low, high }
/// Who asks. 𝄞
entity User in Team { age: Int, boss: User? }
entity Team
/// What is kept.
entity Door in Team { level: Int, risk: Risk, hint: String?, tags: Set<String> }
action group touch
action enter, door.open in touch {
  principal User
  resource  Door
  context   { code: Int?, now: Instant }
}
/// Whether somebody is grown up.
define grown(user: User, limit: Int) -> Bool = user.age >= limit
"""
"""A small world without a cursor, before most fixtures."""


@dataclass
class Opened:
    """Files as an editor has open, the first of them with the marks."""

    session: Session
    uri: str
    cursor: Position | None
    marked: Range | None
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def view(self) -> View:
        view = self.session.view(self.uri)
        assert view is not None
        return view

    @property
    def position(self) -> Position:
        assert self.cursor is not None, "the fixture has no cursor"
        return self.cursor

    @property
    def range(self) -> Range:
        if self.marked is not None:
            return self.marked
        return Range(self.position, self.position)

    def text_at(self, uri: str, range: Range) -> str:
        """What stands in a range, in the client's units."""
        text = self.session.workspace.documents[self.session.workspace.file_of(uri)].text
        unit = self.session.unit
        start = text.offset(range.start.line, range.start.character, unit)
        return text.source[start : text.offset(range.end.line, range.end.character, unit)]

    def applied(self, edits: list[TextEdit], uri: str | None = None) -> str:
        """The text of a file once edits are made."""
        file = self.session.workspace.file_of(uri or self.uri)
        text = self.session.workspace.documents[file].text
        unit = self.session.unit
        places = [
            (
                text.offset(edit.range.start.line, edit.range.start.character, unit),
                text.offset(edit.range.end.line, edit.range.end.character, unit),
                edit.new_text,
            )
            for edit in edits
        ]
        source = text.source
        for start, end, new in sorted(places, key=lambda place: place[:2], reverse=True):
            source = source[:start] + new + source[end:]
        return source


def opened(*texts: str, unit: Unit = Unit.UTF16) -> Opened:
    """Files `a.ilk`, `b.ilk`, … in one policy set, with the marks taken out."""
    session = Session(unit=unit)
    names = [f"{chr(ord('a') + number)}.ilk" for number in range(len(texts))]
    session.workspace.set_groups([[f"/project/{name}" for name in names]])
    result = Opened(session, "", None, None)
    for name, text in zip(names, texts, strict=True):
        assert "𝄞" in text, "a fixture needs a character outside the basic plane"
        uri = f"file:///project/{name}"
        plain = re.sub(r"<\|>|<\[|\]>", "", text)
        document = session.workspace.open_file(uri, plain, 1)
        assert document is not None
        result.texts[uri] = plain
        places = {}
        removed = 0
        for match in re.finditer(r"<\|>|<\[|\]>", text):
            places[match[0]] = match.start() - removed
            removed += len(match[0])
        if places or not result.uri:
            result.uri = uri
        positions = {
            mark: Position(*document.text.position(offset, unit)) for mark, offset in places.items()
        }
        result.cursor = positions.get("<|>", result.cursor)
        if "<[" in positions:
            result.marked = Range(positions["<["], positions["]>"])
    return result
