"""Looking rules up: which few of many rules can apply, by equalities, memberships, prefixes and ancestors."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ....lang.typesystem import EntityType
from ... import ir
from ...rewrite import parts
from .literals import python_literal
from .terms import Terms, raw

Entry = tuple[object, ...]
"""What the tables hold of a rule: the number of its function, the constants of this rule, and what names it."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a request is looked up by: the value of a term, a prefix of it of some length, or its ancestors."""

    kind: str
    term: ir.Term
    length: int = 0

    def lines(self, table: str, terms: Terms, call: str) -> list[str]:
        """Lines that call with the `rules` of a request; a rule may come up under several ancestors."""
        if self.kind == "ancestor":
            assert isinstance(self.term, ir.Variable)
            code = terms.code(self.term).text
            return [
                f"    for above in ({code}, *{terms.piece(self.term, 'h')}):",
                f"        rules = {table}.get(above)",
                f"        if rules is not None: {call}",
            ]
        value = _read_if_there(terms, self.term)
        if self.kind == "prefix":
            return [
                f"    value = {value}",
                f"    rules = {table}.get(value[:{self.length}]) if value is not None else None",
                f"    if rules is not None: {call}",
            ]
        return [
            f"    rules = {table}.get({value})",
            f"    if rules is not None: {call}",
        ]


@dataclass(frozen=True, slots=True)
class Option:
    """A way to look a rule up: it can apply only if the field has one of the keys."""

    field: Field
    keys: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """The rules to read for every request, and those to look up, by field and key."""

    always: list[int]
    tables: dict[Field, dict[object, list[int]]]


def index_of(rules: Mapping[int, ir.Rule]) -> Index:
    """Each rule where it is looked up least often for nothing."""
    options = {number: list(_options(rule)) for number, rule in rules.items()}
    sizes = Counter(
        (option.field, key) for found in options.values() for option in found for key in option.keys
    )
    index = Index([], defaultdict(lambda: defaultdict(list)))
    for number, found in options.items():
        if not found:
            index.always.append(number)
            continue
        best = min(found, key=lambda one: sum(sizes[one.field, key] for key in one.keys))
        for key in best.keys:
            index.tables[best.field][key].append(number)
    return index


def index_source(
    name: str, index: Index, entry: Callable[[int], Entry], terms: Terms, call: str
) -> tuple[list[str], list[str]]:
    """Source of the tables, and lines that call with the `rules` that can apply."""
    tables: list[str] = []
    lines: list[str] = []
    if index.always:
        rows = python_literal(tuple(map(entry, index.always)))
        tables.append(f"{name}_always = with_shapes(SHAPES, {rows})")
        lines += [f"    rules = {name}_always", f"    {call}"]
    for place, (field, rules) in enumerate(index.tables.items()):
        rows = python_literal({key: tuple(map(entry, found)) for key, found in rules.items()})
        tables.append(f"{name}_{place} = by_key(SHAPES, {rows})")
        lines += field.lines(f"{name}_{place}", terms, call)
    return tables, lines


def may_fail(term: ir.Term) -> bool:
    """Whether reading a term may need an entity other than principal and resource."""
    match term:
        case ir.Attribute(base, _) | ir.Has(base, _):
            return not isinstance(base, ir.Variable) or base.name not in ir.REQUEST_VARIABLES
        case ir.InHierarchy(entity, _):
            known = isinstance(entity, ir.Variable) and entity.name in ("principal", "resource")
            return not known or any(map(may_fail, parts(term)))
        case ir.Least() | ir.Greatest():
            return True
        case _:
            return any(map(may_fail, parts(term)))


def _options(rule: ir.Rule) -> Iterator[Option]:
    """The ways in which a rule can be looked up: conditions that must hold and cannot fail to be read."""
    for variable, scope in (
        ("principal", rule.scope.principal),
        ("resource", rule.scope.resource),
    ):
        for kind, entities in (("equal", scope.entities), ("ancestor", scope.ancestors)):
            if entities:
                yield Option(Field(kind, ir.Variable(variable)), tuple(map(raw, entities)))
    condition = rule.condition
    for conjunct in condition.operands if isinstance(condition, ir.And) else (condition,):
        # A rule must not be passed over where reading what stands before would have failed.
        if may_fail(conjunct):
            return
        option = _option(conjunct)
        if option is not None:
            yield option


def _option(term: ir.Term) -> Option | None:
    match term:
        case ir.Equal(left, right):
            path, literal = (right, left) if isinstance(left, ir.Literal) else (left, right)
            if not isinstance(literal, ir.Literal) or not _is_path(path):
                return None
            return Option(Field("equal", path), (raw(literal.value),))
        case ir.Member(path, ir.SetOf(elements)) if _is_path(path) and all(
            isinstance(element, ir.Literal) for element in elements
        ):
            found = {raw(element.value) for element in elements}  # type: ignore[union-attr]
            return Option(Field("equal", path), tuple(sorted(found, key=str)))
        case ir.Like(path, (whole,)) if _is_path(path):
            return Option(Field("equal", path), (whole,))
        case ir.Like(path, (start, *_)) if start and _is_path(path):
            return Option(Field("prefix", path, len(start)), (start,))
        case ir.InHierarchy(ir.Variable(name), ir.Entity(value)) if name in (
            "principal",
            "resource",
        ):
            return Option(Field("ancestor", ir.Variable(name)), (raw(value),))
        case _:
            return None


def _is_path(term: ir.Term) -> bool:
    """A request variable, or an attribute that can be read without another entity."""
    match term:
        case ir.Variable(name):
            return name in ("principal", "resource", "action")
        case ir.Attribute(ir.Variable(name), _):
            return name in ("principal", "resource", "context")
        case _:
            return False


def _read_if_there(terms: Terms, path: ir.Term) -> str:
    """Code of the value at a path; `None` where an optional attribute is absent."""
    if not isinstance(path, ir.Attribute):
        return terms.code(path).text
    base = terms.code(path.base)
    row = base.text
    if isinstance(base.type, EntityType) and isinstance(path.base, ir.Variable):
        row = terms.piece(path.base, "a")
    return f"{row}.get({python_literal(path.name)})"
