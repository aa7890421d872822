"""Checks a proof on its own: `python certificate_check.py FILE` prints `verified`, or the first line that fails.

A certificate is ASCII text, one step a line. Variables are 1, 2, …; a literal is ±variable; 0 ends a clause.

    interlock-certificate 1        the first line
    key HEX                        the second: what is proved, as the SHA-256 of the canonical text of its slice
    variables NUMBER               the third: how many there are
    atom VARIABLE JSON             what a variable means: {"glob": [dimension, [piece, …]]} or {"is": text}
    clause LITERAL … 0             the policies and the claim's negation; taken as given
    lemma LITERAL … 0              true of every text; over glob atoms of one dimension; checked
    add LITERAL … 0                follows from the clauses so far by unit propagation; checked
    delete LITERAL … 0             a clause that is needed no more
    add 0                          the last line: the clauses have no model

A glob is its literal pieces with any text between them; one piece is equality. In a generic word `None` is a letter
that no pattern mentions, so that only a `*` matches it. A lemma says that a text which matches all of some globs p (its
negative literals) matches one of some globs q (the positive ones). It holds iff a q matches each of the finitely many
generic words that stand for what all p match: inclusion with one of each, disjointness without any q.
"""

import json
import re
import sys
from collections import defaultdict

BYTES, CELLS, WORDS = 256_000_000, 1_000_000, 2_000
HEAD = ("interlock-certificate 1", "key [0-9a-f]{64}", "variables [1-9][0-9]{0,6}")
Clause = list[int]
Word = tuple[str | None, ...]


class Refused(Exception):
    """The certificate proves nothing, for this reason."""


def check(lines: list[str]) -> None:
    """Returns iff the certificate is a proof; otherwise `Refused` names the first line that fails."""
    checker = _Checker()
    for number, line in enumerate(lines, 1):
        try:
            checker.step(number, line)
        except (Refused, ValueError, RecursionError) as problem:
            raise Refused(f"line {number}: {problem or 'unreadable'}: {line[:100]}") from None
    if not checker.done:
        raise Refused(f"line {len(lines)}: the last line is not `add 0`")


class _Checker:
    def __init__(self) -> None:
        self.done = False
        self._conflict = False
        self._atoms: dict[int, tuple[str, Word] | None] = {}
        self._known: defaultdict[tuple[int, ...], list[Clause]] = defaultdict(list)
        self._variables = 0
        # Indexed by literal: a negative index counts from the end.
        self._value: list[int] = []
        self._pairs: list[Clause] = []
        self._watched: list[list[Clause]] = []
        self._trail: list[int] = []

    def step(self, number: int, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if number < 4:
            if not re.fullmatch(HEAD[number - 1], line):
                raise Refused("not the head of a certificate")
            self._variables = int(rest) if number == 3 else 0
            self._value = [0] * (2 * self._variables + 1)
            self._pairs = [[] for _ in self._value]
            self._watched = [[] for _ in self._value]
        elif self.done:
            raise Refused("the proof has ended")
        elif kind == "atom":
            self._atom(rest)
        else:
            *clause, zero = map(int, rest.split(" "))
            if zero or 0 in clause or max(map(abs, clause), default=0) > self._variables:
                raise Refused("not a clause")
            if kind == "delete":
                self._delete(clause)
            elif kind not in ("clause", "lemma", "add"):
                raise Refused("unknown kind of line")
            elif kind == "lemma" and not self._holds(clause):
                raise Refused("the lemma does not hold")
            elif kind == "add" and not self._follows(clause):
                raise Refused("does not follow by unit propagation")
            else:
                self._insert(clause)
                self.done = kind == "add" and not clause

    def _atom(self, text: str) -> None:
        name, _, meaning = text.partition(" ")
        found: tuple[str, Word] | None = None
        match json.loads(meaning):
            case {"glob": [str(dimension), [str(), *_] as pieces]} if all(
                isinstance(piece, str) for piece in pieces
            ):
                word = tuple(
                    t for n, piece in enumerate(pieces) for t in (*[None][: n > 0], *piece)
                )
                found = (dimension, word)
            case {"is": str()}:
                pass
            case _:
                raise Refused("not a meaning")
        if int(name) in self._atoms or int(name) < 1:
            raise Refused("not an atom, or one twice")
        self._atoms[int(name)] = found

    # Glob lemmas

    def _holds(self, clause: Clause) -> bool:
        atoms = [self._atoms.get(abs(literal)) for literal in clause]
        globs = [atom for atom in atoms if atom]
        if len(globs) < len(clause) or len({dimension for dimension, _ in globs}) != 1:
            raise Refused("not about globs of one dimension")
        words: set[Word] = {(None,)}
        for literal, (_, glob) in zip(clause, globs, strict=True):
            if literal < 0:
                words = set().union(*(shared(word, glob) for word in words))
        covers = [glob for literal, (_, glob) in zip(clause, globs, strict=True) if literal > 0]
        return all(any(matches(word, glob) for glob in covers) for word in words)

    # Unit propagation

    def _follows(self, clause: Clause) -> bool:
        """Whether making all its literals false leads to a clause without a true literal."""
        start, value = len(self._trail), self._value
        conflict = self._conflict
        for literal in clause:
            conflict = conflict or value[literal] > 0
            if not value[literal]:
                self._set(-literal)
        conflict = conflict or self._propagate(start)
        for literal in self._trail[start:]:
            value[literal] = value[-literal] = 0
        del self._trail[start:]
        return conflict

    def _insert(self, clause: Clause) -> None:
        clause = list(dict.fromkeys(clause))
        clause.sort(key=lambda literal: self._value[literal] < 0)
        self._known[tuple(sorted(clause))].append(clause)
        if len(clause) == 2:
            # Never forgotten, even where deleted: it follows from what was given.
            self._pairs[clause[0]].append(clause[1])
            self._pairs[clause[1]].append(clause[0])
        elif len(clause) > 2:
            self._watched[clause[0]].append(clause)
            self._watched[clause[1]].append(clause)
        if not clause or self._value[clause[0]] < 0:
            self._conflict = True
        elif not self._value[clause[0]] and (len(clause) == 1 or self._value[clause[1]] < 0):
            self._set(clause[0])
            self._conflict = self._propagate(len(self._trail) - 1) or self._conflict

    def _delete(self, clause: Clause) -> None:
        same = self._known.get(tuple(sorted(dict.fromkeys(clause))))
        if not same:
            raise Refused("no such clause")
        # What it has already made true stays true: that follows from the clauses that were given.
        same.pop().clear()

    def _set(self, literal: int) -> None:
        self._value[literal], self._value[-literal] = 1, -1
        self._trail.append(literal)

    def _propagate(self, at: int) -> bool:
        """Sets what clauses with one literal left force; whether a clause has none. Watches follow the first two."""
        value, pairs, watched, trail = self._value, self._pairs, self._watched, self._trail
        while at < len(trail):
            false = -trail[at]
            at += 1
            for other in pairs[false]:
                if value[other] <= 0:
                    if value[other]:
                        return True
                    value[other], value[-other] = 1, -1
                    trail.append(other)
            watching = watched[false]
            kept = watched[false] = []
            for number, clause in enumerate(watching):
                if not clause:
                    continue
                if clause[0] == false:
                    clause[0], clause[1] = clause[1], false
                first = clause[0]
                if value[first] <= 0:
                    for place in range(2, len(clause)):
                        if value[clause[place]] >= 0:
                            clause[1], clause[place] = clause[place], false
                            watched[clause[1]].append(clause)
                            break
                    else:
                        kept.append(clause)
                        if value[first]:
                            kept += watching[number + 1 :]
                            return True
                        value[first], value[-first] = 1, -1
                        trail.append(first)
                    continue
                kept.append(clause)
        return False


def matches(word: Word, glob: Word) -> bool:
    """Whether the glob matches the generic word; on a mismatch the last `*` eats one letter more."""
    at = place = back = 0
    star = -1
    while at < len(word):
        if place < len(glob) and glob[place] is None:
            star, back, place = place, at, place + 1
        elif place < len(glob) and glob[place] == word[at]:
            at, place = at + 1, place + 1
        elif star >= 0:
            at, place, back = back + 1, star + 1, back + 1
        else:
            return False
    return not any(token is not None for token in glob[place:])


def shared(one: Word, other: Word) -> set[Word]:
    """Generic words that stand for every text of both globs, from the shared ends of the two backwards."""
    for left, right in ((one, other), (one[::-1], other[::-1])):
        for a, b in zip((*left, ""), (*right, ""), strict=False):
            if a is None or b is None:
                break
            if a != b:
                return set()
    if len(one) * len(other) > CELLS:
        raise Refused("too long patterns")
    below: list[set[Word]] = []
    for a in ("", *one[::-1]):
        row: list[set[Word]] = []
        for place, b in enumerate(("", *other[::-1])):
            words: set[Word] = set()
            if a is None:
                words |= below[place]
            if b is None:
                words |= row[-1]
            if a is None and b is None:
                words = {word if word[:1] == (None,) else (None, *word) for word in words}
            elif a is None and b:
                words |= {(b, *word) for word in row[-1]}
            elif b is None and a:
                words |= {(a, *word) for word in below[place]}
            elif a == b:
                words = {(a, *word) for word in below[place - 1]} if a else {()}
            if len(words) > WORDS:
                raise Refused("too many words")
            row.append(words)
        below = row
    return below[-1]


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
