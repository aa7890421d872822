"""A user's table, `.interlock/taxonomy/KIND*.yaml`: read into the model of its kind, with mistakes at their lines."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ..model import Model, Problem

MAX_TABLE_LETTERS = 1_000_000
MAX_TABLE_DEPTH = 30
KINDS = ("kubernetes", "mcp", "shell", "terraform")
"""The kinds of artifacts whose taxonomies a user may extend; the name of a file begins with one."""

T = TypeVar("T", bound=Model)


def taxonomies(tables: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Files and their texts to the shipped taxonomies with these tables on top, by kind."""
    added: dict[str, list[Any]] = {}
    problems: list[Problem] = []
    for file, text in tables:
        name = file.replace("\\", "/").rpartition("/")[2]
        kind = next((kind for kind in KINDS if name.startswith(kind)), None)
        if kind is None:
            known = " or ".join(f"`{kind}`" for kind in KINDS)
            message = f"the name of a table begins with what it is about: {known}"
            problems.append(Problem(message=message, file=file))
            continue
        table, found = import_module(f".{kind}", __package__).read_table(file, text)
        problems += found
        if table is not None:
            added.setdefault(kind, []).append(table)
    result: dict[str, Any] = {}
    for kind, own in added.items():
        module = import_module(f".{kind}", __package__)
        result[kind] = module.Taxonomy(module.shipped().shipped, tuple(own))
    return result, tuple(problems)


def read_user_table(
    model: type[T], file: str, text: str, only_shipped: tuple[str, ...]
) -> tuple[T | None, tuple[Problem, ...]]:
    """The table, or every mistake in it; `only_shipped` are keys that a user may not have."""
    if len(text) > MAX_TABLE_LETTERS:
        return None, (Problem(message="the table is too large", file=file),)
    try:
        if _is_too_deep_or_repeats(text):
            message = f"the table is nested more than {MAX_TABLE_DEPTH} levels deep, or has aliases"
            return None, (Problem(message=message, file=file),)
        content = yaml_of(text) or {}
        table = model.model_validate(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"this is not YAML: {error.problem or 'unreadable'}"
        return None, (Problem(message=message, file=file, line=line, column=column),)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ValidationError):
            root = yaml.compose(text, Loader=_LOADER)
            return None, tuple(_problem(file, root, each) for each in error.errors())
        return None, (Problem(message=f"this is not YAML: {str(error)[:200]}", file=file),)
    for name in only_shipped:
        if isinstance(content, dict) and name in content:
            message = f"only the shipped tables may have `{name}`"
            line, column = _place(yaml.compose(text, Loader=_LOADER), (name,))
            return None, (Problem(message=message, file=file, line=line, column=column),)
    return table, ()


def yaml_of(text: str) -> object:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # Both are safe loaders.


# The C loader reads the shipped tables ten times faster and accepts the same language.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _is_too_deep_or_repeats(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                depth += 1
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                depth -= 1
            case yaml.AliasEvent():
                return True
        if depth > MAX_TABLE_DEPTH:
            return True
    return False


def _problem(file: str, root: Any, error: Any) -> Problem:
    location = tuple(error["loc"])
    line, column = _place(root, location)
    message = f"`{'.'.join(map(str, location))}`: {error['msg']}"[:300]
    return Problem(message=message, file=file, line=line, column=column)


def _place(node: Any, location: tuple[str | int, ...]) -> tuple[int, int]:
    """Where the last step of a location stands that the table has."""
    mark = node.start_mark if node is not None else None
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
