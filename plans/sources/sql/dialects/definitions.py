"""CREATE, DROP and ALTER of the other dialects: by their words, against the tables of the dialect."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import STATEFUL_TYPES, Finding, joined_name, unread
from ..postgres.script import TableFacts
from ..renames import in_its_place
from ..written import repeated
from .forms import Captures, Name, at_commas, dotted, group_end
from .options import with_options
from .session import Session
from .targets import softened
from .taxonomy import Shape, Thing, subcommand_of
from .tokens import Kind, Token, Tokens

_AUDIT = words("audit history log")


def said(session: Session, shape: Shape, captures: Captures, at: int) -> Iterator[Finding]:
    """The findings of a statement that fits a form: one for each thing it names."""
    names = captures.get("on") or captures.get("names") or captures.get("name") or (None,)
    if "names" not in captures and "on" not in captures:
        names = names[:1]
    for name in names:
        yield _said(session, shape, captures, name, at)


def _said(
    session: Session, shape: Shape, captures: Captures, name: Name | None, at: int
) -> Finding:
    resource = session.thing(shape.type, shape.kind, name)
    finding = Finding(
        shape.action,
        resource,
        shape.effect,
        f"{shape.says} `{resource.id}`",
        at,
        shape.selector,
        shape.reversibility,
        opaque=shape.opaque,
    )
    if shape.action == "sql.rename" and name is not None and len(captures.get("name", ())) == 2:
        finding = moved(session, finding, name, captures["name"][1])
    if shape.action in _BY_ROW:
        finding = repeated(finding, session.rounds)
    return softened(session, name.parts, finding) if name and shape.type == "Table" else finding


_BY_ROW = frozenset({"sql.update", "sql.delete"})


def moved(session: Session, finding: Finding, old: Name, new: Name) -> Finding:
    """The finding of a rename, by whose name the new one was before."""
    kind = finding.resource.type
    if kind not in STATEFUL_TYPES:
        return finding
    # A bare name stays beside the old one, or goes where the session is.
    whole = (*old.parts[:-1], *new.parts) if len(new.parts) == 1 else new.parts
    names = [f"{kind} {session.key(parts)}" for parts in dict.fromkeys((whole, new.parts))]
    taken = any(map(session.renames.is_free, names))
    if not (kind == "Table" and session.is_new(old.parts)):
        taken = session.renames.rename(f"{kind} {session.key(old.parts)}", names[0]) or (
            taken and session.renames.is_free(names[-1])
        )
    return in_its_place(finding) if taken else finding


# --- DROP

_MODIFIERS = words(
    "TEMPORARY TEMP TRANSIENT MATERIALIZED EXTERNAL ICEBERG DYNAMIC HYBRID EVENT SNAPSHOT"
)


def drop(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    only_temporary = len(tokens) > 1 and tokens[1].is_word("TEMPORARY")
    rest = [tokens[0], *tokens[2:]] if only_temporary else list(tokens)
    kind = _kind(session.dialect.drop, rest[1:])
    if kind is None:
        yield unread(session.name, f"DROP {_word(rest, 1)} is not classified", at)
        return
    words_of_kind, thing = kind
    number = 1 + len(words_of_kind)
    while number < len(rest) and rest[number].is_word("IF", "EXISTS", "CONCURRENTLY", "ONLINE"):
        number += 1
    names: list[Name] = []
    while (found := dotted(rest, number)) is not None:
        number, name = found
        end = group_end(rest, number)
        # The types of a routine's arguments tell it from others of its name.
        number = number if end is None else end
        if number < len(rest) and rest[number].is_word("ON"):
            # An index or a trigger is dropped from its table.
            on = dotted(rest, number + 1)
            if on is not None:
                number = on[0]
        names.append(name)
        if number >= len(rest) or not rest[number].is_symbol(","):
            break
        number += 1
    left = [token for token in rest[number:] if not token.is_word(*_DROP_ENDS)]
    if not names or any(token.kind != Kind.NUMBER for token in left if not token.is_symbol("=")):
        yield unread(session.name, f"this DROP {' '.join(words_of_kind)} is not followed", at)
        return
    for name in names:
        yield _dropped(session, thing, name, at, only_temporary=only_temporary)


_DROP_ENDS = words(
    "CASCADE RESTRICT CONSTRAINTS PURGE FORCE WAIT NOWAIT ALGORITHM LOCK INPLACE COPY NONE DEFAULT SHARED "
    "EXCLUSIVE INSTANT ON SERVER ALL DATABASE"
)


def _dropped(
    session: Session, thing: Thing, name: Name, at: int, *, only_temporary: bool
) -> Finding:
    resource = session.thing(thing.type, thing.kind, name)
    loses = thing.effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY)
    effect = thing.effect
    if thing.kind == "trigger" and any(word in name.parts[-1].lower() for word in _AUDIT):
        effect = Effect.DELETE_AUDIT
    finding = Finding(
        "sql.transaction" if effect == Effect.READ else "sql.drop",
        resource,
        effect,
        f"drops {thing.kind.replace('_', ' ')} `{resource.id}`",
        at,
        Selector.ALL if loses or effect == Effect.DELETE_AUDIT else Selector.ONE,
        Reversibility.IRREVERSIBLE if loses else Reversibility.REVERSIBLE,
    )
    if thing.type == "Role":
        # Everything that was granted to it goes with it.
        finding = replace(finding, selector=Selector.ALL, reversibility=Reversibility.RECOVERABLE)
    if thing.kind == "table":
        if only_temporary:
            finding = replace(
                finding,
                effect=Effect.UPDATE,
                selector=Selector.ONE,
                reversibility=Reversibility.REVERSIBLE,
                summary=f"drops temporary table `{resource.id}`",
            )
        finding = softened(session, name.parts, finding)
        session.forget(name.parts)
    elif thing.kind in ("routine", "event"):
        session.routines.pop(session.key(name.parts), None)
    elif thing.kind == "prepared_statement":
        session.prepared.pop(name.parts[-1].lower(), None)
    elif thing.type in STATEFUL_TYPES:
        session.tables.clear()
    return finding


def _kind(
    table: Mapping[tuple[str, ...], Thing], tokens: Tokens
) -> tuple[tuple[str, ...], Thing] | None:
    """The longest kind of object that stands at the front."""
    for length in (4, 3, 2, 1):
        found = tuple(token.value for token in tokens[:length] if token.kind == Kind.WORD)
        if len(found) == length and found in table:
            return found, table[found]
    return None


def _word(tokens: Tokens, number: int) -> str:
    return tokens[number].value if number < len(tokens) else ""


# --- CREATE


def created(
    session: Session, tokens: Tokens, at: int
) -> tuple[Finding, tuple[str, ...], Name, bool] | Finding:
    """What it makes: the finding, the words of its kind, its name, and whether it is temporary."""
    number = 1
    replaces = alters = temporary = False
    while number < len(tokens) and tokens[number].kind in (
        Kind.WORD,
        Kind.SYMBOL,
        Kind.STRING,
        Kind.NAME,
        Kind.VARIABLE,
    ):
        token = tokens[number]
        if token.is_word("OR"):
            replaces |= number + 1 < len(tokens) and tokens[number + 1].is_word("REPLACE")
            alters |= number + 1 < len(tokens) and tokens[number + 1].is_word("ALTER")
            number += 2
        elif token.is_word("TEMPORARY", "TEMP", "LOCAL", "GLOBAL", "VOLATILE"):
            temporary |= token.is_word("TEMPORARY", "TEMP", "VOLATILE")
            number += 1
        elif token.is_word("DEFINER", "ALGORITHM", "SQL"):
            number = _past_option(tokens, number)
        elif _kind(session.dialect.create, tokens[number:]) is not None:
            break
        elif token.is_word(*_CREATE_MODIFIERS):
            number += 1
        else:
            break
    kind = _kind(session.dialect.create, tokens[number:])
    if kind is None:
        return unread(session.name, f"CREATE {_word(tokens, number)} is not classified", at)
    kind_words, thing = kind
    number += len(kind_words)
    while number < len(tokens) and tokens[number].is_word("IF", "NOT", "EXISTS", "CONCURRENTLY"):
        number += 1
    found = dotted(tokens, number)
    if found is None:
        return unread(
            session.name, f"what this CREATE {' '.join(kind_words)} makes is not plain", at
        )
    name = found[1]
    resource = session.thing(thing.type, thing.kind, name)
    effect = thing.effect
    verb = "creates"
    selector, way_back = Selector.ONE, Reversibility.REVERSIBLE
    if replaces or alters:
        verb = "replaces" if replaces else "creates or alters"
        effect = thing.replaced
        way_back = Reversibility.RECOVERABLE
        if effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY):
            selector, way_back = Selector.ALL, Reversibility.IRREVERSIBLE
    finding = Finding(
        "sql.create",
        resource,
        effect,
        f"{verb} {thing.kind.replace('_', ' ')} `{resource.id}`",
        at,
        selector,
        way_back,
    )
    if thing.effect == Effect.EXECUTE:
        finding = replace(finding, action="sql.run_program")
    if thing.kind == "table":
        if (temporary and not alters) or session.is_new(name.parts):
            finding = replace(
                finding,
                effect=Effect.CREATE,
                selector=Selector.ONE,
                reversibility=Reversibility.REVERSIBLE,
            )
        finding = softened(session, name.parts, finding)
        if not temporary and session.renames.is_free(f"Table {session.key(name.parts)}"):
            finding = in_its_place(finding)
    return finding, kind_words, name, temporary


_CREATE_MODIFIERS = words(
    "UNIQUE CLUSTERED NONCLUSTERED COLUMNSTORE SECURE RECURSIVE TRANSIENT FORCE UNDO INVOKER DEFINER SECURITY "
    "AGGREGATE PRIMARY"
)


def _past_option(tokens: Tokens, number: int) -> int:
    """Past `DEFINER = user@host`, `ALGORITHM = MERGE`, `SQL SECURITY DEFINER`."""
    if tokens[number].is_word("SQL"):
        return number + 3
    number += 1
    if number < len(tokens) and tokens[number].is_symbol("="):
        number += 1
    found = dotted(tokens, number)
    number = number + 1 if found is None else found[0]
    end = group_end(tokens, number)
    return number if end is None else end


def facts_of(tree: Any) -> TableFacts:
    """The columns and keys that a CREATE TABLE declares, as sqlglot reads them."""
    schema = tree.this
    if not isinstance(schema, exp.Schema) or tree.args.get("exists"):
        return TableFacts(is_new=not tree.args.get("exists"))
    columns: set[str] = set()
    not_null: set[str] = set()
    keys: set[frozenset[str]] = set()
    is_complete = tree.expression is None and not tree.args.get("clone")
    for part in schema.expressions:
        match part:
            case exp.ColumnDef():
                name = part.name.lower()
                columns.add(name)
                for constraint in part.args.get("constraints") or ():
                    rule = constraint.args.get("kind")
                    if isinstance(
                        rule, (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint)
                    ):
                        keys.add(frozenset({name}))
                    if isinstance(rule, exp.PrimaryKeyColumnConstraint) or (
                        isinstance(rule, exp.NotNullColumnConstraint)
                        and not rule.args.get("allow_null")
                    ):
                        not_null.add(name)
            case exp.Constraint():
                for inner in part.expressions:
                    _note_key(inner, keys, not_null)
            case _:
                _note_key(part, keys, not_null)
    return TableFacts(
        is_new=True,
        is_complete=is_complete,
        columns=frozenset(columns),
        not_null=frozenset(not_null),
        keys=frozenset(keys),
    )


def _note_key(rule: Any, keys: set[frozenset[str]], not_null: set[str]) -> None:
    if isinstance(rule, exp.PrimaryKey):
        names = frozenset(part.name.lower() for part in rule.expressions)
        keys.add(names)
        not_null |= names


# --- ALTER TABLE


def alter_table(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    number = 1
    while number < len(tokens) and tokens[number].is_word(*_BEFORE_NAME):
        number += 1
    found = dotted(tokens, number)
    if found is None or not any(token.is_word("TABLE") for token in tokens[1:number]):
        yield unread(session.name, "this ALTER is not classified", at)
        return
    if any(token.is_word("IGNORE") for token in tokens[1:number]):
        resource = session.thing("Table", "table", found[1])
        says = f"deletes rows of `{resource.id}` that are in the way"
        lost = (Effect.DELETE_DATA, says, at, Selector.UNKNOWN, Reversibility.IRREVERSIBLE)
        yield Finding("sql.alter", resource, *lost)
    number, name = found
    first = ""
    for part in at_commas(tokens[number:]):
        if session.name == "tsql":
            part = _without_check(part)
        word = part[0].value if part else ""
        shape = subcommand_of(session.dialect, part) if part else None
        if shape is None and first and part:
            # `DROP COLUMN a, b` and `ADD a INT, b INT` say their verb once.
            shape = _continued(session, first, part)
        elif word in ("DROP", "ADD"):
            first = (
                f"{word} {part[1].value}"
                if len(part) > 1 and part[1].is_word("COLUMN", "CONSTRAINT", "PARTITION")
                else word
            )
        if shape is None:
            yield unread(
                session.name, f"ALTER TABLE … {' '.join(_shown(part))} is not classified", at
            )
            continue
        row, captures = shape
        altered = _altered(session, row, name, at)
        if row.action == "sql.rename" and len(captures.get("name", ())) == 1:
            altered = moved(session, altered, name, captures["name"][0])
        yield with_options(session.dialect, part, altered)
        _note(session, row, name)


_BEFORE_NAME = words("TABLE IF EXISTS ONLINE OFFLINE IGNORE ICEBERG DYNAMIC EXTERNAL ONLY HYBRID")


def _shown(part: Tokens) -> list[str]:
    return [token.value for token in part[:3] if token.kind == Kind.WORD]


def _without_check(part: list[Token]) -> list[Token]:
    if len(part) > 2 and part[0].is_word("WITH") and part[1].is_word("CHECK", "NOCHECK"):
        return part[2:]
    return part


def _continued(session: Session, first: str, part: list[Token]) -> tuple[Shape, Captures] | None:
    prefix = [Token(Kind.WORD, word, word, part[0].start, part[0].start) for word in first.split()]
    found = subcommand_of(session.dialect, [*prefix, *part])
    if found is None and len(prefix) > 1:
        return subcommand_of(session.dialect, [prefix[0], *part])
    return found


def _altered(session: Session, row: Shape, name: Name, at: int) -> Finding:
    resource = session.thing("Table", "table", name)
    finding = Finding(
        row.action,
        resource,
        row.effect,
        f"{row.says} `{resource.id}`",
        at,
        row.selector,
        row.reversibility,
        opaque=row.opaque,
    )
    return softened(session, name.parts, finding)


def _note(session: Session, row: Shape, name: Name) -> None:
    """What was known of the table's columns and keys is no longer sure."""
    facts = session.tables.get(session.key(name.parts))
    if facts is not None:
        session.tables[session.key(name.parts)] = TableFacts(is_new=facts.is_new)


def renamed(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    """`RENAME TABLE a TO b, c TO d`."""
    number = 2
    if number + 1 < len(tokens) and tokens[number].is_word("IF"):
        number += 2
    for part in at_commas(tokens[number:]):
        found = dotted(part, 0)
        if found is None or found[0] >= len(part) or not any(t.is_word("TO") for t in part):
            yield unread(session.name, "what is renamed is not plain", at)
            continue
        name = found[1]
        resource = session.thing("Table", "table", name)
        new = dotted(part, found[0] + 1)
        if new is None or new[0] != len(part):
            yield unread(session.name, "what it is renamed to is not plain", at)
            continue
        finding = Finding(
            "sql.rename",
            resource,
            Effect.UPDATE,
            f"renames `{resource.id}` to `{joined_name(new[1].parts)}`",
            at,
        )
        yield moved(session, finding, name, new[1])
        session.forget(name.parts)
