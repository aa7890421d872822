"""A file cut into declarations by one scan, so that each is parsed, cached and broken on its own."""

import re
from collections.abc import Iterator

from .source import Fragment

DECLARATION_KEYWORDS = (
    "module", "use", "enum", "abstract", "entity", "type", "action", "define",
    "permit", "forbid", "require", "prove", "test",
)  # fmt: skip

_TOKEN = re.compile(
    r'(?P<doc>///[^\r\n]*)|(?P<comment>//[^\r\n]*)|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*"?)'
    r"|(?P<open>[{(])|(?P<close>[})])|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<at>@)"
    r"|(?P<operator>->|=>|\?\?|[=!<>]?=|[<>|,.:+*-])|(?P<other>[^ \t\r\n\f])"
)
_OPERATORS = frozenset(
    (
        "and", "or", "not", "in", "is", "has", "like", "if", "then", "else", "when", "unless", "otherwise", "union",
        "intersect", "minus", "subset_of", "starts_with", "ends_with", "contains", "extends",
    )
)  # fmt: skip
"""Words after which a name stands, even one that is also a keyword."""
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
_LEADING = re.compile(
    r"(?:///[^\r\n]*|@[A-Za-z_][A-Za-z0-9_]*\([^\r\n]*\)|//[^\r\n]*|[ \t\r\n\f]+)*"
)


def fragments(file: str, text: str) -> Iterator[Fragment]:
    """The declarations of a file in order; together they hold every character but the space between them."""
    places = list(starts(text))
    line, column, done = 0, 0, 0
    for index, start in enumerate(places):
        end = places[index + 1] if index + 1 < len(places) else len(text)
        between = text[done:start]
        breaks = Fragment(file, between).line_starts
        line += len(breaks) - 1
        column = column + len(between) if len(breaks) == 1 else len(between) - breaks[-1]
        yield Fragment(file, text[start:end], start, line, column)
        done = start


def keyword_and_names(text: str) -> tuple[str, tuple[str, ...]]:
    """What a broken declaration was going to declare, as far as it can be told."""
    name = rf"{_NAME}(?:\.{_NAME})*"
    pattern = re.compile(
        rf"\b({'|'.join(DECLARATION_KEYWORDS)})[ \t]+(?:entity[ \t]+|group[ \t]+)?({name})((?:[ \t]*,[ \t]*{name})*)"
    )
    for line in re.split(r"[\r\n]+", text):
        if not line.lstrip().startswith(("//", "@")):
            match = pattern.search(line)
            if match:
                more = match[3] if match[1] == "action" else ""
                return match[1], (match[2], *re.findall(name, more))
    return "", ()


def starts(text: str, start: int = 0) -> Iterator[int]:
    """Where declarations begin, from `start` on, which is 0 or one of these places."""
    depth = 0
    keyword = ""  # of the open declaration
    ended = True  # whether the open declaration is complete, so that anything begins another
    in_header = False  # whether documentation or annotations wait for their keyword
    wants_name = False  # whether a name follows, even one that is also a keyword
    previous, previous_end = "", start
    for match in _TOKEN.finditer(text, start):
        kind, found, start = match.lastgroup, match[0], match.start()
        if kind == "comment":
            continue
        if (depth or wants_name) and kind in ("word", "doc", "at") and _recovers(text, start):
            depth, ended, in_header, wants_name = 0, True, False, False
        starter = begins = False
        if depth == 0:
            if keyword in ("use", "module") and kind != "open" and not wants_name:
                ended = ended or re.search("[\r\n]", text[previous_end:start]) is not None
            starter = kind == "word" and found in DECLARATION_KEYWORDS and not wants_name
            if in_header:
                in_header = not starter
            elif starter and (keyword, previous, found) != ("abstract", "abstract", "entity"):
                begins = True
            elif kind in ("doc", "at"):
                begins = in_header = True
            elif ended:
                begins = True
            if begins:
                yield start
                # Nothing before a fragment says how it goes on, so that a scan can begin here.
                keyword, previous = "?", ""
            if starter:
                keyword = found
            ended = False
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
            ended = depth == 0 and found == "}" and keyword not in ("define", "type")
        if kind == "operator":
            wants_name = not (found == ">" and keyword == "type")
        elif kind == "word":
            group = (previous, found) == ("action", "group")
            wants_name = (starter and found != "abstract") or group or found in _OPERATORS
        else:
            wants_name = kind == "at"
        previous, previous_end = found, match.end()


def _recovers(text: str, start: int) -> bool:
    """Whether a declaration begins at the start of this line, whatever is still open."""
    if start and text[start - 1] not in "\r\n":
        return False
    header = _LEADING.match(text, start)
    return header is not None and _HEADER.match(text, header.end()) is not None
