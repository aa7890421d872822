"""A PL/pgSQL body into the SQL it runs: statements, expressions, and what is put together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..tree import Complaint, parse_body


class Role(Enum):
    STATEMENT = "statement"
    EXPRESSION = "expression"
    DYNAMIC = "dynamic"
    """An expression whose value is run as a statement."""


@dataclass(frozen=True, slots=True)
class Loop:
    """How often a loop runs: `count` times, or once for each row of a query or element of an array."""

    count: int | None = None
    query: str | None = None
    array: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`line` counts from 1 in the body; `loops` are those it stands in, from the outside."""

    role: Role
    sql: str
    line: int
    loops: tuple[Loop, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    steps: tuple[Step, ...]
    variables: frozenset[str]


MAX_BLOCKS = 1000


def body(definition: str, source: str) -> Body | str:
    """The body of a DO block or a CREATE FUNCTION statement, or why it cannot be read.

    `source` is the text between the quotes; its words are counted, so that nothing is left out.
    """
    words = _words(source)
    if sum(words.get(word, 0) for word in _NESTING) > MAX_BLOCKS:
        return f"the body nests or repeats more than {MAX_BLOCKS} blocks"
    parsed = parse_body(definition)
    if isinstance(parsed, Complaint):
        return parsed.message
    steps = tuple(_steps(parsed, 1))
    missing = _missing(words, steps)
    if missing is not None:
        return f"the body holds a `{missing}` that the parser does not show"
    if "use_column" in words:
        # `#variable_conflict use_column`: a name means the column before it means the variable.
        return Body(steps, frozenset())
    return Body(steps, frozenset(_variables(parsed)))


_NESTING = ("begin", "loop", "if", "case")


def _words(source: str) -> dict[str, int]:
    """How often each word stands in the body, outside strings, comments and quoted names."""
    found: dict[str, int] = {}
    for token in _TOKEN.finditer(source):
        if token.lastgroup == "word":
            word = token.group().lower()
            found[word] = found.get(word, 0) + 1
    return found


_TOKEN = re.compile(
    r"""
      --[^\r\n]*
    | /\*.*?\*/
    | [eE]'(?>[^'\\]+|\\.|'')*+'
    | '[^']*'
    | "[^"]*"
    | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    """,
    re.VERBOSE | re.DOTALL,
)

# Words that begin a write; each one in the body must turn up in a step.
_WRITING = (
    *("insert", "update", "delete", "merge", "truncate", "drop", "alter", "create", "grant"),
    *("revoke", "copy", "call", "reassign", "refresh"),
)


def _missing(words: dict[str, int], steps: tuple[Step, ...]) -> str | None:
    shown: dict[str, int] = {}
    for step in steps:
        for word, count in _words(step.sql).items():
            shown[word] = shown.get(word, 0) + count
    for word in _WRITING:
        if words.get(word, 0) > shown.get(word, 0):
            return word.upper()
    dynamic = sum(step.role == Role.DYNAMIC for step in steps)
    if words.get("execute", 0) > dynamic + shown.get("execute", 0):
        return "EXECUTE"
    return None


def _steps(node: Any, line: int) -> Iterator[Step]:
    """Every query in the tree, in order; the keys are those of libpg_query's JSON."""
    cursors = _cursors(node)
    stack: list[tuple[Any, str, int, tuple[Loop, ...]]] = [(node, "", line, ())]
    while stack:
        one, key, line, loops = stack.pop()
        if isinstance(one, list):
            stack.extend((item, key, line, loops) for item in reversed(one))
        elif isinstance(one, dict):
            if isinstance(one.get("query"), str):
                yield replace(_step(one, key, line), loops=loops)
                continue
            line = one.get("lineno", line) if isinstance(one.get("lineno"), int) else line
            within = (*loops, _loop(one, key, cursors)) if key in _LOOPS else loops
            children: list[tuple[Any, str, int, tuple[Loop, ...]]] = []
            for name, value in one.items():
                # The expression keeps the key that says what becomes of it.
                if name == "PLpgSQL_expr":
                    inner = key
                elif (name == "query" and key in _DYNAMIC_STATEMENTS) or name == "dynquery":
                    inner = "dynamic"
                else:
                    inner = name
                children.append((value, inner, line, within if name in _REPEATED else loops))
            stack.extend(reversed(children))


_DYNAMIC_STATEMENTS = frozenset({"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"})
_LOOPS = frozenset(
    f"PLpgSQL_stmt_{name}"
    for name in ("fori", "fors", "forc", "foreach_a", "dynfors", "loop", "while")
)
# The parts of a loop that run in every round.
_REPEATED = frozenset({"body", "cond"})


def _loop(loop: dict[str, Any], kind: str, cursors: dict[int, str]) -> Loop:
    match kind:
        case "PLpgSQL_stmt_fori":
            bounds = [_expression(loop.get(name)) or "" for name in ("lower", "upper")]
            if not all(re.fullmatch(r"-?\d{1,9}", bound) for bound in bounds):
                return Loop()
            first, last = map(int, bounds)
            return Loop(count=abs(last - first) + 1)
        case "PLpgSQL_stmt_fors":
            return Loop(query=_expression(loop.get("query")))
        case "PLpgSQL_stmt_forc":
            return Loop(query=cursors.get(loop.get("curvar", 0)))
        case "PLpgSQL_stmt_foreach_a":
            return Loop(array=_expression(loop.get("expr")))
        case _:
            return Loop()


def _expression(node: Any) -> str | None:
    query = node.get("PLpgSQL_expr", {}).get("query") if isinstance(node, dict) else None
    return query if isinstance(query, str) else None


def _cursors(parsed: Any) -> dict[int, str]:
    """The queries of cursors that are declared with one, by the number of the variable."""
    return {
        number: query
        for function in parsed
        if isinstance(parsed, list) and len(parsed) == 1
        for number, datum in enumerate(function.get("PLpgSQL_function", {}).get("datums", ()))
        for described in datum.values()
        if (query := _expression(described.get("cursor_explicit_expr"))) is not None
    }


def _step(expression: dict[str, Any], key: str, line: int) -> Step:
    query = expression["query"]
    if key == "dynamic":
        return Step(Role.DYNAMIC, query, line)
    match expression.get("parseMode", 0):
        case 0:
            return Step(Role.STATEMENT, query, line)
        case 2:
            return Step(Role.EXPRESSION, query, line)
        case 3 | 4 | 5:
            # `target := value`: both sides are evaluated, the target only for its subscripts.
            target, _, value = _assignment(query)
            subscripts = re.findall(r"\[(.*)\]", target, re.DOTALL)
            return Step(Role.EXPRESSION, ", ".join([*subscripts, value]), line)
        case _:
            return Step(Role.STATEMENT, query, line)


def _assignment(query: str) -> tuple[str, str, str]:
    found = re.match(r'((?:[^"=:]|"[^"]*"|:(?!=)|::)*?)(:=|=)(.*)\Z', query, re.DOTALL)
    return ("", "", query) if found is None else (found.group(1), found.group(2), found.group(3))


def _variables(parsed: Any) -> Iterator[str]:
    for function in parsed if isinstance(parsed, list) else [parsed]:
        for datum in function.get("PLpgSQL_function", {}).get("datums", ()):
            for described in datum.values():
                name = described.get("refname")
                if isinstance(name, str):
                    yield name
