"""What is told about an expression that has no type, with what to write instead."""

from . import syntax
from .diagnostics import Code, Diagnostic
from .facts import path_of
from .functions import Function, accepts_text
from .names import Scope
from .source import Span
from .typesystem import STRING, EnumType, Type, are_comparable


def unguarded(node: syntax.Expression) -> Diagnostic:
    text = " ".join(node.span.text.split())
    message = f"`{text}` may be absent"
    help_line = f"say what then: `{text} ?? …`"
    if isinstance(node, syntax.Access) and path_of(node) is not None:
        base = " ".join(node.base.span.text.split())
        help_line = f"guard it with `{base} has {node.name} and …`, or s" + help_line[1:]
    return Diagnostic(Code.UNGUARDED_OPTIONAL, message, node.span, help_line)


def no_element_type(node: syntax.Expression) -> Diagnostic:
    message = "nothing says what the elements of `{}` are"
    help_line = "write it beside a value of a set type"
    return Diagnostic(Code.UNKNOWN_ELEMENT_TYPE, message, node.span, help_line)


def not_closed(node: syntax.Expression) -> Diagnostic:
    message = f"`{' '.join(node.span.text.split())}` is not known here"
    help_line = "a test says values: give the value itself"
    return Diagnostic(Code.UNKNOWN_NAME, message, node.span, help_line)


def instead_of_type(scope: Scope, name: str) -> str | None:
    """What can be written where a type stands and a value is needed."""
    for symbol in scope.symbols.get(name, []):
        if isinstance(symbol.declaration, syntax.Entity):
            return f'a type is no value: ask with `is {name}`, or name an entity: `{name}::"…"`'
        if isinstance(symbol.declaration, syntax.Enum):
            return f"a type is no value: name a member, such as `{name}.{symbol.declaration.members[0].name}`"
        if isinstance(symbol.declaration, syntax.Define):
            return f"call it: `{name}(…)`"
    return None


def no_signature(function: Function, arguments: list[Type], span: Span) -> Diagnostic:
    found = " and ".join(f"`{type}`" for type in arguments)
    if function.name in ("==", "!=") and len(arguments) == 2:
        message = f"{found} can never be equal"
        return Diagnostic(Code.TYPE_MISMATCH, message, span, convert(arguments[0], arguments[1]))
    if function.name in ("<", "<=", ">", ">=") and are_comparable(arguments[0], arguments[-1]):
        return no_order(arguments[0], span)
    message = f"`{function.name}` does not take {found}"
    help_line = convert(arguments[0], arguments[-1]) or f"it takes {accepts_text(function)}"
    return Diagnostic(Code.TYPE_MISMATCH, message, span, help_line)


def no_order(type: Type, span: Span) -> Diagnostic:
    message = f"values of type `{type}` have no order"
    help_line = (
        f"declare it as `enum {type} ordered {{ … }}`" if isinstance(type, EnumType) else None
    )
    return Diagnostic(Code.UNORDERED_TYPE, message, span, help_line)


def convert(left: Type, right: Type) -> str | None:
    if {str(left), str(right)} == {"Int", "Decimal"}:
        return "write the integer with a decimal point, such as `100.0`"
    for text, enum in ((left, right), (right, left)):
        if text == STRING and isinstance(enum, EnumType):
            return f"enum members are written without quotes: `{enum.name}.{enum.members[0]}`"
    return None


def conversion(node: syntax.Expression, type: Type, expected: Type) -> str | None:
    if isinstance(node, syntax.Integer) and str(expected) == "Decimal":
        return f"write `{node.value}.0`"
    if isinstance(node, syntax.String) and isinstance(expected, EnumType):
        return f"enum members are written without quotes: `{node.value}`"
    return None


def listed(names: set[str]) -> str | None:
    if not names or len(names) > 12:
        return None
    return "there is " + ", ".join(f"`{name}`" for name in sorted(names))


def shortened(type: Type) -> str:
    text = str(type)
    return text if len(text) <= 60 else text[:57] + "… }"


def name_is_taken(name: str, span: Span) -> Diagnostic:
    """A parameter that has the name of something else in sight."""
    message = f"`{name}` already names something here"
    return Diagnostic(Code.DUPLICATE_NAME, message, span, "choose another name")
