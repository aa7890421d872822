"""Writes a proof that clauses have no model; `analyzer/certificate_check.py` defines the text and checks it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from .globs import Clause, Pattern
from .unit_propagation import Step, needed_steps, with_reasons

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Glob:
    """The variable is whether a text, named by its dimension, matches the pattern."""

    dimension: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Said:
    """The variable is what the text says, to a reader; the checker takes it as it is."""

    text: str


Meaning = Glob | Said


def certify(
    key: str,
    clauses: Iterable[Clause],
    lemmas: Iterable[Clause],
    meanings: Mapping[int, Meaning],
) -> str | None:
    """The certificate that `clauses` and `lemmas` have no model; `None` where they have one.

    It holds only clauses and lemmas that a refutation needs. `key` is the SHA-256 of the canonical text of the slice.
    CaDiCaL 1.5.3 writes the proof, since its learned clauses are the shortest by far.
    """
    assert _KEY.fullmatch(key)
    stated = list(dict.fromkeys(clauses))
    known = set(stated)
    assumed = [lemma for lemma in dict.fromkeys(lemmas) if lemma not in known]
    needed = _core([*stated, *assumed])
    if needed is None:
        return None
    statements = [("clause", clause) for clause in stated if clause in needed]
    statements += [("lemma", lemma) for lemma in assumed if lemma in needed]
    steps = _refutation([clause for _, clause in statements])
    used = {number for step in steps for number in step.reasons}
    variables = {
        abs(literal)
        for number, (_, clause) in enumerate(statements)
        if number in used
        for literal in clause
    }
    lines = ["interlock-certificate 1", f"key {key}"]
    lines += [f"atom {v} {_write_meaning(meanings[v])}" for v in sorted(variables) if v in meanings]
    places: dict[int, int] = {}
    for number, (kind, clause) in enumerate(statements):
        if number in used:
            lines.append(" ".join((kind, *map(str, clause))))
            places[number] = len(lines)
    for step in steps:
        reasons = [places[number] for number in step.reasons]
        lines.append(" ".join(("step", *map(str, (*step.clause, 0, *reasons)))))
        places[step.number] = len(lines)
    return "\n".join(lines) + "\n"


def meaning_lines(meanings: Mapping[int, Meaning]) -> Iterator[str]:
    """The lines by which a certificate says what variables mean."""
    for variable, meaning in meanings.items():
        yield f"atom {variable} {_write_meaning(meaning)}"


def _core(clauses: list[Clause]) -> set[Clause] | None:
    """Clauses that have no model without the others; `None` if all of them have one."""
    largest = max((abs(literal) for clause in clauses for literal in clause), default=0)
    from pysat.solvers import Cadical153

    with Cadical153() as solver:
        for selector, clause in enumerate(clauses, largest + 1):
            solver.add_clause([-selector, *clause])
        if solver.solve(assumptions=list(range(largest + 1, largest + 1 + len(clauses)))):
            return None
        return {clauses[selector - largest - 1] for selector in solver.get_core() or ()}


def _refutation(clauses: Sequence[Clause]) -> list[Step]:
    """The steps to the empty clause."""
    from pysat.solvers import Cadical153

    with Cadical153(bootstrap_with=clauses, with_proof=True) as solver:
        solver.solve()
        proof: list[str] = solver.get_proof() or []
    return needed_steps(with_reasons(clauses, proof))


def _write_meaning(meaning: Meaning) -> str:
    match meaning:
        case Glob(dimension, pattern):
            return json.dumps({"glob": [dimension, pattern]})
        case Said(text):
            return json.dumps({"is": text})
        case _:
            assert_never(meaning)
