"""Shell text to bash's syntax tree, with every part that the parser may have misread marked as such.

Only this file imports tree-sitter. Offsets count the bytes of the UTF-8 text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from ...model import Position
from ..words import words

__all__ = ["MAX_NODE_DEPTH", "Node", "Origin", "Tree", "parse", "text_of"]

MAX_NODE_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Tree:
    """The statements of a text; `doubts` says of a node's id why it may not mean what it seems."""

    root: Node
    source: bytes
    doubts: dict[int, str]
    """By the id of a statement directly under the root."""


def parse(text: str) -> Tree | str:
    """The tree, or why there is none."""
    if "\0" in text:
        return "it holds a NUL byte, which shells drop"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "it is not valid text"
    if re.search(r"\r(?!\n)", text):
        return "it holds a carriage return, which hides what stands before it"
    source = text.encode()
    root = Parser(_language()).parse(source).root_node
    doubts = {}
    if root.is_error:
        return "it cannot be parsed as bash"
    for statement in root.children:
        if reason := _doubt(statement, source):
            doubts[statement.id] = reason
    if reason := _gaps(root, source):
        return reason
    return Tree(root, source, doubts)


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


class Lines:
    """Positions in one artifact, by byte offset."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self.source = source
        self._starts = [0, *(match.end() for match in re.finditer(rb"\n", source))]

    def position(self, at: int, text: str) -> Position:
        line = bisect_right(self._starts, at)
        column = len(self.source[self._starts[line - 1] : at].decode("utf-8", "replace")) + 1
        return Position(file=self.file, line=line, column=column, text=_excerpt(text))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a text stands in its artifact: letter by letter from `start`, or only as a whole."""

    lines: Lines
    start: int = 0
    is_exact: bool = True

    def position(self, at: int, text: str) -> Position:
        return self.lines.position(self.start + (at if self.is_exact else 0), text)

    def within(self, at: int, *, is_exact: bool) -> "Origin":
        """The origin of a text inside this one."""
        start = self.start + (at if self.is_exact else 0)
        return Origin(self.lines, start, self.is_exact and is_exact)


_EXCERPT = 120


def _excerpt(text: str) -> str:
    line = " ".join(text[: 10 * _EXCERPT].encode("utf-8", "replace").decode().split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"


@cache
def _language() -> Language:
    return Language(tree_sitter_bash.language())


_BLANK = re.compile(rb"(?:[ \t\n]|\\\n|\r\n)*")
# Text between the children of these is theirs.
_TEXTUAL = frozenset({"string", "heredoc_body", "regex", "expansion", "extglob_pattern", "word"})
_WORD = re.compile(rb"(?:\\.|[^\\\s;|&<>()\"'`])*\\?", re.S)
_WORD_HOLDERS = frozenset(
    {
        "command",
        "command_name",
        "concatenation",
        "file_redirect",
        "for_statement",
        "array",
        "declaration_command",
    }
)
# The children of these are words, which blanks part.
_LISTS = frozenset({"command", "declaration_command", "for_statement", "array", "unset_command"})
_KEYWORDS = words(
    "if then else elif fi do done case esac while until for select in function coproc { } ! [[ ]]"
)


def _doubt(statement: Node, source: bytes) -> str | None:
    """Why a statement may have been misread: an error in it, or text that no node holds."""
    stack = [(statement, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_NODE_DEPTH:
            return f"it is nested more than {MAX_NODE_DEPTH} levels deep"
        if node.is_error or node.is_missing:
            return "it cannot be parsed as bash"
        if node.type == "command_name" and text_of(node) in _KEYWORDS:
            return f"`{text_of(node)}` stands where no keyword can"
        if node.type in _WORD_HOLDERS and any(
            child.type == "word" and not _WORD.fullmatch(child.text or b"")
            for child in node.children
        ):
            return "two of its words may be one"
        if node.type == "heredoc_redirect" and (reason := _heredoc_doubt(node)):
            return reason
        if node.type not in _TEXTUAL and (reason := _gaps(node, source)):
            return reason
        stack.extend((child, depth + 1) for child in node.children)
    return None


def _gaps(node: Node, source: bytes) -> str | None:
    """Whether everything between the children is blank, and parts words where they are parted."""
    for left, right in _pairs(node):
        gap = source[left.end_byte : right.start_byte]
        if not gap and node.type in _LISTS and left.is_named and right.is_named:
            return "two of its words are not parted"
        if not _BLANK.fullmatch(gap):
            if right.type in ("heredoc_body", "heredoc_end") or left.type == "heredoc_body":
                continue
            if right.type == "heredoc_redirect" and gap.strip() == b"-" and left.type == "command":
                # The grammar loses a `-` before `<<`; whoever runs the command adds it.
                continue
            return "a part of it belongs to no command"
        if gap and not gap.replace(b"\\\n", b"").strip(b"\r") and right.type != "heredoc_body":
            return "a word is broken over two lines"
    return None


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    children = node.children
    return pairwise(children)


def _heredoc_doubt(node: Node) -> str | None:
    kinds = {child.type: child for child in node.children}
    start, end = kinds.get("heredoc_start"), kinds.get("heredoc_end")
    if start is None or end is None:
        return "its here-document has no end"
    delimiter = re.sub(r"['\"\\]", "", text_of(start))
    if delimiter != text_of(end).strip("\t\r\n"):
        return "its here-document ends elsewhere than it seems"
    body = kinds.get("heredoc_body")
    lines = text_of(body).split("\n")[:-1] if body is not None else []
    if any(line.lstrip("\t").rstrip("\r") == delimiter for line in lines):
        return "its here-document may end earlier than it seems"
    return None
