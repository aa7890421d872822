"""Proofs kept between runs: an unchanged claim is checked against its certificate instead of being solved again.

A certificate is believed for what it shows, not for where it lies: its clauses must be among those that the encoder
makes today, its atoms must mean what they mean today, and the independent checker must accept every step. So a file
that somebody else wrote can make a proof cheaper but never make one up.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from ..compiler import ir
from ..compiler.backends.smt import values as open_values
from ..compiler.backends.smt.circuit import Clause
from ..compiler.documents import Misfit, decode
from .certificate import Glob, Meaning, Said, certify, meaning_lines
from .certificate_check import Refused, check
from .goals import Goal, digest_of_goal
from .problem import Posed
from .solver import Session

MAX_FILE_BYTES = 64 * 1024 * 1024


class ProofStore:
    """A folder with a certificate for each claim and group of environments, and what else is told of the claim.

    An optional one keeps what it can: that it cannot be written to is nobody's mistake.
    """

    def __init__(self, folder: Path, *, is_optional: bool = False) -> None:
        self._folder = folder
        self._is_optional = is_optional

    def read(self, claim: str, group: int) -> str | None:
        """The certificate that is kept, if there is one of a size that a proof has."""
        return _text(self._path(claim, _suffix(group)))

    def write(self, claim: str, group: int, certificate: str) -> None:
        """Raises `OSError` where the folder cannot be written."""
        self._write(self._path(claim, _suffix(group)), certificate)

    def read_request(self, claim: str) -> str | None:
        """A request that the claim is said to speak about, to be replayed."""
        request = self._told(claim).get("speaks_about")
        return None if request is None else json.dumps(request)

    def read_because(self, claim: str, proved: str) -> list[tuple[str, str]] | None:
        """The rules and the paths in them on which this very proof was found to rest."""
        told = self._told(claim)
        because = told.get("because")
        if told.get("proved") != proved or not isinstance(because, list):
            return None
        if not all(isinstance(item, list) and len(item) == 2 for item in because):
            return None
        return [(str(rule), str(path)) for rule, path in because]

    def write_told(
        self, claim: str, proved: str, request: str, because: Iterable[tuple[str, str]]
    ) -> None:
        """Keeps what is told of a proof beside its certificates; raises `OSError` as `write` does."""
        told = {
            "proved": proved,
            "because": list(because),
            "speaks_about": json.loads(request) if request else None,
        }
        self._write(self._path(claim, "json"), json.dumps(told, indent=2) + "\n")

    def _told(self, claim: str) -> dict[str, object]:
        try:
            found = decode(_text(self._path(claim, "json")) or "{}")
        except Misfit:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, path: Path, text: str) -> None:
        if _text(path) == text:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
        except OSError:
            if not self._is_optional:
                raise

    def _path(self, claim: str, suffix: str) -> Path:
        # A claim's name has only letters, digits and `_`, so that it names a file in the folder and nothing else.
        assert claim.isidentifier()
        return self._folder / f"{claim}.{suffix}"


def _suffix(group: int) -> str:
    return "proof" if group == 0 else f"{group + 1}.proof"


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii") if path.stat().st_size <= MAX_FILE_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


def name_of_proof(policies: ir.PolicySet, goal: Goal, certificates: Iterable[str | None]) -> str:
    """SHA-256 over a claim, the rules that bear on it and its certificates; empty where one of these is missing."""
    texts = list(certificates)
    if not texts or None in texts:
        return ""
    text = "\n".join([digest_of_goal(policies, goal), *filter(None, texts)])
    return hashlib.sha256(text.encode()).hexdigest()


def certificate_of(posed: Posed, assumptions: Iterable[int], session: Session) -> str | None:
    """The certificate that a propositional problem has no model under the assumptions, which the session found."""
    if not posed.problem.is_propositional or find_spec("pysat") is None:
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
        if isinstance(atom, open_values.Glob)
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
