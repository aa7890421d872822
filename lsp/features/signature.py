"""The parameters of the call around the cursor, in text that may be broken."""

import re

from lsprotocol.types import (
    MarkupContent,
    MarkupKind,
    ParameterInformation,
    Position,
    SignatureHelp,
    SignatureInformation,
)

from ...lang import syntax
from ...lang.functions import Form, Function, function_named
from ...lang.names import find_symbol, silent
from ...lang.source import NOWHERE
from ..view import View
from .completion import signature_of

_TOKEN = re.compile(
    r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|//[^\r\n]*|[A-Za-z_][A-Za-z0-9_]*|=>|[(){},]|\.|\S'
)


def signature_help(view: View, position: Position) -> SignatureHelp | None:
    offset = view.offset(position)
    part = view.part_at(offset)
    if part is None:
        return None
    call = _open_call(view.source[part.fragment.offset : offset])
    if call is None:
        return None
    name, is_method, argument = call
    if is_method:
        function = function_named(name, Form.METHOD)
        return _of_function(function, argument) if function is not None else None
    function = function_named(name, Form.FUNCTION)
    if function is not None:
        return _of_function(function, argument)
    scope = view.scope
    if scope is None:
        return None
    used = scope.used.copy()
    found = find_symbol(view.analysis.names, scope, name, NOWHERE, silent)
    scope.used = used
    if found is None or not isinstance(found.declaration, syntax.Define):
        return None
    item = found.declaration
    parameters = [
        ParameterInformation(f"{one.name}: {' '.join(one.type.span.text.split())}")
        for one in item.parameters
    ]
    return _help(signature_of(item), item.doc, parameters, argument)


def _open_call(before: str) -> tuple[str, bool, int] | None:
    """The name of the innermost call that is open, whether it stands after a dot, and the argument's number."""
    open_brackets: list[tuple[str, bool, int]] = []
    previous = before_previous = ""
    for match in _TOKEN.finditer(before):
        found = match[0]
        if found.startswith("//"):
            continue
        if found in "({":
            called = previous if found == "(" and re.fullmatch(r"[A-Za-z_]\w*", previous) else ""
            open_brackets.append((called, before_previous == ".", 0))
        elif found in ")}":
            if open_brackets:
                open_brackets.pop()
        elif found == "," and open_brackets:
            name, is_method, argument = open_brackets[-1]
            open_brackets[-1] = name, is_method, argument + 1
        before_previous, previous = previous, found
    return next((one for one in reversed(open_brackets) if one[0]), None)


def _of_function(function: Function, argument: int) -> SignatureHelp:
    if function.form is Form.METHOD:
        body = next((one.body for one in function.signatures if one.body is not None), None)
        parameter = f"T => {body}"
        results = " or ".join(dict.fromkeys(str(one.result) for one in function.signatures))
        label = f"Set<T>.{function.name}({parameter}) -> {results}"
    else:
        signature = function.signatures[0]
        parameter = ", ".join(map(str, signature.parameters))
        label = f"{function.name}({parameter}) -> {signature.result}"
    return _help(label, function.doc, [ParameterInformation(parameter)], argument)


def _help(
    label: str, doc: str, parameters: list[ParameterInformation], argument: int
) -> SignatureHelp:
    documentation = MarkupContent(MarkupKind.Markdown, doc) if doc else None
    signature = SignatureInformation(label, documentation, parameters)
    return SignatureHelp([signature], 0, min(argument, max(0, len(parameters) - 1)))
