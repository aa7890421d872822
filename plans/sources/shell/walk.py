"""A script as bash runs it: every command reached, in order, with its words expanded and its input."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from . import assignments, branches, computed, redirects
from .reached import (
    MAX_COMMANDS,
    SILENT,
    TERMINAL,
    Budget,
    Command,
    Input,
    Redirect,
    shared,
    unknown_output,
)
from .redirects import REDIRECTS
from .state import State
from .syntax import Node, Origin, Tree, parse, text_of
from .words import Field, Output, Scope, expand, expand_whole, hole, is_translation

MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done with each command and redirection, and with what could not be read."""

    command: Callable[["Walker", Command], Input]
    """Its answer is what the command prints, for the next one in a pipe."""
    redirect: Callable[["Walker", Redirect], None]
    unread: Callable[["Walker", int, str, str], None]
    variable: Callable[["Walker", str, Field, int], None]
    output: Callable[["Walker", Sequence[Field]], Output | None] = lambda *_: None
    """What is known of what a command prints, by its words."""


class Walker:
    """One text being run, with the state it runs in."""

    def __init__(
        self, hooks: Hooks, origin: Origin, budget: Budget, state: State, depth: int = 0
    ) -> None:
        self.hooks = hooks
        self.origin = origin
        self.budget = budget
        self.state = state
        self.depth = depth
        self.tree: Tree | None = None

    # --- texts

    def run_text(self, text: str) -> None:
        """A whole script."""
        tree = self.parsed(text)
        if tree is not None:
            self.tree = tree
            if computed.hides_commands(tree):
                self.state.hides_commands = True
            self.statements(tree.root)

    def parsed(self, text: str) -> Tree | None:
        if self.depth > MAX_DEPTH:
            self.unread(0, f"commands are nested more than {MAX_DEPTH} levels deep", text)
            return None
        tree = parse(text)
        if isinstance(tree, str):
            self.unread(0, tree, text)
            return None
        return tree

    def nested(self, script: Field, state: State | None = None) -> None:
        """A text that a command runs as a script; in this state, or in one of its own."""
        origin = self.origin.within(
            script.at if script.exact_at is None else script.exact_at,
            is_exact=script.exact_at is not None,
        )
        inner = self.within(origin, state or self.state)
        if script.holes:
            inner.unread(0, script.holes[0], script.text)
            inner.state.doubt_everything()
        else:
            inner.run_text(script.text)

    def within(self, origin: Origin, state: State) -> "Walker":
        """A walker of a text inside this one."""
        return Walker(self.hooks, origin, self.budget, state, self.depth + 1)

    def unread(self, at: int, reason: str, text: str) -> None:
        self.hooks.unread(self, at, reason, text)

    # --- statements

    def statements(self, parent: Node) -> None:
        for node in parent.children:
            if _is_in_background(node):
                with self.aside():
                    self.statement(node)
            else:
                self.statement(node)

    def statement(self, node: Node, feed: Input = TERMINAL) -> Input:
        """Runs a statement; the answer is what it prints, if that is known."""
        if self.budget.exceeded is not None:
            return SILENT
        if self.tree is not None and (doubt := self.tree.doubts.get(node.id)):
            self.unread(node.start_byte, doubt, text_of(node))
            self.state.doubt_everything()
            return unknown_output(node)
        match node.type:
            case "comment" | ";" | ";;" | "&" | "\n" | "heredoc_body" | "heredoc_end":
                return SILENT
            case "(" | ")" | "{" | "}" | "then" | "do" | "done" | "else" | "$(" | "`":
                return SILENT
            case "command":
                return self.command(node, feed)
            case "redirected_statement":
                return redirects.redirected(self, node, feed)
            case "pipeline":
                return self.pipeline(node, feed)
            case "list":
                return self.and_or(node, feed)
            case "negated_command":
                for child in node.named_children:
                    self.statement(child, feed)
                return unknown_output(node)
            case "subshell":
                with self.aside():
                    self.group(node, feed)
                return unknown_output(node)
            case "compound_statement":
                if node.children and node.children[0].type == "((":
                    assignments.arithmetic(self, node)
                else:
                    self.group(node, feed)
                return unknown_output(node)
            case "do_group" | "else_clause":
                self.group(node, feed)
                return unknown_output(node)
            case "if_statement":
                branches.branches(self, node)
                return unknown_output(node)
            case "while_statement":
                branches.loop(self, node, feed)
                return unknown_output(node)
            case "for_statement":
                branches.for_each(self, node, feed)
                return unknown_output(node)
            case "c_style_for_statement":
                branches.loop(self, node, feed)
                return unknown_output(node)
            case "case_statement":
                branches.cases(self, node)
                return unknown_output(node)
            case "function_definition":
                assignments.define(self, node)
                return SILENT
            case "variable_assignment" | "variable_assignments" | "declaration_command":
                assignments.assignments(self, node)
                return SILENT
            case "unset_command":
                for child in node.named_children:
                    if (reason := computed.in_name(self.state, self.whole(child))) is not None:
                        self.unread(child.start_byte, reason, text_of(node))
                    self.state.variables.pop(text_of(child), None)
                    self.state.functions.pop(text_of(child), None)
                return SILENT
            case "test_command":
                assignments.arithmetic(self, node)
                return SILENT
            case _:
                self.unread(node.start_byte, f"`{node.type}` is not read here", text_of(node))
                self.state.doubt_everything()
                return unknown_output(node)

    def group(self, node: Node, feed: Input) -> None:
        # Only one of several commands gets the input; which one is not told here.
        inner = [child for child in node.named_children if child.type != "comment"]
        for child in inner:
            if child.type in REDIRECTS:
                redirects.redirect(self, child)
                continue
            part = feed if len(inner) == 1 or feed is TERMINAL else shared(feed)
            if _is_in_background(child):
                with self.aside():
                    self.statement(child, part)
            else:
                self.statement(child, part)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Runs something whose assignments are lost afterwards, as in a subshell."""
        kept, self.state = self.state, self.state.fork()
        try:
            yield
        finally:
            self.state = kept

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """Runs something that may not run."""
        before = self.state.fork()
        yield
        self.state.merge(before)

    def and_or(self, node: Node, feed: Input) -> Input:
        if (chain := _chain(node)) is not None:
            return self.chain(node, chain, feed)
        left, right = node.named_children[0], node.named_children[-1]
        self.statement(left, shared(feed))
        with self.maybe():
            self.statement(right, shared(feed))
        return unknown_output(node)

    def chain(self, node: Node, parts: list[Node], feed: Input) -> Input:
        """`a && b && c`: where one runs, all before it ran; it may end after each."""
        ends: list[State] = []
        for index, part in enumerate(parts):
            if index and not _always_succeeds(parts[index - 1]):
                ends.append(self.state.fork())
            self.statement(part, shared(feed))
        for end in ends:
            self.state.merge(end)
        return unknown_output(node)

    def pipeline(self, node: Node, feed: Input) -> Input:
        current = feed
        for child in node.named_children:
            # Each part runs in a shell of its own, except with `lastpipe`.
            with self.maybe():
                current = self.statement(child, current)
        return current

    def command(self, node: Node, feed: Input, more: tuple[Field, ...] = ()) -> Input:
        if self.budget.commands == 0:
            self.budget.exceeded = f"the script runs more than {MAX_COMMANDS} commands"
            return SILENT
        self.budget.commands -= 1
        words: list[Node] = []
        given: list[str] = []
        for child in node.children:
            if child.type == "variable_assignment":
                assignments.assignment(self, child, keeps=False)
                variable = child.child_by_field_name("name")
                given += [text_of(variable)] if variable is not None else []
            elif child.type == "herestring_redirect":
                feed = Input(text=self.whole(child.named_children[-1]))
            elif child.type in REDIRECTS:
                redirects.redirect(self, child)
                if any(one.type == "<" for one in child.children):
                    feed = Input(unknown=f"what `{text_of(child)[1:].strip()[:60]}` holds")
            elif child.type == "subshell":
                self.unread(child.start_byte, "a command stands where a word should", text_of(node))
            elif child.is_named:
                words.append(child)
            elif not is_translation(child):
                self.unread(child.start_byte, "it is not read here", text_of(node))
        command = Command((*self.expanded(words), *more), node.start_byte, text_of(node), feed)
        if command.fields and (
            command.fields[0].text in ("eval", "source", ".", "command", "builtin", "exec")
            or command.fields[0].text in self.state.functions
        ):
            for name in given:
                self.state.doubt(name, "is set for this command only")
        return self.hooks.command(self, command) if command.fields else SILENT

    def expanded(self, nodes: list[Node]) -> list[Field]:
        fields: list[Field] = []
        for node in nodes:
            found = expand(node, self.scope())
            if isinstance(found, str):
                fields.append(hole(text_of(node), found, node.start_byte, is_many=True))
            else:
                fields += found
        return fields

    def whole(self, node: Node) -> Field:
        return expand_whole(node, self.scope())

    def scope(self) -> Scope:
        return Scope(
            self.state.variable,
            lambda: self.state.arguments,
            self.substitution,
            lambda name: self.state.doubt(name, "may be set by its default"),
            self.compute,
        )

    def compute(self, node: Node) -> None:
        """Says so where bash runs a command that is not seen when it computes an expression."""
        if (reason := computed.in_node(self.state, node)) is not None:
            self.unread(node.start_byte, reason, text_of(node))

    def substitution(self, node: Node) -> Output | None:
        """Runs the commands of `$(…)`, `` `…` `` and `<(…)`; the answer is what is known of what they print."""
        with self.aside():
            text = text_of(node)
            if text.startswith("`") and "\\" in text:
                # Inside backquotes a backslash hides `$`, a backquote and itself.
                inner, index = [], 1
                while index < len(text) - 1:
                    if text[index] == "\\" and text[index + 1 : index + 2] in ("`", "\\", "$"):
                        index += 1
                    inner.append(text[index])
                    index += 1
                self.nested(Field("".join(inner), node.start_byte, known="".join(inner)))
                return None
            for child in node.named_children:
                if child.type in REDIRECTS:
                    redirects.redirect(self, child)
                else:
                    self.statement(child)
        return self.output(node)

    def output(self, node: Node) -> Output | None:
        inner = node.named_children
        if node.type != "command_substitution" or [one.type for one in inner] != ["command"]:
            return None
        words = inner[0].children
        if any(one.type not in _PLAIN_WORDS for word in words for one in (word, *word.children)):
            return None
        return self.hooks.output(self, self.expanded(words))


_PLAIN_WORDS = frozenset(
    {"command_name", "word", "number", "raw_string", "string", "string_content", '"'}
)


def _is_in_background(node: Node) -> bool:
    """Whether `&` follows, so that it runs in a shell of its own."""
    return node.is_named and node.next_sibling is not None and node.next_sibling.type == "&"


def _chain(node: Node) -> list[Node] | None:
    """The commands of `a && b && c`; `None` where anything else joins them."""
    parts: list[Node] = []
    while node.type == "list":
        inner = [child for child in node.children if child.type != "comment"]
        if len(inner) != 3 or inner[1].type != "&&":
            return None
        parts.append(inner[2])
        node = inner[0]
    return [node, *reversed(parts)]


def _always_succeeds(node: Node) -> bool:
    """Whether `&&` after it is no condition: after `cd` nothing else makes sense to assume."""
    name = node.child_by_field_name("name") if node.type == "command" else None
    return name is not None and text_of(name) in ("cd", "set", "export", "true", ":", "echo")
