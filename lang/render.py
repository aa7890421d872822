"""A diagnostic as terminal text: the sentence, the line with a mark below the place, and what would mend it."""

from collections.abc import Iterable

from .diagnostics import Diagnostic, Severity
from .source import Span

RESET, BOLD, RED, YELLOW, BLUE, GREEN, DIM = (
    "\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[32m", "\x1b[2m"
)  # fmt: skip
MAX_LINE = 160


def paint(text: str, *codes: str, color: bool) -> str:
    return f"{''.join(codes)}{text}{RESET}" if color and text else text


def safe(text: str) -> str:
    """Text that cannot steer a terminal: control and invisible formatting characters are shown as escapes."""
    return "".join(
        character if character.isprintable() or character == "\t" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def render(problem: Diagnostic, *, color: bool = False) -> str:
    """The diagnostic in a few lines."""
    tint = RED if problem.severity is Severity.ERROR else YELLOW
    head = paint(f"{problem.severity}[{problem.code}]", BOLD, tint, color=color)
    lines = [f"{head}: {paint(safe(problem.message), BOLD, color=color)}"]
    lines += excerpt(problem.span, tint, color=color)
    for note in problem.notes:
        lines.append(f"  {safe(note.message)}:")
        lines += excerpt(note.span, BLUE, color=color)
    if problem.help:
        lines.append(f"  {paint('help', BOLD, GREEN, color=color)}: {safe(problem.help)}")
    return "\n".join(lines)


def excerpt(span: Span, tint: str, *, color: bool = False) -> list[str]:
    """The place of a span, and its first line with a mark below."""
    place = f"{safe(span.file)}:{span.line}:{span.column}"
    lines = [f"  {paint('-->', BLUE, color=color)} {place}"]
    text = _line_of(span)
    if not text.strip():
        return (
            lines
            if span.fragment.text
            else [f"  {paint('-->', BLUE, color=color)} {safe(span.file)}"]
        )
    number = str(span.line)
    start = span.column - 1 - _column_offset(span)
    shown = safe(text[:MAX_LINE]).replace("\t", " ")
    before = safe(text[:start]).replace("\t", " ")
    marked = safe(text[start : start + _length_on_line(span, text, start)])
    bar = paint("|", BLUE, color=color)
    mark = paint("^" * max(1, len(marked)), tint, color=color)
    lines.append(f"  {paint(number, BLUE, color=color)} {bar} {shown}")
    if len(before) < MAX_LINE:
        lines.append(f"  {' ' * len(number)} {bar} {' ' * len(before)}{mark}")
    return lines


def _line_of(span: Span) -> str:
    """The part of the span's line that is in its fragment."""
    text = span.fragment.text
    start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    ends = [end for end in (text.find("\n", span.start), text.find("\r", span.start)) if end >= 0]
    return text[start : min(ends, default=len(text))]


def _column_offset(span: Span) -> int:
    """Columns of the line that stand before the fragment."""
    return span.fragment.column if span.line == span.fragment.line + 1 else 0


def _length_on_line(span: Span, text: str, start: int) -> int:
    return max(1, min(span.end - span.start, len(text) - start))


def render_all(problems: Iterable[Diagnostic], *, color: bool = False) -> str:
    return "\n\n".join(render(problem, color=color) for problem in problems)
