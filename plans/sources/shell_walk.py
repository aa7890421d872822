"""A script as bash runs it: every command reached, in order, with its words expanded and its input."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..model import Change
from .shell_report import shortened
from .shell_state import Function, State
from .shell_syntax import Node, Origin, Tree, parse, text_of
from .shell_words import (
    Field,
    Scope,
    Value,
    document,
    expand,
    expand_whole,
    hole,
    is_translation,
    literal,
)
from .sql_changes import words

MAX_COMMANDS = 20_000
MAX_DEPTH = 24
MAX_TURNS = 64


@dataclass(frozen=True, slots=True)
class Input:
    """What a command reads: `text` where it is known; otherwise why it is not."""

    text: Field | None = None
    unknown: str | None = None


TERMINAL = Input()
"""Nothing of the script feeds it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command about to run."""

    fields: tuple[Field, ...]
    at: int
    text: str
    input: Input = TERMINAL


@dataclass(frozen=True, slots=True)
class Redirect:
    """A file that a redirection opens for writing."""

    target: Field
    appends: bool
    empties: bool
    """Nothing is written: the file is only emptied."""
    at: int
    text: str


@dataclass(slots=True)
class Budget:
    """What is left for one artifact, however deeply its texts are nested."""

    commands: int = MAX_COMMANDS
    changes: list[Change] = field(default_factory=list)
    exceeded: str | None = None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done with each command and redirection, and with what could not be read."""

    command: Callable[["Walker", Command], Input]
    """Its answer is what the command prints, for the next one in a pipe."""
    redirect: Callable[["Walker", Redirect], None]
    unread: Callable[["Walker", int, str, str], None]
    variable: Callable[["Walker", str, Field, int], None]


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
        inner = Walker(self.hooks, origin, self.budget, state or self.state, self.depth + 1)
        if script.holes:
            inner.unread(0, script.holes[0], script.text)
            inner.state.doubt_everything()
        else:
            inner.run_text(script.text)

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
            return _SILENT
        if self.tree is not None and (doubt := self.tree.doubts.get(node.id)):
            self.unread(node.start_byte, doubt, text_of(node))
            self.state.doubt_everything()
            return _unknown(node)
        match node.type:
            case "comment" | ";" | ";;" | "&" | "\n" | "heredoc_body" | "heredoc_end":
                return _SILENT
            case "(" | ")" | "{" | "}" | "then" | "do" | "done" | "else" | "$(" | "`":
                return _SILENT
            case "command":
                return self.command(node, feed)
            case "redirected_statement":
                return self.redirected(node, feed)
            case "pipeline":
                return self.pipeline(node, feed)
            case "list":
                return self.and_or(node, feed)
            case "negated_command":
                for child in node.named_children:
                    self.statement(child, feed)
                return _unknown(node)
            case "subshell":
                with self.aside():
                    self.group(node, feed)
                return _unknown(node)
            case "compound_statement":
                if node.children and node.children[0].type == "((":
                    self.arithmetic(node)
                else:
                    self.group(node, feed)
                return _unknown(node)
            case "do_group" | "else_clause":
                self.group(node, feed)
                return _unknown(node)
            case "if_statement":
                self.branches(node)
                return _unknown(node)
            case "while_statement":
                self.loop(node, feed)
                return _unknown(node)
            case "for_statement":
                self.for_each(node, feed)
                return _unknown(node)
            case "c_style_for_statement":
                self.loop(node, feed)
                return _unknown(node)
            case "case_statement":
                self.cases(node)
                return _unknown(node)
            case "function_definition":
                self.define(node)
                return _SILENT
            case "variable_assignment" | "variable_assignments" | "declaration_command":
                self.assignments(node)
                return _SILENT
            case "unset_command":
                for child in node.named_children:
                    self.state.variables.pop(text_of(child), None)
                    self.state.functions.pop(text_of(child), None)
                return _SILENT
            case "test_command":
                self.arithmetic(node)
                return _SILENT
            case _:
                self.unread(node.start_byte, f"`{node.type}` is not read here", text_of(node))
                self.state.doubt_everything()
                return _unknown(node)

    def group(self, node: Node, feed: Input) -> None:
        # Only one of several commands gets the input; which one is not told here.
        inner = [child for child in node.named_children if child.type != "comment"]
        for child in inner:
            if child.type in _REDIRECTS:
                self.redirect(child)
                continue
            shared = feed if len(inner) == 1 or feed is TERMINAL else _shared(feed)
            if _is_in_background(child):
                with self.aside():
                    self.statement(child, shared)
            else:
                self.statement(child, shared)

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
        left, right = node.named_children[0], node.named_children[-1]
        self.statement(left, _shared(feed))
        always = any(child.type == "&&" for child in node.children) and _always_succeeds(left)
        if always:
            self.statement(right, _shared(feed))
        else:
            with self.maybe():
                self.statement(right, _shared(feed))
        return _unknown(node)

    def pipeline(self, node: Node, feed: Input) -> Input:
        current = feed
        for child in node.named_children:
            # Each part runs in a shell of its own, except with `lastpipe`.
            with self.maybe():
                current = self.statement(child, current)
        return current

    def redirected(self, node: Node, feed: Input) -> Input:
        body = node.child_by_field_name("body")
        rest: list[Node] = []
        for child in node.children_by_field_name("redirect"):
            if child.type == "heredoc_redirect":
                feed = Input(text=self.heredoc(child))
                rest += self.after_heredoc(child)
            elif child.type == "herestring_redirect":
                feed = Input(text=self.whole(child.named_children[-1]))
            else:
                self.redirect(child, empties=body is None or text_of(body) in (":", "true"))
                if any(one.type == "<" for one in child.children):
                    feed = Input(unknown=f"what `{text_of(child)[1:].strip()[:60]}` holds")
        if body is not None and body.type == "command":
            output = self.command(body, feed, tuple(self.lost_dash(node, body)))
        else:
            output = self.statement(body, feed) if body is not None else _SILENT
        for one in rest:
            if one.type == "pipeline":
                for child in one.named_children:
                    with self.maybe():
                        output = self.statement(child, output)
            else:
                with self.maybe():
                    output = self.statement(one)
        return output

    def lost_dash(self, node: Node, body: Node) -> Iterator[Field]:
        """The `-` of `command - <<EOF`, which the grammar leaves out of the tree."""
        for redirect in node.children_by_field_name("redirect"):
            between = self.tree.source[body.end_byte : redirect.start_byte] if self.tree else b""
            if redirect.type == "heredoc_redirect" and between.strip() == b"-":
                yield literal("-", body.end_byte + between.index(b"-"))

    def heredoc(self, node: Node) -> Field:
        start = next(one for one in node.children if one.type == "heredoc_start")
        body = next((one for one in node.children if one.type == "heredoc_body"), None)
        if body is None:
            return Field("", node.start_byte)
        is_quoted = any(letter in text_of(start) for letter in "'\"\\")
        return document(body, is_quoted=is_quoted, scope=self.scope())

    def after_heredoc(self, node: Node) -> list[Node]:
        """What stands on the line of `<<EOF` after it: redirections, a pipe, a next command."""
        rest: list[Node] = []
        for child in node.named_children:
            if child.type in ("heredoc_start", "heredoc_body", "heredoc_end", "file_descriptor"):
                continue
            if child.type in _REDIRECTS:
                self.redirect(child)
            elif child.type in _WORDS:
                self.unread(child.start_byte, "a word follows a here-document", text_of(child))
            else:
                rest.append(child)
        return rest

    def redirect(self, node: Node, *, empties: bool = False) -> None:
        operator = next((one.type for one in node.children if not one.is_named), "")
        words = [one for one in node.named_children if one.type != "file_descriptor"]
        if operator in ("<", "<&", "<&-", ">&-") or not words:
            for word in words:
                self.whole(word)
            return
        target = self.whole(words[0])
        for word in words[1:]:
            self.unread(word.start_byte, "a word follows a redirection", text_of(word))
        if (
            operator in (">&",)
            and target.is_exact
            and (target.text.isdigit() or target.text == "-")
        ):
            return
        appends = operator in (">>", "&>>")
        self.hooks.redirect(
            self, Redirect(target, appends, empties, node.start_byte, text_of(node))
        )

    def branches(self, node: Node) -> None:
        """`if`: the conditions run in order, and at most one body."""
        ends: list[State] = []
        has_else = False
        branch: State | None = None
        for child in node.children:
            if child.type == "then":
                branch = self.state.fork()
            elif child.type == "elif_clause":
                if branch is not None:
                    ends.append(self.state)
                    self.state = branch
                branch = None
                for part in child.children:
                    if part.type == "then":
                        branch = self.state.fork()
                    elif part.type != "elif":
                        self.statement(part)
            elif child.type == "else_clause":
                if branch is not None:
                    ends.append(self.state)
                    self.state = branch
                has_else, branch = True, None
                self.statement(child)
            elif child.type not in ("if", "fi"):
                self.statement(child)
        if branch is not None and not has_else:
            ends.append(branch)
        for end in ends:
            self.state.merge(end)

    def loop(self, node: Node, feed: Input) -> None:
        """A loop whose turns are not known: what it assigns is not known in any of them."""
        self.forget_assigned(node)
        with self.maybe():
            for child in node.named_children:
                if child.type == "do_group" or child.type not in _EXPRESSIONS:
                    self.statement(child, _shared(feed))
                else:
                    self.arithmetic(child)
        self.forget_assigned(node)

    def for_each(self, node: Node, feed: Input) -> None:
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        name = text_of(variable) if variable is not None else "_"
        words = node.children_by_field_name("value")
        has_list = any(child.type == "in" for child in node.children)
        fields = self.expanded(words) if has_list else None
        is_known = (
            fields is not None
            and all(one.is_exact and not one.is_pattern for one in fields)
            and len(fields) <= MAX_TURNS
            and node.children[0].type != "select"
        )
        if body is None:
            return
        if not is_known or fields is None or _leaves_early(body):
            self.forget_assigned(node)
            self.state.doubt(name, "takes values that are not known")
            with self.maybe():
                self.statement(body, _shared(feed))
            self.forget_assigned(node)
            return
        for one in fields:
            self.state.assign(name, Value((one.text,)))
            self.statement(body, _shared(feed))

    def cases(self, node: Node) -> None:
        before = self.state
        ends = [before.fork()]
        value = node.child_by_field_name("value")
        if value is not None:
            self.whole(value)
        for item in node.named_children:
            if item.type != "case_item":
                continue
            self.state = before.fork()
            patterns = item.children_by_field_name("value")
            for pattern in patterns:
                self.whole(pattern)
            for child in item.named_children:
                if child not in patterns:
                    self.statement(child)
            # `;&` and `;;&` go on to the next case.
            if item.children and item.children[-1].type in (";&", ";;&"):
                self.state.doubt_everything()
            ends.append(self.state)
        self.state = before
        for end in ends:
            self.state.merge(end)

    def forget_assigned(self, node: Node) -> None:
        """Whatever a node assigns is not known."""
        stack = [node]
        while stack:
            one = stack.pop()
            stack.extend(one.children)
            if one.type == "variable_name" and not (
                one.parent and one.parent.type in ("simple_expansion", "expansion")
            ):
                self.state.doubt(text_of(one), "changes in a loop")
            elif one.type == "command":
                name = one.child_by_field_name("name")
                match text_of(name) if name is not None else "":
                    case "cd" | "pushd" | "popd":
                        self.state.directory = None
                    case "read" | "mapfile" | "readarray" | "getopts" | "printf" | "let" | "eval":
                        for word in one.children_by_field_name("argument"):
                            self.state.doubt(text_of(word), "changes in a loop")
                    case "set" | "shift":
                        self.state.arguments = Value(unknown="the arguments change in a loop")
                    case _:
                        pass

    def arithmetic(self, node: Node) -> None:
        """An expression that may assign to any name in it, and run the commands in it."""
        stack = [node]
        assigns = node.type != "test_command"
        while stack:
            one = stack.pop()
            if one.type in ("command_substitution", "process_substitution"):
                self.substitution(one)
                continue
            stack.extend(one.children)
            if (assigns and one.type == "variable_name") or (one.type == "word" and assigns):
                self.state.doubt(text_of(one), "is computed")

    # --- definitions and assignments

    def define(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None or self.tree is None:
            return
        for redirect in node.children_by_field_name("redirect"):
            self.redirect(redirect)
        function = Function(body, self.tree, self.origin, True)
        self.state.functions[text_of(name)] = (function,)

    def call(
        self, functions: tuple[Function, ...], arguments: tuple[Field, ...], feed: Input
    ) -> None:
        """Opens a function of the script."""
        if self.depth > MAX_DEPTH:
            self.unread(0, f"functions call each other more than {MAX_DEPTH} times", "")
            return
        kept = self.state.arguments
        before, kept_names = dict(self.state.variables), self.state.local_names
        self.state.local_names = frozenset()
        exact = all(one.is_exact and not one.is_pattern for one in arguments)
        self.state.arguments = (
            Value(tuple(one.text for one in arguments))
            if exact
            else Value(unknown=_first_hole(arguments))
        )
        for function in functions:
            inner = Walker(self.hooks, function.origin, self.budget, self.state, self.depth + 1)
            inner.tree = function.tree
            if function.is_sure:
                inner.statement(function.body, feed)
            else:
                with inner.maybe():
                    inner.statement(function.body, feed)
            self.state = inner.state
        self.state.arguments = kept
        for name in self.state.local_names:
            if name in before:
                self.state.variables[name] = before[name]
            else:
                self.state.variables.pop(name, None)
        self.state.local_names = kept_names

    def assignments(self, node: Node) -> None:
        if node.type == "variable_assignment":
            self.assignment(node)
            return
        is_local = node.children[0].type in ("local", "declare", "typeset")
        for child in node.named_children:
            declared = child.child_by_field_name("name") or child
            if is_local and self.depth and child.type in ("variable_assignment", "variable_name"):
                self.state.local_names |= {text_of(declared)}
            if child.type == "variable_assignment":
                self.assignment(child)
            elif node.type == "declaration_command":
                # `export "$x=…"` and `declare -n` name variables that are not seen here.
                field = self.whole(child)
                if field.holes or field.text.startswith(("-n", "-A", "-i")):
                    self.unread(child.start_byte, "what it declares is not known", text_of(node))
                    self.state.doubt_everything()
                elif child.type != "variable_name" and "=" in field.text:
                    name, _, value = field.text.partition("=")
                    self.hooks.variable(self, name, field, child.start_byte)
                    self.state.assign(name, Value((value,)))

    def assignment(self, node: Node, *, keeps: bool = True) -> None:
        """`name=value`; one before a command does not outlast it."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        if name.type == "subscript":
            self.arithmetic(name)
            if value is not None:
                self.whole(value)
            variable = name.child_by_field_name("name")
            if variable is not None:
                self.state.doubt(text_of(variable), "is an array that is not followed")
            return
        known = self.value(value)
        shown = text_of(value) if value is not None else ""
        text = " ".join(known.words) if known.unknown is None else shown
        holes = () if known.unknown is None else (known.unknown,)
        self.hooks.variable(
            self, text_of(name), Field(text, node.start_byte, holes), node.start_byte
        )
        if any(child.type == "+=" for child in node.children):
            before = self.state.variable(text_of(name))
            known = _added(before, known)
        if keeps:
            self.state.assign(text_of(name), known)

    def value(self, node: Node | None) -> Value:
        if node is None:
            return Value(("",))
        if node.type == "array":
            fields = self.expanded(list(node.named_children))
            if all(one.is_exact and not one.is_pattern for one in fields):
                return Value(tuple(one.text for one in fields), is_array=True)
            return Value(unknown=_first_hole(tuple(fields)), is_array=True)
        field = self.whole(node)
        if field.holes:
            return Value(unknown=field.holes[0])
        return Value((field.text,))

    # --- commands and words

    def command(self, node: Node, feed: Input, more: tuple[Field, ...] = ()) -> Input:
        if self.budget.commands == 0:
            self.budget.exceeded = f"the script runs more than {MAX_COMMANDS} commands"
            return _SILENT
        self.budget.commands -= 1
        words: list[Node] = []
        given: list[str] = []
        for child in node.children:
            if child.type == "variable_assignment":
                self.assignment(child, keeps=False)
                variable = child.child_by_field_name("name")
                given += [text_of(variable)] if variable is not None else []
            elif child.type == "herestring_redirect":
                feed = Input(text=self.whole(child.named_children[-1]))
            elif child.type in _REDIRECTS:
                self.redirect(child)
                if any(one.type == "<" for one in child.children):
                    feed = Input(unknown=f"what `{text_of(child)[1:].strip()[:60]}` holds")
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
        return self.hooks.command(self, command) if command.fields else _SILENT

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
        )

    def substitution(self, node: Node) -> None:
        """Runs the commands of `$(…)`, `` `…` `` and `<(…)`; what they print is not followed."""
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
                return
            for child in node.named_children:
                if child.type in _REDIRECTS:
                    self.redirect(child)
                else:
                    self.statement(child)


_SILENT = Input(text=Field("", 0))
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
_WORDS = words(
    "word string raw_string number concatenation simple_expansion expansion ansi_c_string "
    "command_substitution process_substitution"
)
_EXPRESSIONS = words(
    "binary_expression unary_expression postfix_expression parenthesized_expression "
    "variable_assignment ternary_expression"
)


def _is_in_background(node: Node) -> bool:
    """Whether `&` follows, so that it runs in a shell of its own."""
    return node.is_named and node.next_sibling is not None and node.next_sibling.type == "&"


def _unknown(node: Node) -> Input:
    return Input(unknown=f"what `{shortened(text_of(node), 60)}` prints")


def _shared(feed: Input) -> Input:
    """An input that this command may get, or another one before it."""
    if feed is TERMINAL or feed.text is None:
        return feed
    return Input(unknown="the rest of an input that other commands read too")


def _always_succeeds(node: Node) -> bool:
    """Whether `&&` after it is no condition: after `cd` nothing else makes sense to assume."""
    name = node.child_by_field_name("name") if node.type == "command" else None
    return name is not None and text_of(name) in ("cd", "set", "export", "true", ":", "echo")


def _leaves_early(body: Node) -> bool:
    """Whether a loop body has `break`, `continue` or `return`, so that its turns differ."""
    stack = [body]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type == "command_name" and text_of(node) in ("break", "continue", "return", "exit"):
            return True
    return False


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


def prints(command: Command) -> Input:
    """What a command prints, where nobody knows it."""
    return Input(unknown=f"what `{shortened(command.text, 60)}` prints")


def joined(fields: Sequence[Field]) -> str:
    return shortened(" ".join(one.text for one in fields))
