"""PostgreSQL's own parser: the only file that calls it, and a walk over the tree it returns.

Nodes are untyped, because the stubs call every field optional that the grammar requires.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pglast
import pglast.ast
import pglast.enums
import pglast.parser

from .changes import shortened

ast: Any = pglast.ast
enums: Any = pglast.enums
Node = Any


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a text is no statement; `location` counts code points."""

    message: str
    location: int | None = None


def parse(sql: str) -> list[Node] | Complaint:
    """The statements of a text whose nesting is known to be bounded."""
    try:
        return [raw.stmt for raw in pglast.parse_sql(sql)]
    except pglast.parser.ParseError as error:
        message, location = (*error.args, None)[:2]
        return Complaint(f"PostgreSQL's parser says: {shortened(str(message))}", location)
    except (UnicodeError, ValueError, RecursionError) as error:
        return Complaint(f"the text cannot be given to the parser: {type(error).__name__}")


def parse_body(definition: str) -> Any | Complaint:
    """The PL/pgSQL of a DO block or a CREATE FUNCTION statement, as libpg_query's JSON."""
    try:
        return pglast.parse_plpgsql(definition)
    except pglast.parser.ParseError as error:
        return Complaint(f"the body does not parse: {shortened(error.args[0])}")
    except (ValueError, RecursionError):
        return Complaint("the body cannot be read by the parser")


def nodes(root: Any) -> Iterator[Node]:
    """Every node of a tree, in the order of its fields; a loop, because trees may be deep."""
    stack = [root]
    while stack:
        one = stack.pop()
        if isinstance(one, tuple):
            stack.extend(reversed(one))
        elif isinstance(one, ast.Node):
            yield one
            kind: Any = type(one)
            children = [
                value
                for name in _fields(kind)
                if isinstance(value := getattr(one, name), (ast.Node, tuple))
            ]
            stack.extend(reversed(children))


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes; the others are numbers and words."""
    return tuple(
        name
        for name, info in kind.__slots__.items()
        if info.c_type.endswith("*") and info.c_type != "char*"
    )
