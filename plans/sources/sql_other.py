"""Scripts of MySQL, SQLite, Snowflake, T-SQL and BigQuery into findings.

A statement fits a form of its dialect's taxonomy, or sqlglot reads it and the tree is judged; what neither
covers, or what sqlglot loses on the way, is unread. Bodies, blocks and texts that are run are opened.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sqlglot import exp

from ..model import Effect, Reversibility, Selector
from .sql_bodies import MAX_STEPS, Role, body_of, steps
from .sql_changes import Finding, asset, unread, words
from .sql_definitions import alter_table, created, drop, facts_of, renamed, said
from .sql_dialects import dialect_named, shape_of
from .sql_forms import Name, dotted, group_end
from .sql_kept import foreign_function, lost
from .sql_options import with_options
from .sql_pieces import is_routine, is_whole, pieces
from .sql_prepare import Prepared, prepared, written_rows
from .sql_queries import calls, findings, insert_finding, rows_finding, softened
from .sql_reach import at_most
from .sql_session import Routine, Session
from .sql_set import pragma, setting
from .sql_sqlglot import Complaint, parse
from .sql_tails import hidden
from .sql_tokens import Kind, Tokens, plain_text

MAX_NESTING = 200
MAX_BODIES = 16


@dataclass(frozen=True, slots=True)
class Text:
    """Where tokens stand: in the artifact, or in a text that a statement of the artifact runs."""

    text: str
    start: int
    is_exact: bool = True

    def at(self, tokens: Tokens) -> int:
        return self.start + tokens[0].start if self.is_exact else self.start


def read_other(text: str, dialect: str) -> Iterator[tuple[Finding, int]]:
    """Every finding with the offset at which its statement ends."""
    session = Session(dialect_named(dialect))
    whole = Text(text, 0)
    for piece in pieces(text, dialect):
        is_empty = True
        for tokens, found in _piece(session, piece.tokens, whole):
            for finding in found:
                is_empty = False
                yield finding, tokens[-1].end
        if is_empty:
            # Nothing is left out of the plan: a piece that only steers is shown as what it is.
            resource = asset("Database", dialect, "database", "current", "current database")
            steers = "declares or steers, and does nothing itself"
            yield (
                Finding(
                    "sql.transaction", resource, Effect.READ, steers, piece.start, Selector.NONE
                ),
                piece.end,
            )


def _piece(session: Session, tokens: Tokens, text: Text) -> Iterator[tuple[Tokens, list[Finding]]]:
    """The statements of a piece with their findings; steering words alone do nothing."""
    if any(token.is_word(*_STEERING) for token in tokens):
        session.runs_in_order = False
        session.texts.clear()
    # A batch of T-SQL may go on after what begins like a routine.
    if session.name == "sqlite" or (session.name != "tsql" and is_routine(tokens)):
        yield tokens, _sure(session, tokens, text)
        return
    for step in steps(tokens, session.name):
        match step.role:
            case Role.STATEMENT:
                yield step.tokens, _sure(session, step.tokens, text)
            case Role.EXPRESSION:
                yield step.tokens, _expression(session, step.tokens, text)
            case Role.VARIABLES:
                yield step.tokens, _variables(session, step.tokens, text)
            case Role.CONTROL:
                _forget_texts(session, step.tokens)


_STEERING = words("IF WHILE LOOP REPEAT FOR GOTO CASE WHEN ELSE")


def _sure(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """The findings of a statement, read twice where a part of it runs only on some servers."""
    if session.depth == 0:
        session.opened.clear()
    found = _statement(session, tokens, text)
    if not any(token.is_conditional for token in tokens):
        return found
    without = [token for token in tokens if not token.is_conditional]
    others = _statement(session, without, text) if without else []
    if [replace(one, at=0, summary="") for one in found] == [
        replace(one, at=0, summary="") for one in others
    ]:
        return found
    if not without and tokens[0].is_conditional:
        # A whole statement that only some servers run does no more than they do.
        return found
    reason = "whether the server runs a comment in it depends on the server's version"
    return [*found, unread(session.name, reason, text.at(tokens))]


def _statement(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    at = text.at(tokens)
    session.steps += 1
    if not tokens[0].is_word("SET", "DECLARE", "LET", "PREPARE", "EXEC", "EXECUTE"):
        _forget_texts(session, tokens)
    if session.steps > MAX_STEPS * 25:
        return [unread(session.name, "the script runs too many statements to follow", at)]
    broken = next((token for token in tokens if token.kind == Kind.BROKEN), None)
    if broken is not None:
        return [unread(session.name, f"the scanner stops at {broken.value}", at)]
    if _nesting(tokens) > MAX_NESTING:
        return [unread(session.name, f"it is nested more than {MAX_NESTING} levels deep", at)]
    if not session.quotes_are_plain and any(
        token.kind in (Kind.STRING, Kind.NAME) and ("\\" in token.text or '"' in token.text)
        for token in tokens
    ):
        return [unread(session.name, "a changed setting decides where its quotations end", at)]
    try:
        return _read(session, tokens, text)
    except RecursionError:
        return [unread(session.name, "it is nested too deeply", at)]


def _nesting(tokens: Tokens) -> int:
    depth = deepest = 0
    for token in tokens:
        if token.kind == Kind.SYMBOL and token.value in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif token.kind == Kind.SYMBOL and token.value in ")]":
            depth -= 1
    return deepest


def _read(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    at = text.at(tokens)
    first = tokens[0]
    another = hidden(tokens, session.name)
    if another is not None:
        return [unread(session.name, f"another statement begins in it, with {another}", at)]
    if first.kind == Kind.WORD:
        fitting = shape_of(session.dialect, tokens)
        if fitting is not None:
            shape, captures = fitting
            _note_transaction(session, first.value, tokens)
            found = list(said(session, shape, captures, at))
            inner = _inner_query(tokens)
            if inner and first.is_word("ASSERT", "COPY"):
                found += [one for one in _expression(session, inner, text) if _matters(one)]
            if first.value == "ALTER":
                return [with_options(session.dialect, tokens, one) for one in found]
            return found
        handler = _HANDLERS.get(first.value)
        if handler is not None:
            return list(handler(session, tokens, text))
        if first.value not in _QUERY_WORDS:
            return [unread(session.name, f"{first.value} statements are not classified", at)]
    elif not first.is_symbol("("):
        return [unread(session.name, "no statement begins like this", at)]
    return _query(session, tokens, text)


def _inner_query(tokens: Tokens) -> Tokens:
    """The first query in parentheses of a statement that a form says nothing about."""
    for number, (token, after) in enumerate(pairwise(tokens)):
        if token.is_symbol("(") and after.is_word("SELECT", "WITH"):
            return tokens[number : group_end(tokens, number) or len(tokens)]
    return ()


_QUERY_WORDS = words("SELECT WITH VALUES INSERT UPDATE DELETE MERGE REPLACE TABLE FROM")


def _note_transaction(session: Session, word: str, tokens: Tokens) -> None:
    match word:
        case "BEGIN" | "START":
            session.begin()
        case "COMMIT" | "END":
            session.commit()
        case "ROLLBACK":
            session.roll_back()


# --- queries


def _query(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    at = text.at(tokens)
    plain = written_rows(tokens)
    if session.name == "sqlite" and (index := _emptied_index(tokens)) is not None:
        # A full-text index takes commands in a column of its own name.
        resource = session.thing("Table", "table", index)
        summary = f"empties the full-text index `{resource.id}`"
        gone = (Effect.DELETE_DATA, summary, at, Selector.ALL, Reversibility.IRREVERSIBLE)
        return [Finding("sql.truncate", resource, *gone)]
    if plain is not None:
        name, rows = plain
        found = [insert_finding(session, name.parts, at, rows=rows)]
        return [*found, *_fired(session, found[0].resource.id, at)]
    ready = prepared(text.text, tokens, session.name)
    if isinstance(ready, str):
        return [unread(session.name, ready, at)]
    tree = _tree(session, ready)
    if isinstance(tree, str):
        return [unread(session.name, tree, at)]
    found = findings(session, tree, at)
    found = [_bounded(session, one, ready) for one in found]
    for filled in ready.into:
        found += findings(session, _insert_into(filled), at)
    if ready.file is not None:
        resource = asset("Routine", session.name, "file", ready.file)
        found.append(
            Finding(
                "sql.copy_out",
                resource,
                Effect.EXECUTE,
                f"writes rows to the server's file `{ready.file}`",
                at,
                Selector.ALL,
                Reversibility.IRREVERSIBLE,
            )
        )
    for finding in tuple(found):
        if finding.action in _FIRING:
            found += _fired(session, finding.resource.id, at)
    return found


def _emptied_index(tokens: Tokens) -> Name | None:
    """The index that `INSERT INTO f(f) VALUES('delete-all')` empties."""
    if not any(token.kind == Kind.STRING and token.value == "delete-all" for token in tokens):
        return None
    into = next((number for number, token in enumerate(tokens) if token.is_word("INTO")), None)
    found = None if into is None else dotted(tokens, into + 1)
    if found is None:
        return None
    end, name = found
    inside = tokens[end : group_end(tokens, end) or end]
    own = name.parts[-1].casefold()
    return name if any(token.text.strip("\"`[]").casefold() == own for token in inside) else None


_FIRING = frozenset({"sql.insert", "sql.update", "sql.delete", "sql.merge"})


def _insert_into(name: str) -> Any:
    return exp.Insert(this=exp.Table(this=exp.to_identifier(name)))


def _bounded(session: Session, finding: Finding, ready: Prepared) -> Finding:
    """TOP of T-SQL, which sqlglot does not read, bounds the rows a write reaches."""
    if finding.action not in ("sql.update", "sql.delete") or ready.top is None:
        return finding
    if finding.selector == Selector.NONE or (finding.rows or ready.top + 1) <= ready.top:
        return finding
    parts = tuple(finding.resource.id.split("."))
    return rows_finding(session, finding.action, parts, at_most(ready.top), finding.at)


def _tree(session: Session, ready: Prepared) -> Any:
    """The one tree of a statement, or why it cannot be relied on."""
    trees = parse(ready.sql, session.name)
    if isinstance(trees, Complaint):
        return f"the parser says: {trees.message}"
    if len(trees) != 1 or trees[0] is None:
        return "the parser does not see one statement here"
    tree = trees[0]
    if any(isinstance(node, exp.Command) for node in tree.walk()):
        return "the parser leaves a part of it as text"
    missing = lost(tree, ready.sql, session.name)
    if missing is not None:
        return f"the parser loses `{missing}` on the way"
    foreign = foreign_function(ready.sql, session.name)
    if foreign is not None and foreign.lower() not in session.steady:
        return f"what the function `{foreign}` does is not known"
    if ready.replaces and isinstance(tree, exp.Insert):
        tree.set("alternative", "REPLACE")
    return tree


def _fired(session: Session, table: str, at: int) -> Iterator[Finding]:
    """What the script's own triggers on a table do when its rows change."""
    for routine in session.triggers.get(table.casefold(), ()):
        yield from _opened(session, routine, at, f"the trigger of `{table}`")


# --- steps that are no statements


def _expression(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """What a condition or an assigned value does beside computing; nothing for most."""
    if not tokens or len(tokens) == 1:
        return []
    at = text.at(tokens)
    if tokens[0].is_word("NOT") and len(tokens) > 1 and tokens[1].is_word("FOUND"):
        return []
    if any(token.kind == Kind.BROKEN for token in tokens):
        return [unread(session.name, "the scanner cannot take it apart", at)]
    ready = Prepared(f"SELECT CASE WHEN {plain_text(text.text, tokens)} THEN 1 END")
    tree = _tree(session, ready)
    if isinstance(tree, str):
        plain = Prepared(f"SELECT {plain_text(text.text, tokens)}")
        tree = _tree(session, plain)
    if isinstance(tree, str):
        return [unread(session.name, tree, at)]
    return [one for one in findings(session, tree, at) if _matters(one)]


def _matters(finding: Finding) -> bool:
    return finding.effect != Effect.READ or finding.opaque is not None


_WRITING = words(
    "DELETE UPDATE INSERT DROP MERGE TRUNCATE EXECUTE EXEC CALL ALTER CREATE GRANT REPLACE DISABLE ENABLE"
)


def _variables(session: Session, tokens: Tokens, text: Text) -> list[Finding]:
    """A declaration or an assignment: its names are variables, and its values are computed."""
    at = text.at(tokens)
    names = {
        token.value.lower()
        for token in tokens
        if token.kind in (Kind.WORD, Kind.NAME) and not token.is_word("DECLARE", "LET")
    }
    session.variables |= names
    known = session.dialect
    for number, token in enumerate(tokens):
        if token.is_word(*_WRITING):
            return [unread(session.name, f"a declaration holds {token.value}", at)]
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        is_call = (
            after is not None and after.is_symbol("(") and token.kind in (Kind.WORD, Kind.NAME)
        )
        name = token.value.lower()
        if is_call and name not in known.harmless | known.volatile and name not in _TYPES:
            query = _expression_in(session, tokens, text)
            return (
                query
                if query is not None
                else [unread(session.name, f"a declaration calls {name}", at)]
            )
    _note_texts(session, tokens)
    return []


_TYPES = words(
    "varchar nvarchar char nchar varbinary binary decimal numeric number float int integer bigint string text table "
    "timestamp timestamp_ntz timestamp_ltz datetime datetime2 time enum set values count sum max min coalesce cast "
    "concat isnull ifnull nvl resultset exception cursor select from where and or in not if case when then else array "
    "struct convert upper lower len length abs round getdate dateadd datediff object_id key"
)


def _expression_in(session: Session, tokens: Tokens, text: Text) -> list[Finding] | None:
    for number, token in enumerate(tokens):
        if token.is_symbol(":=") or token.is_symbol("=") or token.is_word("DEFAULT"):
            found = _expression(session, tokens[number + 1 :], text)
            return found
    return None


def _note_texts(session: Session, tokens: Tokens) -> None:
    """Variables that are given a literal text are known until another statement mentions them."""
    _forget_texts(session, tokens)
    if session.depth > 0 or not session.runs_in_order:
        return
    for number, token in enumerate(tokens):
        if token.kind not in (Kind.VARIABLE, Kind.WORD):
            continue
        rest = tokens[number + 1 :]
        if token.kind == Kind.VARIABLE and session.name == "tsql":
            # `@x nvarchar(max) = N'…'` has a type before its value.
            after = next((n for n, one in enumerate(rest[:6]) if one.is_symbol("=")), None)
            rest = rest[after:] if after is not None else []
        values = [one for one in rest[:4] if not one.is_word("N")]
        assigns = values and (
            values[0].is_symbol("=") or values[0].is_symbol(":=") or values[0].is_word("DEFAULT")
        )
        is_literal = assigns and len(values) > 1 and values[1].kind == Kind.STRING
        if is_literal and (len(values) == 2 or values[2].is_symbol(",")):
            session.texts[token.text.lower()] = values[1].value


def _forget_texts(session: Session, tokens: Tokens) -> None:
    for token in tokens:
        if token.kind in (Kind.VARIABLE, Kind.WORD):
            session.texts.pop(token.text.lower(), None)


# --- opening bodies and texts


def _opened(session: Session, routine: Routine, at: int, whose: str) -> Iterator[Finding]:
    if session.depth >= MAX_BODIES or session.steps > MAX_STEPS:
        yield unread(session.name, f"{whose} runs too many statements to follow", at)
        return
    if id(routine) in session.opened:
        return
    session.opened.add(id(routine))
    session.depth += 1
    variables = session.variables
    place = Text(routine.text, at, is_exact=False)
    for _, found in _piece_of_body(session, routine.body, place):
        for finding in found:
            if _matters(finding):
                yield replace(finding, summary=f"{finding.summary} (in {whose})")
    session.variables = variables
    session.depth -= 1


def _piece_of_body(
    session: Session, body: Tokens, place: Text
) -> Iterator[tuple[Tokens, list[Finding]]]:
    for step in steps(body, session.name):
        match step.role:
            case Role.STATEMENT:
                yield step.tokens, _statement(session, step.tokens, place)
            case Role.EXPRESSION:
                yield step.tokens, _expression(session, step.tokens, place)
            case Role.VARIABLES:
                yield step.tokens, _variables(session, step.tokens, place)
            case Role.CONTROL:
                pass


def _run_text(session: Session, sql: str, at: int) -> Iterator[Finding]:
    """Statements in a text of their own, at the place that runs them."""
    if session.depth >= MAX_BODIES or session.steps > MAX_STEPS:
        yield unread(session.name, "it runs too many texts to follow", at)
        return
    session.depth += 1
    place = Text(sql, at, is_exact=False)
    count = 0
    for piece in pieces(sql, session.name):
        for _, found in _piece(session, piece.tokens, place):
            for finding in found:
                count += 1
                yield finding
    session.depth -= 1
    if count == 0:
        resource = asset("Database", session.name, "database", "current", "current database")
        yield Finding("sql.call", resource, Effect.READ, "runs a text that does nothing", at)


def _opaque_call(session: Session, name: str, reason: str, at: int) -> Finding:
    resource = asset("Routine", session.name, "routine", name, name.rpartition(".")[2])
    return Finding(
        "sql.call",
        resource,
        Effect.UNKNOWN,
        f"calls `{name}`: {reason}",
        at,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        opaque=reason,
    )


# --- handlers, by the first word


def _create(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    made = created(session, tokens, at)
    if isinstance(made, Finding):
        yield made
        return
    finding, _, name, is_temporary = made
    match finding.resource.kind.partition(".")[2]:
        case "table":
            yield finding
            yield from _created_table(session, tokens, text, name.parts, is_temporary=is_temporary)
        case "view" | "materialized_view" as kind:
            yield finding
            yield from _created_view(
                session, tokens, text, name.parts, runs_now=kind == "materialized_view"
            )
        case "routine" | "trigger" | "event" | "task":
            yield finding
            yield from _created_routine(session, tokens, text, finding, name.parts)
        case _ if any(token.is_symbol(";") for token in tokens):
            yield unread(session.name, "it ends where its dialect ends it and not here", at)
        case "external_table" if any(token.is_word("SELECT") for token in tokens):
            rows = f"writes rows out of the database to `{finding.resource.id}`"
            yield replace(finding, action="sql.copy_out", effect=Effect.EXECUTE, summary=rows)
        case _:
            yield finding


def _created_table(
    session: Session, tokens: Tokens, text: Text, parts: tuple[str, ...], *, is_temporary: bool
) -> Iterator[Finding]:
    at = text.at(tokens)
    asks = any(token.is_word("SELECT", "EXECUTE", "CALL") for token in tokens)
    ready = prepared(text.text, tokens, session.name)
    tree = ready if isinstance(ready, str) else _tree(session, ready)
    if isinstance(tree, str) or not isinstance(tree, exp.Create):
        if asks:
            reason = tree if isinstance(tree, str) else "the parser does not see its query"
            yield unread(session.name, reason, at)
        session.create(parts, session.facts(parts), is_temporary=is_temporary)
        return
    query = tree.expression
    # Defaults and checks run when rows are added.
    yield from calls(session, tree.this, at)
    if query is not None and asks:
        yield from (one for one in findings(session, query, at) if _matters(one))
    elif asks:
        yield unread(session.name, "the parser does not see its query", at)
    session.create(parts, facts_of(tree), is_temporary=is_temporary)


def _created_view(
    session: Session, tokens: Tokens, text: Text, parts: tuple[str, ...], *, runs_now: bool
) -> Iterator[Finding]:
    """Notes what the functions in a view do, which happens when somebody reads it."""
    key = session.key(parts)
    session.views[key] = ()
    start = next(
        (number for number, token in enumerate(tokens[:-1], 1) if _begins_query(tokens, number)),
        None,
    )
    if start is None:
        yield unread(session.name, "the query of the view is not plain", text.at(tokens))
        return
    found = _query(session, _without_check(tokens[start:]), text)
    matters = tuple(one for one in found if _matters(one))
    session.views[key] = matters
    yield from (one for one in matters if runs_now or one.action == "sql.unread")


def _begins_query(tokens: Tokens, number: int) -> bool:
    begins = tokens[number].is_word("SELECT", "WITH", "VALUES", "TABLE", "FROM")
    return tokens[number - 1].is_word("AS") and (begins or tokens[number].is_symbol("("))


def _without_check(query: Tokens) -> Tokens:
    """Without `WITH LOCAL CHECK OPTION` at its end."""
    if len(query) > 3 and query[-1].is_word("OPTION") and query[-2].is_word("CHECK"):
        return query[: -4 if query[-3].is_word("LOCAL", "CASCADED") else -3]
    return query


def _created_routine(
    session: Session, tokens: Tokens, text: Text, finding: Finding, parts: tuple[str, ...]
) -> Iterator[Finding]:
    at = text.at(tokens)
    if session.name != "tsql" and not is_whole(tokens):
        yield unread(session.name, "its body does not end, and may hold what follows", at)
        return
    name = ".".join(parts).lower()
    session.steady.discard(name)
    if session.depth == 0 and _only_computes(session, tokens, text):
        session.steady.add(name)
        return
    routine = _routine(session, tokens, text)
    kind = finding.resource.kind.partition(".")[2]
    key = session.key(parts)
    session.routines.pop(key, None)
    if routine is None:
        if kind in ("event", "task", "trigger"):
            yield unread(session.name, "what it runs by itself is not plain", at)
        return
    match kind:
        case "event" | "task":
            # It runs without another statement.
            yield from _opened(
                session, routine, at, f"`{finding.resource.id}`, which runs by itself"
            )
        case "trigger":
            on = next((n for n, token in enumerate(tokens) if token.is_word("ON")), None)
            table = None if on is None else dotted(tokens, on + 1)
            if table is not None:
                session.triggers.setdefault(session.key(table[1].parts), []).append(routine)
        case _:
            if session.depth == 0:
                session.routines[key] = routine


def _only_computes(session: Session, tokens: Tokens, text: Text) -> bool:
    """Whether it is a function whose whole body is one expression, which calls nothing unknown."""
    if session.name != "bigquery" or any(token.is_word("REMOTE", "LANGUAGE") for token in tokens):
        return False
    start = next((number for number, token in enumerate(tokens) if token.is_word("AS")), None)
    if start is None or group_end(tokens, start + 1) != len(tokens):
        return False
    return not _expression(session, tokens[start + 1 :], text)


def _routine(session: Session, tokens: Tokens, text: Text) -> Routine | None:
    """The body of a definition: its own tokens, or those of the text that it is written as."""
    as_text = next(
        (
            token
            for before, token in pairwise(tokens)
            if before.is_word("AS") and token.kind == Kind.STRING
        ),
        None,
    )
    if as_text is not None:
        sql = any(
            one.is_word("LANGUAGE") and two.is_word("SQL") for one, two in pairwise(tokens)
        ) or not any(token.is_word("LANGUAGE") for token in tokens)
        if not sql:
            return None
        inner = [
            token
            for piece in pieces(as_text.value, session.name)
            for token in _joined(piece.tokens)
        ]
        return Routine(inner, as_text.value, is_exact=False)
    divided = body_of(tokens, session.name)
    if divided is None:
        return None
    return Routine(divided[1], text.text, text.is_exact)


def _joined(tokens: Tokens) -> Iterator[Any]:
    """The tokens of a statement with a semicolon after them."""
    yield from tokens
    last = tokens[-1]
    yield replace(last, kind=Kind.SYMBOL, value=";", text=";", start=last.end, end=last.end)


def _alter(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    second = tokens[1].value if len(tokens) > 1 else ""
    if second in ("PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "VIEW") and session.name == "tsql":
        made = created(session, [tokens[0], *tokens[1:]], at)
        if isinstance(made, Finding):
            yield made
            return
        finding = made[0]
        effect = Effect.DISARM if second == "TRIGGER" else Effect.UPDATE
        summary = finding.summary.replace("creates", "alters")
        yield replace(finding, action="sql.alter", effect=effect, summary=summary)
        if second != "VIEW":
            session.routines.pop(session.key(made[2].parts), None)
        return
    yield from alter_table(session, tokens, at)


def _explain(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXPLAIN shows how a statement would run; with ANALYZE it runs it."""
    at = text.at(tokens)
    number = 1
    runs = False
    while number < len(tokens) and (
        tokens[number].is_word(*_EXPLAINING) or tokens[number].is_symbol("=")
    ):
        runs |= tokens[number].is_word("ANALYZE")
        number += 1
    inner = tokens[number:]
    if runs and inner:
        yield from _statement(session, inner, text)
        return
    resource = asset("Database", session.name, "database", "current", "current database")
    yield Finding("sql.read", resource, Effect.READ, "explains how it would run", at, Selector.NONE)


_EXPLAINING = words(
    "ANALYZE EXTENDED PARTITIONS FORMAT TREE JSON TRADITIONAL QUERY PLAN USING TEXT TABULAR FORMATTED"
)


def _use(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    number = 1
    kind = "database"
    if len(tokens) > 2 and tokens[1].is_word(
        "DATABASE", "SCHEMA", "WAREHOUSE", "ROLE", "SECONDARY"
    ):
        kind = tokens[1].value.lower()
        number = 3 if kind == "secondary" else 2
    found = dotted(tokens, number)
    if found is None or found[0] != len(tokens):
        yield unread(session.name, "what it uses is not plain", at)
        return
    parts = found[1].parts
    if kind in ("role", "secondary"):
        resource = asset("Role", session.name, "role", parts[-1])
        yield Finding("sql.set", resource, Effect.ESCALATE, f"acts as role `{parts[-1]}`", at)
        return
    if kind == "database":
        session.database = parts
    elif kind == "schema":
        session.database = (*session.database[:1], *parts) if len(parts) == 1 else parts
    resource = asset("Setting", session.name, "setting", kind)
    shown = ".".join(parts)
    yield Finding("sql.set", resource, Effect.READ, f"works in {kind} `{shown}`", at)


def _call(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = dotted(tokens, 1)
    if found is None:
        yield _opaque_call(session, "?", "what it calls is not plain", at)
        return
    end, name = found
    yield from _expression(session, tokens[end + 1 : -1], text) if end < len(tokens) else ()
    yield from _routine_called(session, name.parts, at)


def _routine_called(session: Session, parts: tuple[str, ...], at: int) -> Iterator[Finding]:
    shown = session.id(parts)
    routine = session.routines.get(session.key(parts))
    known = session.dialect.routines.get(parts[-1].lower())
    if routine is not None:
        inner = list(_opened(session, routine, at, f"`{shown}`"))
        yield from inner
        if not inner:
            resource = asset("Routine", session.name, "routine", shown, parts[-1])
            yield Finding(
                "sql.call", resource, Effect.READ, f"calls `{shown}`, which only reads", at
            )
    elif known is not None and known.effect != Effect.UNKNOWN:
        resource = asset("Routine", session.name, "routine", shown, parts[-1])
        runs = known.effect == Effect.EXECUTE
        yield Finding(
            "sql.run_program" if runs else "sql.call",
            resource,
            known.effect,
            f"calls `{shown}`, which {known.why}",
            at,
            _reach_of(known.effect),
            known.reversibility,
        )
    else:
        yield _opaque_call(session, shown, "what the routine does is not in this script", at)


def _reach_of(effect: Effect) -> Selector:
    """How much a routine of the server reaches, whose arguments nobody judges."""
    match effect:
        case Effect.EXECUTE | Effect.UNKNOWN:
            return Selector.UNKNOWN
        case Effect.DELETE_DATA | Effect.DELETE_RECOVERY | Effect.DELETE_AUDIT:
            return Selector.ALL
        case _:
            return Selector.ONE


def _execute(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXECUTE and EXEC: a text, a prepared statement, a routine."""
    at = text.at(tokens)
    rest = list(tokens[1:])
    if rest and rest[0].is_word("IMMEDIATE"):
        yield from _immediate(session, rest[1:], at)
    elif rest and rest[0].is_symbol("("):
        end = group_end(rest, 0)
        if end != len(rest):
            yield _opaque_call(session, "EXEC", "it runs a text elsewhere or as another user", at)
            return
        yield from _immediate(session, rest[1:-1], at)
    elif rest and rest[0].is_word("AS"):
        resource = asset("Role", session.name, "role", "another", "another user")
        yield Finding("sql.set", resource, Effect.ESCALATE, "acts as another user", at)
    elif session.name == "mysql":
        yield from _prepared_text(session, rest, at)
    elif session.name == "snowflake" and rest and rest[0].is_word("TASK"):
        yield _opaque_call(session, "TASK", "what the task does is not in this script", at)
    else:
        if len(rest) > 2 and rest[0].kind == Kind.VARIABLE and rest[1].is_symbol("="):
            # The result of the routine goes into a variable.
            rest = rest[2:]
        found = dotted(rest, 0)
        if found is None:
            yield _opaque_call(session, "EXEC", "what it runs is not plain", at)
            return
        end, name = found
        if any(token.is_word("DISABLE", "ENABLE", "TRIGGER") for token in rest[end:]):
            yield _opaque_call(session, "EXEC", "another statement may follow its arguments", at)
            return
        if name.parts[-1].lower() == "sp_executesql":
            yield from _immediate(session, _first_argument(rest[end:]), at)
            return
        yield from _routine_called(session, name.parts, at)


def _first_argument(rest: Tokens) -> Tokens:
    comma = next((n for n, token in enumerate(rest) if token.is_symbol(",")), len(rest))
    one = rest[:comma]
    if len(one) > 2 and one[1].is_symbol("="):
        return one[2:]
    return one


def _immediate(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    """A text that is run: read where it is written out, else opaque."""
    plain = [token for token in tokens if not token.is_word("N")]
    value: str | None = None
    rest = plain[1:]
    if plain and plain[0].kind == Kind.STRING:
        value = plain[0].value
    elif plain and plain[0].kind in (Kind.VARIABLE, Kind.WORD):
        value = session.texts.get(
            plain[0].text.lower().lstrip(":"), session.texts.get(plain[0].text.lower())
        )
    if value is None or (rest and not rest[0].is_word("USING", "INTO")):
        yield _opaque_call(
            session, "EXECUTE", "it runs a statement that is put together at run time", at
        )
        return
    yield from _run_text(session, value, at)
    _forget_texts(session, rest)


def _prepare(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = dotted(tokens, 1)
    if found is None or found[0] >= len(tokens) or not tokens[found[0]].is_word("FROM"):
        yield unread(session.name, "what it prepares is not plain", at)
        return
    end, name = found
    value = tokens[end + 1 :]
    known: str | None = None
    if len(value) == 1 and value[0].kind == Kind.STRING:
        known = value[0].value
    elif len(value) == 1 and value[0].kind == Kind.VARIABLE:
        known = session.texts.get(value[0].text.lower())
    session.prepared[name.parts[-1].lower()] = known if session.depth == 0 else None
    resource = asset("DatabaseObject", session.name, "prepared_statement", name.parts[-1])
    yield Finding("sql.transaction", resource, Effect.READ, f"prepares `{name.parts[-1]}`", at)


def _prepared_text(session: Session, rest: Tokens, at: int) -> Iterator[Finding]:
    name = rest[0].text.lower() if rest else ""
    value = session.prepared.get(name)
    if value is None:
        yield _opaque_call(
            session, name, "what was prepared under this name is not in this script", at
        )
        return
    yield from _run_text(session, value, at)


def _deallocate(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    session.prepared.pop(tokens[-1].text.lower(), None)
    resource = asset("DatabaseObject", session.name, "prepared_statement", tokens[-1].text)
    yield Finding(
        "sql.transaction", resource, Effect.READ, "forgets a prepared statement", text.at(tokens)
    )


def _truncate(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    number = 1
    while number < len(tokens) and tokens[number].is_word(
        "TABLE", "IF", "EXISTS", "MATERIALIZED", "VIEW"
    ):
        number += 1
    names = []
    while (found := dotted(tokens, number)) is not None:
        number, name = found
        names.append(name)
        if number >= len(tokens) or not tokens[number].is_symbol(","):
            break
        number += 1
    left = tokens[number:]
    if not names or (left and not left[0].is_word("WAIT", "NOWAIT", "WITH", "CASCADE", "RESTRICT")):
        yield unread(session.name, "what it empties is not plain", at)
        return
    for name in names:
        resource = session.thing("Table", "table", name)
        finding = Finding(
            "sql.truncate",
            resource,
            Effect.DELETE_DATA,
            f"empties `{resource.id}`",
            at,
            Selector.ALL,
            Reversibility.IRREVERSIBLE,
        )
        yield softened(session, name.parts, finding)


def _rename(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    if len(tokens) < 2 or not tokens[1].is_word("TABLE", "TABLES"):
        yield unread(session.name, "this RENAME is not classified", at)
        return
    yield from renamed(session, tokens, at)


def _drop(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    yield from drop(session, tokens, text.at(tokens))


def _set(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    _note_texts(session, tokens)
    yield from setting(session, tokens, text.at(tokens))
    if any(token.is_symbol("(") for token in tokens):
        number = next(
            (n for n, t in enumerate(tokens) if t.is_symbol("=") or t.is_symbol(":=")), None
        )
        if number is not None:
            yield from _expression(session, tokens[number + 1 :], text)


def _do(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    at = text.at(tokens)
    found = _expression(session, tokens[1:], text)
    resource = asset("Database", session.name, "database", "current", "current database")
    yield from found or [
        Finding("sql.read", resource, Effect.READ, "computes a value", at, Selector.NONE)
    ]


def _pragma(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    yield from pragma(session, tokens, text.at(tokens))


def _export(session: Session, tokens: Tokens, text: Text) -> Iterator[Finding]:
    """EXPORT DATA of BigQuery writes the rows of a query to a bucket."""
    at = text.at(tokens)
    start = next((n for n, token in enumerate(tokens) if token.is_word("AS")), None)
    if start is None or start + 1 >= len(tokens):
        yield unread(session.name, "what it exports is not plain", at)
        return
    inner = _query(session, tokens[start + 1 :], text)
    resource = inner[0].resource
    yield Finding(
        "sql.copy_out",
        resource,
        Effect.EXECUTE,
        f"writes `{resource.id}` out of the database",
        at,
        Selector.ALL,
        Reversibility.IRREVERSIBLE,
    )
    yield from (one for one in inner if _matters(one))


_HANDLERS: dict[str, Callable[[Session, Tokens, Text], Iterator[Finding]]] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "TRUNCATE": _truncate,
    "RENAME": _rename,
    "SET": _set,
    "PRAGMA": _pragma,
    "EXPLAIN": _explain,
    "DESCRIBE": _explain,
    "DESC": _explain,
    "USE": _use,
    "CALL": _call,
    "EXEC": _execute,
    "EXECUTE": _execute,
    "PREPARE": _prepare,
    "DEALLOCATE": _deallocate,
    "DO": _do,
    "EXPORT": _export,
}
