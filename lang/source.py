"""Policy text and places in it: a file is cut into fragments, and a span is a stretch of one fragment.

A span counts from the start of its fragment, not of its file.
When an edit moves a declaration, its fragment gets a new place and every span inside stays valid.
"""

from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Fragment:
    """One declaration's own text and where it now stands; `offset`, `line` and `column` count code points from 0."""

    file: str
    text: str
    offset: int = 0
    line: int = 0
    column: int = 0
    _line_starts: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets in `text` at which its lines start; a line ends with `\\n`, `\\r\\n` or `\\r`."""
        if self._line_starts is None:
            starts = [0]
            for index, character in enumerate(self.text):
                if character == "\n" or (
                    character == "\r" and self.text[index + 1 : index + 2] != "\n"
                ):
                    starts.append(index + 1)
            self._line_starts = tuple(starts)
        return self._line_starts

    def place(self, offset: int) -> tuple[int, int]:
        """`(line, column)` in the file, from 1, of an offset in this fragment."""
        starts = self.line_starts
        low, high = 0, len(starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if starts[middle] <= offset else (low, middle)
        column = offset - starts[low] + (self.column if low == 0 else 0)
        return self.line + low + 1, column + 1


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch from `start` up to `end` of a fragment, in code points."""

    fragment: Fragment
    start: int
    end: int
    call: "Span | None" = field(default=None, compare=False, repr=False)
    """For text inside a definition that is written out: the call for which it stands."""

    @property
    def file(self) -> str:
        return self.fragment.file

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return self.fragment.place(self.start)[0]

    @property
    def column(self) -> int:
        """Column in code points, from 1."""
        return self.fragment.place(self.start)[1]

    @property
    def end_line(self) -> int:
        return self.fragment.place(self.end)[0]

    @property
    def end_column(self) -> int:
        return self.fragment.place(self.end)[1]

    @property
    def text(self) -> str:
        return self.fragment.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """From the start of this span to the end of another in the same fragment."""
        return Span(self.fragment, self.start, other.end)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Span(Fragment("", ""), 0, 0)
"""The span of what no file says."""
