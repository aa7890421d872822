"""Checks a proof on its own: `python certificate_check.py FILE` prints `verified`, or the first line that fails.

A certificate is ASCII text, one statement a line. Variables are 1, 2, …; a literal is ±variable.

    interlock-certificate 1        the first line
    key HEX                        the second: what is proved, as the SHA-256 of the canonical text of its slice
    atom VARIABLE JSON             what a variable means: {"glob": [dimension, [piece, …]]} or {"is": text}
    clause LITERAL …               the policies and the claim's negation; taken as given
    lemma LITERAL …                true of every text, over glob atoms of one dimension; checked
    step LITERAL … 0 LINE …        follows from the clauses of these lines; checked
    step 0 LINE …                  the last line: the clauses have no model

A step is one of DRUP with its reasons, as in LRAT: make its literals false; then the clause of each line has one
literal left, which is made true, until the last has none left. A glob is its literal pieces with any text between them;
one piece is equality. A lemma says that a text which matches all globs of its negative literals matches one of the
positive ones.
"""

import json
import re
import sys

BYTES, STATES = 256_000_000, 20_000
Glob = tuple[str | None, ...]
"""Letters, with `None` for any text."""


class Refused(Exception):
    """The certificate proves nothing, for this reason."""


def check(lines: list[str]) -> list[list[int]]:
    """The clauses that a proof takes as given; `Refused` names the first line that fails if it is none."""
    atoms: dict[int, tuple[str, Glob] | None] = {}
    clauses: dict[int, list[int]] = {}
    for number, line in enumerate(lines, 1):
        try:
            _read(number, line, atoms, clauses)
        except (Refused, ValueError, RecursionError) as problem:
            raise Refused(f"line {number}: {problem or 'unreadable'}: {line[:100]}") from None
    if not lines[-1].startswith("step 0 "):
        raise Refused(f"line {len(lines)}: the last line is no step to the empty clause")
    return [clause for number, clause in clauses.items() if lines[number - 1][0] == "c"]


def _read(
    number: int,
    line: str,
    atoms: dict[int, tuple[str, Glob] | None],
    clauses: dict[int, list[int]],
) -> None:
    kind, _, rest = line.partition(" ")
    if number < 3:
        if not re.fullmatch(("interlock-certificate 1", "key [0-9a-f]{64}")[number - 1], line):
            raise Refused("not the head of a certificate")
    elif kind == "atom":
        name, _, meaning = rest.partition(" ")
        if int(name) in atoms or int(name) < 1:
            raise Refused("not an atom, or one twice")
        atoms[int(name)] = _meaning(meaning)
    else:
        words = [int(word) for word in rest.split(" ") if word]
        end = words.index(0) if kind == "step" else len(words)
        literals, reasons = words[:end], words[end + 1 :]
        if 0 in literals or kind not in ("clause", "lemma", "step"):
            raise Refused("not a clause")
        if kind == "lemma" and not _holds(literals, atoms):
            raise Refused("the lemma does not hold")
        if kind == "step" and not _follows(literals, reasons, clauses):
            raise Refused("the step does not follow")
        clauses[number] = literals


def _meaning(text: str) -> tuple[str, Glob] | None:
    match json.loads(text):
        case {"glob": [str(dimension), [str(), *_] as pieces]} if all(
            isinstance(piece, str) for piece in pieces
        ):
            letters = [letter for piece in pieces for letter in (None, *piece)]
            return dimension, tuple(letters[1:])
        case {"is": str()}:
            return None
        case _:
            raise Refused("not a meaning")


def _follows(literals: list[int], reasons: list[int], clauses: dict[int, list[int]]) -> bool:
    false = set(literals)
    for reason in reasons:
        left = {literal for literal in clauses.get(reason, ()) if literal not in false}
        if reason not in clauses or len(left) > 1:
            return False
        if not left:
            return True
        false.add(-left.pop())
    return False


def _holds(literals: list[int], atoms: dict[int, tuple[str, Glob] | None]) -> bool:
    """Searches, letter by letter, for a text that matches all globs of negative literals and none of the others."""
    found = [atoms.get(abs(literal)) for literal in sorted(literals)]
    known = [atom for atom in found if atom]
    if len(known) < len(found) or len({dimension for dimension, _ in known}) != 1:
        raise Refused("not about globs of one dimension")
    globs = [glob for _, glob in known]
    wanted = sum(literal < 0 for literal in literals)
    start = tuple(_closed(glob, {0}) for glob in globs)
    seen, left = {start}, [start]
    while left:
        state = left.pop()
        ends = [len(glob) in places for glob, places in zip(globs, state, strict=True)]
        if all(ends[:wanted]) and not any(ends[wanted:]):
            return False
        # `None` stands for every letter that no glob waits for.
        letters = {
            glob[at]
            for glob, places in zip(globs, state, strict=True)
            for at in places - {len(glob)}
        }
        for letter in letters | {None}:
            after = tuple(
                _closed(
                    glob,
                    {
                        at + (glob[at] is not None)
                        for at in places - {len(glob)}
                        if glob[at] in (None, letter)
                    },
                )
                for glob, places in zip(globs, state, strict=True)
            )
            if all(after[:wanted]) and after not in seen:
                seen.add(after)
                left.append(after)
        if len(seen) > STATES:
            raise Refused("too many states")
    return True


def _closed(glob: Glob, places: set[int]) -> frozenset[int]:
    """Also the places behind a `None`, which may stand for nothing; it makes those before it needless."""
    for place, letter in enumerate(glob):
        if letter is None and place in places:
            places = {other for other in places if other >= place} | {place + 1}
    return frozenset(places)


def main(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read(BYTES + 1)
        if len(data) > BYTES:
            raise Refused(f"longer than {BYTES} bytes")
        check(data.decode("ascii").removesuffix("\n").split("\n"))
    except (OSError, UnicodeDecodeError, Refused) as problem:
        print(problem)
        return 1
    print("verified")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
