"""Words to what a program is given: quotes, variables and braces expanded; what is not known stays a hole."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from .syntax import Node, text_of

MAX_FIELDS = 1_000
MAX_WORD_LETTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Field:
    """One word as a program gets it. Where something is not known, `text` shows how it is written."""

    text: str
    at: int
    holes: tuple[str, ...] = ()
    """What is not known in it; none when `text` is exact."""
    known: str = ""
    """What is sure to stand at its beginning."""
    is_many: bool = False
    """Whether it may be any number of words."""
    is_pattern: bool = False
    """Whether it names files by a pattern."""
    exact_at: int | None = None
    """Where `text` stands letter by letter in the script, if it does."""
    is_path: bool = False
    """What is not known in it are single names, so that `text` shows which path it is."""

    @property
    def is_exact(self) -> bool:
        return not self.holes

    @property
    def may_be_option(self) -> bool:
        """Whether its unknown part may make it an option."""
        begins = self.known[:1] or ("/" if self.is_path else "-")
        return bool(self.holes) and begins == "-"


def literal(text: str, at: int = 0) -> Field:
    return Field(text, at, known=text)


def hole(text: str, reason: str, at: int = 0, *, is_many: bool = False) -> Field:
    return Field(text, at, holes=(reason,), is_many=is_many)


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable holds: words when it is known, else why it is not."""

    words: tuple[str, ...] = ()
    unknown: str | None = None
    is_array: bool = False
    shown: str | None = None
    """How it is written, where only single names in it are unknown."""


@dataclass(frozen=True, slots=True)
class Output:
    """What is known of what a command prints: it is one word, and maybe one name or path."""

    shown: str
    is_path: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What a word may refer to. `run` is called with each command that expanding the word runs."""

    variable: Callable[[str], Value]
    arguments: Callable[[], Value]
    run: Callable[[Node], Output | None]
    doubt: Callable[[str], None]
    """Is told of a variable that expanding the word may set, as `${name:=word}` does."""
    compute: Callable[[Node], None]
    """Is told of every expression that bash computes."""


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece of a word before it is cut into fields."""

    text: str
    quoted: bool
    at: int
    hole: str | None = None
    splits: bool = False
    """It is a value outside quotes, so blanks in it part words."""
    is_path: bool = False
    """The hole in it is a single name."""
    breaks: bool = False
    """Here one word of several ends, as between the arguments of `"$@"`."""


def expand(node: Node, scope: Scope) -> list[Field] | str:
    """The fields of one word, or why there are too many."""
    atoms = _Words(scope).atoms(node)
    if sum(len(atom.text) for atom in atoms) > MAX_WORD_LETTERS:
        return f"a word has more than {MAX_WORD_LETTERS} letters"
    variants = _braces(atoms)
    if variants is None:
        return f"braces make more than {MAX_FIELDS} words"
    fields = [field for variant in variants for field in _fields(variant, node)]
    if len(fields) > MAX_FIELDS:
        return f"a word expands to more than {MAX_FIELDS} words"
    if len(variants) == 1 and len(fields) == 1 and (at := _verbatim(node)) is not None:
        return [replace(fields[0], exact_at=at)]
    return fields


def expand_whole(node: Node, scope: Scope) -> Field:
    """The one field of a word that is neither cut nor braced, as in an assignment."""
    atoms = _Words(scope).atoms(node)
    field = _joined([replace(atom, splits=False, breaks=False) for atom in atoms], node)
    return replace(field, exact_at=_verbatim(node), is_many=False)


def document(node: Node, *, is_quoted: bool, scope: Scope) -> Field:
    """The body of a here-document."""
    words = _Words(scope)
    if is_quoted:
        return Field(text_of(node), node.start_byte, known=text_of(node), exact_at=node.start_byte)
    atoms = words.between(node, node.start_byte, node.end_byte, escapes="\\$`")
    field = _joined(atoms, node)
    if _EXPANDS.search(_outside(node, _EXPANSIONS)):
        return replace(field, holes=(*field.holes, "an expansion in it is not read here"), known="")
    is_plain = not node.named_children and "\\" not in text_of(node)
    return replace(field, exact_at=node.start_byte if is_plain else None)


def runs_unseen(node: Node) -> bool:
    """Whether a here-document runs a command that the grammar takes for plain letters, as between backticks."""
    return re.search(r"`|\$\((?!\()", _outside(node, _SUBSTITUTIONS)) is not None


def _outside(node: Node, types: frozenset[str]) -> str:
    """The text without what is escaped in it and without the nodes of these types."""
    waiting, text = [node], bytearray(node.text or b"")
    hidden: list[Node] = []
    while waiting:
        one = waiting.pop()
        if one.type in types:
            hidden.append(one)
        else:
            waiting.extend(one.named_children)
    for one in hidden:
        start, end = one.start_byte - node.start_byte, one.end_byte - node.start_byte
        text[start:end] = b" " * (end - start)
    return re.sub(r"\\.", "", text.decode("utf-8", "replace"), flags=re.S)


class _Words:
    """Nodes to atoms, one case for each kind of node."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def atoms(self, node: Node, *, quoted: bool = False) -> list[_Atom]:
        at = node.start_byte
        match node.type:
            case (
                "word"
                | "number"
                | "string_content"
                | "variable_name"
                | "test_operator"
                | "brace_expression"
            ):
                is_range = node.type == "brace_expression"
                if not is_range and any(child.is_named for child in node.children):
                    return self.unknown(node, "it is built in a way that is not read here", quoted)
                if not quoted and _EXPANDS.search(re.sub(r"\\.", "", text_of(node), flags=re.S)):
                    # The grammar sometimes takes an expansion for plain letters.
                    return self.unknown(node, "an expansion in it is not read here", quoted)
                return list(_unescaped(text_of(node), at))
            case "command_name" | "concatenation":
                return self.concatenated(node)
            case "raw_string":
                return [_Atom(text_of(node)[1:-1], True, at + 1)]
            case "ansi_c_string":
                return [_Atom(_ansi(text_of(node)[2:-1]), True, at)]
            case "string" | "translated_string":
                start = at + (2 if node.type == "translated_string" else 1)
                content = self.between(node, start, node.end_byte - 1, escapes='\\$`"\n')
                return content or [_Atom("", True, at)]
            case "simple_expansion":
                return self.variable(node, text_of(node)[1:], quoted)
            case "expansion":
                return self.expansion(node, quoted)
            case "command_substitution" | "process_substitution":
                output = self.scope.run(node)
                what = f"what `{_short(text_of(node))}` gives is not known"
                if node.type == "process_substitution":
                    return [_Atom("/dev/fd/63", True, at, what)]
                if output is not None:
                    return [_Atom(output.shown, quoted, at, what, is_path=output.is_path)]
                return [_Atom(text_of(node), quoted, at, what, splits=not quoted)]
            case "arithmetic_expansion":
                self.substitutions(node)
                self.scope.compute(node)
                return [
                    _Atom(text_of(node), True, at, f"`{_short(text_of(node))}` is not computed")
                ]
            case _:
                return self.unknown(node, f"`{_short(text_of(node))}` is not read here", quoted)

    def between(self, node: Node, start: int, end: int, *, escapes: str) -> list[_Atom]:
        """The text of a quoted part, with expansions in it."""
        source, offset, atoms = node.text or b"", node.start_byte, []

        def text(a: int, b: int) -> None:
            piece = source[a - offset : b - offset].decode()
            if piece:
                pattern = r"\\([" + re.escape(escapes) + "])"
                plain = re.sub(pattern, lambda m: "" if m[1] == "\n" else m[1], piece)
                atoms.append(_Atom(plain.replace("\\\n", ""), True, a))

        at = start
        for child in node.named_children:
            if child.type in ("string_content", "heredoc_content") or child.start_byte < at:
                continue
            text(at, child.start_byte)
            atoms.extend(self.atoms(child, quoted=True))
            at = child.end_byte
        text(at, end)
        return atoms

    def concatenated(self, node: Node) -> list[_Atom]:
        atoms = []
        at = node.start_byte
        text = text_of(node)
        if re.search(r"(?<!\$)\{", text) and re.search(r"\$[^'\"]", text):
            # Braces come first, and make `$Xa` of `$X{a,b}`.
            return self.unknown(node, "braces may change the name of a variable", False)
        if "$$" in text:
            return self.unknown(node, "the number of a process is not known", False)
        if text.endswith("$") and len(node.children) > 2:
            # Versions of bash differ in whether they cut values before a `$` that stands alone.
            return self.unknown(node, "a `$` stands alone at its end", False)
        for child in node.children:
            if child.start_byte != at:
                return self.unknown(node, "its parts do not meet", False)
            at = child.end_byte
            if child.is_named:
                atoms += self.atoms(child)
            elif not is_translation(child):
                atoms += list(_unescaped(text_of(child), child.start_byte))
        return atoms

    def unknown(self, node: Node, reason: str, quoted: bool) -> list[_Atom]:
        self.substitutions(node)
        return [_Atom(text_of(node), quoted, node.start_byte, reason, splits=not quoted)]

    def substitutions(self, node: Node) -> None:
        """Runs every command inside a node whose value is not computed."""
        for child in node.named_children:
            if child.type in ("command_substitution", "process_substitution"):
                self.scope.run(child)
            else:
                self.substitutions(child)

    def variable(self, node: Node, name: str, quoted: bool) -> list[_Atom]:
        if name in ("@", "*"):
            return self.many(node, self.scope.arguments(), quoted and name == "@", quoted)
        value = self.scope.variable(name)
        if value.unknown is not None and value.shown is not None:
            return [_Atom(value.shown, quoted, node.start_byte, value.unknown, is_path=True)]
        if value.unknown is not None:
            return [_Atom(f"${name}", quoted, node.start_byte, value.unknown, splits=not quoted)]
        text = value.words[0] if value.words else ""
        return [_Atom(text, quoted, node.start_byte, splits=not quoted)]

    def many(self, node: Node, value: Value, is_apart: bool, quoted: bool) -> list[_Atom]:
        """`"$@"` keeps its words apart; `"$*"` joins them; without quotes both are cut."""
        at = node.start_byte
        if value.unknown is not None:
            text = text_of(node)
            return [_Atom(text, quoted, at, value.unknown, splits=is_apart or not quoted)]
        if quoted and not is_apart:
            return [_Atom(" ".join(value.words), True, at)]
        atoms: list[_Atom] = []
        for index, word in enumerate(value.words):
            if index:
                atoms.append(_Atom("", quoted, at, breaks=True))
            atoms.append(_Atom(word, quoted, at, splits=not quoted))
        return atoms

    def expansion(self, node: Node, quoted: bool) -> list[_Atom]:
        """`${name}`, `${array[@]}`, and defaults of a name that is known and not empty."""
        text = text_of(node)
        self.substitutions(node)
        if _COMPUTES.search(text):
            self.scope.compute(node)
        if plain := re.fullmatch(r"\$\{(\w+)\}", text):
            return self.variable(node, plain[1], quoted)
        if every := re.fullmatch(r"\$\{(\w+)\[([@*])\]\}", text):
            value = self.scope.variable(every[1])
            return self.many(node, value, quoted and every[2] == "@", quoted)
        if default := re.match(r"\$\{(\w+):?[-?=]", text):
            if default[0].endswith("="):
                self.scope.doubt(default[1])
            value = self.scope.variable(default[1])
            if value.unknown is None and value.words and value.words[0]:
                return [_Atom(value.words[0], quoted, node.start_byte, splits=not quoted)]
        # Without quotes, and as `"${@…}"`, it may be any number of words.
        is_many = not quoted or "@" in text
        reason = f"`{_short(text)}` is not known"
        return [_Atom(text, quoted, node.start_byte, reason, splits=is_many)]


# A subscript, an offset, a name in a variable, and a prompt with commands in it.
_COMPUTES = re.compile(r"^\$\{(!|#?\w+\[(?![@*]\])|\w+(\[[@*]\])?:(?![-=?+]))|@P\}$")
_EXPANDS = re.compile(r"\$[\w@*#?!{(-]")
_SUBSTITUTIONS = frozenset({"command_substitution"})
_EXPANSIONS = _SUBSTITUTIONS | {"simple_expansion", "expansion", "arithmetic_expansion"}


def is_translation(dollar: Node) -> bool:
    """Whether a `$` belongs to the string after it, as in `$"text"`."""
    after = dollar.next_sibling
    if dollar.type != "$" or after is None:
        return False
    return after.type == "string" and after.start_byte == dollar.end_byte


def _short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _unescaped(text: str, at: int) -> Iterator[_Atom]:
    """Text outside quotes, letter by letter where a letter could mean something."""
    for match in re.finditer(r"\\(.|\n)|[{},*?\[\]~]|[^\\{},*?\[\]~]+|\\$", text, re.S):
        if match[1] is not None:
            if match[1] != "\n":
                yield _Atom(match[1], True, at + len(text[: match.start()].encode()))
        else:
            yield _Atom(match[0], False, at + len(text[: match.start()].encode()))


_ANSI = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
    "v": "\v", "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_ANSI_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})"
    r"|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.))",
    re.S,
)


def _ansi(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        plain, byte, short, long, octal, control = match.groups()
        if plain:
            return _ANSI[plain]
        if control:
            return chr(ord(control) & 0x1F)
        number = int(octal, 8) & 0xFF if octal else int(byte or short or long, 16)
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else ""

    return _ANSI_ESCAPE.sub(one, text)


def _verbatim(node: Node) -> int | None:
    """Where the text of a word stands letter by letter in the script."""
    text = text_of(node)
    match node.type:
        case "raw_string":
            return node.start_byte + 1
        case "string" if "\\" not in text and all(
            child.type == "string_content" for child in node.named_children
        ):
            return node.start_byte + 1
        case "word" | "number" if "\\" not in text:
            return node.start_byte
        case "command_name" if len(node.children) == 1:
            return _verbatim(node.children[0])
        case _:
            return None


def _braces(atoms: list[_Atom]) -> list[list[_Atom]] | None:
    """Every word that `{a,b}` and `{1..3}` make of one; `None` when there are too many."""
    done: list[list[_Atom]] = []
    waiting = [atoms]
    while waiting:
        word = waiting.pop(0)
        found = _first_braces(word)
        if found is None:
            done.append(word)
        else:
            start, end, choices = found
            waiting[:0] = [word[:start] + choice + word[end + 1 :] for choice in choices]
        if len(done) + len(waiting) > MAX_FIELDS:
            return None
    return done


MAX_RANGE = 30
"""The most letters of a range such as `{1..3}`."""
_RANGE = re.compile(r"(-?\d{1,6})\.\.(-?\d{1,6})(?:\.\.-?\d{1,4})?|([a-zA-Z])\.\.([a-zA-Z])")


def _first_braces(atoms: list[_Atom]) -> tuple[int, int, list[list[_Atom]]] | None:
    """The first `{…}` that is one: where it stands, and its choices."""
    for start, (end, commas) in sorted(_pairs(atoms).items()):
        if commas:
            edges = [start, *commas, end]
            return start, end, [atoms[a + 1 : b] for a, b in pairwise(edges)]
        if end - start <= MAX_RANGE:
            inner = "".join(one.text for one in atoms[start + 1 : end])
            if choices := _range(inner, atoms[start].at):
                return start, end, choices
    return None


def _pairs(atoms: list[_Atom]) -> dict[int, tuple[int, list[int]]]:
    """For each brace that is closed: where, and the commas between that are in no inner one."""
    opened: list[tuple[int, list[int]]] = []
    found: dict[int, tuple[int, list[int]]] = {}
    for index, atom in enumerate(atoms):
        if atom.quoted or atom.splits:
            continue
        if atom.text == "{" and not atom.hole:
            opened.append((index, []))
        elif atom.text == "," and opened:
            opened[-1][1].append(index)
        elif atom.text == "}" and opened:
            start, commas = opened.pop()
            found[start] = index, commas
    return found


def _range(text: str, at: int) -> list[list[_Atom]] | None:
    if (match := _RANGE.fullmatch(text)) is None:
        return None
    if match[3]:
        first, last = ord(match[3]), ord(match[4])
    else:
        first, last = int(match[1]), int(match[2])
    step = 1 if last >= first else -1
    # One more than is allowed, so that the caller sees that there are too many.
    numbers = range(first, last + step, step)[: MAX_FIELDS + 1]
    return [[_Atom(chr(n) if match[3] else str(n), True, at)] for n in numbers]


def _fields(atoms: list[_Atom], node: Node) -> Iterator[Field]:
    """Cuts a word where blanks of an unquoted value, or the ends of arguments, are."""
    current: list[_Atom] = []
    for atom in atoms:
        if atom.breaks:
            if current:
                yield _joined(current, node)
            current = []
        elif atom.splits and atom.hole is None:
            parts = re.split(r"([ \t\n]+)", atom.text)
            for part in parts:
                if part and not part.strip(" \t\n"):
                    if current:
                        yield _joined(current, node)
                    current = []
                elif part:
                    current.append(replace(atom, text=part))
        else:
            current.append(atom)
    if current and (any(atom.text or atom.quoted for atom in current)):
        yield _joined(current, node)


def _joined(atoms: list[_Atom], node: Node) -> Field:
    known: list[str] = []
    for atom in atoms:
        if atom.hole is not None:
            known += [atom.text.partition("$(")[0]] if atom.is_path else []
            break
        known.append(atom.text)
    is_pattern = any(
        not atom.quoted and atom.hole is None and re.search(r"[*?\[]", atom.text) for atom in atoms
    )
    unknown = [atom for atom in atoms if atom.hole is not None]
    return Field(
        text="".join(atom.text for atom in atoms),
        at=node.start_byte,
        holes=tuple(dict.fromkeys(atom.hole for atom in atoms if atom.hole is not None)),
        known="".join(known),
        is_many=any(atom.hole is not None and atom.splits for atom in atoms),
        is_pattern=is_pattern,
        is_path=bool(unknown) and all(atom.is_path for atom in unknown),
    )
