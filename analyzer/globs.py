"""The exact algebra of globs: which texts `*` patterns share, and a text for every truth assignment that has one.

A pattern is its literal pieces in order with any text between them, as in `compiler/ir.py: Like`:
`("prod-", "")` is `prod-*`, and a single piece is equality.
The letters of a text are any of Unicode, and a finite set of patterns never mentions all of them. So there is always a
fresh letter `#`, and the word a[#] (every `*` of `a` replaced by it) stands for all of `a`: whatever matches a[#] ate
each `#` with a `*`, which eats any other text as well. Three facts follow, and everything here rests on them.

* `includes`: L(a) ⊆ L(b) iff b matches a[#].
* L(a) is inside the union of some L(b) iff one b includes a.
* `intersect`: two globs share a finite union of globs. So some text matches all patterns of P and none of Q iff
  one glob of the intersection of P is included in no member of Q.

The facts fail over an alphabet that patterns can exhaust: over {0, 1} the empty text, `0*` and `1*` cover `*`, and
none does alone. So this algebra is for texts that may have any letter: not for an address as bits, nor for a text that
is limited to some letters. Address ranges are in `smt/theory.py`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, pairwise

from ..lang.scalars import matches

Pattern = tuple[str, ...]
Clause = tuple[int, ...]

EVERYTHING: Pattern = ("", "")
MEMBERS = 256
"""How many globs an intersection may have."""
_PIECES = 64
_COMPARISONS = 100_000
_SIBLINGS = 64
_INCLUSIONS = 500_000
_READABLE = "xyzabcdefghijklmnopqrstuvw0123456789XYZABCDEFGHIJKLMNOPQRSTUVW"
_FILLINGS = 256


@dataclass(frozen=True, slots=True)
class Witness:
    """A text that holds what it should, and the glob whose fresh instances all do."""

    glob: Pattern
    text: str


@dataclass(frozen=True, slots=True)
class Core:
    """No text matches all of `positive` and none of `negative`, and nothing here can be left out."""

    positive: tuple[Pattern, ...]
    negative: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why an assignment has no text: each core is a clause, not p₁ or … or not pₙ or q₁ or … or qₘ."""

    cores: tuple[Core, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A limit was reached: nothing is known."""

    limit: str


@dataclass(frozen=True, slots=True)
class Lemmas:
    """Clauses that hold for every text, over literals ±(1 + position in `patterns`).

    `patterns` are those given, in normal form, then helpers `p*` and `*s` at which two of them branch off.
    The clauses are inclusions (¬a or b), exclusions (¬a or ¬b) and, where `f` and `l` cannot overlap,
    joins (¬`f*` or ¬`*l` or `f*l`).
    They are complete, so that every assignment that keeps them has a text, where `complete` says so: each pattern is a
    literal, `*`, `p*`, `*s` or an `f*l` with a join. Others want `realisable` for each assignment found.
    """

    patterns: tuple[Pattern, ...]
    clauses: list[Clause]
    complete: bool


def normal(pattern: Pattern) -> Pattern:
    """The one form of all patterns with the same texts: no `**`."""
    if len(pattern) < 3 or all(pattern[1:-1]):
        return pattern
    return (pattern[0], *filter(None, pattern[1:-1]), pattern[-1])


def write(pattern: Pattern) -> str:
    """The pattern for a reader; a `*` that is text is not told apart."""
    return "*".join(pattern)


def includes(broad: Pattern, narrow: Pattern) -> bool:
    """Whether every text of `narrow` is one of `broad`: whether `broad` matches `narrow` with `#` for each `*`.

    No letter is chosen for `#`: a piece of `broad` never spans it, so each is sought inside one piece of `narrow`.
    """
    if len(narrow) == 1:
        return matches(narrow[0], broad)
    if len(broad) == 1:
        return False
    first, *middle, last = broad
    if not (narrow[0].startswith(first) and narrow[-1].endswith(last)):
        return False
    piece, start = 0, len(first)
    ends = [len(text) for text in narrow]
    ends[-1] -= len(last)
    for wanted in middle:
        while (found := narrow[piece].find(wanted, start, ends[piece])) < 0:
            piece, start = piece + 1, 0
            if piece == len(narrow):
                return False
        start = found + len(wanted)
    return True


def disjoint(one: Pattern, other: Pattern) -> bool:
    """Whether no text matches both: their first or last pieces differ, or one is a text that the other lacks."""
    if len(one) == 1:
        return not matches(one[0], other)
    if len(other) == 1:
        return not matches(other[0], one)
    return not (
        (one[0].startswith(other[0]) or other[0].startswith(one[0]))
        and (one[-1].endswith(other[-1]) or other[-1].endswith(one[-1]))
    )


def intersect(one: Pattern, other: Pattern, limit: int = MEMBERS) -> tuple[Pattern, ...] | TooLarge:
    """The globs whose union is the texts of both, none inside another, in a stable order."""
    if disjoint(one, other):
        return ()
    if includes(other, one):
        return (normal(one),)
    if includes(one, other):
        return (normal(other),)
    if len(one) + len(other) > _PIECES:
        return TooLarge("pieces of a glob")
    try:
        return tuple(sorted(_Intersection(normal(one), normal(other), limit).globs()))
    except _LimitError as reached:
        return TooLarge(str(reached))


def intersect_all(
    patterns: Iterable[Pattern], limit: int = MEMBERS
) -> tuple[Pattern, ...] | TooLarge:
    """The globs whose union is the texts of all of them; `*` of none."""
    members: tuple[Pattern, ...] = (EVERYTHING,)
    for pattern in patterns:
        shared: list[Pattern] = []
        for member in members:
            found = intersect(member, pattern, limit)
            if isinstance(found, TooLarge):
                return found
            shared += found
        try:
            members = tuple(sorted(_Minimal(limit).of(shared)))
        except _LimitError as reached:
            return TooLarge(str(reached))
    return members


def realisable(
    positive: Iterable[Pattern],
    negative: Collection[Pattern],
    *,
    index: "Index | None" = None,
    candidates: Sequence[str] = (),
    limit: int = MEMBERS,
) -> Witness | Conflict | TooLarge:
    """Whether a text matches all of `positive` and none of `negative`.

    The witness is the first of `candidates` that does, else a short readable text.
    `index` holds at least `negative`; pass one to ask many times about the same patterns.
    """
    wanted = list(dict.fromkeys(map(normal, positive)))
    refused = frozenset(map(normal, negative))
    index = index or Index(refused)
    if EVERYTHING in refused:
        return Conflict((Core((), (EVERYTHING,)),))

    def refusing(pattern: Pattern) -> list[Pattern]:
        return [broad for broad in index.containing(pattern) if broad in refused]

    literal = next((pattern for pattern in wanted if len(pattern) == 1), None)
    if literal is not None:
        apart = [Core((literal, p), ()) for p in wanted if not matches(literal[0], p)]
        cores = apart + [Core((literal,), (broad,)) for broad in refusing(literal)]
        return Conflict(tuple(cores)) if cores else Witness(literal, literal[0])
    if pairs := _disjoint_pairs(wanted):
        return Conflict(pairs)
    narrow = _narrowest(wanted)
    members = intersect_all(narrow, limit)
    if isinstance(members, TooLarge):
        return members
    covers = {member: refusing(member) for member in members}
    free = [member for member in members if not covers[member]]
    if not free:
        return Conflict((_core(narrow, covers, limit),))
    for name in candidates:
        if all(matches(name, pattern) for pattern in narrow) and not refusing((name,)):
            return Witness(next(glob for glob in members if matches(name, glob)), name)
    texts = [
        (len(text), text, glob)
        for glob in free
        if (text := _instance(glob, lambda text: not refusing((text,)))) is not None
    ]
    if not texts:
        return TooLarge("letters")
    _, text, glob = min(texts)
    return Witness(glob, text)


def lemmas(patterns: Iterable[Pattern]) -> Lemmas:
    """Clauses over the patterns, almost linear in their number; see `Lemmas`."""
    return _Lemmas(patterns).all()


class Index:
    """Patterns by their ends, so that those that include a pattern, or match a text, are found without trying all."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._texts: set[Pattern] = set()
        self._buckets: dict[tuple[str, str], dict[str, list[Pattern]]] = {}
        for pattern in dict.fromkeys(map(normal, patterns)):
            if len(pattern) == 1:
                self._texts.add(pattern)
            else:
                bucket = self._buckets.setdefault((pattern[0], pattern[-1]), {})
                bucket.setdefault(max(pattern[1:-1], key=len, default=""), []).append(pattern)
        self._firsts = _by_length(first for first, _ in self._buckets)
        self._lasts = _by_length(last for _, last in self._buckets)

    def containing(self, narrow: Pattern) -> list[Pattern]:
        """The patterns that include this one, itself among them if it is here."""
        found = [narrow] if narrow in self._texts else []
        first, last, inside = narrow[0], narrow[-1], "\n".join(narrow)
        lasts = [
            last[len(last) - length :]
            for length, known in self._lasts
            if length <= len(last) and last[len(last) - length :] in known
        ]
        for length, known in self._firsts:
            start = first[:length]
            if length > len(first):
                break
            if start not in known:
                continue
            for end in lasts:
                for key, patterns in self._buckets.get((start, end), {}).items():
                    if key in inside:
                        found += [broad for broad in patterns if includes(broad, narrow)]
        return found


def _by_length(texts: Iterable[str]) -> list[tuple[int, set[str]]]:
    lengths: dict[int, set[str]] = {}
    for text in texts:
        lengths.setdefault(len(text), set()).add(text)
    return sorted(lengths.items())


# Intersection


class _LimitError(Exception):
    """A limit of this file, by its name; never leaves it."""


class _Minimal:
    """Unions without members inside others, within a limit on their number and on the comparisons made."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = _COMPARISONS

    def of(self, globs: Iterable[Pattern]) -> set[Pattern]:
        kept: list[Pattern] = []
        # A glob that includes another has fewer letters, so that it is kept before the other is asked.
        for glob in sorted(set(globs), key=lambda pieces: sum(map(len, pieces))):
            self._left -= len(kept)
            if self._left < 0:
                raise _LimitError("work on an intersection")
            if not any(includes(broad, glob) for broad in kept):
                kept.append(glob)
        if len(kept) > self._limit:
            raise _LimitError("globs of an intersection")
        return set(kept)


class _Intersection:
    """What two globs that both have a `*` and are not disjoint share, by laying their pieces on one line.

    A state is the pieces still to lay. Either both globs are in a `*`, or one is in the middle of a piece while the
    other is in a `*`. A piece of the other that fits wholly into what is left of that piece is laid at its first place
    there: a text with a later place, or one beyond the piece, also has the first place, since `*` eats the rest.
    """

    def __init__(self, one: Pattern, other: Pattern, limit: int) -> None:
        self._sides = (one, other)
        self._minimal = _Minimal(limit)
        self._inside: dict[tuple[int, int, int, int], set[Pattern]] = {}
        self._between: dict[tuple[int, int], set[Pattern]] = {}

    def globs(self) -> set[Pattern]:
        one, other = self._sides
        side = 0 if one[0].startswith(other[0]) else 1
        start = self._sides[1 - side][0]
        return {(start + rest[0], *rest[1:]) for rest in self.inside(side, 0, len(start), 1)}

    def between(self, one: int, other: int) -> set[Pattern]:
        """Both in a `*`; the next pieces are at `one` and `other`."""
        key = (one, other)
        if key not in self._between:
            self._between[key] = self._minimal.of(
                self.inside(0, one, 0, other) | self.inside(1, other, 0, one)
            )
        return self._between[key]

    def inside(self, side: int, piece: int, start: int, wanted: int) -> set[Pattern]:
        """`side` lays its piece from `start` on; the other is in a `*`, and its next piece is at `wanted`."""
        key = (side, piece, start, wanted)
        if key not in self._inside:
            self._inside[key] = self._minimal.of(self._lay(side, piece, start, wanted))
        return self._inside[key]

    def _lay(self, side: int, piece: int, start: int, wanted: int) -> Iterator[Pattern]:
        mine, theirs = self._sides[side], self._sides[1 - side]
        rest, text = mine[piece][start:], theirs[wanted]
        ends, text_ends = piece == len(mine) - 1, wanted == len(theirs) - 1
        if ends and text_ends:
            if rest.endswith(text):
                yield (rest,)
            return
        if not text_ends and (found := rest.find(text)) >= 0:
            after = found + len(text)
            for first, *more in self.inside(side, piece, start + after, wanted + 1):
                yield (rest[:after] + first, *more)
            return
        if ends:
            return
        next_pieces = (piece + 1, wanted) if side == 0 else (wanted, piece + 1)
        for following in self.between(*next_pieces):
            yield (rest, *following)
        for shared in range(1, min(len(rest), len(text)) + 1):
            if rest.endswith(text[:shared]):
                for first, *more in self.inside(1 - side, wanted, shared, piece + 1):
                    yield (rest + first, *more)


# Realisability


def _disjoint_pairs(patterns: Sequence[Pattern]) -> tuple[Core, ...]:
    """Globs with a `*` share a text unless two of them are disjoint; then the longest end is in such a pair."""
    if not patterns:
        return ()
    longest = {
        max(patterns, key=lambda pattern: len(pattern[0])),
        max(patterns, key=lambda pattern: len(pattern[-1])),
    }
    pairs = {frozenset((one, p)) for one in longest for p in patterns if disjoint(one, p)}
    return tuple(Core(tuple(sorted(pair)), ()) for pair in sorted(pairs, key=sorted))


def _narrowest(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Those that include no other: the rest follows from them."""
    kept: list[Pattern] = []
    for pattern in sorted(patterns, key=lambda pieces: -sum(map(len, pieces))):
        if not any(includes(pattern, narrow) for narrow in kept):
            kept.append(pattern)
    return kept


def _core(positive: list[Pattern], covers: dict[Pattern, list[Pattern]], limit: int) -> Core:
    """The smallest part of the conflict that leaving out one pattern after another reaches."""
    times = Counter(chain.from_iterable(covers.values()))
    negative = list(
        dict.fromkeys(
            max(found, key=lambda broad: (times[broad], broad)) for found in covers.values()
        )
    )
    for pattern in list(positive):
        fewer = [other for other in positive if other != pattern]
        if _covered(fewer, negative, limit):
            positive = fewer
    for pattern in list(negative):
        fewer = [other for other in negative if other != pattern]
        if _covered(positive, fewer, limit):
            negative = fewer
    return Core(tuple(sorted(positive)), tuple(sorted(negative)))


def _covered(positive: Iterable[Pattern], negative: Sequence[Pattern], limit: int) -> bool:
    members = intersect_all(positive, limit)
    return not isinstance(members, TooLarge) and all(
        any(includes(broad, member) for broad in negative) for member in members
    )


def _instance(glob: Pattern, is_free: Callable[[str], bool]) -> str | None:
    """A short text of the glob for a reader; one exists while there is a letter that no pattern mentions.

    Every `*` takes one letter or nothing. It takes a letter where nothing would leave a separator at an end or doubled.
    """
    stars = range(len(glob) - 1)
    needed = {
        star for star in stars if not (glob[star][-1:].isalnum() or glob[star + 1][:1].isalnum())
    }
    optional = [star for star in stars if star not in needed]
    letter = next((letter for letter in _letters() if is_free(letter.join(glob))), None)
    if letter is None:
        return None
    choices = chain.from_iterable(combinations(optional, size) for size in range(len(optional)))
    for chosen in islice(choices, _FILLINGS):
        text = glob[0] + "".join(
            (letter if star in needed or star in chosen else "") + glob[star + 1] for star in stars
        )
        if is_free(text):
            return text
    return letter.join(glob)


def _letters() -> Iterator[str]:
    yield from _READABLE
    points = chain(range(0x20, 0xD800), range(0xE000, 0x110000))
    yield from (chr(point) for point in points if chr(point).isprintable())


# Lemmas


class _Lemmas:
    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._given = tuple(dict.fromkeys(map(normal, patterns)))
        self._numbers = {pattern: number for number, pattern in enumerate(self._given, 1)}
        self._clauses: dict[Clause, None] = {}
        self._complete = True

    def all(self) -> Lemmas:
        if EVERYTHING in self._numbers:
            self._say((), EVERYTHING)
        globs = [pattern for pattern in self._given if len(pattern) > 1]
        texts = {pattern[0] for pattern in self._given if len(pattern) == 1}
        self._tree({glob[0] for glob in globs}, texts)
        if any(glob[-1] for glob in globs):
            mirrored = {text[::-1] for text in texts}
            self._tree({glob[-1][::-1] for glob in globs}, mirrored, backwards=True)
        inner = [glob for glob in globs if len(glob) > 2 or all(glob)]
        for glob in inner:
            self._ends(glob)
        self._inclusions(inner)
        return Lemmas(tuple(self._numbers), list(self._clauses), self._complete)

    def _number(self, pattern: Pattern) -> int:
        return self._numbers.setdefault(pattern, len(self._numbers) + 1)

    def _say(self, positive: tuple[Pattern, ...], *negative: Pattern) -> None:
        """No text matches all of `positive` and none of `negative`."""
        self._clauses[
            (*(-self._number(p) for p in positive), *(self._number(q) for q in negative))
        ] = None

    def _tree(self, starts: set[str], texts: set[str], *, backwards: bool = False) -> None:
        """Each start and text is inside the longest start that begins it, and apart from what else branches off there.

        The starts are closed under common beginnings, so that two that branch off differ in their next letter.
        """
        keys = sorted(starts | texts)
        starts = starts | {_common_start(one, other) for one, other in pairwise(keys)}
        branches: dict[str, list[Pattern]] = {}
        path = [""]
        for key in sorted(starts | texts):
            while not key.startswith(path[-1]):
                path.pop()
            word = key[::-1] if backwards else key
            if key and key in starts:
                branches.setdefault(path[-1], []).append(("", word) if backwards else (word, ""))
                path.append(key)
            if key in texts:
                branches.setdefault(path[-1], []).append((word,))
        for start, inside in branches.items():
            if start:
                whole = ("", start[::-1]) if backwards else (start, "")
                for pattern in inside:
                    self._say((pattern,), whole)
            if len(inside) > _SIBLINGS:
                self._complete = False
            else:
                for pair in combinations(inside, 2):
                    self._say(pair)

    def _ends(self, glob: Pattern) -> None:
        """A glob is inside its prefix and its suffix, and is both where they cannot overlap."""
        prefix, suffix = (glob[0], ""), ("", glob[-1])
        if glob[0]:
            self._say((glob,), prefix)
        if glob[-1]:
            self._say((glob,), suffix)
        if intersect(prefix, suffix) == (glob,):
            self._say((prefix, suffix), glob)
        else:
            self._complete = False

    def _inclusions(self, inner: list[Pattern]) -> None:
        """What includes a pattern beyond its ends, less what follows through a pattern between the two."""
        if not inner:
            return
        index, targets = Index(self._given), frozenset(inner)
        above: dict[Pattern, list[Pattern]] = {}
        left = _INCLUSIONS
        for pattern in self._given:
            above[pattern] = [broad for broad in index.containing(pattern) if broad != pattern]
            left -= len(above[pattern])
            if left < 0:
                self._complete = False
                return
        beyond = {pattern: targets.intersection(broader) for pattern, broader in above.items()}
        for pattern, broader in above.items():
            follow = {far for broad in broader for far in beyond[broad]}
            for broad in sorted(beyond[pattern] - follow):
                self._say((pattern,), broad)


def _common_start(one: str, other: str) -> str:
    pairs = enumerate(zip(one, other, strict=False))
    return one[: next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))]
