"""What bash computes, as `$((x))` and `a[x]`: it runs the commands in a subscript, also where a value names one.

What a script reads from outside is data here; a script that quotes such a subscript itself may feed it anywhere.
"""

import re

from .state import State
from .syntax import Node, Tree, text_of
from .words import Field

_MAX_NAMES = 1_000
_RUNS = re.compile(r"\$\((?!\()|`|@P\}|\\[$`]|\\x24|\\0?44|\\u0*24")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*|\$(\d)")
_ESCAPED = re.compile(r"\\[$`]")
_QUOTED = frozenset({"raw_string", "ansi_c_string", "heredoc_body"})


def hides_commands(tree: Tree) -> bool:
    """Whether a script quotes a subscript with a command in it, or the beginning of one."""
    stack = [tree.root]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type in _QUOTED and _hides(text_of(node)):
            return True
        if node.type in ("string", "word", "concatenation") and _hides(text_of(node), _ESCAPED):
            return True
    return False


def runs(text: str) -> bool:
    """Whether a text has a substitution in it that bash would run."""
    return _RUNS.search(text) is not None


def _hides(text: str, commands: re.Pattern[str] = _RUNS) -> bool:
    """Whether a command follows a `[`, or the text ends in a subscript that it does not close."""
    first, last = text.find("["), text.rfind("[")
    if first < 0:
        return False
    is_open = last > text.rfind("]") and commands is _RUNS and text[last - 1 : last].isalnum()
    return is_open or commands.search(text, first) is not None


def in_node(state: State, node: Node) -> str | None:
    """Why computing an expression of the script may run what is not seen; its own substitutions are."""
    return in_text(state, _without_substitutions(node))


def in_text(state: State, text: str) -> str | None:
    """Why computing a text may run a command; `None` where nothing shows that."""
    waiting, seen = [text], {text}
    while waiting:
        one = waiting.pop()
        if _RUNS.search(one):
            return "bash runs a command in it when it computes it"
        for match in _NAME.finditer(one):
            name = match[1] or match[0]
            value = state.variable(name) if match[1] else state.variables.get(name)
            if value is None:
                continue
            if value.unknown is not None:
                if state.hides_commands:
                    return f"`{match[0]}` may hold a command, which bash runs when it computes it"
                continue
            fresh = [word for word in value.words if word not in seen]
            waiting += fresh
            seen.update(fresh)
            if len(seen) > _MAX_NAMES:
                return f"it names more than {_MAX_NAMES} values"
    return None


def in_name(state: State, field: Field) -> str | None:
    """Why a word that names a variable may run a command by its subscript."""
    known = field.text if field.is_exact else field.known
    if "[" in known:
        return in_text(state, known.partition("[")[2])
    if not field.is_exact and state.hides_commands:
        return f"its name may hold a command: {field.holes[0]}"
    return None


def in_word(state: State, field: Field) -> str | None:
    """Why a word that is computed may run a command."""
    if field.is_exact:
        return in_text(state, field.text)
    if _RUNS.search(field.known) or state.hides_commands:
        return f"it may hold a command, which bash runs when it computes it: {field.holes[0]}"
    return None


def _without_substitutions(node: Node) -> str:
    text, start, at = node.text or b"", node.start_byte, 0
    pieces: list[bytes] = []
    stack = [node]
    while stack:
        one = stack.pop()
        if one.type in ("command_substitution", "process_substitution"):
            pieces.append(text[at : one.start_byte - start])
            at = one.end_byte - start
        else:
            stack.extend(reversed(one.children))
    return b" ".join((*pieces, text[at:])).decode("utf-8", "replace")
