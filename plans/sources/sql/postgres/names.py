"""How the syntax tree names things, as ids and assets of the vocabulary."""

from typing import Any

from ....model import Asset
from ..changes import asset, joined_name
from ..tree import Node, ast, enums
from .script import DIALECT, Script

PLAIN_KINDS = frozenset(
    {"role", "database", "tablespace", "extension", "server", "channel", "cursor", "subscription"}
    | {"publication", "event_trigger", "foreign_data_wrapper", "access_method", "library"}
    | {"setting", "user_mapping", "schema"}
)


def split_id(id: str) -> tuple[str, ...]:
    schema, _, name = id.partition(".")
    return (schema, name) if name else (schema,)


def name_parts(value: Any) -> list[str]:
    """The parts of whatever names an object in the syntax tree."""
    match value:
        case str():
            return [value]
        case tuple():
            return [part for one in value for part in name_parts(one)]
        case ast.String():
            return [value.sval]
        case ast.RangeVar():
            return [part for part in (value.schemaname, value.relname) if part]
        case ast.TypeName():
            return name_parts(value.names)
        case ast.ObjectWithArgs():
            return name_parts(value.objname)
        case ast.RoleSpec():
            return [role_name(value)]
        case _:
            return []


def role_name(role: Node) -> str:
    kind = enums.RoleSpecType
    match role.roletype:
        case kind.ROLESPEC_CSTRING:
            return str(role.rolename)
        case kind.ROLESPEC_PUBLIC:
            return "public"
        case kind.ROLESPEC_SESSION_USER:
            return "session_user"
        case _:
            return "current_user"


def role_asset(role: Node) -> Asset:
    return asset("Role", DIALECT, "role", role_name(role))


def database() -> Asset:
    return asset("Database", DIALECT, "database", "current", "current database")


def named_object(script: Script, kind: str, value: Any, type: str = "DatabaseObject") -> Asset:
    parts = name_parts(value)
    plain = kind in PLAIN_KINDS
    id = joined_name(parts) if plain else script.qualified(parts)
    return asset(type, DIALECT, kind, id or "*", parts[-1] if parts else "*")


def range_var(parts: list[str]) -> Node:
    return ast.RangeVar(
        schemaname=parts[-2] if len(parts) > 1 else None,
        relname=parts[-1] if parts else "",
        inh=True,
        relpersistence="p",
    )


FALSE_WORDS = frozenset({"off", "false", "no", "0", "f", "n"})


def is_false(value: Any) -> bool:
    return isinstance(value, ast.Boolean) and not value.boolval


def setting_text(args: Any, *, lower: bool = True) -> str | None:
    """The value of a setting as text; `None` when it is no constant."""
    texts = []
    for arg in args or ():
        value = arg.val if isinstance(arg, ast.A_Const) else arg
        if isinstance(value, ast.TypeCast) and isinstance(value.arg, ast.A_Const):
            value = value.arg.val
        match value:
            case ast.String():
                texts.append(value.sval)
            case ast.Integer():
                texts.append(str(value.ival or 0))
            case ast.Float():
                texts.append(value.fval)
            case ast.Boolean():
                texts.append("true" if value.boolval else "false")
            case str():
                texts.append(value)
            case ast.TypeName(names=(ast.String(sval=word),)):
                # In the options of a table or a view, `off` is read as the name of a type.
                texts.append(word)
            case _:
                return None
    text = ", ".join(texts)
    return text.lower() if lower else text
