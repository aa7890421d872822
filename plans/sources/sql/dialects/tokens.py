"""Text of MySQL, SQLite, Snowflake, T-SQL and BigQuery to tokens, by the rules of each one's own scanner.

Comments are left out; the comments that MySQL runs are not. What no scanner takes is a token of its own kind.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Kind(Enum):
    WORD = "word"
    NAME = "name"
    """A quoted identifier."""
    STRING = "string"
    NUMBER = "number"
    VARIABLE = "variable"
    """`@x`, `@@x`, `:x`, `$1`, `?`."""
    SYMBOL = "symbol"
    BROKEN = "broken"
    """What does not end, or belongs to no token."""


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is a word in upper case, a name or a string without its quotes, else the text itself."""

    kind: Kind
    value: str
    text: str
    start: int
    end: int
    is_conditional: bool = False
    """Whether it stands in a comment that only some servers run."""

    def is_word(self, *words: str) -> bool:
        return self.kind == Kind.WORD and self.value in words

    def is_symbol(self, symbol: str) -> bool:
        return self.kind == Kind.SYMBOL and self.value == symbol


Tokens = Sequence[Token]


@dataclass(frozen=True, slots=True)
class Lexis:
    """What differs between the dialects in what a token is."""

    backslash_escapes: bool = False
    double_quoted_strings: bool = False
    triple_quotes: bool = False
    dollar_quotes: bool = False
    backticks: bool = False
    brackets: bool = False
    line_comments: str = r"--[^\n]*"
    nested_comments: bool = False
    executable_comments: bool = False
    word: str = r"[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*"
    variable: str = r"\?\d*|[:@$]\w+"


LEXIS = {
    "mysql": Lexis(
        backslash_escapes=True,
        double_quoted_strings=True,
        backticks=True,
        line_comments=r"--(?=[\s\x00-\x1f]|\Z)[^\n]*|\#[^\n]*",
        executable_comments=True,
        word=r"[A-Za-z_$\x80-\U0010ffff][\w$\x80-\U0010ffff]*",
        variable=r"\?|@@?(?:[\w.$]+|`[^`]*`|'[^']*'|\"[^\"]*\")?|:\w+",
    ),
    "sqlite": Lexis(backticks=True, brackets=True, variable=r"\?\d*|[@:$](?:\w|::)+|[#]\w+"),
    "snowflake": Lexis(
        backslash_escapes=True,
        dollar_quotes=True,
        # `file:///tmp/x` of PUT and GET holds no comment.
        line_comments=r"--[^\n]*|(?<![:/])//[^\n]*",
        variable=r"\?|:\w+|\$\w+|@[~%\w./\"-]*",
    ),
    "tsql": Lexis(
        brackets=True,
        nested_comments=True,
        word=r"[A-Za-z_\#\x80-\U0010ffff][\w@$\#\x80-\U0010ffff]*",
        variable=r"@@?[\w@$\#]+|\$\w+",
    ),
    "bigquery": Lexis(
        backslash_escapes=True,
        double_quoted_strings=True,
        triple_quotes=True,
        backticks=True,
        line_comments=r"(?:--|\#)[^\n]*",
        variable=r"\?|@@?[\w.]+",
    ),
}

# Characters that a scanner takes for blanks; the other blanks of Unicode are none.
_BLANK = r"[ \t\r\n\f\v]+"
# MySQL and MariaDB of any age run a comment without a version, or with one before MySQL 5.7.
_CERTAIN_VERSION = 50_700
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_EXECUTABLE = re.compile(r"/\*(M?)!(\d{5,6})?")


def tokens(text: str, dialect: str, at: int = 0) -> Iterator[Token]:
    """The tokens from an offset on; never fails, and leaves out nothing but blanks and comments."""
    lexis = LEXIS[dialect]
    scanner = _scanner(dialect)
    length = len(text)
    is_open = is_conditional = False
    while at < length:
        match = scanner.match(text, at)
        if match is None:
            raise AssertionError("every character is a token")
        group, start, at = match.lastgroup, match.start(), match.end()
        body = match.group()
        match group:
            case "blank" | "line_comment":
                continue
            case "comment":
                executable = _EXECUTABLE.match(text, start) if lexis.executable_comments else None
                if executable is not None:
                    maria, version = executable.groups()
                    is_open = True
                    is_conditional = bool(maria) or int(version or 0) >= _CERTAIN_VERSION
                    at = executable.end()
                    continue
                at = _comment_end(text, at, nested=lexis.nested_comments)
                if at < 0:
                    at = length
                    yield Token(Kind.BROKEN, "a comment that does not end", "", start, at)
                continue
            case "comment_end" if is_open:
                is_open = is_conditional = False
                continue
            case "word":
                yield Token(Kind.WORD, body.upper(), body, start, at, is_conditional)
            case "number":
                yield Token(Kind.NUMBER, body, body, start, at, is_conditional)
            case "variable":
                yield Token(Kind.VARIABLE, body, body, start, at, is_conditional)
            case "string" | "name" | "triple" | "dollar":
                kind = Kind.NAME if group == "name" else Kind.STRING
                value = _unquoted(body, group, lexis)
                yield Token(kind, value, body, start, at, is_conditional)
            case "symbol" | "comment_end":
                yield Token(Kind.SYMBOL, body, body, start, at, is_conditional)
            case _:
                reason = "a quotation that does not end" if body in "'\"`[" else f"`{body}`"
                if body in "'\"`[":
                    at = length
                yield Token(Kind.BROKEN, reason, body, start, at)
    if is_open:
        yield Token(Kind.BROKEN, "a comment that does not end", "", length, length)


def plain_text(text: str, found: Tokens) -> str:
    """The text from the first to the last token, with blanks for what is none; offsets stay."""
    parts: list[str] = []
    at = found[0].start
    for token in found:
        if token.start > at:
            gap = text[at : token.start]
            parts.append(gap if not gap.strip() else re.sub(r"[^\n]", " ", gap))
        parts.append(text[token.start : token.end])
        at = token.end
    return "".join(parts)


def _comment_end(text: str, at: int, *, nested: bool) -> int:
    if not nested:
        close = text.find("*/", at)
        return -1 if close < 0 else close + 2
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def _unquoted(body: str, group: str, lexis: Lexis) -> str:
    match group:
        case "triple":
            return body[3:-3]
        case "dollar":
            return body[2:-2]
        case _:
            quote = body[-1]
            inside = body[1:-1].replace(quote * 2, quote)
            if lexis.backslash_escapes and "\\" in inside and group == "string":
                return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), inside)
            return inside


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}


@cache
def _scanner(dialect: str) -> re.Pattern[str]:
    lexis = LEXIS[dialect]
    escaped = (
        r"(?>[^{0}\\]+|\\.|{0}{0})*+{0}" if lexis.backslash_escapes else r"(?>[^{0}]+|{0}{0})*+{0}"
    )
    single = "'" + escaped.format("'")
    double = '"' + escaped.format('"')
    names: list[str] = []
    strings = [single]
    (strings if lexis.double_quoted_strings else names).append(
        double if lexis.double_quoted_strings else r'"(?>[^"]+|"")*+"'
    )
    if lexis.backticks:
        names.append(r"`(?>[^`]+|``)*+`")
    if lexis.brackets:
        names.append(r"\[(?>[^\]]+|\]\])*+\]")
    triple = r"'''(?>[^'\\]+|\\.|'(?!''))*+'''|\"\"\"(?>[^\"\\]+|\\.|\"(?!\"\"))*+\"\"\""
    rows = [
        ("blank", _BLANK),
        ("line_comment", lexis.line_comments),
        ("comment", r"/\*"),
        ("comment_end", r"\*/"),
        ("triple", triple if lexis.triple_quotes else None),
        ("dollar", r"\$\$.*?\$\$" if lexis.dollar_quotes else None),
        ("string", "|".join(strings)),
        ("name", "|".join(names)),
        ("number", r"0[xX][0-9A-Fa-f]+|(?:\d[\w$]*\.?\d*|\.\d+)(?:(?<=[eE])[+-]?\d+)?"),
        ("variable", lexis.variable),
        ("word", lexis.word),
        (
            "symbol",
            r"<=>|->>|<>|!=|>=|<=|\|\||&&|:=|::|->|=>|==|<<|>>|\*=|\+=|-=|/=|[-+*/<>=~!%^&|?:.,;(){}\[\]@$\\]",
        ),
        ("other", "."),
    ]
    pattern = "|".join(f"(?P<{name}>{rule})" for name, rule in rows if rule is not None)
    return re.compile(pattern, re.DOTALL)
