"""Proofs kept between runs: an unchanged claim is checked against its certificate instead of being solved again.

A certificate is believed for what it shows, not for where it lies: its clauses must be among those that the encoder
makes today, its atoms must mean what they mean today, and the independent checker must accept every step. So a file
that somebody else wrote can make a proof cheaper but never make one up.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..compiler.backends import smt_values
from ..compiler.backends.circuit import Clause
from .certificate import Glob, Meaning, Said, certify, meaning_lines
from .certificate_check import Refused, check
from .problem import Posed
from .solver import Session

MAX_FILE_BYTES = 64 * 1024 * 1024


class ProofStore:
    """A folder with one file for each claim and group of environments."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, claim: str, group: int) -> str | None:
        """The certificate that is kept, if there is one of a size that a proof has."""
        path = self._path(claim, group)
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                return None
            return path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, claim: str, group: int, certificate: str) -> None:
        """Raises `OSError` where the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path(claim, group).write_text(certificate, encoding="ascii")

    def _path(self, claim: str, group: int) -> Path:
        # A claim's name has only letters, digits and `_`, so that it names a file in the folder and nothing else.
        assert claim.isidentifier()
        return self._folder / (f"{claim}.proof" if group == 0 else f"{claim}.{group + 1}.proof")


def certificate_of(posed: Posed, assumptions: Iterable[int], session: Session) -> str | None:
    """The certificate that a propositional problem has no model under the assumptions, which the session found."""
    if not posed.problem.is_propositional:
        return None
    return certify(
        _key(posed, assumptions),
        [*_given(posed, assumptions), *session.transitivity],
        [*posed.problem.lemmas, *session.lemmas],
        _meanings(posed),
    )


def is_proof(certificate: str, posed: Posed, assumptions: Iterable[int]) -> bool:
    """Whether a certificate shows that today's problem has no model under the assumptions."""
    assumptions = tuple(assumptions)
    lines = certificate.removesuffix("\n").split("\n")
    if not posed.problem.is_propositional or len(lines) < 2:
        return False
    if lines[1] != f"key {_key(posed, assumptions)}":
        return False
    atoms = set(meaning_lines(_meanings(posed)))
    if not all(line in atoms for line in lines if line.startswith("atom ")):
        return False
    try:
        given = check(lines)
    except Refused:
        return False
    known = {frozenset(clause) for clause in _given(posed, assumptions)}
    edges = {literal: frozenset(pair) for literal, *pair in posed.problem.equal}
    return all(
        frozenset(clause) in known or _is_transitivity(tuple(clause), edges) for clause in given
    )


def _given(posed: Posed, assumptions: Iterable[int]) -> Iterator[Clause]:
    yield from posed.problem.clauses
    for literal in assumptions:
        yield (literal,)


def _key(posed: Posed, assumptions: Iterable[int]) -> str:
    text = "\n".join(" ".join(map(str, clause)) for clause in _given(posed, assumptions))
    return hashlib.sha256(text.encode()).hexdigest()


def _meanings(posed: Posed) -> dict[int, Meaning]:
    return {
        variable: Glob(atom.place.path, atom.pattern)
        if isinstance(atom, smt_values.Glob)
        else Said(repr(atom))
        for variable, atom in posed.meanings.items()
    }


def _is_transitivity(clause: Clause, edges: dict[int, frozenset[int]]) -> bool:
    """Whether a clause says that texts are equal which a path of equal texts joins."""
    ends = [literal for literal in clause if literal > 0]
    steps = [edges.get(-literal) for literal in clause if literal < 0]
    if len(ends) != 1 or ends[0] not in edges or None in steps:
        return False
    reached = {min(edges[ends[0]])}
    for _ in steps:
        for pair in steps:
            if pair is not None and reached & pair:
                reached |= pair
    return edges[ends[0]] <= reached
