"""Assignments, definitions and calls: what a script establishes, and what becomes unsure."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..words import words
from . import computed, redirects
from .reached import Input
from .state import Function
from .syntax import Node, text_of
from .words import Field, Value

if TYPE_CHECKING:
    from .walk import Walker

MAX_CALLS = 24
"""How deeply functions may call each other."""


def arithmetic(walker: "Walker", node: Node) -> None:
    """An expression that may assign to any name in it, and run the commands in it."""
    stack = [node]
    assigns = node.type != "test_command"
    if assigns or _compares_numbers(node):
        walker.compute(node)
    while stack:
        one = stack.pop()
        if one.type in ("command_substitution", "process_substitution"):
            walker.substitution(one)
            continue
        stack.extend(one.children)
        if (assigns and one.type == "variable_name") or (one.type == "word" and assigns):
            walker.state.doubt(text_of(one), "is computed")


_NUMERIC = words("-eq -ne -lt -le -gt -ge -v -R")


def _compares_numbers(node: Node) -> bool:
    """Whether a test computes its words, or looks for a variable by its subscript."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.type == "test_operator" and text_of(one) in _NUMERIC:
            return True
        stack.extend(one.children)
    return False


def define(walker: "Walker", node: Node) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None or walker.tree is None:
        return
    for redirect in node.children_by_field_name("redirect"):
        redirects.redirect(walker, redirect)
    function = Function(body, walker.tree, walker.origin, True)
    walker.state.functions[text_of(name)] = (function,)


def call(
    walker: "Walker", functions: tuple[Function, ...], arguments: tuple[Field, ...], feed: Input
) -> None:
    """Opens a function of the script."""
    if walker.depth > MAX_CALLS:
        walker.unread(0, f"functions call each other more than {MAX_CALLS} times", "")
        return
    kept = walker.state.arguments
    before, kept_names = dict(walker.state.variables), walker.state.local_names
    walker.state.local_names = frozenset()
    exact = all(one.is_exact and not one.is_pattern for one in arguments)
    walker.state.arguments = (
        Value(tuple(one.text for one in arguments))
        if exact
        else Value(unknown=_first_hole(arguments))
    )
    for function in functions:
        inner = walker.within(function.origin, walker.state)
        inner.tree = function.tree
        if function.is_sure:
            inner.statement(function.body, feed)
        else:
            with inner.maybe():
                inner.statement(function.body, feed)
        walker.state = inner.state
    walker.state.arguments = kept
    for name in walker.state.local_names:
        if name in before:
            walker.state.variables[name] = before[name]
        else:
            walker.state.variables.pop(name, None)
    walker.state.local_names = kept_names


def assignments(walker: "Walker", node: Node) -> None:
    if node.type == "variable_assignment":
        assignment(walker, node)
        return
    is_local = node.children[0].type in ("local", "declare", "typeset")
    for child in node.named_children:
        declared = child.child_by_field_name("name") or child
        if is_local and walker.depth and child.type in ("variable_assignment", "variable_name"):
            walker.state.local_names |= {text_of(declared)}
        if child.type == "variable_assignment":
            assignment(walker, child)
        elif node.type == "declaration_command":
            # `export "$x=…"` and `declare -n` name variables that are not seen here.
            field = walker.whole(child)
            if re.match(r"\w+\[", field.text) and (
                reason := computed.in_name(
                    walker.state, replace(field, text=field.text.partition("=")[0])
                )
            ):
                walker.unread(child.start_byte, reason, text_of(node))
            if field.holes or re.match(r"-\w*[nAi]", field.text):
                walker.unread(child.start_byte, "what it declares is not known", text_of(node))
                walker.state.doubt_everything()
            elif child.type != "variable_name" and "=" in field.text:
                name, _, value = field.text.partition("=")
                walker.hooks.variable(walker, name, field, child.start_byte)
                walker.state.assign(name, Value((value,)))


def assignment(walker: "Walker", node: Node, *, keeps: bool = True) -> None:
    """`name=value`; one before a command does not outlast it."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None:
        return
    if name.type == "subscript":
        arithmetic(walker, name)
        if value is not None:
            walker.whole(value)
        variable = name.child_by_field_name("name")
        if variable is not None:
            walker.state.doubt(text_of(variable), "is an array that is not followed")
        return
    known = _value(walker, value)
    shown = text_of(value) if value is not None else ""
    text = " ".join(known.words) if known.unknown is None else shown
    holes = () if known.unknown is None else (known.unknown,)
    walker.hooks.variable(
        walker, text_of(name), Field(text, node.start_byte, holes), node.start_byte
    )
    if any(child.type == "+=" for child in node.children):
        before = walker.state.variable(text_of(name))
        known = _added(before, known)
    if keeps:
        walker.state.assign(text_of(name), known)


def _value(walker: "Walker", node: Node | None) -> Value:
    if node is None:
        return Value(("",))
    if node.type == "array":
        fields = walker.expanded(list(node.named_children))
        for one in fields:
            if re.match(r"\[.*\]\+?=", one.text, re.S) and (
                reason := computed.in_name(walker.state, one)
            ):
                walker.unread(node.start_byte, reason, text_of(node))
        if all(one.is_exact and not one.is_pattern for one in fields):
            return Value(tuple(one.text for one in fields), is_array=True)
        return Value(unknown=_first_hole(tuple(fields)), is_array=True)
    field = walker.whole(node)
    if field.holes:
        is_plain = field.is_path and _PLAIN.fullmatch(re.sub(r"\$\([^()]*\)", "", field.text))
        return Value(unknown=field.holes[0], shown=field.text if is_plain else None)
    return Value((field.text,))


_PLAIN = re.compile(r"[\w./~:@%+=,-]*")
"""Letters that mean the same with quotes and without."""


# --- commands and words


def _added(before: Value, added: Value) -> Value:
    if before.unknown is not None or added.unknown is not None:
        return Value(unknown=before.unknown or added.unknown)
    if before.is_array or added.is_array:
        return Value((*before.words, *added.words), is_array=True)
    return Value(("".join((*before.words, *added.words)),))


def _first_hole(fields: tuple[Field, ...]) -> str:
    for one in fields:
        if one.holes:
            return one.holes[0]
    return "a pattern is not expanded"
