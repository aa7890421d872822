"""Terms to Python expressions over raw values, with the type of each, and whether reading it can fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeGuard, assert_never

from ....lang.source import Span
from ....lang.typesystem import EntityType, EnumType, Type, are_comparable
from ....lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Value
from ... import ir
from ...shapes import shape_of
from ...typer import Typer, common_type, composed_type, element_type
from .literals import python_literal


@dataclass(frozen=True, slots=True)
class Code:
    """Python text that gives a raw value."""

    text: str
    type: Type
    fails: bool = False
    """Whether it may raise `Missing`."""


@dataclass(slots=True)
class Terms:
    """Turns the terms of rules into code. `constant` gives the name under which a value stands in the module.

    Raises `Disagreement` where the code would differ between the kinds of request it is asked for at once.
    """

    typer: Typer
    """Knows the types of what is bound, and what conditions before the place have told."""
    constant: Callable[[object], str]
    sites: Callable[[Span], int]
    shared: dict[ir.Term, str] = field(default_factory=dict)
    """Terms that are computed at most once, by the name of the local that keeps them."""
    names: dict[str, str] = field(default_factory=dict)
    nodes: dict[ir.Term, str] = field(default_factory=dict)
    """Entities that are looked up at most once, by the name of the local that keeps what is found."""
    pieces: set[str] = field(default_factory=set)
    """Which pieces of principal and resource the code reads: `p`, `pa`, `ph`, `r`, `ra`, `rh`."""
    binders: int = 0
    depth: int = 0
    """How many comprehensions the term stands in."""

    def code(self, term: ir.Term) -> Code:
        local = self.shared.get(term) if self.depth == 0 else None
        found = self._code(term)
        if local is None:
            return found
        text = f"({local} if {local} is not UNSET else ({local} := {found.text}))"
        return Code(text, found.type, found.fails)

    def code_behind(self, condition: ir.Term, truth: bool, term: ir.Term) -> Code:
        """The code of a term that is read only where a condition was found true (or false)."""
        before = self.typer
        self.typer = before.assuming(condition, truth)
        found = self.code(term)
        self.typer = before
        return found

    def _composed(self, term: ir.Term, text: str, *parts: Code, fails: bool = False) -> Code:
        """The code of a term, given that of its direct parts in order."""
        type = composed_type(self.typer.schema, term, [part.type for part in parts])
        return Code(text, self.typer.refined(term, type), fails or _fail(*parts))

    def _code(self, term: ir.Term) -> Code:
        match term:
            case ir.Boolean(value) | ir.Integer(value):
                return self._composed(term, python_literal(value))
            case (
                ir.Decimal(value)
                | ir.String(value)
                | ir.Instant(value)
                | ir.Duration(value)
                | ir.IpRange(value)
                | ir.EnumMember(value)
                | ir.Entity(value)
            ):
                return self._composed(term, self.constant(raw(value)))
            case ir.Variable(name):
                text = self.piece(term) if is_asked_about(term) else _REQUEST.get(name)
                return Code(text or self.names[name], self.typer.type_of(term))
            case ir.Attribute(base, name):
                row = self._row(base, term.span)
                return self._composed(term, f"{row.text}[{python_literal(name)}]", row)
            case ir.Has(base, name):
                row = self._row(base, term.span)
                return self._composed(term, f"({python_literal(name)} in {row.text})", row)
            case ir.Not(operand):
                inner = self.code(operand)
                return self._composed(term, f"(not {inner.text})", inner)
            case ir.And(operands):
                return self._chain(term, " and ", operands, True)
            case ir.Or(operands):
                return self._chain(term, " or ", operands, False)
            case ir.If(condition, then, otherwise):
                test = self.code(condition)
                yes = self.code_behind(condition, True, then)
                no = self.code_behind(condition, False, otherwise)
                text = f"({yes.text} if {test.text} else {no.text})"
                return self._composed(term, text, test, yes, no)
            case ir.Equal(left, right):
                return self._infix(term, "==", left, right)
            case ir.Less(left, right):
                return self._order(term, "<", left, right)
            case ir.LessOrEqual(left, right):
                return self._order(term, "<=", left, right)
            case ir.Add(left, right):
                return self._infix(term, "+", left, right)
            case ir.Subtract(left, right):
                return self._infix(term, "-", left, right)
            case ir.Multiply(left, right):
                return self._infix(term, "*", left, right)
            case ir.Negate(operand):
                inner = self.code(operand)
                return self._composed(term, f"(-{inner.text})", inner)
            case ir.InHierarchy(entity, ancestor):
                return self._in_hierarchy(term, entity, ancestor)
            case ir.IsType(entity, types):
                inner = self.code(entity)
                wanted = self.constant(frozenset(types))
                return self._composed(term, f"({inner.text}[0] in {wanted})", inner)
            case ir.Like(text, pattern):
                inner = self.code(text)
                return self._composed(term, self._like(inner.text, pattern), inner)
            case ir.InRange(address, range):
                a, b = self.code(address), self.code(range)
                return self._composed(term, f"within({a.text}, {b.text})", a, b)
            case ir.Member(element, set):
                return self._infix(term, "in", element, set)
            case ir.SetOf(elements):
                return self._set(term, elements)
            case ir.RecordOf(fields):
                codes = {name: self.code(item) for name, item in fields}
                pairs = (f"{python_literal(name)}: {code.text}" for name, code in codes.items())
                return self._composed(term, f"Row({{{', '.join(pairs)}}})", *codes.values())
            case ir.Union(left, right):
                return self._infix(term, "|", left, right)
            case ir.Intersect(left, right):
                return self._infix(term, "&", left, right)
            case ir.Minus(left, right):
                return self._infix(term, "-", left, right)
            case ir.Subset(left, right):
                return self._infix(term, "<=", left, right)
            case ir.Size(set):
                inner = self.code(set)
                return self._composed(term, f"len({inner.text})", inner)
            case (
                ir.Any()
                | ir.All()
                | ir.Count()
                | ir.Sum()
                | ir.Least()
                | ir.Greatest()
                | ir.Where()
                | ir.Distinct()
            ):
                return self._quantifier(term)
            case _:
                assert_never(term)

    # Reading

    def _row(self, base: ir.Term, span: Span) -> Code:
        """What holds the attributes of a value, typed as the value."""
        inner = self.code(base)
        if not isinstance(inner.type, EntityType):
            return inner
        if is_asked_about(base):
            return Code(self.piece(base, "a"), inner.type)
        return Code(f"{self._node(base, inner, span)}[0]", inner.type, True)

    def piece(self, variable: ir.Variable, letter: str = "") -> str:
        """The name of principal or resource, or its attributes (`a`) or ancestors (`h`)."""
        name = _REQUEST[variable.name] + letter
        self.pieces.add(name)
        return name

    def _node(self, entity: ir.Term, code: Code, span: Span) -> str:
        """What the store holds of an entity; raises `Missing`."""
        text = f"node(nodes, {code.text}, {self.sites(span)})"
        local = self.nodes.get(entity) if self.depth == 0 else None
        return f"({local} or ({local} := {text}))" if local is not None else text

    def _in_hierarchy(self, term: ir.Term, entity: ir.Term, ancestor: ir.Term) -> Code:
        below, above = self.code(entity), self.code(ancestor)
        parts = []
        if are_comparable(below.type, above.type):
            parts.append(f"{below.text} == {above.text}")
        if is_asked_about(entity):
            parts.append(f"{above.text} in {self.piece(entity, 'h')}")
        else:
            parts.append(f"{above.text} in {self._node(entity, below, term.span)}[1]")
        fails = not is_asked_about(entity)
        return self._composed(term, f"({' or '.join(parts)})", below, above, fails=fails)

    # Operators

    def _chain(self, term: ir.Term, word: str, operands: tuple[ir.Term, ...], truth: bool) -> Code:
        before = self.typer
        codes = []
        for operand in operands:
            codes.append(self.code(operand))
            self.typer = self.typer.assuming(operand, truth)
        self.typer = before
        return self._composed(term, f"({word.join(code.text for code in codes)})", *codes)

    def _infix(self, term: ir.Term, operator: str, left: ir.Term, right: ir.Term) -> Code:
        a, b = self.code(left), self.code(right)
        return self._composed(term, f"({a.text} {operator} {b.text})", a, b)

    def _order(self, term: ir.Term, operator: str, left: ir.Term, right: ir.Term) -> Code:
        a, b = self.code(left), self.code(right)
        type = common_type((a.type, b.type))
        first, second = a.text, b.text
        if isinstance(type, EnumType):
            first, second = self._rank(left, a, type), self._rank(right, b, type)
        return self._composed(term, f"({first} {operator} {second})", a, b)

    def _rank(self, term: ir.Term, code: Code, type: EnumType) -> str:
        if isinstance(term, ir.EnumMember):
            return str(term.value.rank)
        return f"{self._ranks(type)}[{code.text}]"

    def _ranks(self, type: EnumType) -> str:
        return self.constant({member: rank for rank, member in enumerate(type.members)})

    def _like(self, text: str, pattern: tuple[str, ...]) -> str:
        match pattern:
            case (whole,):
                return f"({text} == {self.constant(whole)})"
            case (start, ""):
                return f"{text}.startswith({self.constant(start)})"
            case ("", end):
                return f"{text}.endswith({self.constant(end)})"
            case ("", middle, ""):
                return f"({self.constant(middle)} in {text})"
            case _:
                return f"matches({text}, {self.constant(pattern)})"

    def _set(self, term: ir.Term, elements: tuple[ir.Term, ...]) -> Code:
        if all(isinstance(element, ir.Literal) for element in elements):
            values = frozenset(raw(element.value) for element in elements)  # type: ignore[union-attr]
            return Code(self.constant(values), self.typer.type_of(term))
        codes = [self.code(element) for element in elements]
        inside = ", ".join(code.text for code in codes)
        return self._composed(term, f"frozenset(({inside},))", *codes)

    def _in_any(self, term: ir.Any) -> Code | None:
        """Whether principal or resource is in an entity of a set, without a walk over the set; `None` for all else."""
        match term:
            case ir.Any(name, set, ir.InHierarchy(entity, ir.Variable(bound))) if (
                bound == name and is_asked_about(entity) and _is_short(set)
            ):
                below, outer = self.code(entity), self.code(set)
                element = element_type(outer.type)
                above = self.piece(entity, "h")
                text = f"not {above}.isdisjoint({outer.text})"
                if are_comparable(below.type, element):
                    text = f"{below.text} in {outer.text} or {text}"
                return self._composed(term, f"({text})", outer, below)
            case _:
                return None

    def _quantifier(self, term: ir.Quantifier) -> Code:
        found = self._in_any(term) if isinstance(term, ir.Any) else None
        if found is not None:
            return found
        # What a comprehension runs over cannot assign a shared local either.
        self.depth += 1
        outer = self.code(term.set)
        element = element_type(outer.type)
        self.binders += 1
        name = f"v{self.binders}"
        saved = self.names, self.typer
        self.names = {**self.names, term.name: name}
        self.typer = self.typer.binding(term.name, element)
        body = self.code(term.body)
        self.names, self.typer = saved
        self.depth -= 1
        zero = [Code("", self.typer.type_of(term.zero))] if isinstance(term, ir.Sum) else []
        text = self._over(term, name, outer, body)
        return self._composed(term, text, outer, body, *zero)

    def _over(self, term: ir.Quantifier, name: str, outer: Code, body: Code) -> str:
        """The text of a quantifier whose set and body are done."""
        values = f"[{body.text} for {name} in {outer.text}]"
        kept = f"[{name} for {name} in {outer.text} if {body.text}]"
        if body.fails:
            shape = self.constant(shape_of(element_type(outer.type)))
            arguments = f"(lambda {name}: {body.text}, {outer.text}, {shape})"
            values, kept = f"each{arguments}", f"those{arguments}"
        match term:
            case ir.Any():
                return f"(True in {values})" if body.fails else f"any({values[1:-1]})"
            case ir.All():
                return f"(False not in {values})" if body.fails else f"all({values[1:-1]})"
            case ir.Count():
                return f"len({kept})"
            case ir.Sum():
                return f"sum({values})"
            case ir.Least() | ir.Greatest():
                function = "min" if isinstance(term, ir.Least) else "max"
                key = ""
                if isinstance(body.type, EnumType):
                    key = f", key={self._ranks(body.type)}.__getitem__"
                return f"{function}({values}{key})"
            case ir.Where():
                return f"frozenset({kept})"
            case ir.Distinct():
                return f"frozenset({values})"
            case _:
                assert_never(term)


_REQUEST = {"principal": "p", "resource": "r", "action": "a", "context": "c"}


def is_asked_about(term: ir.Term) -> TypeGuard[ir.Variable]:
    """Whether a term is principal or resource, whose entities the caller has looked up."""
    return isinstance(term, ir.Variable) and term.name in ("principal", "resource")


def _is_short(term: ir.Term) -> bool:
    """Whether code of a term may stand twice."""
    match term:
        case ir.SetOf(elements):
            return all(isinstance(element, ir.Literal) for element in elements)
        case ir.Attribute(ir.Variable(name)):
            return name in ir.REQUEST_VARIABLES
        case _:
            return False


def _fail(*codes: Code) -> bool:
    return any(code.fails for code in codes)


def raw(value: Value) -> object:
    """A value as generated code keeps it."""
    match value:
        case Decimal(number) | Instant(number) | Duration(number):
            return number
        case EnumValue(name=name):
            return name
        case EntityId(type, id):
            return (type, id)
        case frozenset():
            return frozenset(map(raw, value))
        case dict():
            raise AssertionError("a record is no constant")
        case _:
            return value
