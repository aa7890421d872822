"""Redirections and here-documents: what a command reads, and the files that are opened for it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..words import words
from .reached import SILENT, Input, Redirect
from .syntax import Node, text_of
from .words import Field, document, literal, runs_unseen

if TYPE_CHECKING:
    from .walk import Walker

REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
_WORDS = words(
    "word string raw_string number concatenation simple_expansion expansion ansi_c_string "
    "command_substitution process_substitution"
)


def redirected(walker: "Walker", node: Node, feed: Input) -> Input:
    body = node.child_by_field_name("body")
    rest: list[Node] = []
    for child in node.children_by_field_name("redirect"):
        if child.type == "heredoc_redirect":
            if (swallowed := _swallowed(walker, child)) is not None:
                feed = Input(text=swallowed)
                continue
            feed = Input(text=_heredoc(walker, child))
            rest += _after_heredoc(walker, child)
        elif child.type == "herestring_redirect":
            feed = Input(text=walker.whole(child.named_children[-1]))
        else:
            redirect(walker, child, empties=body is None or text_of(body) in (":", "true"))
            if any(one.type == "<" for one in child.children):
                feed = Input(unknown=f"what `{text_of(child)[1:].strip()[:60]}` holds")
    if body is not None and body.type == "command":
        output = walker.command(body, feed, tuple(_lost_dash(walker, node, body)))
    else:
        output = walker.statement(body, feed) if body is not None else SILENT
    for one in rest:
        if one.type == "pipeline":
            for child in one.named_children:
                with walker.maybe():
                    output = walker.statement(child, output)
        else:
            with walker.maybe():
                output = walker.statement(one)
    return output


def _lost_dash(walker: "Walker", node: Node, body: Node) -> Iterator[Field]:
    """The `-` of `command - <<EOF`, which the grammar leaves out of the tree."""
    for redirect in node.children_by_field_name("redirect"):
        between = walker.tree.source[body.end_byte : redirect.start_byte] if walker.tree else b""
        if redirect.type == "heredoc_redirect" and between.strip() == b"-":
            yield literal("-", body.end_byte + between.index(b"-"))


def _heredoc(walker: "Walker", node: Node) -> Field:
    start = next(one for one in node.children if one.type == "heredoc_start")
    body = next((one for one in node.children if one.type == "heredoc_body"), None)
    if body is None:
        return Field("", node.start_byte)
    is_quoted = any(letter in text_of(start) for letter in "'\"\\")
    if not is_quoted and runs_unseen(body):
        walker.unread(
            body.start_byte, "a command in a here-document is not read here", text_of(body)
        )
    return document(body, is_quoted=is_quoted, scope=walker.scope())


def _swallowed(walker: "Walker", node: Node) -> Field | None:
    """The body of a here-document whose first lines the grammar takes for words, as it does after a backslash."""
    kinds = {child.type: child for child in node.children}
    start, end = kinds.get("heredoc_start"), kinds.get("heredoc_end")
    if walker.tree is None or start is None or end is None or "<<" not in kinds:
        return None
    source = walker.tree.source
    first = source.find(b"\n", start.end_byte) + 1
    words = [
        child
        for child in node.named_children
        if child.type not in ("file_descriptor", "heredoc_start", "heredoc_body", "heredoc_end")
    ]
    is_taken = bool(words) and all(child.end_byte > first for child in words)
    if not is_taken or source[start.end_byte : first].strip():
        return None
    body = source[first : end.start_byte].decode("utf-8", "replace")
    delimiter = re.sub(r"['\"\\]", "", text_of(start))
    is_quoted = delimiter != text_of(start)
    ends_earlier = any(line.rstrip("\r") == delimiter for line in body.split("\n"))
    if ends_earlier or (not is_quoted and re.search(r"[$`]|\\[\\\n]", body)):
        return None
    return Field(body, first, known=body, exact_at=first)


def _after_heredoc(walker: "Walker", node: Node) -> list[Node]:
    """What stands on the line of `<<EOF` after it: redirections, a pipe, a next command."""
    rest: list[Node] = []
    for child in node.named_children:
        if child.type in ("heredoc_start", "heredoc_body", "heredoc_end", "file_descriptor"):
            continue
        if child.type in REDIRECTS:
            redirect(walker, child)
        elif child.type in _WORDS:
            walker.unread(child.start_byte, "a word follows a here-document", text_of(child))
        else:
            rest.append(child)
    return rest


def redirect(walker: "Walker", node: Node, *, empties: bool = False) -> None:
    operator = next((one.type for one in node.children if not one.is_named), "")
    words = [one for one in node.named_children if one.type not in ("file_descriptor", "comment")]
    if words:
        before = text_of(node)[: words[0].start_byte - node.start_byte]
        if "\n" in before.replace("\\\n", ""):
            # The grammar takes the command of the next line for the file; bash takes it for a mistake.
            walker.unread(node.start_byte, "its redirection names no file", text_of(node))
    if operator in ("<", "<&", "<&-", ">&-") or not words:
        for word in words:
            walker.whole(word)
        return
    target = walker.whole(words[0])
    for word in words[1:]:
        walker.unread(word.start_byte, "a word follows a redirection", text_of(word))
    if operator in (">&",) and target.is_exact and (target.text.isdigit() or target.text == "-"):
        return
    appends = operator in (">>", "&>>")
    walker.hooks.redirect(
        walker, Redirect(target, appends, empties, node.start_byte, text_of(node))
    )
