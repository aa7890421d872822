"""Functions that read the context of a request quickly, or give up with any error so that the exact reader is asked."""

from collections.abc import Callable

from ..documents import MAX_ELEMENTS, MAX_INTEGER_DIGITS, MAX_TEXT_CHARACTERS, Shape
from .python_source import python_literal

_TEXT = f"if type(value) is not str or len(value) > {MAX_TEXT_CHARACTERS}: raise TypeError"
_NUMBER = (
    f"if type(value) is not int or value.bit_length() > {4 * MAX_INTEGER_DIGITS}: raise TypeError"
)
_PARSED = {
    "Instant": "read_instant",
    "Duration": "read_duration",
    "IpRange": "read_ip_range",
}


class Readers:
    """The readers of a module. Shapes that are alike share one."""

    def __init__(self, constant: Callable[[object], str]) -> None:
        self._constant = constant
        self._names: dict[str, str] = {}
        self.functions: list[str] = []

    def name(self, shape: Shape) -> str:
        """The function that reads a value of a shape."""
        body = "\n    ".join(self._lines(shape))
        if body not in self._names:
            self._names[body] = f"read_{len(self._names)}"
            self.functions.append(f"def {self._names[body]}(value):\n    {body}")
        return self._names[body]

    def _lines(self, shape: Shape) -> list[str]:
        kind = shape[0]
        if kind == "Bool":
            return ["if value is not True and value is not False: raise TypeError", "return value"]
        if kind == "Int":
            return [_NUMBER, "return value"]
        if kind == "String":
            return [_TEXT, "return value"]
        if kind == "Enum":
            members = self._constant(frozenset(shape[2]))
            return [f"if value not in {members}: raise TypeError", "return value"]
        if kind == "Entity":
            types = self._constant(frozenset(shape[2]))
            return [
                "if type(value) is not dict or len(value) != 2: raise TypeError",
                "type_, value = value['type'], value['id']",
                f"if type_ not in {types}: raise TypeError",
                _TEXT,
                "return (type_, value)",
            ]
        if kind == "Set":
            return [
                f"if type(value) is not list or len(value) > {MAX_ELEMENTS}: raise TypeError",
                f"return frozenset([{self.name(shape[2])}(item) for item in value])",
            ]
        if kind == "Record":
            return self._record(shape)
        if kind == "Decimal":
            return [
                _TEXT,
                "found = read_decimal(value)",
                "if found is None: raise TypeError",
                "return found",
            ]
        return [
            _TEXT,
            f"found = {_PARSED[kind]}(value)",
            "if found is None: raise TypeError",
            "return found",
        ]

    def _record(self, shape: Shape) -> list[str]:
        needed = {name: inner for name, (inner, optional) in shape[2].items() if not optional}
        pairs = ", ".join(
            f"{python_literal(name)}: {self.name(inner)}(value[{python_literal(name)}])"
            for name, inner in needed.items()
        )
        lines = [
            "if type(value) is not dict: raise TypeError",
            f"row = {{{pairs}}}",
        ]
        for name, (inner, optional) in shape[2].items():
            if optional:
                key = python_literal(name)
                lines.append(f"if {key} in value: row[{key}] = {self.name(inner)}(value[{key}])")
        return [*lines, "if len(row) != len(value): raise TypeError", "return Row(row)"]
