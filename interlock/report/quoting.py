"""How text of others reaches the page: `html` for elements and attributes, `json_block` for the script."""

import json
import re
from html import escape
from typing import Any

from ..lang.render import safe

MAX_TEXT = 400
"""Characters of a name or a sentence; what is cut says so with an ellipsis."""

MAX_SOURCE_LINES, MAX_SOURCE_WIDTH = 12, 240


def html(text: object) -> str:
    """Text for an element or a quoted attribute; what steers the direction of text is shown, not obeyed."""
    return escape(plain(text), quote=True)


def prose(text: object) -> str:
    """A sentence in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code><bdi>\1</bdi></code>", html(text))


def source_lines(text: str) -> tuple[list[str], int]:
    """The first lines of an artifact's text as HTML, and how many more there are."""
    lines = text.splitlines()
    return [escape(safe(_cut(line, MAX_SOURCE_WIDTH))) for line in lines[:MAX_SOURCE_LINES]], max(
        0, len(lines) - MAX_SOURCE_LINES
    )


def plain(text: object) -> str:
    """One line of text, cut, in which every control and invisible character is shown as an escape."""
    short = _cut(str(text), MAX_TEXT)
    return short if short.isprintable() else safe(short)


def json_block(value: Any) -> str:
    """JSON for a data block: ASCII alone, and nothing that could end the block or open a comment."""
    text = json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
