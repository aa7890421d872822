"""Functions that read the context of a request quickly, or give up with any error so that the exact reader is asked."""

from collections.abc import Callable

from ...documents import MAX_ELEMENTS, MAX_INTEGER_DIGITS, MAX_TEXT_CHARACTERS, Shape
from .literals import python_literal

_TEXT = f"if type(value) is not str or len(value) > {MAX_TEXT_CHARACTERS}: raise TypeError"
_NUMBER = (
    f"if type(value) is not int or value.bit_length() > {4 * MAX_INTEGER_DIGITS}: raise TypeError"
)
_KEPT = ("Bool", "Int", "String", "Enum")
"""Kinds whose values are kept as they stand in the document."""
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
            return [
                f"if type(value) is not str or value not in {members}: raise TypeError",
                "return value",
            ]
        if kind == "Entity":
            types = self._constant(frozenset(shape[2]))
            return [
                "if type(value) is dict and len(value) == 1: value = value['__entity']",
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
        # What is checked is the copy, which nobody else can change meanwhile.
        needed = [name for name, (_, optional) in shape[2].items() if not optional]
        lines = [
            "if type(value) is not dict: raise TypeError",
            f"row = Row(value); size = {len(needed)}",
        ]
        for name, (inner, optional) in shape[2].items():
            key = python_literal(name)
            found = [f"value = row[{key}]", *self._lines(inner)[:-1]]
            if inner[0] not in _KEPT:
                found = [f"row[{key}] = {self.name(inner)}(row[{key}])"]
            if optional:
                lines += [f"if {key} in row:", "    size += 1", *(f"    {line}" for line in found)]
            else:
                lines += found
        return [*lines, "if len(row) != size: raise TypeError", "return row"]
