"""What the parser met and what it would have taken, as a diagnostic that a person understands."""

import re
from collections.abc import Mapping

from .diagnostics import Code, Diagnostic, did_you_mean
from .fragments import DECLARATION_KEYWORDS
from .source import Fragment, Span
from .syntax import RESERVED


def syntax_error(
    fragment: Fragment, start: int, end: int, accepted: set[str], spoken: Mapping[str, str]
) -> Diagnostic:
    """The text from `start` to `end` does not fit; empty, it is the end that comes too early.

    `accepted` are the names of the terminals that would fit, `spoken` how each is written.
    """
    if start == end:
        start = end = _end_of_text(fragment.text)
        if end == 0:
            span = Span(fragment, 0, len(fragment.text.rstrip()))
            help_line = "write it right before a declaration, or as a comment with `//`"
            message = "this documentation is of nothing"
            return Diagnostic(Code.SYNTAX_ERROR, message, span, help_line)
    found = fragment.text[start:end]
    span = Span(fragment, start, end)
    if not fragment.text[:start].strip() and found and found not in "/@":
        word = re.match(r"\w+|.", fragment.text[start:])
        found = word[0] if word else found
        span = Span(fragment, start, start + len(found))
        close = did_you_mean(found, DECLARATION_KEYWORDS)
        if found in "#;":
            close = _WRITE_INSTEAD[found]
        help_line = close or "a declaration starts with one of " + ", ".join(
            f"`{keyword}`" for keyword in DECLARATION_KEYWORDS
        )
        return Diagnostic(
            Code.SYNTAX_ERROR, f"`{found}` does not start a declaration", span, help_line
        )
    if found.startswith('"'):
        rest = re.split("[\r\n]", fragment.text[start:], maxsplit=1)[0]
        if rest.count('"') % 2:
            message = "the string does not end on its line"
            return Diagnostic(Code.SYNTAX_ERROR, message, Span(fragment, start, start + len(rest)))
    message = f"unexpected `{found}`" if found else "the declaration is not complete"
    expected = _expected(accepted, spoken)
    if expected:
        message += f", expected {expected}"
    return Diagnostic(
        Code.SYNTAX_ERROR, message, span, _hint(fragment.text, start, found, accepted, spoken)
    )


_WRITE_INSTEAD = {
    "&&": "write `and`", "&": "write `and`", "||": "write `or`", "|": "write `or`", "!": "write `not`",
    "'": 'strings stand in double quotes: `"…"`', "=": "compare with `==`", ";": "no `;` is needed",
    "=>": "a function with `=>` stands only in a method such as `any`",
    "/": "there is no division", "%": "there is no remainder", "#": "comments start with `//`",
    "[": "sets are written `{a, b}`", "`": 'strings stand in double quotes: `"…"`',
}  # fmt: skip
_SPOKEN = {
    "NAME": "a name", "STRING": "a string", "ENTITY": 'an entity such as `Table::"orders"`', "INTEGER": "a number",
    "DECIMAL": "a number", "DURATION": "a duration", "DOC": "documentation", "$END": "the end of the declaration",
}  # fmt: skip
_EXPRESSION_STARTS = {"IF", "NOT", "LPAR", "MINUS", "INTEGER"}


def _hint(
    text: str, start: int, found: str, accepted: set[str], spoken: Mapping[str, str]
) -> str | None:
    if not found:
        return None
    if text.startswith("=>", start):
        word = re.search(r"(\w+)\s*$", text[:start])
        if word is not None and word[1] in RESERVED:
            return f"`{word[1]}` is a word of the language; choose another name"
    elif found == "=" and "==" not in {spoken.get(name) for name in accepted}:
        return None
    if text.startswith("::'", start):
        return _WRITE_INSTEAD["'"]
    for wrong in (text[start : start + 2], text[start : start + 1]):
        if wrong in _WRITE_INSTEAD:
            return _WRITE_INSTEAD[wrong]
    if re.fullmatch(r"\w+", found):
        words = {
            spoken[name] for name in accepted if re.fullmatch(r"[a-z_]+", spoken.get(name, ""))
        }
        return did_you_mean(found, words)
    return None


def _expected(accepted: set[str], spoken: Mapping[str, str]) -> str:
    """The accepted terminals in words, `an expression` for all that start one, at most six."""
    names = set(accepted)
    parts = []
    if names >= _EXPRESSION_STARTS:
        parts.append("an expression")
        return " or ".join(parts)
    for name in sorted(names - {"DOC"}):
        parts.append(_SPOKEN.get(name) or f"`{spoken.get(name, name.lower())}`")
    if len(parts) > 6:
        return ""
    return ", ".join(parts[:-1]) + (" or " if len(parts) > 1 else "") + parts[-1] if parts else ""


def _end_of_text(text: str) -> int:
    """Where the last thing that is not a comment or space ends."""
    end = 0
    for match in re.finditer(r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|//[^\r\n]*|\S', text):
        if not match[0].startswith("//"):
            end = match.end()
    return end
