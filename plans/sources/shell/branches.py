"""Branches and loops: which commands may run, how often, and what is not known after them."""

from typing import TYPE_CHECKING

from ..words import words
from . import assignments
from .reached import Input, shared
from .state import State
from .syntax import Node, text_of
from .words import Value

if TYPE_CHECKING:
    from .walk import Walker

MAX_TURNS = 64
_EXPRESSIONS = words(
    "binary_expression unary_expression postfix_expression parenthesized_expression "
    "variable_assignment ternary_expression"
)


def branches(walker: "Walker", node: Node) -> None:
    """`if`: the conditions run in order, and at most one body."""
    ends: list[State] = []
    has_else = False
    branch: State | None = None
    for child in node.children:
        if child.type == "then":
            branch = walker.state.fork()
        elif child.type == "elif_clause":
            if branch is not None:
                ends.append(walker.state)
                walker.state = branch
            branch = None
            for part in child.children:
                if part.type == "then":
                    branch = walker.state.fork()
                elif part.type != "elif":
                    walker.statement(part)
        elif child.type == "else_clause":
            if branch is not None:
                ends.append(walker.state)
                walker.state = branch
            has_else, branch = True, None
            walker.statement(child)
        elif child.type not in ("if", "fi"):
            walker.statement(child)
    if branch is not None and not has_else:
        ends.append(branch)
    for end in ends:
        walker.state.merge(end)


def loop(walker: "Walker", node: Node, feed: Input) -> None:
    """A loop whose turns are not known: what it assigns is not known in any of them."""
    _forget_assigned(walker, node)
    with walker.maybe():
        for child in node.named_children:
            if child.type == "do_group" or child.type not in _EXPRESSIONS:
                walker.statement(child, shared(feed))
            else:
                assignments.arithmetic(walker, child)
    _forget_assigned(walker, node)


def for_each(walker: "Walker", node: Node, feed: Input) -> None:
    variable = node.child_by_field_name("variable")
    body = node.child_by_field_name("body")
    name = text_of(variable) if variable is not None else "_"
    words = node.children_by_field_name("value")
    has_list = any(child.type == "in" for child in node.children)
    fields = walker.expanded(words) if has_list else None
    is_known = (
        fields is not None
        and all(one.is_exact and not one.is_pattern for one in fields)
        and len(fields) <= MAX_TURNS
        and node.children[0].type != "select"
    )
    if body is None:
        return
    if not is_known or fields is None or _leaves_early(body):
        _forget_assigned(walker, node)
        walker.state.doubt(name, "takes values that are not known")
        with walker.maybe():
            walker.statement(body, shared(feed))
        _forget_assigned(walker, node)
        return
    for one in fields:
        walker.state.assign(name, Value((one.text,)))
        walker.statement(body, shared(feed))


def cases(walker: "Walker", node: Node) -> None:
    before = walker.state
    ends = [before.fork()]
    value = node.child_by_field_name("value")
    if value is not None:
        walker.whole(value)
    for item in node.named_children:
        if item.type != "case_item":
            continue
        walker.state = before.fork()
        patterns = item.children_by_field_name("value")
        for pattern in patterns:
            walker.whole(pattern)
        for child in item.named_children:
            if child not in patterns:
                walker.statement(child)
        # `;&` and `;;&` go on to the next case.
        if item.children and item.children[-1].type in (";&", ";;&"):
            walker.state.doubt_everything()
        ends.append(walker.state)
    walker.state = before
    for end in ends:
        walker.state.merge(end)


def _forget_assigned(walker: "Walker", node: Node) -> None:
    """Whatever a node assigns is not known."""
    stack = [node]
    while stack:
        one = stack.pop()
        stack.extend(one.children)
        if one.type == "variable_name" and not (
            one.parent and one.parent.type in ("simple_expansion", "expansion")
        ):
            walker.state.doubt(text_of(one), "changes in a loop")
        elif one.type == "command":
            name = one.child_by_field_name("name")
            match text_of(name) if name is not None else "":
                case "cd" | "pushd" | "popd":
                    walker.state.directory = None
                case "read" | "mapfile" | "readarray" | "getopts" | "printf" | "let" | "eval":
                    for word in one.children_by_field_name("argument"):
                        walker.state.doubt(text_of(word), "changes in a loop")
                case "set" | "shift":
                    walker.state.arguments = Value(unknown="the arguments change in a loop")
                case _:
                    pass


def _leaves_early(body: Node) -> bool:
    """Whether a loop body has `break`, `continue` or `return`, so that its turns differ."""
    stack = [body]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type == "command_name" and text_of(node) in ("break", "continue", "return", "exit"):
            return True
    return False
