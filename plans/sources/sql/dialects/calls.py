"""What the functions do that a statement of the other dialects calls, beside computing a value."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset
from ..selector.reach import Calling
from ..tree import Node
from ..written import repeated
from .conditions import function_name
from .session import Session


def calls(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    """What the functions in a statement do beside computing a value."""
    seen: set[str] = set()
    for node in tree.walk():
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
            name = f"{node.this.sql()}.{function_name(node.expression)}".lower()
            is_own = True
        elif isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
            if isinstance(node.parent, exp.Dot) and node.parent.expression is node:
                continue
            if isinstance(node.parent, exp.WithTableHint):
                # `WITH (INDEX(i))` of T-SQL.
                continue
            name, is_own = function_name(node), False
        else:
            continue
        if name in seen:
            continue
        seen.add(name)
        yield from _called(session, name, is_own, at)


# Namespaces of built-in functions, not schemas of the user's own.
_NAMESPACES = words(
    "safe net keys hll_count aead d3a_count st_ ml bqml snowflake.cortex snowflake.ml"
)


def _called(session: Session, name: str, is_own: bool, at: int) -> Iterator[Finding]:
    dialect = session.dialect
    namespace, _, bare = name.rpartition(".")
    effect = dialect.effects.get(bare)
    resource = asset("Routine", session.name, "function", name, bare)
    if effect is not None:
        finding = Finding(
            "sql.run_program" if effect.effect == Effect.EXECUTE else "sql.call",
            resource,
            effect.effect,
            f"calls `{name}`, which {effect.why}",
            at,
            Selector.UNKNOWN if effect.effect == Effect.UNKNOWN else Selector.ONE,
            effect.reversibility,
            opaque=f"`{name}` {effect.why}" if effect.effect == Effect.UNKNOWN else None,
        )
        yield repeated(finding, session.rounds)
        return
    known = bare in dialect.harmless or bare in dialect.volatile
    if name in session.steady or namespace.rpartition(".")[2] == "information_schema":
        return
    if (known and (not is_own or namespace in _NAMESPACES)) or namespace == "safe":
        return
    if is_own and session.name == "tsql":
        # A user's function of SQL Server cannot change data.
        return
    reason = f"what the function `{name}` does is not known"
    yield Finding(
        "sql.call",
        resource,
        Effect.UNKNOWN,
        f"calls `{name}`",
        at,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        opaque=reason,
    )


def calling(session: Session, call: Node) -> Calling:
    name = call.funcname[-1].sval
    if name in session.dialect.volatile or name in ("rand", "uuid", "random", "randn"):
        return Calling.VOLATILE
    if name in session.dialect.harmless or name in _TYPED:
        return Calling.STEADY
    return Calling.UNKNOWN


# Functions that sqlglot knows in every dialect, by the name it gives them.
_TYPED = frozenset(
    name.lower()
    for function in exp.ALL_FUNCTIONS
    if not issubclass(function, (exp.Rand, exp.Uuid, exp.Randn, exp.Anonymous))
    for name in (function.sql_names() if function is not exp.Func else [])
)
