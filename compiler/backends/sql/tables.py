"""How the entities of one type stand in a table: a column for each attribute, and which rows are entities at all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ....lang.schema import Schema
from ....lang.typesystem import EnumType, RecordField, RecordOf, SetOf, Type

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Where the entities of a type stand. An attribute `a.b` is in the column `a_b` unless `columns` says otherwise."""

    id: str = "id"
    columns: Mapping[str, str | None] = field(default_factory=dict)
    """Attribute → column; `None` where the table has none."""
    ancestors: str | None = None
    """A table of `(type, id, ancestor_type, ancestor_id)` with everything each entity is in, at any distance."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of the attributes of one concrete entity type."""

    schema: Schema
    resource_type: str
    table: Table

    @property
    def attributes(self) -> RecordOf:
        return RecordOf(tuple(self.schema.entities[self.resource_type].attributes.values()))

    @property
    def ancestor_types(self) -> frozenset[str]:
        """The types of what a row can be in, beside itself."""
        parents = self.schema.entities[self.resource_type].parents
        return frozenset[str]().union(*(self.schema.ancestors[parent] for parent in parents))

    def field(self, path: Path) -> RecordField | None:
        """The attribute at the end of a path through records."""
        fields: Type = self.attributes
        found = None
        for name in path:
            found = fields.field(name) if isinstance(fields, RecordOf) else None
            if found is None:
                return None
            fields = found.type
        return found

    def steps(self, path: Path) -> Iterator[Path]:
        """The attributes on the way to one, and itself, that may be absent."""
        for length in range(1, len(path) + 1):
            found = self.field(path[:length])
            if found is not None and found.optional:
                yield path[:length]

    def column(self, path: Path) -> exp.Column | None:
        """The column of an attribute, if it has one that no other attribute has too; a set has none."""
        found = self.field(path)
        if found is None or isinstance(found.type, SetOf):
            return None
        name = self._name(path)
        others = [self._name(other) for other, _ in self.leaves() if other != path]
        shared = any(_same(name, other) for other in (self.table.id, *others))
        return None if name is None or shared else column(name)

    def is_there(self, path: Path) -> exp.Expr | None:
        """Whether an optional value is there; `None` where no column says so."""
        found = self.field(path)
        if found is None or not isinstance(found.type, RecordOf):
            read = self.column(path)
            return read and not_null(read)
        # Whether all the other required columns say the same is part of `fits`.
        return next((not_null(read) for read in self._required(found.type, path)), None)

    def fits(self) -> list[exp.Expr]:
        """What holds of a row that fits the schema; another one is no entity, and nothing is permitted on it."""
        return list(self._fits(self.attributes, ()))

    def leaves(self) -> list[tuple[Path, RecordField]]:
        """Every attribute that can have a column, with the way to it through records."""
        return list(_leaves(self.attributes, ()))

    def _name(self, path: Path) -> str | None:
        return self.table.columns.get(".".join(path), "_".join(path))

    def _required(self, record: RecordOf, path: Path) -> Iterator[exp.Column]:
        """The columns that have a value exactly where a record is there."""
        for item in record.fields:
            inner = (*path, item.name)
            if not item.optional:
                if isinstance(item.type, RecordOf):
                    yield from self._required(item.type, inner)
                elif not isinstance(item.type, SetOf) and (read := self.column(inner)):
                    yield read

    def _fits(self, record: RecordOf, path: Path) -> Iterator[exp.Expr]:
        for item in record.fields:
            inner = (*path, item.name)
            if isinstance(item.type, RecordOf):
                whole = list(self._fits(item.type, inner))
                if not item.optional:
                    yield from whole
                    continue
                required = list(self._required(item.type, inner))
                if not required:
                    yield from whole
                elif whole != [not_null(read) for read in required[:1]]:
                    yield exp.or_(exp.and_(*map(null, required)), exp.and_(*whole))
            elif not isinstance(item.type, SetOf) and (read := self.column(inner)):
                if isinstance(item.type, EnumType):
                    members = [exp.Literal.string(name) for name in item.type.members]
                    known = exp.In(this=read, expressions=members)
                    if item.optional:
                        yield exp.or_(null(read), known)
                        continue
                    yield not_null(read)
                    yield known
                elif not item.optional:
                    yield not_null(read)


def column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def null(operand: exp.Expr) -> exp.Expr:
    return exp.Is(this=operand.copy(), expression=exp.null())


def not_null(operand: exp.Expr) -> exp.Expr:
    return exp.Is(this=operand.copy(), expression=exp.Not(this=exp.null()))


def _leaves(record: RecordOf, path: Path) -> Iterable[tuple[Path, RecordField]]:
    for item in record.fields:
        if isinstance(item.type, RecordOf):
            yield from _leaves(item.type, (*path, item.name))
        elif not isinstance(item.type, SetOf):
            yield (*path, item.name), item


def _same(left: str | None, right: str | None) -> bool:
    """Whether two names are one column somewhere: SQLite and DuckDB tell no case apart."""
    return left is not None and right is not None and left.lower() == right.lower()
