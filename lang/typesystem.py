"""Types as values, and the two questions asked about them: is it a subtype, and what do two have in common."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type without parts."""

    name: str

    def __str__(self) -> str:
        return self.name


BOOL = Primitive("Bool")
INT = Primitive("Int")
DECIMAL = Primitive("Decimal")
STRING = Primitive("String")
INSTANT = Primitive("Instant")
DURATION = Primitive("Duration")
IP_RANGE = Primitive("IpRange")
ACTION = Primitive("Action")
"""The type of `action`; a policy cannot declare anything of this type."""
UNKNOWN = Primitive("?")
"""The type of what already has a diagnostic; it fits everywhere, so that one mistake is told once."""
NEVER = Primitive("Never")
"""The type of the elements of `{}`."""

PRIMITIVES = {type.name: type for type in (BOOL, INT, DECIMAL, STRING, INSTANT, DURATION, IP_RANGE)}


@dataclass(frozen=True, slots=True)
class EnumType:
    name: str
    members: tuple[str, ...]
    ordered: bool

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class EntityType:
    """An entity of one of several concrete types; `name` is how the policy calls them together."""

    types: frozenset[str]
    name: str

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntityType) and self.types == other.types

    def __hash__(self) -> int:
        return hash(self.types)


@dataclass(frozen=True, slots=True)
class SetOf:
    element: "Type"

    def __str__(self) -> str:
        return f"Set<{self.element}>"


@dataclass(frozen=True, slots=True)
class RecordField:
    name: str
    type: "Type"
    optional: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.type}{'?' if self.optional else ''}"


@dataclass(frozen=True, slots=True)
class RecordOf:
    fields: tuple[RecordField, ...]
    _hash: int = field(init=False, compare=False, repr=False)
    """Kept, since aliases make records of records of the same records."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self.fields))

    def __hash__(self) -> int:
        return self._hash

    def field(self, name: str) -> RecordField | None:
        return next((item for item in self.fields if item.name == name), None)

    def __str__(self) -> str:
        return "{ " + ", ".join(map(str, self.fields)) + " }" if self.fields else "{}"


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent; it is read after `has` or through `??`."""

    type: "Type"

    def __str__(self) -> str:
        return f"{self.type}?"


Type = Primitive | EnumType | EntityType | SetOf | RecordOf | Optional

NUMERIC = frozenset({INT, DECIMAL, DURATION})
ORDERED = frozenset({INT, DECIMAL, DURATION, INSTANT})


def parts(type: Type) -> tuple[Type, ...]:
    """The types a type is made of."""
    match type:
        case SetOf(element):
            return (element,)
        case Optional(inner):
            return (inner,)
        case RecordOf(fields):
            return tuple(item.type for item in fields)
        case _:
            return ()


def entity_type(names: frozenset[str] | set[str], name: str | None = None) -> EntityType:
    return EntityType(frozenset(names), name or " | ".join(sorted(names)))


def is_subtype(left: Type, right: Type) -> bool:
    """Whether every value of `left` may stand where `right` is asked for."""
    if UNKNOWN in (left, right) or left in (right, NEVER):
        return True
    match left, right:
        case EntityType(types), EntityType(others):
            return types <= others
        case SetOf(element), SetOf(other):
            return is_subtype(element, other)
        case Optional(inner), Optional(other):
            return is_subtype(inner, other)
        case _, Optional(other):
            return is_subtype(left, other)
        case RecordOf(), RecordOf():
            return {field.name for field in left.fields} <= {
                field.name for field in right.fields
            } and all(_field_fits(left.field(field.name), field) for field in right.fields)
        case _:
            return False


def _field_fits(left: RecordField | None, right: RecordField) -> bool:
    if left is None:
        return right.optional
    return is_subtype(left.type, right.type) and (right.optional or not left.optional)


def join(left: Type, right: Type) -> Type | None:
    """The smallest type both fit into; `None` if they have nothing to do with each other."""
    if is_subtype(left, right):
        return right if left != UNKNOWN else left
    if is_subtype(right, left):
        return left
    match left, right:
        case EntityType(types), EntityType(others):
            return entity_type(types | others)
        case SetOf(element), SetOf(other):
            common = join(element, other)
            return SetOf(common) if common is not None else None
        case (Optional(inner), other) | (other, Optional(inner)):
            common = join(inner, other.type if isinstance(other, Optional) else other)
            return Optional(common) if common is not None else None
        case _:
            return None


def are_comparable(left: Type, right: Type) -> bool:
    """Whether a value of `left` can equal a value of `right`."""
    match left, right:
        case EntityType(types), EntityType(others):
            return bool(types & others)
        case SetOf(element), SetOf(other):
            return are_comparable(element, other)
        case _:
            return join(left, right) is not None


def is_ordered(type: Type) -> bool:
    return type in ORDERED or (isinstance(type, EnumType) and type.ordered)


def present(type: Type) -> Type:
    """The type of the value once it is known to be there."""
    return type.type if isinstance(type, Optional) else type
