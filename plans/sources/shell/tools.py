"""Everyday programs that act on files or run others: `find`, `xargs`, `sed`, `awk`, `dd`, `rm` and its like."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...model import Effect, Selector
from ...taxonomy.shell import Act, FileProgram, Place
from .arguments import sort_words
from .clients import in_folder, named_by
from .files import place_of, resolve
from .http_options import WGET_VALUED
from .reached import TERMINAL, Command, joined
from .walk import Walker
from .words import Field, hole, literal

if TYPE_CHECKING:
    from .commands import Commands


def find(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    """`find`: what it deletes, runs or writes among what it finds."""
    starts: list[Field] = []
    for one in rest:
        if one.text.startswith(("-", "(", "!", ",")):
            break
        starts.append(one)
    starts = starts or [literal(".", command.at)]
    texts = [one.text for one in rest]
    acts = False
    index = len(starts) if rest and starts[0] is rest[0] else 0
    narrowed = any(text in ("-name", "-iname", "-path", "-mtime", "-regex", "-newer", "-size",
                            "-maxdepth", "-user", "-mmin", "-empty") for text in texts)  # fmt: skip
    # What is found has every name given, so that the last one alone tells.
    names: list[Field] = []
    is_choice = any(text in ("-o", "-or", ",", "!", "-not") for text in texts)
    while index < len(rest):
        word = rest[index]
        index += 1
        if word.text in ("-name", "-iname") and index < len(rest):
            names.append(rest[index])
        acts_now = word.text in ("-delete", "-exec", "-execdir", "-ok", "-okdir") and not is_choice
        made_again = _made_again(commands, walker, starts, names[-1:]) if acts_now else None
        if word.holes and not (rest[index - 2].text.startswith("-") if index > 1 else False):
            acts = True
            commands.opaque(walker, command, word.holes[0])
        elif word.text == "-delete":
            acts = True
            for start in starts:
                if made_again is not None:
                    commands.path(
                        walker, command, Act.DELETE, made_again, "find -delete", is_tree=True
                    )
                elif narrowed and start.text in (".", "./") and walker.state.directory == ".":
                    commands.report(
                        walker, command, Effect.DELETE_DATA, "find -delete", "which files it finds is not known",
                        target=start.text, type="File", selector=Selector.SOME,
                    )  # fmt: skip
                else:
                    commands.path(walker, command, Act.DELETE, start, "find -delete", is_tree=True)
        elif word.text in ("-exec", "-execdir", "-ok", "-okdir"):
            acts = True
            end = next(
                (at for at in range(index, len(rest)) if rest[at].text in (";", "+")), len(rest)
            )
            _with_found(commands, walker, command, rest[index:end], "{}", made_again)
            index = end + 1
        elif word.text in ("-fprint", "-fprint0", "-fprintf", "-fls"):
            acts = True
            if index < len(rest):
                commands.path(walker, command, Act.WRITE, rest[index], "find", is_tree=False)
    if not acts:
        commands.report(walker, command, Effect.READ, "find", "it reads", target=joined(starts))


def _made_again(
    commands: "Commands", walker: Walker, starts: Sequence[Field], names: Sequence[Field]
) -> Field | None:
    """What `find` finds, where its names say that it is temporary or made again by a build."""
    inside = walker.state.directory is not None and not walker.state.directory.startswith(
        ("/", "~", "..")
    )
    relative = all(one.is_exact and not one.text.startswith(("/", "~", "..")) for one in starts)
    if not names or not inside or not relative or not all(one.is_exact for one in names):
        return None
    places = [place_of(commands.taxonomy, one.text, is_pattern=True) for one in names]
    return names[0] if all(place is Place.SCRATCH for place in places) else None


def _with_found(
    commands: "Commands",
    walker: Walker,
    command: Command,
    words: Sequence[Field],
    mark: str,
    found: Field | None,
) -> None:
    """Runs words with what was found in the place of a mark, where it is known to be made again."""
    reason = "which files are found is not known"
    filled = tuple(
        replace(found, text=one.text.replace(mark, found.text))
        if found is not None and mark in one.text
        else replace(
            one,
            holes=(*one.holes, reason),
            known=one.text.partition(mark)[0] or "./",
            is_path=False,
        )
        if mark in one.text
        else one
        for one in words
    )
    if filled:
        commands.perform(walker, replace(command, fields=filled, input=TERMINAL))


def xargs(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    arguments = sort_words(
        rest, ("-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a", "--arg-file", "--delimiter",
               "--max-args", "--max-procs", "--replace", "--max-lines"), stops=True,
    )  # fmt: skip
    words = list(arguments.operands) or [literal("echo", command.at)]
    marks = [one.text for one in arguments.values(("-I", "--replace"))]
    reason = command.input.unknown or "what it is given is not followed"
    if marks:
        _with_found(commands, walker, command, words, marks[0], None)
        return
    words.append(hole("…", reason, command.at, is_many=True))
    commands.perform(walker, replace(command, fields=tuple(words), input=TERMINAL))


def parallel(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    commands.opaque(walker, command, "what `parallel` runs for each of its inputs is not followed")


def sed(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    """`sed` prints, `sed -i` changes files, and scripts with `w` or `e` do more."""
    arguments = sort_words(rest, ("-e", "-f", "-l", "--expression", "--file"))
    scripts = arguments.values(("-e", "--expression"))
    operands = list(arguments.operands)
    if not scripts and operands:
        scripts = [operands.pop(0)]
    unclear = any(
        re.search(r"(^|[;}\n/|,#!])\s*\d*[wWe]\s|[/|,#]\w*[we]\w*(\s|;|$)", one.text)
        for one in scripts
    )
    if unclear or arguments.has(("-f", "--file")):
        commands.opaque(walker, command, "its script may write files or run commands")
    elif arguments.unsure and not arguments.unsure[0].known.startswith("./"):
        commands.opaque(walker, command, arguments.unsure[0].holes[0])
    elif arguments.has(("-i", "--in-place")) or any(
        one.name.startswith("-i") for one in arguments.options
    ):
        for one in operands:
            act = _edits(scripts, one, walker.state.directory)
            commands.path(walker, command, act, one, "sed -i", is_tree=False)
    else:
        commands.report(walker, command, Effect.READ, "sed", "it reads", target=joined(operands))


def _edits(scripts: Sequence[Field], file: Field, directory: str | None) -> Act:
    """What `sed -i` does to a file: outside the directory that is worked in, only a substitution keeps its lines."""
    is_inside = directory is not None and not (resolve(file.text, directory) or "/").startswith(
        ("/", "~", "..")
    )
    if any(_EMPTIES.fullmatch(one.text.strip()) for one in scripts):
        return Act.EMPTY
    keeps = all(_SUBSTITUTES.fullmatch(one.text.strip()) for one in scripts)
    return Act.EDIT if is_inside or keeps else Act.EMPTY


_EMPTIES = re.compile(
    r"(1,\$|0,\$|//|/\.\*/|/\^/|/\$/)?\s*[dDQ]|s(?P<by>[^\w\s])\^?\.[*+]\$?(?P=by)(?P=by)\w*"
)
# A letter or a digit in its pattern, outside brackets, says that it does not fit everything.
_SUBSTITUTES = re.compile(
    r"(\d+(,(\d+|\$))?\s*|/[^/]+/\s*)?s(?P<by>[^\w\s])(?=(?:(?!(?P=by))[^\[\\])*\w)((?!(?P=by)).)+(?P=by)((?!(?P=by)).|\\.)*(?P=by)[gIip0-9]*"
)


def awk(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    arguments = sort_words(rest, ("-F", "-v", "-f", "--file"), stops=True)
    programs = arguments.operands[:1]
    risky = any(
        # `>` compares in a pattern, and writes only behind `print`.
        re.search(r"system\s*\(|getline|(?<!\|)\|(?!\|)|@|print.*>", one.text, re.S) or one.holes
        for one in programs
    )
    if risky or arguments.has(_AWK_FILES) or not programs:
        commands.opaque(walker, command, "its program may write files or run commands")
    else:
        commands.report(walker, command, Effect.READ, "awk", "it reads")


_AWK_FILES = ("-f", "--file", "-i", "--include", "-l", "--load", "-E", "--exec", "--source", "-e")


def dd(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    if any(one.holes and not one.known.startswith(("if=", "bs=", "count=")) for one in rest):
        commands.opaque(walker, command, next(one.holes[0] for one in rest if one.holes))
        return
    outputs = [one for one in rest if one.text.startswith("of=")]
    for one in outputs:
        target = replace(one, text=one.text[3:], exact_at=None)
        commands.path(walker, command, Act.WRITE, target, "dd", is_tree=False)
    if not outputs:
        commands.report(walker, command, Effect.READ, "dd", "it reads")


def curl(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    commands.clients.curl(walker, command, rest)
    for one in commands.clients.written(rest):
        commands.path(walker, command, Act.WRITE, one, "curl -o", is_tree=False)


def wget(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    commands.clients.wget(walker, command, rest)
    arguments = sort_words(rest, WGET_VALUED)
    files = arguments.values(
        ("-O", "--output-document", "-o", "-a", "--output-file", "--append-output")
    )
    folders = arguments.values(("-P", "--directory-prefix"))
    if not arguments.has(("-O", "--output-document", "--spider")):
        files += [named_by(one) for one in arguments.operands]
    for one in [in_folder(folders[-1], one) for one in files] if folders else files:
        if one.text != "-":
            commands.path(walker, command, Act.WRITE, one, "wget -O", is_tree=False)
    if arguments.has(("-r", "--recursive", "-m", "--mirror", "-p", "--page-requisites")):
        walker.state.repointed = "`wget` writes files that are not shown"


def file_program(
    commands: "Commands", walker: Walker, command: Command, row: FileProgram, rest: Sequence[Field]
) -> None:
    """A program that acts on paths: one change for each."""
    name = command.fields[0].text.rsplit("/", 1)[-1]
    arguments = sort_words(rest, (*row.valued, *row.targets))
    if arguments.shows_only(("--help", "--version", *row.dry)):
        commands.report(walker, command, Effect.READ, name, "it only shows what it would do")
        return
    if row.alone and not arguments.operands:
        commands.report(walker, command, Effect.CREATE, name, "it makes something temporary")
        return
    is_tree = row.always_trees or arguments.has(row.trees) or bool(arguments.unsure)
    targets = arguments.values(row.targets)
    operands = list(arguments.operands)
    if any(one.is_many for one in operands) and not any(one.is_exact for one in operands):
        commands.opaque(walker, command, operands[0].holes[0] if operands[0].holes else "unknown")
        return
    if not operands and not targets:
        commands.opaque(walker, command, f"what `{name}` acts on is not said")
        return
    match row.act:
        case Act.ACCESS:
            mode, operands = operands[0], operands[1:]
            _access(commands, walker, command, name, mode, operands, is_tree=is_tree)
        case Act.MOVE:
            last = targets[0] if targets else operands.pop()
            is_lost = last.text == "/dev/null"
            for one in operands:
                act = Act.DELETE if is_lost else Act.MOVE
                commands.path(walker, command, act, one, name, is_tree=is_tree or is_lost)
            for one in _arrived(commands, walker, operands, last):
                commands.path(walker, command, Act.WRITE, one, name, is_tree=False)
        case Act.WRITE_LAST:
            last = targets[0] if targets else operands.pop()
            if arguments.has(row.takes):
                for one in operands:
                    commands.path(walker, command, Act.MOVE, one, name, is_tree=True)
            if ":" in last.text and not last.text.startswith(("/", ".", "~")):
                commands.opaque(
                    walker, command, f"what `{name}` replaces on another machine is not known"
                )
            elif arguments.has(row.deletes):
                commands.path(walker, command, Act.DELETE, last, name, is_tree=True)
            else:
                is_emptied = bool(operands) and all(one.text == "/dev/null" for one in operands)
                act = Act.EMPTY if is_emptied else Act.WRITE
                for one in _arrived(commands, walker, operands, last):
                    commands.path(walker, command, act, one, name, is_tree=False)
        case _:
            for one in operands:
                commands.path(walker, command, row.act, one, name, is_tree=is_tree)


def _arrived(
    commands: "Commands", walker: Walker, sources: Sequence[Field], last: Field
) -> list[Field]:
    """What is written where files go to: in a directory, one file for each."""
    full = None if last.holes else resolve(last.text, walker.state.directory)
    is_folder = full is not None and (
        last.text.endswith("/")
        or place_of(commands.taxonomy, full, is_pattern=False) is Place.WHOLE
    )
    if not is_folder or not sources:
        return [last]
    names = [replace(one, text=one.text.rstrip("/").rpartition("/")[2]) for one in sources]
    return [in_folder(last, one) for one in names]


def _access(
    commands: "Commands", walker: Walker, command: Command, name: str, mode: Field, paths: Sequence[Field],
    *, is_tree: bool,
) -> None:  # fmt: skip
    """`chmod` and `chown`; what everybody may write, or what runs as its owner, is a right given away."""
    if mode.holes:
        commands.opaque(walker, command, mode.holes[0])
        return
    opens = name == "chmod" and re.search(
        r"^[0-7]?[0-7]?[0-7][2367]$|^[2467][0-7]{3}$|(^|,)[aog]*\+?[rx]*w|[+=][rwx]*[st]",
        mode.text,
    )
    owner_only = re.fullmatch(r"u[+=-][rwxX]+|g\+w", mode.text)
    for one in paths or [literal(".", command.at)]:
        if opens and not owner_only:
            commands.report(
                walker, command, Effect.ESCALATE, f"{name} {mode.text}",
                "everybody may write it, or it runs as its owner", target=one.text, type="File",
            )  # fmt: skip
        else:
            commands.path(walker, command, Act.ACCESS, one, f"{name} {mode.text}", is_tree=is_tree)
