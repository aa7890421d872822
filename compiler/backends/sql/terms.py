"""A term over the columns of one row as an SQL expression with the same value, in each dialect.

SQL has a third truth value where the language has none, so a term becomes two expressions: whether reading it fails,
which is never NULL, and its value, which is not NULL on a row that fits the schema wherever reading does not fail.
"""

import builtins
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from math import inf
from typing import assert_never

from sqlglot import exp

from ....lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    EntityType,
    EnumType,
    RecordOf,
    SetOf,
    Type,
    entity_type,
)
from ....lang.values import (
    Decimal,
    Duration,
    EntityId,
    EnumValue,
    Instant,
    Record,
    Value,
)
from ... import ir
from ...entities import NO_ENTITIES
from ...lower import literal
from ...reference import Failed, evaluate
from ...typer import composed_type
from .residual import always_fails, refuse
from .tables import Layout, Path, column, not_null

DIALECTS = ("duckdb", "postgres", "sqlite")

Truth = tuple[exp.Expr, exp.Expr]
"""Whether a condition holds, and whether reading it fails."""


def to_sql(
    condition: ir.Term, layout: Layout, dialect: str, present: frozenset[Path] = frozenset()
) -> Truth:
    """A condition where the optional attributes in `present` are there; raises `Inexpressible`."""
    found = _ToSql(layout, dialect).value(condition, present)
    return found.value, found.fails


def path_of(term: ir.Term) -> Path | None:
    """The way from the resource to an attribute."""
    match term:
        case ir.Variable("resource"):
            return ()
        case ir.Attribute(base, name) | ir.Has(base, name):
            path = path_of(base)
            return None if path is None else (*path, name)
        case _:
            return None


def found_present(condition: ir.Term, truth: bool) -> frozenset[Path]:
    """The optional attributes that are there wherever a condition has this value."""
    match condition:
        case ir.Has():
            path = path_of(condition)
            return frozenset({path}) if truth and path is not None else frozenset()
        case ir.Not(operand):
            return found_present(operand, not truth)
        case ir.And(operands) | ir.Or(operands) if isinstance(condition, ir.And) is truth:
            return frozenset[Path]().union(*(found_present(item, truth) for item in operands))
        case _:
            return frozenset()


# Conditions, with what is decided left out


def both(*operands: exp.Expr) -> exp.Expr:
    return _joined(exp.And, operands)


def either(*operands: exp.Expr) -> exp.Expr:
    return _joined(exp.Or, operands)


def _joined(kind: type[exp.And] | type[exp.Or], operands: Iterable[exp.Expr]) -> exp.Expr:
    neutral = exp.convert(kind is exp.And)
    kept: dict[exp.Expr, None] = {}
    for operand in operands:
        for item in operand.flatten() if isinstance(operand, kind) else (operand,):
            if item == negated(neutral):
                return item.copy()
            if item != neutral:
                kept[item] = None
    return (exp.and_ if kind is exp.And else exp.or_)(*kept) if kept else neutral


_OPPOSITES: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
}


def negated(operand: exp.Expr) -> exp.Expr:
    match operand:
        case exp.Boolean():
            return exp.convert(not operand.this)
        case exp.Not():
            inner: exp.Expr = operand.this.unnest()
            return inner.copy()
        case exp.Or():
            return both(*map(negated, operand.flatten()))
        case exp.Is(this=inner, expression=exp.Not()):
            return exp.Is(this=inner.copy(), expression=exp.null())
        case exp.Is(this=inner):
            return not_null(inner)
        case exp.Binary() if type(operand) in _OPPOSITES:
            opposite = _OPPOSITES[type(operand)]
            return opposite(this=operand.this.copy(), expression=operand.expression.copy())
        case _:
            return exp.not_(operand)


def _binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return kind(this=_operand(left), expression=_operand(right))


def _operand(operand: exp.Expr) -> exp.Expr:
    alone = (exp.Column, exp.Literal, exp.Boolean, exp.Neg, exp.Func, exp.Paren)
    return operand.copy() if isinstance(operand, alone) else exp.Paren(this=operand.copy())


def _one_of(left: exp.Expr, rights: list[exp.Expr]) -> exp.Expr:
    if len(rights) < 2:
        return either(*(_binary(exp.EQ, left, right) for right in rights))
    return exp.In(this=_operand(left), expressions=rights)


def _choice(test: exp.Expr, then: exp.Expr, otherwise: exp.Expr) -> exp.Expr:
    """Which of two conditions holds, without `CASE` where one is decided."""
    if isinstance(then, exp.Boolean):
        return either(test, otherwise) if then.this else both(negated(test), otherwise)
    if isinstance(otherwise, exp.Boolean):
        return either(negated(test), then) if otherwise.this else both(test, then)
    return exp.case().when(test, then).else_(otherwise)


# Terms

_SECOND, _MICROSECOND, _PLACES = 1_000_000_000, 1_000, 10_000
_COLUMN_REACH = 2**63
_LARGEST = {"sqlite": 2**63 - 1, "duckdb": 2**127 - 1}
"""The largest integer a dialect computes with exactly; PostgreSQL has no such limit."""
_LARGEST_DECIMAL = {"duckdb": 10**38 - 1}
"""The same for decimals, in ten-thousandths."""
_DUCKDB_DECIMAL = exp.DataType.build("DECIMAL(38, 4)", dialect="duckdb")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MOMENT = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) * _SECOND
_LAST_MOMENT = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) * _SECOND
_Order = typing.Literal["=", "<", "<="]
_OPERATORS: dict[_Order, type[exp.Binary]] = {"=": exp.EQ, "<": exp.LT, "<=": exp.LTE}
_TURNED: dict[_Order, type[exp.Binary]] = {"=": exp.EQ, "<": exp.GT, "<=": exp.GTE}
_Comparison = ir.Equal | ir.Less | ir.LessOrEqual
_ORDERS: dict[type[_Comparison], _Order] = {ir.Equal: "=", ir.Less: "<", ir.LessOrEqual: "<="}
_Arithmetic = ir.Add | ir.Subtract | ir.Multiply


@dataclass(frozen=True, slots=True)
class _Sql:
    value: exp.Expr
    type: Type
    fails: exp.Expr
    reach: int = 0
    """For a number: none of its values is farther from zero, in nanoseconds or ten-thousandths."""
    wide: bool = False
    """For a number: whether its SQL type has room for arithmetic.

    A wide moment is a number of nanoseconds, and a wide decimal in DuckDB one of ten-thousandths.
    """


@dataclass(frozen=True, slots=True)
class _ToSql:
    layout: Layout
    dialect: str

    def value(self, term: ir.Term, present: frozenset[Path]) -> _Sql:
        """A term where the optional attributes in `present` are there."""
        if always_fails(term):
            return _Sql(exp.false(), BOOL, exp.true())
        match term:
            case (
                ir.Boolean()
                | ir.Integer()
                | ir.Decimal()
                | ir.String()
                | ir.Instant()
                | ir.Duration()
                | ir.IpRange()
                | ir.EnumMember()
                | ir.Entity()
            ):
                return self.literal(term)
            case ir.Variable():
                assert term.name == "resource", f"{term.name} is written out before"
                own = entity_type({self.layout.resource_type})
                return _Sql(column(self.layout.table.id), own, exp.false())
            case ir.Attribute():
                return self.read(term, present)
            case ir.Has():
                return self.has(term, present)
            case ir.Not(operand):
                found = self.value(operand, present)
                return replace(found, value=negated(found.value))
            case ir.And(operands):
                return self.chain(operands, True, present)
            case ir.Or(operands):
                return self.chain(operands, False, present)
            case ir.If():
                return self.conditional(term, present)
            case ir.Equal() | ir.Less() | ir.LessOrEqual():
                return self.comparison(_isolated(term), present)
            case ir.Add() | ir.Subtract() | ir.Multiply():
                return self.arithmetic(term, present)
            case ir.Negate(operand):
                times = ir.Multiply(operand, ir.Integer(-1), span=term.span)
                return self.arithmetic(times, present)
            case ir.InHierarchy():
                return self.hierarchy(term)
            case ir.IsType(entity, types):
                found = self.value(entity, present)
                is_one = isinstance(found.type, EntityType) and found.type.types <= types
                return _Sql(exp.convert(is_one), BOOL, found.fails)
            case ir.Like(text, pattern):
                found = self.value(text, present)
                return _Sql(self.like(found.value, pattern, term), BOOL, found.fails)
            case ir.InRange(address, range):
                inner, outer = self.value(address, present), self.value(range, present)
                if self.dialect != "postgres":
                    refuse(term, "only PostgreSQL has addresses")
                within = exp.Operator(
                    this=_operand(inner.value),
                    operator=exp.var("pg_catalog.<<="),
                    expression=_operand(outer.value),
                )
                return _Sql(within, BOOL, either(inner.fails, outer.fails))
            case ir.Member(element, ir.SetOf(elements)):
                return self.member(element, elements, term, present)
            case (
                ir.SetOf()
                | ir.RecordOf()
                | ir.Union()
                | ir.Intersect()
                | ir.Minus()
                | ir.Where()
                | ir.Distinct()
            ):
                refuse(term, "a set or a record as a whole is not expressed")
            case ir.Subset(set):
                refuse(set, "a set of the resource has no column")
            case (
                ir.Member(set=set)
                | ir.Size(set)
                | ir.Any(set=set)
                | ir.All(set=set)
                | ir.Count(set=set)
                | ir.Sum(set=set)
                | ir.Least(set=set)
                | ir.Greatest(set=set)
            ):
                refuse(set, "a set of the resource has no column")
            case _:
                assert_never(term)

    # The row

    def read(self, term: ir.Attribute, present: frozenset[Path]) -> _Sql:
        path = path_of(term)
        found = self.layout.field(path) if path is not None else None
        if path is None or found is None:
            refuse(term, "this is read of another entity, which is not in the row")
        match found.type:
            case RecordOf() | SetOf():
                refuse(term, "a set or a record as a whole is not expressed")
            case EntityType(types) if len(types) > 1:
                refuse(term, f"an id alone does not say which type of `{found.type}` it is of")
            case _ if found.type == DECIMAL and self.dialect == "sqlite":
                refuse(term, "SQLite has no exact decimals")
            case _ if found.type == IP_RANGE and self.dialect != "postgres":
                refuse(term, "only PostgreSQL has addresses")
        read = self.layout.column(path)
        if read is None:
            refuse(term, f"`{'.'.join(path)}` has no column of its own")
        return _Sql(read, found.type, self.absent(path, term, present), _COLUMN_REACH)

    def has(self, term: ir.Has, present: frozenset[Path]) -> _Sql:
        path = path_of(term)
        found = self.layout.field(path) if path is not None else None
        if path is None or found is None:
            refuse(term, "this is read of another entity, which is not in the row")
        sure = not found.optional or path in present
        there = exp.true() if sure else self.is_there(path, term)
        return _Sql(there, BOOL, self.absent(path[:-1], term, present))

    def absent(self, path: Path, term: ir.Term, present: frozenset[Path]) -> exp.Expr:
        """Whether an attribute, or something on the way to it, is not there."""
        unsure = [step for step in self.layout.steps(path) if step not in present]
        return either(*(negated(self.is_there(step, term)) for step in unsure))

    def is_there(self, path: Path, term: ir.Term) -> exp.Expr:
        found = self.layout.is_there(path)
        if found is None:
            refuse(term, f"no column says whether `{'.'.join(path)}` is there")
        return found

    def hierarchy(self, term: ir.InHierarchy) -> _Sql:
        if term.entity != ir.Variable("resource"):
            refuse(term, "what another entity is in does not stand in the row")
        if not isinstance(term.ancestor, ir.Entity):
            refuse(term, "this compares what two columns are in")
        layout, above = self.layout, term.ancestor.value
        found: list[exp.Expr] = []
        if above.type == layout.resource_type:
            found.append(_equal(layout.table.id, self.text(above.id, term)))
        if above.type in layout.ancestor_types:
            if layout.table.ancestors is None:
                refuse(term, "this needs a table of ancestors, and none is named")
            rows = exp.select(column("id")).from_(
                exp.Table(this=exp.to_identifier(layout.table.ancestors, quoted=True))
            )
            rows = rows.where(
                _equal("type", self.text(layout.resource_type, term)),
                _equal("ancestor_type", self.text(above.type, term)),
                _equal("ancestor_id", self.text(above.id, term)),
                # One NULL among the ids would make `IN` NULL on every row that is not found.
                not_null(column("id")),
            )
            found.append(exp.In(this=column(layout.table.id), query=rows.subquery()))
        return _Sql(either(*found), BOOL, exp.false())

    # Logic

    def chain(
        self, operands: tuple[ir.Term, ...], conjunction: bool, present: frozenset[Path]
    ) -> _Sql:
        """`and`, `or`: an operand is read, and can fail, only where those before it did not decide."""
        value: exp.Expr = exp.convert(conjunction)
        fails: exp.Expr = exp.false()
        for operand in operands:
            found = self.value(operand, present)
            reached = value if conjunction else negated(value)
            fails = either(fails, both(reached, found.fails))
            value = both(value, found.value) if conjunction else either(value, found.value)
            present |= found_present(operand, conjunction)
        return _Sql(value, BOOL, fails)

    def conditional(self, term: ir.If, present: frozenset[Path]) -> _Sql:
        test = self.value(term.condition, present)
        then = self.value(term.then, present | found_present(term.condition, True))
        otherwise = self.value(term.otherwise, present | found_present(term.condition, False))
        fails = either(
            test.fails,
            both(test.value, then.fails),
            both(negated(test.value), otherwise.fails),
        )
        if always_fails(term.then) or always_fails(term.otherwise):
            return replace(otherwise if always_fails(term.then) else then, fails=fails)
        if then.type == BOOL:
            return _Sql(_choice(test.value, then.value, otherwise.value), BOOL, fails)
        if then.type != otherwise.type:
            refuse(term, "an id alone does not say of which type it is")
        if then.wide or otherwise.wide:
            then, otherwise = self.widened(then, term.then), self.widened(otherwise, term.otherwise)
        value: exp.Expr = exp.case().when(test.value, then.value).else_(otherwise.value)
        if test.value == not_null(then.value):
            value = exp.Coalesce(this=then.value, expressions=[otherwise.value])
        reach = max(then.reach, otherwise.reach)
        return _Sql(value, then.type, fails, reach, then.wide)

    def member(
        self,
        element: ir.Term,
        elements: tuple[ir.Term, ...],
        term: ir.Term,
        present: frozenset[Path],
    ) -> _Sql:
        """Whether a value equals one of several, all of which are read."""
        fails = [] if _is_literal(element) else [self.value(element, present).fails]
        others: list[exp.Expr] = []
        equals: dict[exp.Expr, list[exp.Expr]] = {}
        for item in elements:
            equal = self.comparison(ir.Equal(item, element, span=term.span), present)
            fails.append(equal.fails)
            if isinstance(equal.value, exp.EQ):
                equals.setdefault(equal.value.this, []).append(equal.value.expression)
            else:
                others.append(equal.value)
        listed = [_one_of(left, rights) for left, rights in equals.items()]
        return _Sql(either(*listed, *others), BOOL, either(*fails))

    # Comparison

    def comparison(self, term: _Comparison, present: frozenset[Path]) -> _Sql:
        order = _ORDERS[type(term)]
        if _is_literal(term.left) and _is_literal(term.right):
            return _Sql(exp.convert(evaluate(term, None, NO_ENTITIES) is True), BOOL, exp.false())
        if _is_literal(term.left) or _is_literal(term.right):
            known_first = _is_literal(term.left)
            known, other = (term.left, term.right) if known_first else (term.right, term.left)
            found = self.value(other, present)
            return _Sql(self.beside(found, order, known, known_first), BOOL, found.fails)
        left, right = self.value(term.left, present), self.value(term.right, present)
        fails = either(left.fails, right.fails)
        if isinstance(left.type, EntityType) and left.type != right.type:
            return _Sql(exp.false(), BOOL, fails)
        if left.wide or right.wide:
            left, right = self.widened(left, term.left), self.widened(right, term.right)
        first, second = left.value, right.value
        if isinstance(left.type, EnumType) and order != "=":
            first, second = _rank(first, left.type), _rank(second, left.type)
        return _Sql(_binary(_OPERATORS[order], first, second), BOOL, fails)

    def beside(self, found: _Sql, order: _Order, known: ir.Term, known_first: bool) -> exp.Expr:
        """A value of the row compared with a known one; what no column can hold is decided here."""
        value = _value_of(known)
        match value:
            case bool():
                return found.value if value else negated(found.value)
            case EnumValue() if order != "=":
                assert isinstance(found.type, EnumType)
                members: list[exp.Expr] = [
                    exp.Literal.string(name)
                    for rank, name in enumerate(found.type.members)
                    if (rank > value.rank if known_first else rank < value.rank)
                    or (rank == value.rank and order == "<=")
                ]
                return _one_of(found.value, members)
            case EntityId() if found.type != entity_type({value.type}):
                return exp.false()
            case _ if not self.has_room(found.type, _units(value), wide=found.wide):
                return exp.convert(order != "=" and (_units(value) < 0) is known_first)
            case Instant() if value.nanoseconds % _MICROSECOND and not self.is_counted(found):
                # A column holds whole microseconds, so a known moment between two is rounded down.
                if order == "=":
                    return exp.false()
                value = Instant(value.nanoseconds - value.nanoseconds % _MICROSECOND)
                known, order = literal(value, known.span), "<" if known_first else "<="
        operator = _TURNED[order] if known_first else _OPERATORS[order]
        return _binary(operator, found.value, self.literal(known, wide=found.wide).value)

    def has_room(self, type: Type, units: int, *, wide: bool) -> bool:
        """Whether a number can be written; a column of this dialect cannot hold one that cannot."""
        if type == INSTANT and not wide and self.dialect != "sqlite":
            return _FIRST_MOMENT <= units <= _LAST_MOMENT
        largest = self.largest(type)
        return -largest - 1 <= units <= largest

    # Numbers

    def arithmetic(self, term: _Arithmetic, present: frozenset[Path]) -> _Sql:
        """Stays in 64 bits where every result certainly fits, else moves to a wider type, else is refused."""
        left, right = self.value(term.left, present), self.value(term.right, present)
        type = composed_type(self.layout.schema, term, (left.type, right.type))
        counted = {left.type, right.type} <= {INT, DURATION}
        wide = left.wide or right.wide or not counted or _reach(term, left, right) >= _COLUMN_REACH
        if wide:
            left, right = self.widened(left, term.left), self.widened(right, term.right)
        reach = _reach(term, left, right)
        if reach > self.largest(type):
            refuse(term, f"some results have no room in the numbers of {self.dialect}")
        operator: builtins.type[exp.Binary] = exp.Mul
        if not isinstance(term, ir.Multiply):
            operator = exp.Add if isinstance(term, ir.Add) else exp.Sub
        value = _binary(operator, left.value, right.value)
        return _Sql(value, type, either(left.fails, right.fails), reach, wide)

    def widened(self, found: _Sql, term: ir.Term) -> _Sql:
        """A number in a type that arithmetic does not overflow."""
        if _is_literal(term):
            return self.literal(term, wide=True)
        if found.wide:
            return found
        value, reach = found.value, found.reach
        match self.dialect, found.type:
            case "sqlite", _:
                refuse(term, "this could exceed the 64 bits of a number in SQLite")
            case "postgres", _ if found.type == INSTANT:
                seconds = exp.Extract(this=exp.var("EPOCH"), expression=value)
                value = exp.Mul(this=seconds, expression=exp.Literal.number(_SECOND))
            case "duckdb", _ if found.type == INSTANT:
                counted = exp.cast(exp.Anonymous(this="EPOCH_US", expressions=[value]), "INT128")
                value = exp.Mul(this=counted, expression=exp.Literal.number(_MICROSECOND))
                reach *= _MICROSECOND
            case "duckdb", _ if found.type == DECIMAL:
                places = exp.Mul(this=value, expression=exp.Literal.number(_PLACES))
                value = exp.cast(places, "INT128")
            case "duckdb", _:
                value = exp.cast(value, "INT128")
            case _:
                value = exp.cast(value, "DECIMAL")
        return replace(found, value=value, reach=reach, wide=True)

    def largest(self, type: Type) -> float:
        return (_LARGEST_DECIMAL if type == DECIMAL else _LARGEST).get(self.dialect, inf)

    def is_counted(self, found: _Sql) -> bool:
        """Whether a moment is a number of nanoseconds."""
        return found.wide or self.dialect == "sqlite"

    # Literals and texts

    def literal(self, term: ir.Term, *, wide: bool = False) -> _Sql:
        value = _value_of(term)
        type, units = composed_type(self.layout.schema, term, ()), _units(value)
        if not self.has_room(type, units, wide=wide):
            refuse(term, f"the numbers of {self.dialect} have no room for this")
        written: exp.Expr
        match value:
            case bool():
                written = exp.convert(value)
            case str():
                written = self.text(value, term)
            case EnumValue():
                written = self.text(value.name, term)
            case EntityId():
                written = self.text(value.id, term)
            case IPv4Network() | IPv6Network():
                address = exp.Literal.string(str(value))
                written = exp.cast(address, exp.DataType.build("CIDR", udt=True))
            case Decimal():
                written = exp.Literal.number(str(value))
                if self.dialect == "duckdb":
                    text = exp.Literal.string(str(value))
                    written = exp.Literal.number(units) if wide else exp.cast(text, _DUCKDB_DECIMAL)
            case Instant() if not wide and units % _MICROSECOND == 0 and self.dialect != "sqlite":
                moment = _EPOCH + timedelta(microseconds=units // _MICROSECOND)
                written = exp.cast(exp.Literal.string(moment.isoformat(" ")), "TIMESTAMPTZ")
            case Instant():
                written, wide = exp.Literal.number(units), self.dialect != "sqlite"
            case int() | Duration():
                written = exp.Literal.number(units)
            case frozenset() | Record():
                raise AssertionError("sets and records are no literals")
            case _:
                assert_never(value)
        return _Sql(written, type, exp.false(), abs(units), wide)

    def text(self, text: str, term: ir.Term) -> exp.Expr:
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            refuse(term, "a text with such a character cannot be written in SQL")
        return exp.Literal.string(text)

    def like(self, text: exp.Expr, pattern: tuple[str, ...], term: ir.Term) -> exp.Expr:
        """Whether a text is the pieces with any text between them, with the case of every letter."""
        if len(pattern) == 1:
            return _binary(exp.EQ, text, self.text(pattern[0], term))
        if self.dialect == "sqlite":
            # `LIKE` tells no case apart in SQLite, and `GLOB` does.
            escaped = "*".join(re.sub(r"[*?\[]", r"[\g<0>]", piece) for piece in pattern)
            return _binary(exp.Glob, text, self.text(escaped, term))
        escaped = "%".join(re.sub(r"[%_\\]", r"\\\g<0>", piece) for piece in pattern)
        like = _binary(exp.Like, text, self.text(escaped, term))
        if "\\" not in escaped:
            return like
        return exp.Escape(this=like, expression=exp.Literal.string("\\"))


def _equal(name: str, text: exp.Expr) -> exp.Expr:
    return exp.EQ(this=column(name), expression=text)


def _rank(text: exp.Expr, type: EnumType) -> exp.Expr:
    ranks = [
        exp.If(this=exp.Literal.string(name), true=exp.Literal.number(rank))
        for rank, name in enumerate(type.members)
    ]
    return exp.Case(this=text, ifs=ranks)


def _isolated(term: _Comparison) -> _Comparison:
    """A comparison with a known side, with what is known on the other side moved there, so that nothing overflows."""
    while True:
        known_first = _is_literal(term.left)
        known, other = (term.left, term.right) if known_first else (term.right, term.left)
        moved: ir.Term
        match other:
            case _ if not _is_literal(known) or _is_literal(other):
                return term
            case ir.Add(rest, part) if _is_literal(part):
                moved, turned = ir.Subtract(known, part), False
            case ir.Add(part, rest) if _is_literal(part):
                moved, turned = ir.Subtract(known, part), False
            case ir.Subtract(rest, part) if _is_literal(part):
                moved, turned = ir.Add(known, part), False
            case ir.Subtract(part, rest) if _is_literal(part):
                moved, turned = ir.Subtract(part, known), True
            case ir.Negate(rest):
                moved, turned = ir.Negate(known), True
            case _:
                return term
        value = evaluate(moved, None, NO_ENTITIES)
        assert not isinstance(value, Failed), value
        sides = [rest, literal(value, known.span)]
        left, right = sides[::-1] if known_first != turned else sides
        term = replace(term, left=left, right=right)


def _reach(term: _Arithmetic, left: _Sql, right: _Sql) -> int:
    """How far from zero a result can be."""
    if isinstance(term, ir.Multiply):
        return left.reach * right.reach
    return left.reach + right.reach


def _is_literal(term: ir.Term) -> bool:
    return isinstance(term, ir.Literal)


def _value_of(term: ir.Term) -> Value:
    """The value of a literal."""
    assert isinstance(term, ir.Literal), term
    return term.value


def _units(value: Value) -> int:
    """A number as it is counted: whole, in ten-thousandths or in nanoseconds; 0 for what is no number."""
    match value:
        case bool():
            return 0
        case int():
            return value
        case Decimal(units) | Duration(units) | Instant(units):
            return units
        case _:
            return 0
