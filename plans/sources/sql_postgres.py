"""PostgreSQL scripts into findings: the server's parser reads, one function per statement judges.

Here stand the statements that hold others: blocks, routines, EXPLAIN, EXECUTE. What no function
and no table covers is unread.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..model import Asset, Effect, Reversibility, Selector
from . import sql_crosscheck, sql_plpgsql, sql_taxonomy
from .sql_changes import Finding, asset, joined_name, unread, words
from .sql_facts import DatabaseFacts, established, sharpened
from .sql_names import (
    FALSE_WORDS,
    database,
    is_false,
    name_parts,
    named_object,
    role_name,
    setting_text,
)
from .sql_objects import (
    Fires,
    alter_domain,
    alter_event_trigger,
    alter_function,
    alter_publication,
    alter_subscription,
    alter_table,
    create_extension,
    create_foreign_table,
    create_index,
    create_language,
    create_policy,
    create_rule,
    create_table,
    create_trigger,
    create_view,
    define,
    drop_objects,
    rename,
    set_owner,
    set_schema,
    tabled,
)
from .sql_psql import copy_data, psql_command
from .sql_rights import alter_role, create_role, default_privileges, grant, grant_role
from .sql_rows import copy_rows, created_table, query, read_finding, truncate
from .sql_script import DIALECT, UNKNOWN_TABLE, Place, Routine, Script, TableFacts
from .sql_settings import (
    alter_database_set,
    alter_role_set,
    alter_system,
    discard,
    note_path,
    set_variable,
    setting_finding,
)
from .sql_split import MAX_NESTING, Kind, Piece, split
from .sql_tree import Complaint, Node, ast, enums, nodes, parse
from .sql_written import matters

MAX_BODIES = 16
MAX_STEPS = 20_000


def read_postgres(text: str, facts: DatabaseFacts | None = None) -> Iterator[tuple[Finding, int]]:
    """Every finding with the offset at which its statement ends."""
    script = Script() if facts is None else _begun(facts)
    for piece in split(text):
        match piece.kind:
            case Kind.STATEMENT:
                findings = _statement_piece(script, piece)
                if facts is not None:
                    findings = _sharpened(facts, script, findings, piece)
            case Kind.COMMAND:
                findings = list(psql_command(piece))
            case Kind.DATA:
                findings = list(copy_data(piece))
        end = piece.end
        for finding in findings:
            yield finding, end


def _begun(facts: DatabaseFacts) -> Script:
    """The script of a database, with its functions, views and triggers as if the script had made them."""
    script = established(facts)
    known = dict(script.tables)
    views = set(script.views)
    for definition in facts.definitions:
        for piece in split(definition):
            _statement_piece(script, piece)
    script.tables = known
    script.views = views
    script.steps = 0
    return script


def _sharpened(
    facts: DatabaseFacts, script: Script, findings: list[Finding], piece: Piece
) -> list[Finding]:
    """With the rows that foreign keys take along, and what their triggers do."""
    found = list(sharpened(facts, script, findings, piece.text))
    for one in found[:]:
        if one.action in ("sql.delete", "sql.merge") and one not in findings:
            events = _DELETES if one.effect == Effect.DELETE_DATA else _UPDATES
            found += _fired(script, one.resource.id, events, Place(piece.text, piece.start))
    return found


def explainable(text: str) -> Iterator[str]:
    """The statements whose rows a planner can estimate, and that call nothing which the plan would run."""
    script = Script()
    for piece in split(text):
        if piece.kind != Kind.STATEMENT:
            continue
        findings = _statement_piece(script, piece)
        plain = findings and all(
            one.action in ("sql.update", "sql.delete", "sql.read") and one.opaque is None
            for one in findings
        )
        if plain and any(one.action != "sql.read" for one in findings):
            yield piece.text


def _statement_piece(script: Script, piece: Piece) -> list[Finding]:
    place = Place(piece.text, piece.start)
    script.opened.clear()
    script.depth = 0
    if "\x00" in piece.text:
        return [unread(DIALECT, "the statement holds a NUL character", piece.start)]
    if piece.nesting > MAX_NESTING:
        reason = f"the statement is nested more than {MAX_NESTING} levels deep"
        return [unread(DIALECT, reason, piece.start)]
    if piece.backslash_in_string and not script.plain_backslashes:
        reason = "a backslash in a string may end it, after standard_conforming_strings was changed"
        return [unread(DIALECT, reason, piece.start)]
    statements = parse(piece.text)
    if isinstance(statements, Complaint):
        return [unread(DIALECT, statements.message, place.at(statements.location))]
    findings: list[Finding] = []
    for statement in statements:
        try:
            found = _statement(script, statement, place)
        except RecursionError:
            found = [unread(DIALECT, "the statement is nested too deeply", piece.start)]
        disagreement = sql_crosscheck.disagreement(statement, piece)
        if disagreement is not None:
            found.append(unread(DIALECT, disagreement, piece.start))
        findings.extend(found)
    return findings


def _statement(script: Script, node: Node, place: Place) -> list[Finding]:
    """What a statement does itself, what it hides, and what the functions it calls do."""
    name = type(node).__name__
    handler = HANDLERS.get(name)
    if handler is not None:
        findings = list(handler(script, node, place))
    elif (row := sql_taxonomy.postgres().statements.get(name)) is not None:
        findings = list(tabled(script, node, row, place))
    else:
        return [unread(DIALECT, f"`{name}` statements are not classified", place.start)]
    if name not in _DEFERRED:
        findings.extend(_calls(script, node, place))
    if name in _USING_TABLES:
        findings.extend(_attached(script, node, place))
    return findings


# They run what is attached to the tables and views they use.
_USING_TABLES = words(
    "SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt TruncateStmt CopyStmt DeclareCursorStmt "
    "RefreshMatViewStmt"
)

# Their expressions wait for a later statement, or were read by their own handler.
_DEFERRED = frozenset(
    {
        "AlterPolicyStmt",
        "CreateFunctionStmt",
        "CreatePolicyStmt",
        "CreateSchemaStmt",
        "CreateStatsStmt",
        "CreateStmt",
        "CreateTableAsStmt",
        "CreateTrigStmt",
        "ExplainStmt",
        "PrepareStmt",
        "CallStmt",
        "RuleStmt",
        "ViewStmt",
    }
)


def _create_table_as(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    is_view = node.objtype == enums.ObjectType.OBJECT_MATVIEW
    inner = _statement(script, node.query, place)
    yield from (finding for finding in inner if matters(finding))
    relation = node.into.rel
    if is_view:
        yield created_table(script, relation, place, "creates materialized view", "View")
        script.views.update(script.table_ids(relation)[:1])
        return
    yield created_table(script, relation, place, "creates table")
    if node.if_not_exists:
        script.create(relation, UNKNOWN_TABLE)
    else:
        drops = node.into.onCommit == enums.OnCommitAction.ONCOMMIT_DROP
        script.create(relation, TableFacts(is_new=True, drops_on_commit=drops))


def _create_schema(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    name = node.schemaname or (role_name(node.authrole) if node.authrole is not None else "")
    resource = asset("Schema", DIALECT, "schema", name)
    yield Finding("sql.create", resource, Effect.CREATE, f"creates schema `{name}`", place.start)
    path = script.path
    script.path = (name,)
    for element in node.schemaElts or ():
        yield from _statement(script, element, place)
    script.path = path


def _create_function(script: Script, node: Node, place: Place) -> Iterator[Finding]:
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
    if language not in sql_taxonomy.postgres().trusted_languages:
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


def _language(options: dict[str, Any]) -> str:
    language: Any = options.get("language")
    return language.sval.lower() if isinstance(language, ast.String) else "sql"


def _do(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    options = {option.defname: option for option in node.args or ()}
    language = options["language"].arg.sval.lower() if "language" in options else "plpgsql"
    resource = asset("Routine", DIALECT, "block", "DO", "DO")
    code = options["as"].arg.sval if "as" in options else ""
    finding = Finding("sql.call", resource, Effect.READ, "runs a block of code", place.start)
    if language not in sql_taxonomy.postgres().trusted_languages:
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
        yield _opaque_call(resource, f"code in {language} is not read", place)
        return
    definition = _do_text(code)
    body_place = _body_place(place, options["as"].location if "as" in options else -1, code)
    inner = list(_plpgsql(script, definition, code, body_place, resource, place))
    changes = [one for one in inner if matters(one)]
    yield from changes if changes else [replace(finding, summary="runs a block that only reads")]


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


def _opaque_call(resource: Asset, reason: str, place: Place) -> Finding:
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
        yield _opaque_call(resource, "the script calls its own routines too often to follow", place)
        return
    if _too_deep(code):
        yield _opaque_call(resource, "its body is nested too deeply", place)
        return
    body = sql_plpgsql.body(definition, code)
    if isinstance(body, str):
        yield _opaque_call(resource, body, place)
        return
    variables = script.variables
    script.variables = variables | body.variables
    script.depth += 1
    script.steps += len(body.steps)
    for step in body.steps:
        at = Place("", place.start, False)
        if body_place is not None:
            at = Place("", body_place.start + _line_offset(code, step.line, step.sql), False)
        yield from _step(script, step, at, resource)
    script.depth -= 1
    script.variables = variables


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


def _step(
    script: Script, step: sql_plpgsql.Step, place: Place, resource: Asset
) -> Iterator[Finding]:
    match step.role:
        case sql_plpgsql.Role.DYNAMIC:
            literal = _literal(step.sql)
            if literal is None:
                yield _opaque_call(
                    resource, "it runs a statement that is put together at run time", place
                )
                return
            yield from _texts(script, literal, place)
        case sql_plpgsql.Role.EXPRESSION:
            yield from _texts(script, f"SELECT {step.sql}", place)
        case sql_plpgsql.Role.STATEMENT:
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
            yield from _statement(script, statement, Place(piece.text, place.start, False))


def _call(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    found = list(_calls(script, node, place))
    yield from found
    if not found:
        parts = name_parts(node.funccall.funcname)
        resource = asset("Routine", DIALECT, "routine", script.qualified(parts), parts[-1])
        summary = f"calls `{resource.id}`, which only reads"
        yield Finding("sql.call", resource, Effect.READ, summary, place.start)


def _prepare(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    script.prepared[node.name] = (node.query, place)
    resource = asset("DatabaseObject", DIALECT, "prepared_statement", node.name)
    summary = f"prepares `{node.name}`"
    yield Finding("sql.transaction", resource, Effect.READ, summary, place.start)


def _execute(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    prepared = script.prepared.get(node.name)
    if prepared is None:
        reason = f"`{node.name}` was prepared outside this script"
        yield unread(DIALECT, reason, place.start)
        return
    query, where_prepared = prepared
    yield from _statement(script, query, Place(where_prepared.text, place.start, False))


def _deallocate(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    if node.name is None:
        script.prepared.clear()
    else:
        script.prepared.pop(node.name, None)
    resource = asset("DatabaseObject", DIALECT, "prepared_statement", node.name or "*")
    yield Finding(
        "sql.transaction", resource, Effect.READ, "forgets a prepared statement", place.start
    )


def _explain(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """EXPLAIN ANALYZE runs its statement; without it, planning may still call functions."""
    analyzes = False
    for option in node.options or ():
        if option.defname.lower() == "analyze":
            analyzes = option.arg is None or setting_text((option.arg,)) not in FALSE_WORDS
    if analyzes:
        yield from _statement(script, node.query, place)
        return
    finding = read_finding(script, node.query, place)
    yield replace(finding, summary=f"explains, {finding.summary}", opaque=finding.opaque)
    for one in _calls(script, node.query, place):
        if one.opaque is not None:
            yield one


def _declare_cursor(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    yield from query(script, node.query, place)


def _transaction(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = enums.TransactionStmtKind
    opaque = None
    match node.kind:
        case kind.TRANS_STMT_BEGIN | kind.TRANS_STMT_START:
            script.begin()
        case kind.TRANS_STMT_COMMIT:
            script.commit()
        case kind.TRANS_STMT_PREPARE:
            script.transactions.add(node.gid)
            script.roll_back(ends=True)
        case kind.TRANS_STMT_ROLLBACK:
            script.roll_back(ends=True)
        case kind.TRANS_STMT_ROLLBACK_TO:
            script.roll_back(ends=False)
        case kind.TRANS_STMT_COMMIT_PREPARED:
            if node.gid not in script.transactions:
                opaque = f"commits `{node.gid}`, which was prepared outside this script"
        case kind.TRANS_STMT_ROLLBACK_PREPARED:
            if node.gid not in script.transactions:
                opaque = f"gives up `{node.gid}`, which was prepared outside this script"
        case _:
            pass
    words = node.kind.name.removeprefix("TRANS_STMT_").lower().replace("_", " ")
    finding = Finding(
        "sql.transaction", database(), Effect.READ, f"transaction: {words}", place.start
    )
    if opaque is not None:
        finding = replace(
            finding,
            effect=Effect.UNKNOWN,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            opaque=opaque,
        )
    yield finding


def _vacuum(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    words = "vacuums" if node.is_vacuumcmd else "analyzes"
    # A full one keeps everybody else out while it writes the table anew.
    rewrites = any(
        option.defname == "full" and not is_false(option.arg) for option in node.options or ()
    )
    relations = [one.relation for one in node.rels or () if one.relation is not None]
    targets = [script.table(one) for one in relations] or [database()]
    for target in targets:
        yield Finding(
            "sql.maintain",
            target,
            Effect.UPDATE,
            f"{words} `{target.id}`",
            place.start,
            Selector.ALL if rewrites else Selector.ONE,
        )


def _reindex(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.kind.name.removeprefix("REINDEX_OBJECT_").lower()
    if node.relation is not None and kind == "table":
        resource = script.table(node.relation)
    elif node.relation is not None:
        resource = named_object(script, "index", node.relation)
    else:
        type = "Schema" if kind == "schema" else "Database"
        resource = asset(type, DIALECT, type.lower(), node.name or "current")
    yield Finding(
        "sql.maintain",
        resource,
        Effect.UPDATE,
        f"rebuilds the indexes of `{resource.id}`",
        place.start,
        Selector.ALL,
    )


def _calls(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """What the functions called in a statement do; each function once, for as many rows as are read."""
    seen: set[str] = set()
    times = _times(node)
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
                for finding in _function(script, call, place):
                    repeats = finding.action == "sql.call" and finding.selector == Selector.ONE
                    yield replace(finding, selector=times) if repeats else finding


def _sampled(node: Node, place: Place) -> Iterator[Finding]:
    """A method of TABLESAMPLE is a function in C."""
    method = name_parts(node.method)[-1]
    if method not in ("bernoulli", "system", "system_rows", "system_time"):
        resource = asset("Routine", DIALECT, "routine", method)
        yield _opaque_call(
            resource, f"what the sampling method `{method}` does is not known", place
        )


def _times(node: Node) -> Selector:
    """How often a statement evaluates what it selects: once without a table, else for the rows it reads."""
    if not isinstance(node, ast.SelectStmt) or not node.fromClause:
        return Selector.ONE
    if not any(isinstance(one, ast.RangeVar) for one in nodes(node.fromClause)):
        return Selector.ONE
    return Selector.UNKNOWN if node.whereClause is None else Selector.SOME


def _attached(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """What runs because a table or view of this script is used: defaults, checks, triggers, queries."""
    for relation in nodes(node):
        if not isinstance(relation, ast.RangeVar):
            continue
        events = _events(node, relation)
        for table in script.table_ids(relation):
            yield from _fired(script, table, events, place)


def _fired(script: Script, table: str, events: int, place: Place) -> Iterator[Finding]:
    """What is attached to one table, with the triggers that wait for one of the events."""
    for one in script.attached.get(table, ()):
        waits = one[-1] if isinstance(one, tuple) and one else None
        if isinstance(waits, Fires) and not waits.events & events:
            continue
        if id(one) not in script.opened:
            script.opened.add(id(one))
            yield from _calls(script, one, place)
            yield from _attached(script, one, place)


_INSERTS, _DELETES, _UPDATES, _TRUNCATES = 1 << 2, 1 << 3, 1 << 4, 1 << 5


def _events(node: Node, relation: Node) -> int:
    """What a statement does to the rows of a relation that stands in it; nothing where it reads."""
    found = 0
    for one in nodes(node):
        match one:
            case ast.InsertStmt(relation=target) if target is relation:
                found |= _INSERTS | (_UPDATES if one.onConflictClause is not None else 0)
            case ast.DeleteStmt(relation=target) if target is relation:
                found |= _DELETES
            case ast.UpdateStmt(relation=target) if target is relation:
                found |= _UPDATES
            case ast.MergeStmt(relation=target) if target is relation:
                found |= _INSERTS | _DELETES | _UPDATES
            case ast.TruncateStmt(relations=targets) if any(one is relation for one in targets):
                found |= _TRUNCATES
            case ast.CopyStmt(relation=target) if target is relation:
                found |= _INSERTS
    return found


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
    known = is_builtin and (name in sql_taxonomy.functions().operators or name.isupper())
    if name in seen or (known and name not in script.operators):
        return
    seen.add(name)
    resource = asset("Routine", DIALECT, "operator", name)
    yield _opaque_call(resource, f"what the operator `{name}` does is not known", place)


def _function(script: Script, call: Node, place: Place) -> Iterator[Finding]:
    table = sql_taxonomy.functions()
    parts = name_parts(call.funcname)
    name = parts[-1]
    schema = parts[-2] if len(parts) > 1 else None
    if schema is None and script.hides_builtins:
        schema = "*"
    at = Place(place.text, place.at(call.location), False)
    if schema not in ("pg_catalog", "information_schema"):
        routines = [one for one in script.routines.get(name, ()) if _takes(one, call)]
        if routines and name not in script.uncertain_routines:
            yield from _routines(script, name, routines, at)
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
        yield _opaque_call(resource, f"what the function `{resource.id}` does is not known", at)
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
        return _opaque_call(resource, "which setting it changes to what is not known", at)
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


def _routines(
    script: Script, name: str, routines: list[Routine], place: Place
) -> Iterator[Finding]:
    """What routines of that name, defined earlier in the script, do when called."""
    for routine in routines:
        node = routine.definition
        if id(node) in script.opened:
            continue
        script.opened.add(id(node))
        options = {option.defname: option.arg for option in node.options or ()}
        language = _language(options)
        resource = asset(
            "Routine", DIALECT, "routine", script.qualified(name_parts(node.funcname)), name
        )
        code = _code(options.get("as"))
        if language == "plpgsql" and code is not None:
            found = list(_plpgsql(script, routine.text, code, None, resource, place))
        elif language == "sql":
            found = list(_sql_body(script, node, code, resource, place))
        elif language in ("c", "internal"):
            yield _opaque_call(resource, f"code in {language} is not read", place)
            continue
        else:
            yield _opaque_call(resource, f"code in {language} is not read", place)
            continue
        for finding in found:
            if matters(finding):
                yield replace(finding, summary=f"{finding.summary} (in `{resource.id}`)")


def _code(value: Any) -> str | None:
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], ast.String):
        return str(value[0].sval)
    return None


def _sql_body(
    script: Script, node: Node, code: str | None, resource: Asset, place: Place
) -> Iterator[Finding]:
    if script.depth >= MAX_BODIES or script.steps >= MAX_STEPS:
        yield _opaque_call(resource, "the script calls its own routines too often to follow", place)
        return
    variables = script.variables
    script.variables = variables | {
        parameter.name for parameter in node.parameters or () if parameter.name
    }
    script.depth += 1
    if node.sql_body is not None:
        for statement in _flat(node.sql_body):
            if isinstance(statement, ast.ReturnStmt):
                yield from _calls(script, statement, place)
                yield from query(script, statement, place)
            else:
                yield from _statement(script, statement, Place("", place.start, False))
    elif code is not None:
        yield from _texts(script, code, place)
    else:
        yield _opaque_call(resource, "its body is not in the script", place)
    script.depth -= 1
    script.variables = variables


def _flat(body: Any) -> Iterable[Node]:
    if isinstance(body, tuple):
        for one in body:
            yield from _flat(one)
    elif isinstance(body, ast.Node):
        yield body


HANDLERS: dict[str, Callable[[Script, Any, Place], Iterable[Finding]]] = {
    "AlterDatabaseSetStmt": alter_database_set,
    "AlterDefaultPrivilegesStmt": default_privileges,
    "AlterDomainStmt": alter_domain,
    "AlterEventTrigStmt": alter_event_trigger,
    "AlterFunctionStmt": alter_function,
    "AlterObjectSchemaStmt": set_schema,
    "AlterOwnerStmt": set_owner,
    "AlterPublicationStmt": alter_publication,
    "AlterRoleSetStmt": alter_role_set,
    "AlterRoleStmt": alter_role,
    "AlterSubscriptionStmt": alter_subscription,
    "AlterSystemStmt": alter_system,
    "AlterTableStmt": alter_table,
    "CallStmt": _call,
    "CopyStmt": copy_rows,
    "CreateExtensionStmt": create_extension,
    "CreateForeignTableStmt": create_foreign_table,
    "CreateFunctionStmt": _create_function,
    "CreatePLangStmt": create_language,
    "CreatePolicyStmt": create_policy,
    "CreateRoleStmt": create_role,
    "CreateSchemaStmt": _create_schema,
    "CreateStmt": create_table,
    "CreateTableAsStmt": _create_table_as,
    "CreateTrigStmt": create_trigger,
    "DeallocateStmt": _deallocate,
    "DeclareCursorStmt": _declare_cursor,
    "DefineStmt": define,
    "DeleteStmt": query,
    "DiscardStmt": discard,
    "DoStmt": _do,
    "DropStmt": drop_objects,
    "ExecuteStmt": _execute,
    "ExplainStmt": _explain,
    "GrantRoleStmt": grant_role,
    "GrantStmt": grant,
    "IndexStmt": create_index,
    "InsertStmt": query,
    "MergeStmt": query,
    "PrepareStmt": _prepare,
    "ReindexStmt": _reindex,
    "RenameStmt": rename,
    "RuleStmt": create_rule,
    "SelectStmt": query,
    "TransactionStmt": _transaction,
    "TruncateStmt": truncate,
    "UpdateStmt": query,
    "VacuumStmt": _vacuum,
    "VariableSetStmt": set_variable,
    "ViewStmt": create_view,
}
