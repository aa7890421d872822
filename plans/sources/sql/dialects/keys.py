"""The tables, foreign keys and views that schemas of other dialects define, as sqlglot reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ..changes import joined_name
from .parse import Complaint, parse


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key; the actions are in lower case."""

    name: str
    parent: str
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A table or view; `uses` are the tables that a view reads."""

    kind: str
    id: str
    references: tuple[Reference, ...] = ()
    uses: tuple[str, ...] = ()


def definitions(text: str, dialect: str) -> Iterator[Definition | Complaint]:
    """What a statement defines; of ALTER TABLE the keys that it adds."""
    parsed = parse(text, dialect)
    if isinstance(parsed, Complaint):
        yield parsed
        return
    for tree in parsed:
        match tree:
            case exp.Create() if tree.kind in ("TABLE", "VIEW"):
                schema = tree.this
                table = schema.this if isinstance(schema, exp.Schema) else schema
                if not isinstance(table, exp.Table):
                    yield Complaint("what it creates has no plain name")
                    continue
                uses = (
                    tuple(
                        dict.fromkeys(
                            _name(each) for each in tree.expression.find_all(exp.Table) if each.name
                        )
                    )
                    if tree.expression is not None and tree.kind == "VIEW"
                    else ()
                )
                yield Definition(
                    str(tree.kind).lower(), _name(table), tuple(_references(schema)), uses
                )
            case exp.Alter() if isinstance(tree.this, exp.Table):
                found = tuple(each for part in tree.args["actions"] for each in _references(part))
                if found:
                    yield Definition("alter", _name(tree.this), found)
            case exp.Command() if str(tree.this).upper() in ("CREATE", "ALTER"):
                yield Complaint("the statement is kept as text")
            case _:
                pass


def _name(table: Any) -> str:
    """As scripts of the dialect name it, which is mostly without a schema."""
    return joined_name(part for part in (table.catalog, table.db, table.name) if part)


def _references(tree: Any) -> Iterator[Reference]:
    if tree is None:
        return
    for key in tree.find_all(exp.Reference):
        target = key.this.this if isinstance(key.this, exp.Schema) else key.this
        if not isinstance(target, exp.Table):
            continue
        constraint = key.find_ancestor(exp.Constraint)
        holder = key.find_ancestor(exp.ForeignKey)
        column = key.find_ancestor(exp.ColumnDef)
        columns = [each.name for each in holder.expressions] if holder is not None else []
        columns = columns or ([column.name] if column is not None else [])
        options = " ".join(map(str, key.args.get("options") or ())).lower()
        yield Reference(
            name=constraint.name if constraint is not None else "_".join((*columns, "fkey")),
            parent=_name(target),
            on_delete=_action(holder, options, "delete"),
            on_update=_action(holder, options, "update"),
        )


_ACTIONS = ("cascade", "set null", "set default", "restrict", "no action")


def _action(holder: Any, options: str, event: str) -> str:
    said = holder.args.get(event) if holder is not None else None
    text = str(said).lower() if said else options.partition(f"on {event} ")[2]
    return next((action for action in _ACTIONS if text.startswith(action)), "no action")
