"""The intermediate representation: few, typed terms that every back end reads with one `match`.

Nothing here is sugar and no name is left to resolve: definitions are written out, enums and actions are values,
optional values are read behind `Has`. A term is partial only where it reads an entity, which may be missing.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from ..lang import values
from ..lang.schema import Schema
from ..lang.source import NOWHERE, Span
from ..lang.syntax import Effect


@dataclass(frozen=True, slots=True)
class Node:
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# Literals


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class Integer(Node):
    value: int


@dataclass(frozen=True, slots=True)
class Decimal(Node):
    value: values.Decimal


@dataclass(frozen=True, slots=True)
class String(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Instant(Node):
    value: values.Instant


@dataclass(frozen=True, slots=True)
class Duration(Node):
    value: values.Duration


@dataclass(frozen=True, slots=True)
class IpRange(Node):
    value: values.IpRange


@dataclass(frozen=True, slots=True)
class EnumMember(Node):
    value: values.EnumValue


@dataclass(frozen=True, slots=True)
class Entity(Node):
    """An entity by its name; `action` compares with entities of type `Action`."""

    value: values.EntityId


Literal = Boolean | Integer | Decimal | String | Instant | Duration | IpRange | EnumMember | Entity


# Reading the request


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """`principal`, `action`, `resource`, `context`, or a name bound by a quantifier."""

    name: str


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """Fails when the entity is missing, or the value is."""

    base: "Term"
    name: str


@dataclass(frozen=True, slots=True)
class Has(Node):
    """Whether an optional value is there; fails when the entity is missing."""

    base: "Term"
    name: str


# Logic: left to right, and the right operand is read only when the left does not decide


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: "Term"


@dataclass(frozen=True, slots=True)
class And(Node):
    operands: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    operands: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: "Term"
    then: "Term"
    otherwise: "Term"


# Comparison and arithmetic


@dataclass(frozen=True, slots=True)
class Equal(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Less(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class LessOrEqual(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Add(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Subtract(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Multiply(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Negate(Node):
    operand: "Term"


# Entities, texts, addresses


@dataclass(frozen=True, slots=True)
class InHierarchy(Node):
    """Whether the entity is the ancestor or below it; fails when the entity is missing, unless they are equal."""

    entity: "Term"
    ancestor: "Term"


@dataclass(frozen=True, slots=True)
class IsType(Node):
    entity: "Term"
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Like(Node):
    """Whether the text is the pieces in order, with any text between them; one piece is equality."""

    text: "Term"
    pattern: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InRange(Node):
    """Whether every address of one range is in the other."""

    address: "Term"
    range: "Term"


# Sets and records


@dataclass(frozen=True, slots=True)
class Member(Node):
    element: "Term"
    set: "Term"


@dataclass(frozen=True, slots=True)
class SetOf(Node):
    elements: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class RecordOf(Node):
    fields: tuple[tuple[str, "Term"], ...]


@dataclass(frozen=True, slots=True)
class Union(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Intersect(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Minus(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Subset(Node):
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Size(Node):
    set: "Term"


# Quantifiers: the body is read for every element, in no order, and fails if it fails for one


@dataclass(frozen=True, slots=True)
class Any(Node):
    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class All(Node):
    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class Count(Node):
    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """`zero` is the sum over the empty set and says which kind of number it is."""

    name: str
    set: "Term"
    body: "Term"
    zero: Literal


@dataclass(frozen=True, slots=True)
class Least(Node):
    """Fails for the empty set."""

    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class Greatest(Node):
    """Fails for the empty set."""

    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class Where(Node):
    """The elements for which the body holds."""

    name: str
    set: "Term"
    body: "Term"


@dataclass(frozen=True, slots=True)
class Distinct(Node):
    """The set of the values of the body."""

    name: str
    set: "Term"
    body: "Term"


Quantifier = Any | All | Count | Sum | Least | Greatest | Where | Distinct
Term = (
    Literal
    | Variable
    | Attribute
    | Has
    | Not
    | And
    | Or
    | If
    | Equal
    | Less
    | LessOrEqual
    | Add
    | Subtract
    | Multiply
    | Negate
    | InHierarchy
    | IsType
    | Like
    | InRange
    | Member
    | SetOf
    | RecordOf
    | Union
    | Intersect
    | Minus
    | Subset
    | Size
    | Quantifier
)


def literal(value: values.Value) -> "Term":
    """A value as a term."""
    match value:
        case bool():
            return Boolean(value)
        case int():
            return Integer(value)
        case str():
            return String(value)
        case values.Decimal():
            return Decimal(value)
        case values.Instant():
            return Instant(value)
        case values.Duration():
            return Duration(value)
        case values.EnumValue():
            return EnumMember(value)
        case values.EntityId():
            return Entity(value)
        case values.Record():
            return RecordOf(tuple((name, literal(item)) for name, item in value.items()))
        case frozenset():
            return SetOf(tuple(literal(item) for item in sorted(value, key=values.show)))
        case _:
            return IpRange(value)


TRUE = Boolean(True)
FALSE = Boolean(False)
REQUEST_VARIABLES = ("principal", "action", "resource", "context")
ACTION_TYPE = "Action"


# Rules


class OnFailure(StrEnum):
    """What a rule means when reading it fails.

    `DENY`: a `forbid` or `require` denies the request, and a `permit` does not permit it.
    `SKIP`: the rule is ignored, which is what Cedar does.
    """

    DENY = "deny"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class VariableScope:
    """The entities a rule speaks about: of one of the types, and in one of the ancestors or one of the entities."""

    types: frozenset[str]
    ancestors: tuple[values.EntityId, ...] = ()
    entities: tuple[values.EntityId, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    principal: VariableScope
    actions: frozenset[str]
    resource: VariableScope


@dataclass(frozen=True, slots=True)
class Template(Node):
    """A message with holes; a hole that fails shows as `?` and decides nothing."""

    parts: tuple[str | Term, ...]


@dataclass(frozen=True, slots=True)
class Need(Node):
    condition: Term
    message: Template


@dataclass(frozen=True, slots=True)
class Rule(Node):
    id: str
    effect: Effect
    scope: Scope
    condition: Term
    needs: tuple[Need, ...] = ()
    because: Template | None = None
    instead: Template | None = None
    on_failure: OnFailure = OnFailure.DENY
    annotations: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All a back end gets. `digest` names the meaning: SHA-256 of the canonical text of schema and rules."""

    schema: Schema
    rules: tuple[Rule, ...]
    digest: str
