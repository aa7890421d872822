"""The screen of a terminal, with its colours, as a page that a browser can draw."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

PLAIN = (
    "#000000", "#aa3333", "#3a8a3a", "#9a7a20", "#3a66b0", "#8a4a9a", "#2a8a8a", "#c8c8c8",
    "#666666", "#dd5555", "#66bb66", "#ddbb55", "#6699dd", "#bb77cc", "#55bbbb", "#ffffff",
)  # fmt: skip
"""The sixteen colours that have no numbers of their own."""
LINE_HEIGHT = 18
CUBE = (0, 95, 135, 175, 215, 255)
FOREGROUND, BACKGROUND = "#d8d8d8", "#1e1e1e"


@dataclass(frozen=True, slots=True)
class Look:
    foreground: str = ""
    background: str = ""
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_reversed: bool = False

    def css(self) -> str:
        foreground, background = self.foreground or FOREGROUND, self.background or BACKGROUND
        if self.is_reversed:
            foreground, background = background, foreground
        found = f"color:{foreground};background:{background}"
        found += ";font-weight:bold" if self.is_bold else ""
        found += ";font-style:italic" if self.is_italic else ""
        return found + (";text-decoration:underline" if self.is_underlined else "")


def as_page(screen: str) -> str:
    """What `tmux capture-pane -e` prints, as HTML."""
    spans = "".join(
        f'<span style="{look.css()}">{html.escape(text)}</span>' for look, text in pieces(screen)
    )
    return (
        f'<meta charset="utf-8"><body style="margin:12px;background:{BACKGROUND}">'
        f'<pre style="margin:0;font:15px/{LINE_HEIGHT}px DejaVu Sans Mono,monospace">{spans}</pre>'
    )


def pieces(screen: str) -> Iterator[tuple[Look, str]]:
    """The text between changes of its look, without any other control."""
    look, end = Look(), 0
    for match in re.finditer(r"\x1b\[([0-9;:]*)m", screen):
        yield look, _shown(screen[end : match.start()])
        look, end = _changed(look, match[1]), match.end()
    yield look, _shown(screen[end:])


def _shown(text: str) -> str:
    return re.sub(r"\x1b.|[\x00-\x09\x0b-\x1f]", "", text)


def _changed(look: Look, codes: str) -> Look:
    words = iter(codes.split(";"))
    for word in words:
        code, _, style = (word or "0").partition(":")
        number = int(code)
        match number:
            case 0:
                look = Look()
            case 1 | 22:
                look = replace(look, is_bold=number == 1)
            case 3 | 23:
                look = replace(look, is_italic=number == 3)
            case 4 | 24:
                look = replace(look, is_underlined=number == 4 and style != "0")
            case 7 | 27:
                look = replace(look, is_reversed=number == 7)
            case 38 | 48 | 58:
                colour = _colour(iter(filter(None, style.split(":"))) if style else words)
                if number == 38:
                    look = replace(look, foreground=colour)
                elif number == 48:
                    look = replace(look, background=colour)
            case 39:
                look = replace(look, foreground="")
            case 49:
                look = replace(look, background="")
            case _ if 30 <= number <= 37 or 90 <= number <= 97:
                look = replace(look, foreground=PLAIN[number % 10 + (8 if number >= 90 else 0)])
            case _ if 40 <= number <= 47 or 100 <= number <= 107:
                look = replace(look, background=PLAIN[number % 10 + (8 if number >= 100 else 0)])
            case _:
                pass
    return look


def _colour(words: Iterator[str]) -> str:
    """The colour that follows: 2, red, green and blue, or 5 and a number."""
    if next(words) == "2":
        return "#" + "".join(f"{int(next(words)):02x}" for _ in range(3))
    number = int(next(words))
    if number < 16:
        return PLAIN[number]
    if number >= 232:
        return "#" + f"{8 + (number - 232) * 10:02x}" * 3
    number -= 16
    return "#" + "".join(
        f"{CUBE[part]:02x}" for part in (number // 36, number // 6 % 6, number % 6)
    )
