"""A PL/pgSQL body into the SQL it runs: statements, expressions, and what is put together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..tree import Complaint, parse_body


class Role(Enum):
    STATEMENT = "statement"
    EXPRESSION = "expression"
    DYNAMIC = "dynamic"
    """An expression whose value is run as a statement."""


@dataclass(frozen=True, slots=True)
class Step:
    """`line` counts from 1 in the body."""

    role: Role
    sql: str
    line: int


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
    stack: list[tuple[Any, str, int]] = [(node, "", line)]
    while stack:
        one, key, line = stack.pop()
        if isinstance(one, list):
            stack.extend((item, key, line) for item in reversed(one))
        elif isinstance(one, dict):
            if isinstance(one.get("query"), str):
                yield _step(one, key, line)
                continue
            line = one.get("lineno", line) if isinstance(one.get("lineno"), int) else line
            children: list[tuple[Any, str, int]] = []
            for name, value in one.items():
                # The expression keeps the key that says what becomes of it.
                if name == "PLpgSQL_expr":
                    inner = key
                elif (name == "query" and key in _DYNAMIC_STATEMENTS) or name == "dynquery":
                    inner = "dynamic"
                else:
                    inner = name
                children.append((value, inner, line))
            stack.extend(reversed(children))


_DYNAMIC_STATEMENTS = frozenset({"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"})


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
