"""The words after a program's name, sorted into options and operands, and forms of its table that fit them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache

from ...model import Effect, Reversibility, Selector
from ...taxonomy.shell import Form, Program
from ..verdicts import severity
from .report import is_wide
from .words import Field, literal


@dataclass(frozen=True, slots=True)
class Option:
    """`--name`, `--name=value`, `--name value` or one letter of a cluster such as `-rf`."""

    name: str
    value: Field | None
    place: int
    following: Field | None = None
    """The word after it, which may be its value where no table says so."""


@dataclass(slots=True)
class Arguments:
    """One way to read the words; where an option is not in a table, there may be two."""

    options: list[Option] = field(default_factory=list)
    operands: list[Field] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Where each operand stands among the words."""
    after_dashes: int | None = None
    """How many operands stand before `--`."""
    unsure: list[Field] = field(default_factory=list)
    """Words of which it is not known whether they are options."""
    spilled: list[Field] = field(default_factory=list)
    """Values of options that may be several words, so that operands may follow in them."""

    def values(self, names: Iterable[str]) -> list[Field]:
        wanted = tuple(names)
        return [
            one.value
            for one in self.options
            if one.value is not None and any(_is_named(one.name, name) for name in wanted)
        ]

    def has(self, names: Iterable[str]) -> bool:
        """Whether an option is given, under its name or a beginning of it, and not as false."""
        return any(_fits(one, name) for one in self.options for name in names)

    def shows_only(self, names: Iterable[str]) -> bool:
        """Whether an option is given in full, every time it is given as true."""
        for name in names:
            wanted, _, value = name.partition("=")
            given = [one for one in self.options if one.name == wanted]
            if any(one.name == f"--no-{wanted.lstrip('-')}" for one in self.options):
                continue
            if given and not any(
                _is_false(one.value) or (value and _text(one.value) != value) for one in given
            ):
                return True
        return False


def sort_words(
    words: Sequence[Field],
    valued: Iterable[str],
    *,
    one_dash: bool = False,
    takes_next: bool = False,
    stops: bool = False,
    known_flags: Iterable[str] = (),
    attached: Iterable[str] = (),
) -> Arguments:
    """Sorts words. With `takes_next`, an option of no table takes the next word as its value.

    With `stops`, everything from the first operand on is operands, as for a program that runs another.
    """
    found = Arguments()
    with_value = frozenset(valued)
    flags = frozenset(known_flags)
    closed = tuple(attached)
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        text = word.text
        if found.after_dashes is not None or (stops and found.operands):
            found.operands.append(word)
            found.places.append(index - 1)
        elif word.may_be_option and not word.known.startswith("-"):
            found.unsure.append(word)
            found.operands.append(word)
            found.places.append(index - 1)
        elif text == "--":
            found.after_dashes = len(found.operands)
        elif closed and text.startswith(closed) and not text.startswith("--"):
            found.options.append(Option(text[:2], literal(text[2:], word.at), index - 1))
        elif not text.startswith("-") or text == "-":
            found.operands.append(word)
            found.places.append(index - 1)
        else:
            if word.holes and "=" not in word.known:
                found.unsure.append(word)
            following = words[index] if index < len(words) else None
            options, takes = _options(
                word, following, with_value, flags, one_dash=one_dash, takes_next=takes_next
            )
            found.options += [Option(name, value, index - 1, following) for name, value in options]
            if takes and following is not None and following.is_many and following.holes:
                found.spilled.append(following)
                found.unsure.append(following)
            index += takes
    return found


def _options(
    word: Field,
    following: Field | None,
    valued: frozenset[str],
    flags: frozenset[str],
    *,
    one_dash: bool,
    takes_next: bool,
) -> tuple[list[tuple[str, Field | None]], int]:
    """The options one word holds, and how many words after it are theirs."""
    text = word.text
    is_long = text.startswith("--") or (one_dash and len(text) > 2)
    if is_long:
        name, equals, value = text.partition("=")
        if equals:
            at = None if word.exact_at is None else word.exact_at + len(name.encode()) + 1
            inner = Field(
                value,
                word.at,
                word.holes,
                is_pattern=word.is_pattern,
                exact_at=at,
                is_path=word.is_path,
            )
            return [(name, inner)], 0
        if _takes_value(name, valued) or (takes_next and name not in flags):
            return [(name, following)], 1
        return [(name, None)], 0
    letters = text[1:]
    found: list[tuple[str, Field | None]] = []
    for index, letter in enumerate(letters):
        name = f"-{letter}"
        if name in valued:
            rest = letters[index + 1 :]
            if not rest:
                return [*found, (name, following)], 1
            at = None if word.exact_at is None else word.exact_at + index + 2
            value = rest.removeprefix("=")
            inner = Field(value, word.at, word.holes, exact_at=at, is_path=word.is_path)
            return [*found, (name, inner)], 0
        found.append((name, None))
    # A word such as `-auto-approve` may also be one option.
    found.append((text.partition("=")[0], literal(text.partition("=")[2]) if "=" in text else None))
    is_known = any(name in flags for name, _ in found)
    return found, 1 if takes_next and not is_known and following is not None else 0


def _takes_value(name: str, valued: frozenset[str]) -> bool:
    return name in valued or f"-{name}" in valued or name.removeprefix("-") in valued


def _is_named(given: str, name: str) -> bool:
    """Whether what is given is the name, or a beginning of it that programs accept."""
    if given == name or (given.lstrip("-") == name.lstrip("-") and len(name.lstrip("-")) > 1):
        return True
    return (
        given.startswith("--")
        and name.startswith("--")
        and len(given) > 3
        and name.startswith(given)
    )


def _fits(option: Option, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    if not _is_named(option.name, name):
        return False
    if equals:
        given = option.value if option.value is not None else option.following
        return given is None or bool(given.holes) or is_word(given.text, value)
    return not _is_false(option.value)


_FALSE = frozenset({"false", "no", "none", "off", "0"})


def _is_false(value: Field | None) -> bool:
    return value is not None and not value.holes and value.text.lower() in _FALSE


def _text(value: Field | None) -> str:
    return value.text if value is not None else ""


@dataclass(frozen=True, slots=True)
class Match:
    """The form that fits, and what of the command it did not use."""

    form: Form
    words: tuple[str, ...]
    options: tuple[str, ...]
    rest: tuple[Field, ...]
    doubt: str | None = None
    """What is not known, where it could make it another form."""


HELP = Match(Form(effect=Effect.READ, why="it only prints help"), (), (), ())
SHOWS = Form(effect=Effect.READ, why="it only shows what it would do")


def match(program: Program, words: Sequence[Field]) -> Match | str:
    """The form that fits in the worst reading of the words, or why none does."""
    flags = {name.partition("=")[0] for form in program.forms for name in (*form.given, *form.also)}
    flags |= {*program.dry, *program.help, *program.flags, "--help", "--version"}
    # An option takes the next word, or does not, where tables do not say; the last reading believes no table.
    readings = [
        sort_words(
            words,
            valued,
            one_dash=program.one_dash,
            takes_next=takes_next,
            known_flags={name.partition("=")[0] for name in flags},
        )
        for valued, takes_next in ((program.valued, False), (program.valued, True), ((), False))
    ]
    *found, accusing = [_match(program, reading) for reading in readings]
    if isinstance(accusing, Match) and severity(accusing.form.effect) > severity(Effect.EXECUTE):
        found.append(accusing)
    worst: Match | None = None
    for one in found:
        if isinstance(one, str):
            return one
        if worst is None or _rank(one.form) > _rank(worst.form):
            worst = one
    return worst if worst is not None else "it has no form"


def _match(program: Program, arguments: Arguments) -> Match | str:
    operands = arguments.operands
    # After a subcommand, `--version` often names what it acts on, as in `supabase db reset --version`.
    is_help = arguments.shows_only(("--help", *program.help)) or (
        not operands and arguments.shows_only(("--version",))
    )
    if not program.several and _asks_for_help(operands):
        return HELP
    is_dry = arguments.shows_only(program.dry)
    passed: list[Form] = []
    for form in program.forms:
        used = _fitting(form, operands, any_case=program.any_case)
        if used is None:
            unsettled = next((one for one in operands[: len(form.words)] if one.holes), None)
            if unsettled is not None and not _excluded(form, operands, any_case=program.any_case):
                return unsettled.holes[0]
            continue
        rest = tuple(one for index, one in enumerate(operands) if index not in used)
        if form.after_dashes and arguments.after_dashes in (None, len(operands)):
            continue
        if (form.bare and rest) or (form.every and not all(_is_like(form, one) for one in rest)):
            continue
        if form.among and not any(_is_among(form, one) for one in rest):
            continue
        rest += tuple(arguments.spilled)
        if (form.given and not arguments.has(form.given)) or (
            form.also and not arguments.has(form.also)
        ):
            passed.append(form)
            continue
        if form.missing and arguments.has(form.missing):
            continue
        if is_help and form.effect not in (Effect.EXECUTE, Effect.UNKNOWN):
            # What runs other code may hand `--help` on to it.
            return HELP
        if is_dry and not form.always:
            form = SHOWS
        worse = any(_rank(one) > _rank(form) for one in passed)
        unsure = next((one.holes[0] for one in arguments.unsure if one.holes), None)
        if unsure is None and form.missing:
            unsure = next((one.holes[0] for one in arguments.unsure), None)
        doubt = unsure if worse or (form.missing and unsure) else None
        given = tuple(
            one.name
            for one in arguments.options
            if any(_fits(one, name) for name in (*form.given, *form.also))
        )
        names = tuple(operands[index].text for index in sorted(used))
        return Match(form, names, tuple(dict.fromkeys(given)), rest, doubt)
    if is_help and not operands:
        return HELP
    if program.otherwise is not None:
        unsettled = next((one for one in operands[:3] if one.holes), None)
        if unsettled is not None and any(form.words for form in program.forms):
            return unsettled.holes[0]
        return Match(SHOWS if is_dry else program.otherwise, (), (), tuple(operands))
    first = " ".join(one.text for one in operands[:2])
    return f"what `{program.names[0]} {first}`".rstrip() + " does is not in a table"


def _fitting(form: Form, operands: Sequence[Field], *, any_case: bool) -> frozenset[int] | None:
    """The places of the operands that are the form's words."""
    if not form.words:
        return frozenset()
    starts = range(len(operands)) if form.anywhere else range(1)
    for start in starts:
        part = operands[start : start + len(form.words)]
        if len(part) == len(form.words) and all(
            one.is_exact and is_word(one.text, word, any_case=any_case)
            for one, word in zip(part, form.words, strict=True)
        ):
            return frozenset(range(start, start + len(form.words)))
    return None


def _asks_for_help(operands: Sequence[Field]) -> bool:
    """`help` with anything after it, or `version` alone; `version patch` sets one."""
    if not operands or not operands[0].is_exact:
        return False
    return operands[0].text == "help" or (operands[0].text == "version" and len(operands) == 1)


def _is_among(form: Form, operand: Field) -> bool:
    return not operand.is_exact or any(is_word(operand.text, one) for one in form.among)


def _is_like(form: Form, operand: Field) -> bool:
    if not operand.is_exact:
        return False
    return is_word(operand.text, form.words[-1]) or bool(re.match(r"[A-Za-z_]\w*=", operand.text))


def _excluded(form: Form, operands: Sequence[Field], *, any_case: bool) -> bool:
    """Whether a known operand already rules the form out."""
    if form.anywhere:
        return False
    return any(
        one.is_exact and not is_word(one.text, word, any_case=any_case)
        for one, word in zip(operands, form.words, strict=False)
    )


def is_word(text: str, pattern: str, *, any_case: bool = False) -> bool:
    return _compiled(pattern).match(text.lower() if any_case else text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled once for each pattern of the tables; `fnmatch` itself forgets what it compiled."""
    return re.compile("|".join(translate(each) for each in pattern.split("|")))


def _rank(form: Form) -> tuple[int, ...]:
    """How much harm a form may do: by its effect, then by how much it reaches."""
    selector = form.selector or (Selector.ALL if is_wide(form.effect) else Selector.ONE)
    reversibility = form.reversibility or Reversibility.UNKNOWN
    return (
        severity(form.effect),
        form.opaque is not None,
        _SELECTORS.index(selector),
        _REVERSIBILITIES.index(reversibility),
    )


_SELECTORS = list(Selector)
_REVERSIBILITIES = list(Reversibility)
