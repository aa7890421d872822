"""Code that PostgreSQL runs: DO blocks and the bodies of the script's own routines, opened where they run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ....model import Asset, Effect, Reversibility, Selector
from ..changes import Finding, asset, unread
from ..selector.reach import DARK, PART, Reach, at_most, times
from ..tree import Complaint, Node, ast, parse
from ..written import matters
from . import plpgsql, taxonomy
from .names import (
    is_false,
    name_parts,
)
from .rows import rows_given
from .script import DIALECT, Place, Routine, Script
from .settings import note_path
from .split import MAX_NESTING, Kind, split


def run_block(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    options = {option.defname: option for option in node.args or ()}
    language = options["language"].arg.sval.lower() if "language" in options else "plpgsql"
    resource = asset("Routine", DIALECT, "block", "DO", "DO")
    code = options["as"].arg.sval if "as" in options else ""
    finding = Finding("sql.call", resource, Effect.READ, "runs a block of code", place.start)
    if language not in taxonomy.postgres().trusted_languages:
        yield replace(
            finding,
            action="sql.run_program",
            effect=Effect.EXECUTE,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            summary=f"runs a block of {language}",
            opaque=f"code in {language} is not read",
        )
        return
    if language != "plpgsql":
        yield opaque_call(resource, f"code in {language} is not read", place)
        return
    definition = _do_text(code)
    body_place = _body_place(place, options["as"].location if "as" in options else -1, code)
    inner = list(_plpgsql(script, definition, code, body_place, resource, place))
    changes = [one for one in inner if matters(one)]
    yield from changes if changes else [replace(finding, summary="runs a block that only reads")]


def routines_called(
    script: Script, name: str, routines: list[Routine], place: Place
) -> Iterator[Finding]:
    """What routines of that name, defined earlier in the script, do when called."""
    for routine in routines:
        node = routine.definition
        rounds = script.rounds
        if id(node) in script.calling:
            # How often a routine calls itself, nobody knows.
            script.rounds = DARK
        if (id(node), script.rounds) in script.opened:
            script.rounds = rounds
            continue
        script.opened.add((id(node), script.rounds))
        options = {option.defname: option.arg for option in node.options or ()}
        language = _language(options)
        resource = asset(
            "Routine", DIALECT, "routine", script.qualified(name_parts(node.funcname)), name
        )
        code = _code(options.get("as"))
        calling = script.calling
        script.calling = (*calling, id(node))
        paths = _enter_path(script, node)
        if language == "plpgsql" and code is not None:
            found = list(_plpgsql(script, routine.text, code, None, resource, place))
        elif language == "sql":
            found = list(_sql_body(script, node, code, resource, place))
        else:
            found = [opaque_call(resource, f"code in {language} is not read", place)]
        script.calling = calling
        script.rounds = rounds
        if paths is not None:
            script.path, script.hides_builtins, script.temporary_comes_first = paths
        for finding in found:
            if matters(finding):
                yield replace(finding, summary=f"{finding.summary} (in `{resource.id}`)")


def _enter_path(script: Script, node: Node) -> tuple[tuple[str, ...], bool, bool] | None:
    """The path outside, where a routine has one of its own: `CREATE FUNCTION … SET search_path = …`."""
    for option in node.options or ():
        setting = option.arg
        if option.defname == "set" and (setting.name or "").lower() == "search_path":
            outside = (script.path, script.hides_builtins, script.temporary_comes_first)
            after_transaction = script.path_after_transaction
            script.temporary_comes_first = True
            note_path(script, setting.args, is_local=False)
            script.path_after_transaction = after_transaction
            return outside
    return None


def create_function(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    options = {option.defname: option.arg for option in node.options or ()}
    language = _language(options)
    parts = name_parts(node.funcname)
    resource = asset("Routine", DIALECT, "routine", script.qualified(parts), parts[-1])
    if script.depth > 0:
        script.uncertain_routines.add(parts[-1])
    known = script.routines.setdefault(parts[-1], [])
    if node.replace:
        known.clear()
    known.append(Routine(node, place.text))
    verb = "replaces" if node.replace else "creates"
    finding = Finding(
        "sql.create",
        resource,
        Effect.UPDATE if node.replace else Effect.CREATE,
        f"{verb} routine `{resource.id}` in {language}",
        place.start,
        reversibility=Reversibility.RECOVERABLE if node.replace else Reversibility.REVERSIBLE,
    )
    if language not in taxonomy.postgres().trusted_languages:
        yield replace(
            finding,
            action="sql.run_program",
            effect=Effect.EXECUTE,
            summary=f"{finding.summary}, which reaches beyond the database",
        )
    elif not is_false(options.get("security", ast.Boolean(boolval=False))):
        yield replace(
            finding,
            effect=Effect.ESCALATE,
            summary=f"{finding.summary}, which acts with its owner's rights",
        )
    else:
        yield finding
    if node.replace and _is_trigger(node):
        # Triggers that use it run the new body by themselves.
        yield from routines_called(script, parts[-1], known[-1:], place)


def _is_trigger(node: Node) -> bool:
    return node.returnType is not None and name_parts(node.returnType.names)[-1] == "trigger"


MAX_BODIES = 16


MAX_STEPS = 20_000


def _language(options: dict[str, Any]) -> str:
    language: Any = options.get("language")
    return language.sval.lower() if isinstance(language, ast.String) else "sql"


def _do_text(code: str) -> str:
    tag = "do"
    while f"${tag}$" in code:
        tag += "_"
    return f"DO ${tag}${code}${tag}$ LANGUAGE plpgsql"


def _body_place(place: Place, location: int, code: str) -> Place | None:
    """Where the body stands in the artifact, when it is written there as it is."""
    if not place.is_exact:
        return None
    at = place.text.find(code, max(location, 0)) if code else -1
    return Place(code, place.start + at) if at >= 0 else None


def opaque_call(resource: Asset, reason: str, place: Place) -> Finding:
    return Finding(
        "sql.call",
        resource,
        Effect.UNKNOWN,
        f"calls `{resource.id}`: {reason}",
        place.start,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        opaque=reason,
    )


def _plpgsql(
    script: Script,
    definition: str,
    code: str,
    body_place: Place | None,
    resource: Asset,
    place: Place,
) -> Iterator[Finding]:
    if script.depth >= MAX_BODIES or script.steps >= MAX_STEPS:
        yield opaque_call(resource, "the script calls its own routines too often to follow", place)
        return
    if _too_deep(code):
        yield opaque_call(resource, "its body is nested too deeply", place)
        return
    body = plpgsql.body(definition, code)
    if isinstance(body, str):
        yield opaque_call(resource, body, place)
        return
    variables, rounds = script.variables, script.rounds
    script.variables = variables | body.variables
    script.depth += 1
    script.steps += len(body.steps)
    for step in body.steps:
        script.rounds = rounds
        for loop in step.loops:
            script.rounds = times(script.rounds, _rounds(script, loop))
        at = Place("", place.start, False)
        if body_place is not None:
            at = Place("", body_place.start + _line_offset(code, step.line, step.sql), False)
        yield from _step(script, step, at, resource)
    script.depth -= 1
    script.variables, script.rounds = variables, rounds


def _rounds(script: Script, loop: plpgsql.Loop) -> Reach:
    """How often a loop runs, as far as it says."""
    if loop.count is not None:
        return at_most(loop.count)
    if loop.array is not None:
        statements = parse(f"SELECT {loop.array}")
        if isinstance(statements, Complaint) or len(statements) != 1:
            return DARK
        value = statements[0].targetList[0].val
        while isinstance(value, ast.TypeCast):
            value = value.arg
        # Like `= ANY (array)`, a variable is as long as its caller makes it.
        if isinstance(value, ast.A_ArrayExpr):
            return at_most(max(len(value.elements or ()), 1))
        return PART if isinstance(value, (ast.ColumnRef, ast.ParamRef)) else DARK
    if loop.query is None:
        return DARK
    statements = parse(loop.query)
    if isinstance(statements, Complaint) or len(statements) != 1:
        return DARK
    return rows_given(script, statements[0])


def _too_deep(code: str) -> bool:
    return any(piece.nesting > MAX_NESTING for piece in split(code))


def _line_offset(code: str, line: int, sql: str) -> int:
    start = 0
    for _ in range(line - 1):
        newline = code.find("\n", start)
        if newline < 0:
            break
        start = newline + 1
    found = code.find(sql[:30], start)
    if found >= 0:
        return found
    blank = re.compile(r"[ \t]*").match(code, start)
    return blank.end() if blank is not None else start


def _step(script: Script, step: plpgsql.Step, place: Place, resource: Asset) -> Iterator[Finding]:
    match step.role:
        case plpgsql.Role.DYNAMIC:
            literal = _literal(step.sql)
            if literal is None:
                yield opaque_call(
                    resource, "it runs a statement that is put together at run time", place
                )
                return
            yield from _texts(script, literal, place)
        case plpgsql.Role.EXPRESSION:
            yield from _texts(script, f"SELECT {step.sql}", place)
        case plpgsql.Role.STATEMENT:
            yield from _texts(script, step.sql, place)


def _literal(expression: str) -> str | None:
    statements = parse(f"SELECT {expression}")
    if isinstance(statements, Complaint) or len(statements) != 1:
        return None
    targets = list(statements[0].targetList or ())
    if len(targets) != 1 or not isinstance(targets[0].val, ast.A_Const):
        return None
    value = targets[0].val.val
    return value.sval if isinstance(value, ast.String) else None


def _texts(script: Script, sql: str, place: Place) -> Iterator[Finding]:
    """Statements in a text of their own, at the place that runs them."""
    for piece in split(sql):
        script.steps += 1
        if piece.nesting > MAX_NESTING or piece.kind != Kind.STATEMENT:
            yield unread(DIALECT, "the statement is nested too deeply", place.start)
            continue
        statements = parse(piece.text)
        if isinstance(statements, Complaint):
            yield unread(DIALECT, statements.message, place.start)
            continue
        for statement in statements:
            yield from script.read(script, statement, Place(piece.text, place.start, False))


def _code(value: Any) -> str | None:
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], ast.String):
        return str(value[0].sval)
    return None


def _sql_body(
    script: Script, node: Node, code: str | None, resource: Asset, place: Place
) -> Iterator[Finding]:
    if script.depth >= MAX_BODIES or script.steps >= MAX_STEPS:
        yield opaque_call(resource, "the script calls its own routines too often to follow", place)
        return
    variables = script.variables
    script.variables = variables | {
        parameter.name for parameter in node.parameters or () if parameter.name
    }
    script.depth += 1
    if node.sql_body is not None:
        for statement in _flat(node.sql_body):
            yield from script.read(script, statement, Place("", place.start, False))
    elif code is not None:
        yield from _texts(script, code, place)
    else:
        yield opaque_call(resource, "its body is not in the script", place)
    script.depth -= 1
    script.variables = variables


def _flat(body: Any) -> Iterable[Node]:
    if isinstance(body, tuple):
        for one in body:
            yield from _flat(one)
    elif isinstance(body, ast.Node):
        yield body
