"""A statement's tokens in the words that sqlglot reads, and what was taken out on the way."""

import re
from dataclasses import dataclass

from ...words import words
from .forms import Name, dotted, group_end
from .tokens import Kind, Token, Tokens


@dataclass(frozen=True, slots=True)
class Prepared:
    """`into` are tables that OUTPUT fills, `top` the bound of TOP, `file` what INTO OUTFILE writes."""

    sql: str
    into: tuple[str, ...] = ()
    top: int | None = None
    file: str | None = None
    replaces: bool = False


def prepared(text: str, tokens: Tokens, dialect: str) -> Prepared | str:
    """The statement for sqlglot, or why it cannot be given to it."""
    changed: dict[int, str] = {}
    into: list[str] = []
    top: int | None = None
    file: str | None = None
    replaces = False
    first = tokens[0]
    if first.is_word("REPLACE"):
        changed[0] = "INSERT"
        replaces = True
    if dialect == "sqlite" and first.is_word("UPDATE") and _at(tokens, 1) == "OR":
        changed |= {1: "", 2: ""}
        if _at(tokens, 2) == "REPLACE":
            return "UPDATE OR REPLACE may delete rows that conflict"
    if dialect == "mysql":
        found = _outfile(tokens, changed)
        if isinstance(found, str):
            file = found
        _modifiers(tokens, changed)
    if dialect in ("mysql", "snowflake") and first.is_word("SELECT", "WITH"):
        _into_variables(tokens, changed)
    if dialect == "tsql":
        found_top = _top(tokens, changed)
        if isinstance(found_top, str):
            return found_top
        top = found_top
        into += _output(tokens, changed)
        _hint(tokens, changed)
        # `SET a += 1` changes the same rows as `SET a = 1`.
        changed |= {n: "=" for n, token in enumerate(tokens) if _assigns_more(token)}
        _option(tokens, changed)
    if dialect in ("tsql", "bigquery"):
        _from(tokens, changed)
    if not changed:
        return Prepared(_joined(text, tokens, {}), replaces=replaces)
    return Prepared(_joined(text, tokens, changed), tuple(into), top, file, replaces)


def written_rows(tokens: Tokens) -> tuple[Name, int] | None:
    """The table and the number of rows of `INSERT INTO t (a) VALUES (1), (2)` with nothing but constants.

    Dumps are made of these, and they need no parser.
    """
    if not tokens[0].is_word("INSERT") or len(tokens) < 6 or not tokens[1].is_word("INTO"):
        return None
    found = dotted(tokens, 2)
    if found is None:
        return None
    number, name = found
    if tokens[number : number + 1] and tokens[number].is_symbol("("):
        end = group_end(tokens, number)
        if end is None or not all(
            token.kind in (Kind.WORD, Kind.NAME) or token.is_symbol(",")
            for token in tokens[number + 1 : end - 1]
        ):
            return None
        number = end
    if number >= len(tokens) or not tokens[number].is_word("VALUES"):
        return None
    rows = 0
    opens, inside = True, False
    for token in tokens[number + 1 :]:
        if opens:
            if not token.is_symbol("("):
                return None
            opens, inside, rows = False, True, rows + 1
        elif inside:
            if token.is_symbol(")"):
                inside = False
            elif not (
                token.kind in (Kind.STRING, Kind.NUMBER)
                or token.is_word("NULL", "N", "TRUE", "FALSE", "DEFAULT")
                or (token.kind == Kind.SYMBOL and token.value in ",-+")
            ):
                return None
        elif token.is_symbol(","):
            opens = True
        else:
            return None
    return (name, rows) if rows and not opens and not inside else None


def _joined(text: str, tokens: Tokens, changed: dict[int, str]) -> str:
    parts: list[str] = []
    at = tokens[0].start
    for number, token in enumerate(tokens):
        if token.start > at:
            gap = text[at : token.start]
            parts.append(gap if not gap.strip() else re.sub(r"[^\n]", " ", gap))
        parts.append(changed.get(number, text[token.start : token.end]))
        at = token.end
    return "".join(parts)


def _at(tokens: Tokens, number: int) -> str:
    return tokens[number].value if number < len(tokens) else ""


def _outfile(tokens: Tokens, changed: dict[int, str]) -> str | None:
    """Takes `INTO OUTFILE 'x' …` out of a SELECT of MySQL."""
    for number, token in enumerate(tokens):
        if token.is_word("INTO") and _at(tokens, number + 1) in ("OUTFILE", "DUMPFILE"):
            if number + 2 >= len(tokens) or tokens[number + 2].kind != Kind.STRING:
                return None
            end = number + 3
            while end < len(tokens) and (
                tokens[end].kind == Kind.STRING or tokens[end].is_word(*_EXPORTING)
            ):
                end += 1
            changed |= dict.fromkeys(range(number, end), "")
            return tokens[number + 2].value
    return None


_EXPORTING = words(
    "CHARACTER SET FIELDS COLUMNS TERMINATED OPTIONALLY ENCLOSED ESCAPED BY LINES STARTING UTF8MB4 UTF8 BINARY"
)


def _into_variables(tokens: Tokens, changed: dict[int, str]) -> None:
    """Takes `INTO @a, b` out of a SELECT, which fills variables there and never a table."""
    for number, token in enumerate(tokens):
        if token.is_word("INTO") and number not in changed:
            end = number + 1
            while end < len(tokens) and tokens[end].kind in (Kind.VARIABLE, Kind.WORD, Kind.NAME):
                end += 1
                if end >= len(tokens) or not tokens[end].is_symbol(","):
                    break
                end += 1
            changed |= dict.fromkeys(range(number, end), "")
            return


def _modifiers(tokens: Tokens, changed: dict[int, str]) -> None:
    """LOW_PRIORITY and its like say when, not what."""
    if tokens[0].is_word("INSERT", "UPDATE", "DELETE", "REPLACE"):
        for number in (1, 2, 3):
            if _at(tokens, number) in ("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK"):
                changed[number] = ""


def _top(tokens: Tokens, changed: dict[int, str]) -> int | str | None:
    """Takes TOP out of a write; a bound that is no number is a reason to stop."""
    for number, token in enumerate(tokens[:-1]):
        if not token.is_word("TOP") or not tokens[number - 1].is_word(
            "DELETE", "UPDATE", "INSERT", "MERGE"
        ):
            continue
        end = group_end(tokens, number + 1) or number + 2
        inside = [one for one in tokens[number + 1 : end] if one.kind != Kind.SYMBOL]
        changed |= dict.fromkeys(range(number, end), "")
        if _at(tokens, end) == "PERCENT":
            changed[end] = ""
            return None
        if len(inside) == 1 and inside[0].value.isdecimal() and len(inside[0].value) < 12:
            return int(inside[0].value)
        return None
    return None


def _hint(tokens: Tokens, changed: dict[int, str]) -> None:
    """Takes `WITH (TABLOCK)` out of an INSERT, where it says how to lock."""
    if not tokens[0].is_word("INSERT"):
        return
    found = dotted(tokens, 2 if _at(tokens, 1) == "INTO" else 1)
    if found is None or _at(tokens, found[0]) != "WITH":
        return
    end = group_end(tokens, found[0] + 1)
    inside = tokens[found[0] + 2 : end - 1] if end is not None else ()
    if inside and all(token.is_symbol(",") or token.is_word(*_LOCKS) for token in inside):
        changed |= dict.fromkeys(range(found[0], end or 0), "")


_LOCKS = words("TABLOCK TABLOCKX ROWLOCK PAGLOCK HOLDLOCK SERIALIZABLE UPDLOCK XLOCK")


def _assigns_more(token: Token) -> bool:
    return token.kind == Kind.SYMBOL and token.value in ("+=", "-=", "/=")


_AFTER_OUTPUT = words("FROM WHERE VALUES SELECT EXEC EXECUTE DEFAULT OPTION")


def _output(tokens: Tokens, changed: dict[int, str]) -> list[str]:
    """Takes OUTPUT out of a write; the tables that it fills."""
    filled: list[str] = []
    if not any(token.is_word("INSERT", "UPDATE", "DELETE", "MERGE") for token in tokens):
        return filled
    depth = 0
    number = 0
    while number < len(tokens):
        token = tokens[number]
        if token.is_symbol("(") or token.is_symbol(")"):
            depth += 1 if token.value == "(" else -1
        if depth == 0 and token.is_word("OUTPUT"):
            while number < len(tokens) and not (
                depth == 0 and tokens[number].is_word(*_AFTER_OUTPUT)
            ):
                if tokens[number].is_symbol("(") or tokens[number].is_symbol(")"):
                    depth += 1 if tokens[number].value == "(" else -1
                if tokens[number].is_word("INTO"):
                    found = dotted(tokens, number + 1)
                    if found is not None:
                        filled.append(".".join(found[1].parts))
                changed[number] = ""
                number += 1
            continue
        number += 1
    return filled


def _option(tokens: Tokens, changed: dict[int, str]) -> None:
    """Takes query hints off the end."""
    for number in range(len(tokens) - 1, 0, -1):
        if tokens[number].is_word("OPTION") and group_end(tokens, number + 1) == len(tokens):
            changed |= dict.fromkeys(range(number, len(tokens)), "")
            return


def _from(tokens: Tokens, changed: dict[int, str]) -> None:
    """`DELETE t` is `DELETE FROM t` where no other FROM follows."""
    depth = 0
    delete = None
    for number, token in enumerate(tokens):
        if token.is_symbol("(") or token.is_symbol(")"):
            depth += 1 if token.value == "(" else -1
        if depth == 0 and token.is_word("DELETE") and delete is None:
            if not tokens[number - 1].is_word("THEN"):
                delete = number
        elif depth == 0 and delete is not None and token.is_word("FROM"):
            return
    if delete is not None:
        changed[delete] = "DELETE FROM"
