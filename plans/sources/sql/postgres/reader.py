"""PostgreSQL scripts into findings: the server's parser reads, one function per statement judges.

Here stand the statements that hold others: blocks, routines, EXPLAIN, EXECUTE. What no function
and no table covers is unread.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ....model import Effect
from ...words import words
from ..changes import Finding, asset, unread
from ..selector.reach import ONCE
from ..tree import Complaint, Node, enums, parse
from ..written import matters
from . import crosscheck, taxonomy
from .attached import DELETES, UPDATES, attached, fired
from .called import calls
from .facts import DatabaseFacts, established, sharpened
from .maintained import (
    call,
    cluster,
    deallocate,
    declare_cursor,
    execute,
    explain,
    prepare,
    reindex,
    transaction,
    vacuum,
)
from .names import (
    role_name,
)
from .objects import (
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
from .psql import copy_data, copy_statement, psql_command
from .rights import alter_role, create_role, default_privileges, grant, grant_role
from .routines import create_function, run_block
from .rows import copy_rows, created_table, query, truncate
from .script import DIALECT, UNKNOWN_TABLE, Place, Script, TableFacts
from .settings import (
    alter_database_set,
    alter_role_set,
    alter_system,
    discard,
    set_variable,
)
from .split import MAX_NESTING, Kind, Piece, split


def read_postgres(text: str, facts: DatabaseFacts | None = None) -> Iterator[tuple[Finding, int]]:
    """Every finding with the offset at which its statement ends."""
    script = Script(_statement) if facts is None else _begun(facts)
    for piece in split(text):
        match piece.kind:
            case Kind.STATEMENT:
                findings = _statement_piece(script, piece)
                if facts is not None:
                    findings = _sharpened(facts, script, findings, piece)
            case Kind.COMMAND:
                sent = copy_statement(piece)
                if sent is None:
                    findings = list(psql_command(piece))
                else:
                    findings = _statement_piece(script, replace(piece, text=sent))
            case Kind.DATA:
                findings = list(copy_data(piece))
        end = piece.end
        for finding in findings:
            yield finding, end


def _begun(facts: DatabaseFacts) -> Script:
    """The script of a database, with its functions, views and triggers as if the script had made them."""
    script = established(facts, _statement)
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
            events = DELETES if one.effect == Effect.DELETE_DATA else UPDATES
            found += fired(script, one.resource.id, events, Place(piece.text, piece.start))
    return found


def explainable(text: str) -> Iterator[str]:
    """The statements whose rows a planner can estimate, and that call nothing which the plan would run."""
    script = Script(_statement)
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
    script.rounds = ONCE
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
        disagreement = crosscheck.disagreement(statement, piece)
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
    elif (row := taxonomy.postgres().statements.get(name)) is not None:
        findings = list(tabled(script, node, row, place))
    else:
        return [unread(DIALECT, f"`{name}` statements are not classified", place.start)]
    if name not in _DEFERRED:
        findings.extend(calls(script, node, place))
    if name in _USING_TABLES:
        findings.extend(attached(script, node, place))
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
    "CallStmt": call,
    "ClusterStmt": cluster,
    "CopyStmt": copy_rows,
    "CreateExtensionStmt": create_extension,
    "CreateForeignTableStmt": create_foreign_table,
    "CreateFunctionStmt": create_function,
    "CreatePLangStmt": create_language,
    "CreatePolicyStmt": create_policy,
    "CreateRoleStmt": create_role,
    "CreateSchemaStmt": _create_schema,
    "CreateStmt": create_table,
    "CreateTableAsStmt": _create_table_as,
    "CreateTrigStmt": create_trigger,
    "DeallocateStmt": deallocate,
    "DeclareCursorStmt": declare_cursor,
    "DefineStmt": define,
    "DeleteStmt": query,
    "DiscardStmt": discard,
    "DoStmt": run_block,
    "DropStmt": drop_objects,
    "ExecuteStmt": execute,
    "ExplainStmt": explain,
    "GrantRoleStmt": grant_role,
    "GrantStmt": grant,
    "IndexStmt": create_index,
    "InsertStmt": query,
    "MergeStmt": query,
    "PrepareStmt": prepare,
    "ReindexStmt": reindex,
    "RenameStmt": rename,
    "ReturnStmt": query,
    "RuleStmt": create_rule,
    "SelectStmt": query,
    "TransactionStmt": transaction,
    "TruncateStmt": truncate,
    "UpdateStmt": query,
    "VacuumStmt": vacuum,
    "VariableSetStmt": set_variable,
    "ViewStmt": create_view,
}
