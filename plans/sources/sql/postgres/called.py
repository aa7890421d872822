"""What a PostgreSQL statement calls: functions and operators, by the table of their effects or by their own bodies."""

from collections.abc import Iterator
from dataclasses import replace

from ....model import Effect, Selector
from ..changes import Finding, asset, joined_name
from ..selector.reach import times
from ..tree import Node, ast, enums, nodes
from . import taxonomy
from .names import (
    FALSE_WORDS,
    name_parts,
    setting_text,
)
from .routines import opaque_call, routines_called
from .rows import rounds_of
from .script import DIALECT, Place, Routine, Script
from .settings import (
    note_path,
    setting_finding,
)


def calls(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """What the functions called in a statement do; each function once, for as many rows as are read."""
    seen: set[str] = set()
    several = max(_several(node), script.rounds.selector, key=list(Selector).index)
    rounds = script.rounds
    each_round = times(rounds, rounds_of(script, node)) if script.routines else rounds
    for call in nodes(node):
        operator = _operator_name(call)
        if isinstance(call, ast.RangeTableSample):
            yield from _sampled(call, place)
        if operator:
            yield from _operator(script, operator, place, seen)
        elif isinstance(call, ast.FuncCall):
            key = ".".join(name_parts(call.funcname))
            if key == "set_config" or key == "pg_catalog.set_config":
                yield _set_config(script, call, place)
            elif key not in seen:
                seen.add(key)
                script.rounds = each_round
                for finding in _function(script, call, place):
                    repeats = finding.action == "sql.call" and finding.selector == Selector.ONE
                    yield replace(finding, selector=several) if repeats else finding
                script.rounds = rounds


def _sampled(node: Node, place: Place) -> Iterator[Finding]:
    """A method of TABLESAMPLE is a function in C."""
    method = name_parts(node.method)[-1]
    if method not in ("bernoulli", "system", "system_rows", "system_time"):
        resource = asset("Routine", DIALECT, "routine", method)
        yield opaque_call(resource, f"what the sampling method `{method}` does is not known", place)


def _several(node: Node) -> Selector:
    """How often a statement evaluates what it selects: once without a table, else for the rows it reads."""
    if not isinstance(node, ast.SelectStmt) or not node.fromClause:
        return Selector.ONE
    if not any(isinstance(one, ast.RangeVar) for one in nodes(node.fromClause)):
        return Selector.ONE
    return Selector.UNKNOWN if node.whereClause is None else Selector.SOME


def _operator_name(node: Node) -> list[str]:
    """The parts of the name of an operator that stands at a node, if one does."""
    match node:
        case ast.A_Expr():
            return name_parts(node.name)
        case ast.SubLink():
            return name_parts(node.operName)
        case ast.SortBy():
            return name_parts(node.useOp)
        case _:
            return []


def _operator(script: Script, parts: list[str], place: Place, seen: set[str]) -> Iterator[Finding]:
    """An operator nobody knows calls a function nobody knows."""
    name = parts[-1]
    is_builtin = len(parts) == 1 or parts[0] == "pg_catalog"
    # The parser writes BETWEEN and its like where others have their sign.
    known = is_builtin and (name in taxonomy.functions().operators or name.isupper())
    if name in seen or (known and name not in script.operators):
        return
    seen.add(name)
    resource = asset("Routine", DIALECT, "operator", name)
    yield opaque_call(resource, f"what the operator `{name}` does is not known", place)


def _function(script: Script, call: Node, place: Place) -> Iterator[Finding]:
    table = taxonomy.functions()
    parts = name_parts(call.funcname)
    name = parts[-1]
    schema = parts[-2] if len(parts) > 1 else None
    if schema is None and script.hides_builtins:
        schema = "*"
    at = Place(place.text, place.at(call.location), False)
    if schema not in ("pg_catalog", "information_schema"):
        routines = [one for one in script.routines.get(name, ()) if _takes(one, call)]
        if routines and name not in script.uncertain_routines:
            yield from routines_called(script, name, routines, at)
            return
        if name in table.extensions:
            return
    row = table.effects.get(name) if schema in (None, "pg_catalog", "public") else None
    is_builtin = name in table.harmless or name in table.volatile
    if row is None and is_builtin and schema in (None, "pg_catalog", "information_schema"):
        return
    if row is None and name in script.steady and name not in script.uncertain_routines:
        return
    resource = asset("Routine", DIALECT, "routine", joined_name(parts), name)
    if row is None:
        yield opaque_call(resource, f"what the function `{resource.id}` does is not known", at)
        return
    yield Finding(
        "sql.call",
        resource,
        row.effect,
        f"calls `{resource.id}`, which {row.why}",
        at.start,
        Selector.UNKNOWN if row.effect == Effect.UNKNOWN else Selector.ONE,
        row.reversibility,
        opaque=f"`{resource.id}` {row.why}" if row.effect == Effect.UNKNOWN else None,
    )


def _set_config(script: Script, call: Node, place: Place) -> Finding:
    at = Place(place.text, place.at(call.location), False)
    args = call.args or ()
    name = setting_text(args[:1]) if len(args) == 3 else None
    resource = asset("Routine", DIALECT, "routine", "set_config")
    value = setting_text(args[1:2], lower=False) if len(args) == 3 else None
    if name is None or value is None or not args:
        script.path = tuple(dict.fromkeys((*script.path, "public", "*")))
        script.plain_backslashes = False
        return opaque_call(resource, "which setting it changes to what is not known", at)
    if name == "search_path":
        names = [part.strip().strip('"') for part in value.split(",")]
        args_text = tuple(ast.String(sval=part) for part in names)
        is_local = setting_text(args[2:3]) not in FALSE_WORDS
        note_path(script, args_text, is_local=is_local)
    if name == "standard_conforming_strings":
        script.plain_backslashes = value.lower() in ("on", "true", "yes", "1")
    return setting_finding(name, (ast.String(sval=value),), at, "")


def _takes(routine: Routine, call: Node) -> bool:
    """Whether a routine can be meant, by its number of parameters."""
    modes = enums.FunctionParameterMode
    inputs = [
        parameter
        for parameter in routine.definition.parameters or ()
        if parameter.mode not in (modes.FUNC_PARAM_OUT, modes.FUNC_PARAM_TABLE)
    ]
    given = len(call.args or ())
    if routine.definition.is_procedure:
        # A procedure is called with its OUT parameters as well.
        inputs = list(routine.definition.parameters or ())
    if any(parameter.mode == modes.FUNC_PARAM_VARIADIC for parameter in inputs):
        return given >= len(inputs) - 1
    required = sum(parameter.defexpr is None for parameter in inputs)
    return required <= given <= len(inputs)
