"""The intermediate representation as canonical text: for digests, for golden tests and for `explain`."""

import hashlib
from collections.abc import Iterable
from typing import assert_never

from ..lang.schema import Schema
from ..lang.values import quote, show
from . import ir


def text_of(term: ir.Term) -> str:
    """One line, fully bracketed; equal terms have equal texts and different terms different ones."""
    match term:
        case (
            ir.Boolean(value)
            | ir.Integer(value)
            | ir.Decimal(value)
            | ir.String(value)
            | ir.Instant(value)
            | ir.Duration(value)
            | ir.IpRange(value)
            | ir.Entity(value)
        ):
            return show(value)
        case ir.EnumMember(value):
            return f"{value.enum}.{value.name}"
        case ir.Variable(name):
            return name
        case ir.Attribute(base, name):
            return f"{text_of(base)}.{name}"
        case ir.Has(base, name):
            return _call("has", text_of(base), name)
        case ir.Not(operand):
            return _call("not", text_of(operand))
        case ir.And(operands):
            return _call("and", *map(text_of, operands))
        case ir.Or(operands):
            return _call("or", *map(text_of, operands))
        case ir.If(condition, then, otherwise):
            return _call("if", text_of(condition), text_of(then), text_of(otherwise))
        case ir.Equal(left, right):
            return _call("equal", text_of(left), text_of(right))
        case ir.Less(left, right):
            return _call("less", text_of(left), text_of(right))
        case ir.LessOrEqual(left, right):
            return _call("less_or_equal", text_of(left), text_of(right))
        case ir.Add(left, right):
            return _call("add", text_of(left), text_of(right))
        case ir.Subtract(left, right):
            return _call("subtract", text_of(left), text_of(right))
        case ir.Multiply(left, right):
            return _call("multiply", text_of(left), text_of(right))
        case ir.Negate(operand):
            return _call("negate", text_of(operand))
        case ir.InHierarchy(entity, ancestor):
            return _call("in_hierarchy", text_of(entity), text_of(ancestor))
        case ir.IsType(entity, types):
            return _call("is_type", text_of(entity), *sorted(types))
        case ir.Like(text, pattern):
            return _call("like", text_of(text), *map(quote, pattern))
        case ir.InRange(address, range):
            return _call("in_range", text_of(address), text_of(range))
        case ir.Member(element, set):
            return _call("member", text_of(element), text_of(set))
        case ir.SetOf(elements):
            return _call("set", *map(text_of, elements))
        case ir.RecordOf(fields):
            return _call("record", *(f"{name}: {text_of(item)}" for name, item in fields))
        case ir.Union(left, right):
            return _call("union", text_of(left), text_of(right))
        case ir.Intersect(left, right):
            return _call("intersect", text_of(left), text_of(right))
        case ir.Minus(left, right):
            return _call("minus", text_of(left), text_of(right))
        case ir.Subset(left, right):
            return _call("subset", text_of(left), text_of(right))
        case ir.Size(set):
            return _call("size", text_of(set))
        case ir.Sum(name, set, body, zero):
            return _call("sum", text_of(set), f"{name} => {text_of(body)}", text_of(zero))
        case (
            ir.Any(name, set, body)
            | ir.All(name, set, body)
            | ir.Count(name, set, body)
            | ir.Least(name, set, body)
            | ir.Greatest(name, set, body)
            | ir.Where(name, set, body)
            | ir.Distinct(name, set, body)
        ):
            kind = type(term).__name__.lower()
            return _call(kind, text_of(set), f"{name} => {text_of(body)}")
        case _:
            assert_never(term)


def _call(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(arguments)})"


def rule_text(rule: ir.Rule) -> str:
    """A rule as an indented block."""
    scope = rule.scope
    lines = [
        f"{rule.effect} {rule.id}",
        f"  principal {_variable_scope(scope.principal)}",
        f"  action {_names(scope.actions)}",
        f"  resource {_variable_scope(scope.resource)}",
        f"  when {text_of(rule.condition)}",
    ]
    lines += [f"  need {text_of(need.condition)} {_template(need.message)}" for need in rule.needs]
    if rule.because is not None:
        lines.append(f"  because {_template(rule.because)}")
    if rule.instead is not None:
        lines.append(f"  instead {_template(rule.instead)}")
    if rule.on_failure is not ir.OnFailure.DENY:
        lines.append(f"  on failure {rule.on_failure}")
    return "\n".join(lines)


def schema_text(schema: Schema) -> str:
    """Everything of a schema that a decision depends on, in a stable order."""
    lines = []
    for name, enum in sorted(schema.enums.items()):
        lines.append(f"enum {name}{' ordered' if enum.ordered else ''} {' '.join(enum.members)}")
    for name, entity in sorted(schema.entities.items()):
        attributes = ", ".join(sorted(map(str, entity.attributes.values())))
        lines.append(
            f"entity {name} abstract={entity.abstract} is {_names(entity.concrete)}"
            f" in {_names(entity.parents)} {{ {attributes} }}"
        )
    for name, action in sorted(schema.actions.items()):
        lines.append(
            f"action {name} in {_names(action.groups)} principal {_names(action.principals)}"
            f" resource {_names(action.resources)} context {action.context}"
        )
    return "\n".join(lines)


def digest_of(schema: Schema, rules: Iterable[ir.Rule]) -> str:
    """The name of a meaning: independent of the order of rules, of comments and of spelling."""
    texts = [schema_text(schema), *sorted(rule_text(rule) for rule in rules)]
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _names(names: Iterable[str]) -> str:
    return " | ".join(sorted(names)) or "nothing"


def _variable_scope(scope: ir.VariableScope) -> str:
    text = _names(scope.types)
    if scope.ancestors:
        text += " in " + _names(map(str, scope.ancestors))
    if scope.entities:
        text += " one of " + _names(map(str, scope.entities))
    return text


def _template(template: ir.Template) -> str:
    return " ".join(
        quote(part) if isinstance(part, str) else f"{{{text_of(part)}}}" for part in template.parts
    )
