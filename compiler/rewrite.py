"""Rebuilding terms: apply a function to every direct part of a term and keep the rest."""

from collections.abc import Callable
from dataclasses import fields, replace

from . import ir


def parts(term: ir.Term) -> list[ir.Term]:
    """The direct parts of a term, in order."""
    found: list[ir.Term] = []
    for item in fields(term):
        value = getattr(term, item.name)
        if isinstance(value, ir.Node):
            found.append(value)  # type: ignore[arg-type]  # every node inside a term is a term
        elif isinstance(value, tuple):
            for element in value:
                inner = element[1] if isinstance(element, tuple) else element
                if isinstance(inner, ir.Node):
                    found.append(inner)  # type: ignore[arg-type]
    return found


def rebuild(term: ir.Term, function: Callable[[ir.Term], ir.Term]) -> ir.Term:
    """The term with `function` applied to each direct part."""
    changed: dict[str, object] = {}
    for item in fields(term):
        value = getattr(term, item.name)
        if isinstance(value, ir.Node):
            changed[item.name] = function(value)  # type: ignore[arg-type]
        elif isinstance(value, tuple) and value and not isinstance(value[0], str):
            changed[item.name] = tuple(
                (element[0], function(element[1]))
                if isinstance(element, tuple)
                else function(element)
                for element in value
            )
    return replace(term, **changed) if changed else term  # type: ignore[arg-type]


def rebuild_rule(rule: ir.Rule, function: Callable[[ir.Term], ir.Term]) -> ir.Rule:
    """The rule with `function` applied to its condition, its needs and the holes of its messages."""

    def template(message: ir.Template) -> ir.Template:
        return replace(
            message,
            parts=tuple(
                part if isinstance(part, str) else function(part) for part in message.parts
            ),
        )

    return replace(
        rule,
        condition=function(rule.condition),
        needs=tuple(
            replace(need, condition=function(need.condition), message=template(need.message))
            for need in rule.needs
        ),
        because=template(rule.because) if rule.because else None,
        instead=template(rule.instead) if rule.instead else None,
    )
