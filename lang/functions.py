"""Every operator and function of the language, one row each: form, types, documentation, example.

The checker, hover, completion and the tests read these rows; `compiler/lower.py` has one builder for each name.
"""

from dataclasses import dataclass
from enum import StrEnum

from .typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    STRING,
    EntityType,
    Optional,
    SetOf,
    Type,
    are_comparable,
    is_ordered,
    join,
)


class Form(StrEnum):
    INFIX = "infix"
    PREFIX = "prefix"
    METHOD = "method"
    PROPERTY = "property"
    FUNCTION = "function"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A place for a type: a fixed type, or a variable of which each use means the same type."""

    type: Type | None = None
    variable: str = ""
    kind: str = "any"
    """For a variable: `any`, `ordered` or `entity`."""
    in_set: bool = False
    optional: bool = False

    def __str__(self) -> str:
        text = str(self.type) if self.type is not None else self.variable
        text = f"Set<{text}>" if self.in_set else text
        return f"{text}?" if self.optional else text


T = Parameter(variable="T")
SET_OF_T = Parameter(variable="T", in_set=True)
ORDERED_T = Parameter(variable="T", kind="ordered")
ENTITY = Parameter(variable="A", kind="entity")
ANCESTOR = Parameter(variable="B", kind="entity")
SET_OF_ANCESTORS = Parameter(variable="B", kind="entity", in_set=True)


def _fixed(type: Type) -> Parameter:
    return Parameter(type)


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes in and comes out; for a method with a lambda, `body` is what the lambda gives."""

    parameters: tuple[Parameter, ...]
    result: Parameter
    reading: str = ""
    """Which of several meanings a symbol has here, for whoever lowers it."""
    body: Parameter | None = None


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    form: Form
    signatures: tuple[Signature, ...]
    doc: str
    example: str

    def __str__(self) -> str:
        return f"{self.form} {self.name}"


def _same(*types: Type) -> tuple[Signature, ...]:
    return tuple(Signature((_fixed(type), _fixed(type)), _fixed(type)) for type in types)


def _infix(
    left: Parameter | Type, right: Parameter | Type, result: Parameter | Type, reading: str = ""
) -> Signature:
    return Signature((_as_parameter(left), _as_parameter(right)), _as_parameter(result), reading)


def _as_parameter(item: Parameter | Type) -> Parameter:
    return item if isinstance(item, Parameter) else Parameter(item)


def _over_set(body: Parameter, result: Parameter) -> tuple[Signature, ...]:
    return (Signature((SET_OF_T,), result, body=body),)


_ORDER = (_infix(ORDERED_T, ORDERED_T, BOOL),)
_SETS = (_infix(SET_OF_T, SET_OF_T, SET_OF_T),)
_CONDITION = _over_set(_fixed(BOOL), _fixed(BOOL))
U = Parameter(variable="U")
ORDERED_U = Parameter(variable="U", kind="ordered")

FUNCTIONS: tuple[Function, ...] = (
    Function("and", Form.SPECIAL, (_infix(BOOL, BOOL, BOOL),),
        "True when both sides are; the right side is read only when the left is true.", "a and b"),
    Function("or", Form.SPECIAL, (_infix(BOOL, BOOL, BOOL),),
        "True when one side is; the right side is read only when the left is false.", "a or b"),
    Function("not", Form.PREFIX, (Signature((_fixed(BOOL),), _fixed(BOOL)),), "True when the operand is false.",
        "not a"),
    Function("-", Form.PREFIX, tuple(Signature((_fixed(t),), _fixed(t)) for t in (INT, DECIMAL, DURATION)),
        "The number with the other sign.", "-5"),
    Function("==", Form.INFIX, (_infix(T, T, BOOL),),
        "True when both sides are the same value; both must be of one type.",
        "resource.env == production"),
    Function("!=", Form.INFIX, (_infix(T, T, BOOL),), "True when the sides differ.", "principal != resource.owner"),
    Function("<", Form.INFIX, _ORDER, "Less than, on numbers, times, durations and ordered enums.",
        "resource.risk < high"),
    Function("<=", Form.INFIX, _ORDER, "Less than or equal.", "context.rows <= 100"),
    Function(">", Form.INFIX, _ORDER, "Greater than.", "context.rows > 100"),
    Function(">=", Form.INFIX, _ORDER, "Greater than or equal.", "resource.risk >= high"),
    Function("+", Form.INFIX, (*_same(INT, DECIMAL, DURATION), _infix(INSTANT, DURATION, INSTANT),
        _infix(DURATION, INSTANT, INSTANT)), "Sum; an instant plus a duration is an instant.", "context.now + 1h"),
    Function("-", Form.INFIX, (*_same(INT, DECIMAL, DURATION), _infix(INSTANT, DURATION, INSTANT),
        _infix(INSTANT, INSTANT, DURATION)), "Difference; two instants give a duration.",
        "context.now - resource.tested_at < 30d"),
    Function("*", Form.INFIX, (*_same(INT), _infix(DECIMAL, INT, DECIMAL), _infix(INT, DECIMAL, DECIMAL),
        _infix(DURATION, INT, DURATION), _infix(INT, DURATION, DURATION)),
        "Product; a decimal or a duration is multiplied by an integer.", "2 * resource.rows"),
    Function("in", Form.INFIX, (_infix(ENTITY, ANCESTOR, BOOL, "hierarchy"),
        _infix(ENTITY, SET_OF_ANCESTORS, BOOL, "hierarchy_any"), _infix(T, SET_OF_T, BOOL, "member"),
        _infix(IP_RANGE, IP_RANGE, BOOL, "ip_range")),
        "An entity is in itself and its ancestors, and in a set when it is in one of its entities; "
        "a value in a set that has it; an address in a range.",
        'principal in Team::"dba"'),
    Function("contains", Form.INFIX, (_infix(STRING, STRING, BOOL, "text"), _infix(SET_OF_T, T, BOOL, "member")),
        "A text contains another, or a set an element.", 'resource.name contains "backup"'),
    Function("starts_with", Form.INFIX, (_infix(STRING, STRING, BOOL),), "The text begins with a literal text.",
        'resource.name starts_with "prod-"'),
    Function("ends_with", Form.INFIX, (_infix(STRING, STRING, BOOL),), "The text ends with a literal text.",
        'resource.name ends_with "-backup"'),
    Function("like", Form.SPECIAL, (_infix(STRING, STRING, BOOL),),
        r"The whole text matches a pattern in which `*` stands for any text and `\*` for a star.",
        'resource.name like "prod-*-db"'),
    Function("subset_of", Form.INFIX, (_infix(SET_OF_T, SET_OF_T, BOOL),),
        "Every element of the left set is in the right.",
        "context.scopes subset_of resource.scopes"),
    Function("union", Form.INFIX, _SETS, "The elements of either set.", "a union b"),
    Function("intersect", Form.INFIX, _SETS, "The elements of both sets.", "a intersect b"),
    Function("minus", Form.INFIX, _SETS, "The elements of the left set that are not in the right.", "a minus b"),
    Function("??", Form.SPECIAL, (_infix(Parameter(variable="T", optional=True), T, T),),
        "The left value if it is there, else the right.", "resource.rows ?? 0"),
    Function("has", Form.SPECIAL, (), "Whether an optional value is there.", "resource has legal_hold"),
    Function("is", Form.SPECIAL, (), "Whether an entity is of a type.", "resource is Table"),
    Function("if", Form.SPECIAL, (), "One of two values of the same type.", "if a then 1 else 2"),
    Function("size", Form.PROPERTY, (Signature((SET_OF_T,), _fixed(INT)),), "The number of elements.",
        "resource.tags.size"),
    Function("any", Form.METHOD, _CONDITION, "True when the condition holds for at least one element.",
        "changes.any(c => c.rows > 100)"),
    Function("all", Form.METHOD, _CONDITION, "True when the condition holds for every element, and for the empty set.",
        "changes.all(c => c.rows < 100)"),
    Function("none", Form.METHOD, _CONDITION, "True when the condition holds for no element.",
        "changes.none(c => c.opaque)"),
    Function("count", Form.METHOD, _over_set(_fixed(BOOL), _fixed(INT)), "How many elements meet the condition.",
        "changes.count(c => c.opaque) > 3"),
    Function("sum", Form.METHOD, tuple(Signature((SET_OF_T,), _fixed(t), str(t), _fixed(t)) for t in (INT,
        DECIMAL, DURATION)),
        "The sum of a number of each element.", "changes.sum(c => c.rows)"),
    Function("min", Form.METHOD, _over_set(ORDERED_U, Parameter(variable="U", kind="ordered", optional=True)),
        "The least value over the elements; absent for the empty set.", "changes.min(c => c.rows) ?? 0"),
    Function("max", Form.METHOD, _over_set(ORDERED_U, Parameter(variable="U", kind="ordered", optional=True)),
        "The greatest value over the elements; absent for the empty set.", "changes.max(c => c.rows) ?? 0"),
    Function("where", Form.METHOD, _over_set(_fixed(BOOL), SET_OF_T), "The elements that meet the condition.",
        "approvals.where(a => a.plan == resource.digest)"),
    Function("distinct", Form.METHOD, _over_set(U, Parameter(variable="U", in_set=True)),
        "The set of the different values over the elements.", "approvals.distinct(a => a.approver).size"),
    Function("instant", Form.FUNCTION, (Signature((_fixed(STRING),), _fixed(INSTANT)),),
        "A moment written as RFC 3339.", 'instant("2026-01-01T00:00:00Z")'),
    Function("ip", Form.FUNCTION, (Signature((_fixed(STRING),), _fixed(IP_RANGE)),),
        "An address or a CIDR block, without host bits.", 'context.source in ip("10.0.0.0/8")'),
)  # fmt: skip

_BY_FORM = {(function.form, function.name): function for function in FUNCTIONS}


def function_named(name: str, *forms: Form) -> Function | None:
    return next((found for form in forms if (found := _BY_FORM.get((form, name)))), None)


def names_of(form: Form) -> list[str]:
    return [function.name for function in FUNCTIONS if function.form is form]


Bindings = dict[str, Type]


def bind(parameter: Parameter, type: Type, bindings: Bindings) -> bool:
    """Whether a value of `type` fits the place, with its type variable bound so that every use agrees."""
    if isinstance(type, Optional):
        return False
    if parameter.in_set:
        if not isinstance(type, SetOf):
            return False
        type = type.element
    if parameter.type is not None:
        return type == parameter.type
    if parameter.kind == "ordered" and not is_ordered(type):
        return False
    if parameter.kind == "entity" and not isinstance(type, EntityType):
        return False
    before = bindings.get(parameter.variable)
    if before is None:
        bindings[parameter.variable] = type
        return True
    common = join(before, type)
    if common is None or not are_comparable(before, type):
        return False
    bindings[parameter.variable] = common
    return True


def resolve(parameter: Parameter, bindings: Bindings) -> Type:
    """The type of a place once its variable is bound."""
    type = parameter.type if parameter.type is not None else bindings[parameter.variable]
    if parameter.in_set:
        type = SetOf(type)
    return Optional(type) if parameter.optional else type


def accepts_text(function: Function) -> str:
    """The signatures of a function in one readable line."""
    texts = []
    for signature in function.signatures:
        inputs = f" {function.name} ".join(map(str, signature.parameters))
        if function.form in (Form.METHOD, Form.PROPERTY):
            body = f"(T => {signature.body})" if signature.body else ""
            inputs = f"{signature.parameters[0]}.{function.name}{body}"
        elif function.form is Form.FUNCTION:
            inputs = f"{function.name}({', '.join(map(str, signature.parameters))})"
        elif function.form is Form.PREFIX:
            inputs = f"{function.name} {signature.parameters[0]}"
        texts.append(f"`{inputs}`")
    return ", ".join(texts)
