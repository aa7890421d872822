"""Queries and changes of rows in sqlglot's trees: what they reach, and what they call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from ..model import Effect, Reversibility, RowBasis, Selector
from .sql_changes import Finding, asset, unread, words
from .sql_conditions import condition, conjunction, function_name, query, sources
from .sql_forms import Name
from .sql_reach import Calling, Reach, Target, at_most
from .sql_selector import where
from .sql_session import Session
from .sql_through import written_through
from .sql_tree import Node, ast, nodes

WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.MultitableInserts)
_QUERIES = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery)


def findings(session: Session, tree: Any, at: int) -> list[Finding]:
    """What a query or a change of rows does, with the functions it calls."""
    found = list(_statement(session, tree, at))
    found += calls(session, tree, at)
    if session.views:
        found += _viewed(session, tree, at)
    return found


def _viewed(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    """What the functions do in the views of this script that a statement reads."""
    for key in dict.fromkeys(session.key(_parts(table)) for table in tree.find_all(exp.Table)):
        for one in session.views.get(key, ()):
            yield replace(one, at=at, summary=f"{one.summary} (in the view `{key}`)")


def _statement(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    writes = [node for node in tree.walk() if isinstance(node, WRITES) and not _is_branch(node)]
    if len(writes) > (1 if isinstance(tree, WRITES) else 0):
        hidden = next(node for node in writes if node is not tree)
        if isinstance(tree, exp.MultitableInserts):
            yield from _multitable(session, tree, at)
            return
        yield unread(session.name, f"it holds another write, {hidden.key.upper()}", at)
    match tree:
        case exp.Insert():
            yield from _insert(session, tree, at)
        case exp.Update():
            yield from _update(session, tree, at)
        case exp.Delete():
            yield from _delete(session, tree, at)
        case exp.Merge():
            yield from _merge(session, tree, at)
        case exp.MultitableInserts():
            yield from _multitable(session, tree, at)
        case _ if isinstance(tree, _QUERIES):
            yield from _read(session, tree, at)
        case _:
            yield unread(session.name, f"`{tree.key.upper()}` statements are not classified", at)


def _is_branch(node: Any) -> bool:
    """Whether it is what a MERGE does when a row matches or does not."""
    return isinstance(node.parent, exp.When)


def _strange(session: Session, tree: Any, known: frozenset[str], at: int) -> Iterator[Finding]:
    """A clause that is not followed may change what the statement reaches."""
    for name, value in tree.args.items():
        if value and name.rstrip("_") not in known:
            clause = name.rstrip("_").replace("_", " ").upper()
            yield unread(session.name, f"its {clause} clause is not followed", at)


# --- reading


def _read(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    into = tree.args.get("into")
    if into is not None:
        yield from _into(session, into, at)
        return
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if _is_stored(table, local)]
    if not tables:
        resource = asset("Database", session.name, "database", "current", "current database")
        yield Finding("sql.read", resource, Effect.READ, "reads no table", at, Selector.NONE)
        return
    resource = session.table(_parts(tables[0]))
    more = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    selector = Selector.SOME
    if isinstance(tree, exp.Select) and len(tables) == 1 and not tree.args.get("limit"):
        own = tree.args.get("where")
        target = _target(session, tables[0], (), {})
        source = tree.args.get("from_")
        if source is not None and source.this is tables[0] and not tree.args.get("joins"):
            found = None if own is None else condition(own.this, session.name)
            selector = where(found, target).selector
    yield Finding("sql.read", resource, Effect.READ, f"reads `{resource.id}`{more}", at, selector)


def _into(session: Session, into: Any, at: int) -> Iterator[Finding]:
    target = into.this
    if session.name == "tsql" and isinstance(target, exp.Table):
        name = Name(_parts(target), at)
        resource = session.thing("Table", "table", name)
        new = is_temporary(session, target)
        yield Finding("sql.create", resource, Effect.CREATE, f"creates `{resource.id}`", at)
        session.create(
            name.parts, replace(session.facts(name.parts), is_new=True), is_temporary=new
        )
        return
    yield unread(session.name, "where SELECT … INTO puts its rows is not followed", at)


def is_temporary(session: Session, table: Any) -> bool:
    return session.name == "tsql" and session.is_temporary_name(_parts(table)[-1])


def _is_stored(table: Any, local: set[str]) -> bool:
    if not isinstance(table.this, exp.Identifier):
        return False
    return bool(table.db) or table.name.lower() not in local


def _parts(table: Any) -> tuple[str, ...]:
    """The parts of a table's name; BigQuery may quote them as one."""
    found = []
    for part in table.parts:
        text = part.name
        if isinstance(part, exp.Parameter):
            text = f"@{text}"
        elif isinstance(part, exp.Identifier) and part.args.get("temporary"):
            text = f"#{text}"
        elif isinstance(part, exp.Identifier) and part.args.get("global_"):
            text = f"##{text}"
        found.append(text)
    return tuple(found) or ("",)


# --- calls


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
        yield Finding(
            "sql.run_program" if effect.effect == Effect.EXECUTE else "sql.call",
            resource,
            effect.effect,
            f"calls `{name}`, which {effect.why}",
            at,
            Selector.UNKNOWN if effect.effect == Effect.UNKNOWN else Selector.ONE,
            effect.reversibility,
            opaque=f"`{name}` {effect.why}" if effect.effect == Effect.UNKNOWN else None,
        )
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


# --- targets


def _target(
    session: Session, table: Any, beside: tuple[Node, ...], named: Mapping[str, Node]
) -> Target:
    parts = _parts(table)
    facts = session.facts(parts)
    key = session.key(parts)
    alias = (table.alias or parts[-1]).lower()

    def is_same_table(other: Node) -> bool:
        if not other.schemaname and other.relname.lower() in named:
            return False
        path = (
            (*(other.schemaname or "").split("."), other.relname)
            if other.schemaname
            else (other.relname,)
        )
        return session.key(path) == key or other.relname.casefold() == parts[-1].casefold()

    queries = dict(named)
    same_names = set()
    for other in nodes(beside):
        if isinstance(other, ast.RangeSubselect) and other.alias is not None:
            queries[other.alias.aliasname] = other.subquery
        elif isinstance(other, ast.RangeVar):
            other_alias = (
                other.alias.aliasname if other.alias is not None else other.relname.lower()
            )
            if not other.schemaname and other.relname.lower() in named:
                queries[other_alias] = named[other.relname.lower()]
            elif is_same_table(other):
                same_names.add(other_alias)
    return Target(
        names=frozenset({alias}),
        is_same_table=is_same_table,
        calling=lambda call: _calling(session, call),
        keys=facts.keys | (_ROW_IDS if session.name == "sqlite" else frozenset()),
        keys_are_complete=facts.is_complete,
        not_null=facts.not_null,
        columns=facts.columns if facts.is_complete else None,
        table=parts[-1],
        queries=queries,
        same_names=frozenset(same_names - {alias}),
        is_joined=bool(beside),
        variables=session.variables,
    )


# Names of the key that every table of SQLite has, unless it says otherwise.
_ROW_IDS = frozenset(frozenset({name}) for name in ("rowid", "_rowid_", "oid"))


def _calling(session: Session, call: Node) -> Calling:
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


def _named_queries(session: Session, tree: Any) -> dict[str, Node]:
    clause = tree.args.get("with_")
    if clause is None:
        return {}
    return {cte.alias.lower(): query(cte.this, session.name) for cte in clause.expressions}


# --- changing rows

_ROW_CLAUSES = frozenset(
    {
        "this",
        "expressions",
        "where",
        "with",
        "from",
        "using",
        "tables",
        "limit",
        "order",
        "returning",
        "joins",
    }
)


def _update(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    tree = _own(session, tree)
    yield from _strange(session, tree, _ROW_CLAUSES, at)
    joins = tree.this.args.get("joins") or () if isinstance(tree.this, exp.Table) else ()
    named = _named_queries(session, tree)
    sources_found = _sources(session, tree, joins)
    if sources_found is None:
        yield unread(session.name, "which tables stand beside the target is not plain", at)
        return
    tables, conditions = sources_found
    own = tree.args.get("where")
    if own is not None:
        conditions.append(condition(own.this, session.name))
    changed = _changed_tables(tree, tables, is_joined=len(tables) > 1)
    if changed is None:
        yield unread(session.name, "which of its tables it updates is not plain", at)
        return
    for table in changed:
        yield from _reached(
            session, "sql.update", table, tables, conditions, named, tree.args.get("limit"), at
        )


def _own(session: Session, tree: Any) -> Any:
    """The write as one on a table; SQL Server writes through a common table expression."""
    return written_through(tree) if session.name == "tsql" else tree


def _delete(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    tree = _own(session, tree)
    yield from _strange(session, tree, _ROW_CLAUSES, at)
    named = _named_queries(session, tree)
    listed: Sequence[Any] = tree.args.get("tables") or ()
    base: Any = tree.this
    own = tree.args.get("where")
    if base is None and len(listed) == 1:
        base, listed = listed[0], ()
    using = tree.args.get("using") or ()
    if session.name == "mysql" and using and base is not None:
        # `DELETE FROM a, b USING a JOIN b` names its targets first.
        listed = (base, *(join.this for join in base.args.get("joins") or ()))
        first, *others = using
        joins = [*(first.args.get("joins") or ()), *(exp.Join(this=other) for other in others)]
        first = first.copy()
        first.set("joins", None)
        tables, conditions = sources(first, joins, session.name)
        trees = [first, *(join.this for join in joins)]
    elif isinstance(base, exp.Table):
        joins = [*(base.args.get("joins") or ()), *(exp.Join(this=other.copy()) for other in using)]
        alone = base.copy()
        alone.set("joins", None)
        tables, conditions = sources(alone, joins, session.name)
        trees = [alone, *(join.this for join in joins)]
    else:
        yield unread(session.name, "which table it deletes from is not plain", at)
        return
    if own is not None:
        conditions.append(condition(own.this, session.name))
    targets = [_resolved(one, trees) for one in listed] if listed else [trees[0]]
    for target in targets:
        if not isinstance(target, exp.Table):
            yield unread(session.name, "which table it deletes from is not plain", at)
            continue
        yield from _reached(
            session, "sql.delete", target, tables, conditions, named, tree.args.get("limit"), at
        )


def _resolved(named: Any, trees: list[Any]) -> Any:
    """The table that a name in a list of targets stands for."""
    name = _parts(named)[-1].lower() if isinstance(named, exp.Table) else ""
    for tree in trees:
        if isinstance(tree, exp.Table) and (tree.alias or _parts(tree)[-1]).lower() == name:
            return tree
    return next(
        (
            tree
            for tree in trees
            if isinstance(tree, exp.Table) and _parts(tree)[-1].lower() == name
        ),
        None,
    )


def _sources(
    session: Session, tree: exp.Update, joins: Iterable[Any]
) -> tuple[tuple[Node, ...], list[Node]] | None:
    if not isinstance(tree.this, exp.Table):
        return None
    alone = tree.this.copy()
    alone.set("joins", None)
    tables, conditions = sources(alone, joins, session.name)
    source = tree.args.get("from_")
    if source is None:
        return tables, conditions
    beside, more = sources(source.this, (), session.name)
    target = alone.name.lower()
    names = {
        (node.alias.aliasname if node.alias is not None else node.relname.lower())
        for node in beside
        if isinstance(node, ast.RangeVar)
    }
    if session.name == "tsql" and target in names:
        # `UPDATE u … FROM users u` names its target by the alias.
        tables = ()
    return (*tables, *beside), [*conditions, *more]


def _changed_tables(
    tree: exp.Update, tables: tuple[Node, ...], *, is_joined: bool
) -> list[Any] | None:
    first = tree.this
    source = tree.args.get("from_")
    candidates = [first, *(join.this for join in first.args.get("joins") or ())]
    if source is not None:
        named = [source.this, *(join.this for join in source.this.args.get("joins") or ())]
        aliased = _resolved(first, named)
        return [aliased if isinstance(aliased, exp.Table) and aliased.alias else first]
    if not is_joined:
        return [first]
    found: list[Any] = []
    for assignment in tree.expressions:
        column = assignment.this
        if not isinstance(column, exp.Column) or not column.table:
            return None
        table = _resolved(exp.Table(this=exp.to_identifier(column.table)), candidates)
        if not isinstance(table, exp.Table):
            return None
        if table not in found:
            found.append(table)
    return found


def _reached(
    session: Session,
    action: str,
    table: Any,
    tables: tuple[Node, ...],
    conditions: list[Node],
    named: Mapping[str, Node],
    limit: Any,
    at: int,
) -> Iterator[Finding]:
    parts = _parts(table)
    if not all(parts) or not isinstance(table.this, (exp.Identifier, exp.Parameter)):
        yield unread(session.name, "which table it changes is not plain", at)
        return
    own_alias = (table.alias or parts[-1]).lower()
    beside = tuple(node for node in tables if _alias_of(node) != own_alias)
    inner = named.get(parts[-1].lower()) if len(parts) == 1 else None
    if inner is not None:
        yield unread(session.name, "it changes a table through a common table expression", at)
        return
    reach = where(conjunction(conditions), _target(session, table, beside, named))
    bound = _bound(limit)
    if bound is not None and reach.selector != Selector.NONE:
        rows = bound if reach.rows is None else min(bound, reach.rows)
        reach = at_most(rows) if rows > 0 else Reach(Selector.NONE)
    yield rows_finding(session, action, parts, reach, at)


def _alias_of(node: Node) -> str:
    if isinstance(node, ast.RangeVar):
        return str(node.alias.aliasname if node.alias is not None else node.relname.lower())
    return ""


def _bound(limit: Any) -> int | None:
    if not isinstance(limit, exp.Limit) or not isinstance(limit.expression, exp.Literal):
        return None
    text = limit.expression.this
    return int(text) if text.isdigit() and len(text) < 12 and not limit.args.get("offset") else None


_VERBS = {"sql.update": "updates", "sql.delete": "deletes from"}


def rows_finding(
    session: Session, action: str, parts: tuple[str, ...], reach: Reach, at: int
) -> Finding:
    resource = session.table(parts)
    wide = reach.selector in (Selector.ALL, Selector.UNKNOWN)
    none = reach.selector == Selector.NONE
    way_back = Reversibility.IRREVERSIBLE if wide else Reversibility.RECOVERABLE
    rows = 0 if none else reach.rows
    basis = RowBasis.EXACT if none else None if rows is None else RowBasis.UPPER_BOUND
    finding = Finding(
        action,
        resource,
        Effect.UPDATE if action == "sql.update" else Effect.DELETE_DATA,
        f"{_VERBS[action]} {_amount(reach)} `{resource.id}`",
        at,
        reach.selector,
        Reversibility.REVERSIBLE if none else way_back,
        rows=rows,
        row_basis=basis,
    )
    return softened(session, parts, finding)


def _amount(reach: Reach) -> str:
    match reach.selector:
        case Selector.NONE:
            return "no row of"
        case Selector.ONE:
            return "one row of"
        case Selector.SOME:
            return "some rows of" if reach.rows is None else f"at most {reach.rows} rows of"
        case Selector.ALL:
            return "every row of"
        case _:
            return "an unknown part of"


_LEAST = list(Selector)
_SYSTEM = {
    "mysql": words("mysql sys performance_schema information_schema"),
    "tsql": words("sys master msdb model information_schema"),
    "snowflake": words("information_schema snowflake"),
    "bigquery": words("information_schema"),
    "sqlite": frozenset[str](),
}
_SYSTEM_TABLES = words(
    "sqlite_master sqlite_schema sqlite_sequence sqlite_temp_master sqlite_temp_schema"
)


def softened(session: Session, parts: tuple[str, ...], finding: Finding) -> Finding:
    """The script's own table holds nothing older; the system's own tables hold everything."""
    whole = [part.lower() for part in (*session.database, *parts)]
    is_system = _SYSTEM[session.name] & set(whole[:-1]) or (
        session.name == "sqlite" and whole[-1] in _SYSTEM_TABLES
    )
    if is_system and finding.effect != Effect.READ:
        return replace(
            finding,
            effect=Effect.ESCALATE,
            reversibility=Reversibility.IRREVERSIBLE,
            summary=f"{finding.summary}, which is a system catalog",
        )
    if finding.effect in (Effect.DELETE_DATA, Effect.UPDATE) and session.is_new(parts):
        return replace(
            finding,
            effect=Effect.UPDATE,
            selector=min(finding.selector, Selector.ONE, key=_LEAST.index),
            reversibility=Reversibility.REVERSIBLE,
            summary=f"{finding.summary}, which this script made",
        )
    return finding


# --- adding rows

_INSERT_CLAUSES = frozenset(
    {
        "this",
        "expression",
        "conflict",
        "ignore",
        "alternative",
        "overwrite",
        "with",
        "returning",
        "columns",
        "into",
        "default",
        "is_function",
    }
)


def _insert(session: Session, tree: exp.Insert, at: int) -> Iterator[Finding]:
    yield from _strange(session, tree, _INSERT_CLAUSES, at)
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    if (
        not isinstance(table, exp.Table)
        or not isinstance(table.this, (exp.Identifier, exp.Parameter))
        or not all(isinstance(column, exp.Identifier) for column in columns)
    ):
        yield unread(session.name, "which table it inserts into is not plain", at)
        return
    conflict = tree.args.get("conflict")
    updates = conflict is not None and bool(conflict.expressions)
    replaces = (tree.args.get("alternative") or "").upper() == "REPLACE"
    values = tree.expression
    rows: int | None = None
    if isinstance(values, exp.Values):
        rows = len(values.expressions)
    elif isinstance(values, exp.Select) and not values.args.get("from_"):
        rows = 1
    yield insert_finding(
        session,
        _parts(table),
        at,
        rows=rows,
        is_exact=conflict is None and not tree.args.get("ignore") and not replaces,
        updates=updates,
        replaces=replaces,
        overwrites=bool(tree.args.get("overwrite")),
    )


def insert_finding(
    session: Session,
    parts: tuple[str, ...],
    at: int,
    *,
    rows: int | None = None,
    is_exact: bool = True,
    updates: bool = False,
    replaces: bool = False,
    overwrites: bool = False,
) -> Finding:
    resource = session.table(parts)
    amount = "rows" if rows is None else "one row" if rows == 1 else f"{rows} rows"
    selector = Selector.ONE if rows == 1 else Selector.SOME
    basis = None if rows is None else RowBasis.EXACT if is_exact else RowBasis.UPPER_BOUND
    finding = Finding(
        "sql.insert",
        resource,
        Effect.CREATE,
        f"inserts {amount} into `{resource.id}`",
        at,
        selector,
        rows=rows,
        row_basis=basis,
    )
    if overwrites:
        finding = replace(
            finding,
            effect=Effect.DELETE_DATA,
            selector=Selector.ALL,
            reversibility=Reversibility.IRREVERSIBLE,
            summary=f"{finding.summary}, in the place of every row there",
            rows=None,
            row_basis=None,
        )
    elif replaces:
        # Without a bound, the rows that conflict may be all of them.
        finding = replace(
            finding,
            effect=Effect.DELETE_DATA,
            reversibility=Reversibility.RECOVERABLE,
            summary=f"{finding.summary}, deleting those that conflict",
        )
    elif updates:
        finding = replace(
            finding,
            effect=Effect.UPDATE,
            reversibility=Reversibility.RECOVERABLE,
            summary=f"{finding.summary}, updating those that conflict",
        )
    return softened(session, parts, finding)


def _multitable(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    for one in tree.expressions:
        insert = one.this
        if isinstance(insert, exp.Insert):
            yield from _insert(session, insert, at)
        else:
            yield unread(session.name, "which table it inserts into is not plain", at)
    if tree.args.get("overwrite"):
        yield unread(session.name, "INSERT OVERWRITE of several tables is not followed", at)


def _merge(session: Session, tree: exp.Merge, at: int) -> Iterator[Finding]:
    known = frozenset({"this", "using", "on", "whens", "with", "returning"})
    yield from _strange(session, tree, known, at)
    table = tree.this
    if not isinstance(table, exp.Table) or not isinstance(tree.args.get("whens"), exp.Whens):
        yield unread(session.name, "what it merges into is not plain", at)
        return
    named = _named_queries(session, tree)
    if not table.db and table.name.lower() in named:
        yield unread(session.name, "it merges into a common table expression", at)
        return
    beside, _ = sources(tree.args["using"], (), session.name)
    target = _target(session, table, beside, named)
    deletes = updates = by_source = False
    for when in tree.args["whens"].expressions:
        then = when.args.get("then")
        word = then.name.upper() if isinstance(then, exp.Var) else ""
        is_delete = isinstance(then, exp.Delete) or word == "DELETE"
        is_insert = isinstance(then, exp.Insert) or word in ("INSERT", "DO NOTHING")
        if not (is_delete or is_insert or isinstance(then, exp.Update)):
            yield unread(session.name, "a branch of it is not followed", at)
        deletes |= is_delete
        updates |= not is_insert and not is_delete
        if not is_insert and not when.args.get("matched"):
            by_source = True
    # Which rows no source row matches is the source's to say; an empty source matches none.
    reach = where(condition(tree.args["on"], session.name), target)
    if by_source or reach.selector == Selector.NONE:
        reach = Reach(Selector.UNKNOWN)
    parts = _parts(table)
    resource = session.table(parts)
    wide = reach.selector in (Selector.ALL, Selector.UNKNOWN)
    effect, verb = Effect.CREATE, "inserts into"
    if deletes:
        effect, verb = Effect.DELETE_DATA, "deletes from"
    elif updates:
        effect, verb = Effect.UPDATE, "updates"
    way_back = Reversibility.IRREVERSIBLE if wide else Reversibility.RECOVERABLE
    finding = Finding(
        "sql.merge",
        resource,
        effect,
        f"merges: {verb} `{resource.id}`",
        at,
        Selector.SOME if effect == Effect.CREATE else reach.selector,
        Reversibility.REVERSIBLE if effect == Effect.CREATE else way_back,
    )
    yield softened(session, parts, finding)
