"""A file cut into declarations by one scan, so that each is parsed, cached and broken on its own."""

import re
from collections.abc import Iterator

from .source import Fragment

DECLARATION_KEYWORDS = (
    "module", "use", "enum", "abstract", "entity", "type", "action", "define",
    "permit", "forbid", "require", "prove", "test",
)  # fmt: skip

_TOKEN = re.compile(
    r'(?P<doc>///[^\n]*)|(?P<comment>//[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*"?)'
    r"|(?P<open>[{(])|(?P<close>[})])|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<at>@)|(?P<other>[^\s])"
)
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_HEADER = re.compile(
    rf"(permit|forbid|require|prove|test)\s+{_NAME}\s*\{{"
    rf"|enum\s+{_NAME}\s*(ordered\s*)?\{{"
    rf"|(abstract\s+)?entity\s+{_NAME}"
    rf"|type\s+{_NAME}\s*="
    rf"|define\s+{_NAME}\s*\("
    rf"|action\s+group\s+{_NAME}"
    rf"|action\s+{_NAME}[A-Za-z0-9_., \t]*\{{"
    rf"|(use|module)\s+{_NAME}"
)
"""The beginning of a declaration that is recognised even inside an unclosed block, at the start of a line."""
_LEADING = re.compile(r"(?:///[^\n]*|@[A-Za-z_][A-Za-z0-9_]*\([^\n]*\)|//[^\n]*|\s+)*")
_ACTION_HEADER = re.compile(rf"action\s+(?!(in|is|has|like|and|or|when)\b){_NAME}")


def fragments(file: str, text: str) -> Iterator[Fragment]:
    """The declarations of a file in order; together they hold every character but the space between them."""
    starts = list(_starts(text))
    line, column, done = 0, 0, 0
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(text)
        between = text[done:start]
        breaks = Fragment(file, between).line_starts
        line += len(breaks) - 1
        column = column + len(between) if len(breaks) == 1 else len(between) - breaks[-1]
        yield Fragment(file, text[start:end], start, line, column)
        done = start


def keyword_and_name(text: str) -> tuple[str, str]:
    """What a broken declaration was going to declare, as far as it can be told."""
    pattern = (
        rf"\b({'|'.join(DECLARATION_KEYWORDS)})\s+(?:entity\s+|group\s+)?({_NAME}(?:\.{_NAME})*)"
    )
    for line in text.splitlines():
        if not line.lstrip().startswith(("//", "@")):
            match = re.search(pattern, line)
            if match:
                return match[1], match[2]
    return "", ""


def _starts(text: str) -> Iterator[int]:
    depth = 0
    keyword = ""  # of the open declaration
    ended = True  # whether the open declaration is complete, so that anything begins another
    in_header = False  # whether documentation or annotations wait for their keyword
    previous, previous_end = "", 0
    for match in _TOKEN.finditer(text):
        kind, found, start = match.lastgroup, match[0], match.start()
        if kind == "comment":
            continue
        if depth and kind in ("word", "doc", "at") and _recovers(text, start):
            depth, ended, in_header = 0, True, False
        if depth == 0 and previous not in (".", ":"):
            if keyword in ("use", "module") and kind != "open":
                ended = ended or "\n" in text[previous_end:start]
            starter = kind == "word" and _starts_declaration(found, text, start)
            if in_header:
                in_header = not starter
            elif starter and (keyword, previous, found) != ("abstract", "abstract", "entity"):
                yield start
            elif kind in ("doc", "at"):
                yield start
                in_header = True
            elif ended:
                yield start
                keyword = "?"
            if starter:
                keyword = found
            ended = False
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
            ended = depth == 0 and found == "}" and keyword not in ("define", "type")
        previous, previous_end = found, match.end()


def _starts_declaration(word: str, text: str, start: int) -> bool:
    if word == "action":
        return _ACTION_HEADER.match(text, start) is not None
    return word in DECLARATION_KEYWORDS


def _recovers(text: str, start: int) -> bool:
    """Whether a declaration begins at the start of this line, whatever is still open."""
    if start and text[start - 1] not in "\r\n":
        return False
    header = _LEADING.match(text, start)
    return header is not None and _HEADER.match(text, header.end()) is not None
