"""The syntax tree: what a policy file says, node by node, before anything is looked up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from .source import NOWHERE, Span
from .values import Decimal, Duration


@dataclass(frozen=True, slots=True)
class Node:
    """Nodes are values: equal when they say the same thing, wherever it is written."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


def walk(node: object) -> Iterator[Node]:
    """A node and everything below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, Node):
            yield current
            stack += [getattr(current, name) for name in current.__dataclass_fields__]
        elif isinstance(current, tuple):
            stack += current


RESERVED = frozenset({"principal", "action", "resource", "context", "true", "false"})
"""Words that always mean themselves in an expression, so that nothing else can have them as its name."""

# Expressions


@dataclass(frozen=True, slots=True)
class RequestVariable(Node):
    """`principal`, `action`, `resource` or `context`."""

    name: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name: a parameter, a name bound by `=>`, an enum, one of its members, or an action."""

    name: str


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class Integer(Node):
    value: int


@dataclass(frozen=True, slots=True)
class DecimalNumber(Node):
    value: Decimal


@dataclass(frozen=True, slots=True)
class String(Node):
    value: str


@dataclass(frozen=True, slots=True)
class TimeSpan(Node):
    """A duration such as `30d`."""

    value: Duration


@dataclass(frozen=True, slots=True)
class EntityReference(Node):
    """`Table::"orders"`."""

    type: str
    id: str
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Access(Node):
    """`base.name`: an attribute, a field, `size`, or a member of an enum."""

    base: "Expression"
    name: str
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`base has a.b`: whether the optional value at the path is there."""

    base: "Expression"
    path: tuple[str, ...]
    step_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Is(Node):
    base: "Expression"
    type: str
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Like(Node):
    """`base like "prod-*"`: the pieces of text between the stars, each of which stands for any text."""

    base: "Expression"
    pattern: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`not` or `-`."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Every operator between two operands but `and` and `or`; `functions.py` has the table."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class And(Node):
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class SetLiteral(Node):
    elements: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class FieldValue(Node):
    name: str
    value: "Expression"
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RecordLiteral(Node):
    """`{ a: 1 }`; `{}` is also the empty set where a set is expected."""

    fields: tuple[FieldValue, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(x)`: a `define`d function, `instant("…")` or `ip("…")`."""

    function: str
    arguments: tuple["Expression", ...]
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    parameter: str
    body: "Expression"
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class MethodCall(Node):
    """`base.any(x => …)`."""

    base: "Expression"
    method: str
    arguments: tuple["Expression", ...]
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Expression = (
    RequestVariable
    | Name
    | Boolean
    | Integer
    | DecimalNumber
    | String
    | TimeSpan
    | EntityReference
    | Access
    | Has
    | Is
    | Like
    | Unary
    | Binary
    | And
    | Or
    | Conditional
    | SetLiteral
    | RecordLiteral
    | Call
    | Lambda
    | MethodCall
)


@dataclass(frozen=True, slots=True)
class Template(Node):
    """A message with holes: text and expressions in turn."""

    parts: tuple["str | Expression", ...]


# Types


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    name: str


@dataclass(frozen=True, slots=True)
class UnionType(Node):
    """`Human | Agent`."""

    options: tuple[TypeName, ...]


@dataclass(frozen=True, slots=True)
class SetType(Node):
    element: "TypeExpression"


@dataclass(frozen=True, slots=True)
class OptionalType(Node):
    type: "TypeExpression"


@dataclass(frozen=True, slots=True)
class Field(Node):
    name: str
    type: "TypeExpression"
    doc: str = ""
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RecordType(Node):
    fields: tuple[Field, ...]


TypeExpression = TypeName | UnionType | SetType | OptionalType | RecordType


# Declarations


@dataclass(frozen=True, slots=True)
class Annotation(Node):
    """`@name("value")`: read by people and reports, never by a decision."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Declaration(Node):
    doc: str = field(default="", kw_only=True)
    annotations: tuple[Annotation, ...] = field(default=(), kw_only=True)
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Module(Declaration):
    name: str


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """A name that stands for something declared elsewhere."""

    name: str


@dataclass(frozen=True, slots=True)
class Use(Declaration):
    """`use std.sql (Table)`; without names, everything of the module is visible."""

    module: str
    names: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class EnumMember(Node):
    name: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Enum(Declaration):
    name: str
    ordered: bool
    members: tuple[EnumMember, ...]


@dataclass(frozen=True, slots=True)
class Entity(Declaration):
    name: str
    abstract: bool
    extends: Reference | None
    parents: tuple[Reference, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class TypeAlias(Declaration):
    name: str
    type: TypeExpression


@dataclass(frozen=True, slots=True)
class ActionGroup(Declaration):
    names: tuple[Reference, ...]
    groups: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`resource.protected = false`, in the `effects` of an action."""

    target: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class Action(Declaration):
    names: tuple[Reference, ...]
    groups: tuple[Reference, ...]
    principals: tuple[Reference, ...]
    resources: tuple[Reference, ...]
    context: RecordType
    effects: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    name: str
    type: TypeExpression
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Row(Node):
    value: Expression
    condition: Expression


@dataclass(frozen=True, slots=True)
class Table(Node):
    """The first row whose condition holds gives the value."""

    rows: tuple[Row, ...]
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Define(Declaration):
    name: str
    parameters: tuple[Parameter, ...]
    result: TypeExpression
    body: Expression | Table


# Clauses


@dataclass(frozen=True, slots=True)
class Scope(Node):
    """`principal Agent in Team::"x"`, or `resource Table::"orders"` for one entity (`entities`)."""

    variable: str
    types: tuple[Reference, ...]
    ancestors: tuple[EntityReference, ...]
    entities: tuple[EntityReference, ...]


@dataclass(frozen=True, slots=True)
class ActionScope(Node):
    names: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class When(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class Unless(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class Need(Node):
    condition: Expression
    message: Template | None


@dataclass(frozen=True, slots=True)
class Because(Node):
    """Why the rule exists, for whoever meets it."""

    message: Template


@dataclass(frozen=True, slots=True)
class Instead(Node):
    """What to do so that the rule no longer applies."""

    message: Template


class Effect(StrEnum):
    PERMIT = "permit"
    FORBID = "forbid"
    REQUIRE = "require"


RuleClause = Scope | ActionScope | When | Unless | Need | Because | Instead


@dataclass(frozen=True, slots=True)
class Rule(Declaration):
    effect: Effect
    name: str
    clauses: tuple[RuleClause, ...]


@dataclass(frozen=True, slots=True)
class NeverPermitted(Node):
    pass


@dataclass(frozen=True, slots=True)
class AlwaysDenied(Node):
    pass


@dataclass(frozen=True, slots=True)
class AlwaysPermitted(Node):
    pass


@dataclass(frozen=True, slots=True)
class NeverFails(Node):
    pass


@dataclass(frozen=True, slots=True)
class PermittedOnlyIf(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class HeldUnless(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class DeniedBy(Node):
    rule: Reference


@dataclass(frozen=True, slots=True)
class AnySequence(Node):
    """`for any sequence of permitted actions`."""


@dataclass(frozen=True, slots=True)
class AlwaysExists(Node):
    """`always exists b: Backup where …`."""

    binder: Parameter
    condition: Expression


Claim = (
    NeverPermitted
    | AlwaysDenied
    | AlwaysPermitted
    | NeverFails
    | PermittedOnlyIf
    | HeldUnless
    | DeniedBy
    | AlwaysExists
)
ProveClause = Scope | ActionScope | When | Unless | AnySequence | Claim


@dataclass(frozen=True, slots=True)
class Prove(Declaration):
    name: str
    clauses: tuple[ProveClause, ...]


@dataclass(frozen=True, slots=True)
class Given(Node):
    """An entity of a test; `role` is `given`, `principal` or `resource`. What is not said is not known."""

    role: str
    entity: EntityReference
    parents: tuple[EntityReference, ...]
    attributes: RecordLiteral | None


@dataclass(frozen=True, slots=True)
class TestAction(Node):
    action: Reference


@dataclass(frozen=True, slots=True)
class TestContext(Node):
    value: RecordLiteral


class Outcome(StrEnum):
    """What a request gets; `deny` is the worst and `permit` the best."""

    PERMIT = "permit"
    HOLD = "hold"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Expect(Node):
    outcome: Outcome
    rules: tuple[Reference, ...]


TestClause = Given | TestAction | TestContext | Expect


@dataclass(frozen=True, slots=True)
class Test(Declaration):
    __test__ = False

    name: str
    clauses: tuple[TestClause, ...]


@dataclass(frozen=True, slots=True)
class Broken(Declaration):
    """A declaration that could not be read; it still claims its names, so that their uses are not reported too."""

    keyword: str
    names: tuple[str, ...]


File = tuple[Declaration, ...]
