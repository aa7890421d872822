"""A certificate is verified iff it is a proof: whatever is changed in one, it is refused or still proves."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import pytest
from glob_automata import example
from hypothesis import assume, given
from hypothesis import strategies as st
from pysat.solvers import Cadical153, Glucose4

from interlock.analyzer import certificate_check
from interlock.analyzer.certificate import Glob, Meaning, Said, certify
from interlock.analyzer.certificate_check import Refused, check
from interlock.analyzer.globs import (
    Clause,
    Conflict,
    Core,
    Pattern,
    Witness,
    lemmas,
    normal,
    realisable,
)
from interlock.analyzer.unit_propagation import with_reasons

KEY = "0123456789abcdef" * 4
CHECKER = Path(certificate_check.__file__)


def reason(certificate: str) -> str | None:
    """Why it is refused; `None` if it is verified."""
    try:
        check(certificate.removesuffix("\n").split("\n"))
    except Refused as problem:
        return str(problem)
    return None


def stated(certificate: str) -> set[Clause]:
    return {tuple(clause) for clause in check(certificate.removesuffix("\n").split("\n"))}


def glob(text: str) -> Pattern:
    return normal(tuple(text.split("*")))


def about(patterns: Sequence[Pattern]) -> dict[int, Meaning]:
    return {n: Glob("resource", pattern) for n, pattern in enumerate(patterns, 1)}


def refutation(patterns: Sequence[Pattern], clauses: list[Clause]) -> str | None:
    """A certificate that no text has what the clauses say of the patterns; `None` if a text has it."""
    known = lemmas(patterns)
    numbers = {pattern: n for n, pattern in enumerate(known.patterns, 1)}

    def clause(core: Core) -> Clause:
        return (*(-numbers[p] for p in core.positive), *(numbers[q] for q in core.negative))

    assumed = list(known.clauses)
    while True:
        with Cadical153(bootstrap_with=[*clauses, *assumed]) as solver:
            if not solver.solve():
                return certify(KEY, clauses, assumed, about(known.patterns))
            true = {literal for literal in solver.get_model() or () if literal > 0}
        positive = [p for p, n in numbers.items() if n in true]
        negative = [p for p, n in numbers.items() if n not in true]
        match realisable(positive, negative):
            case Witness():
                return None
            case Conflict(cores):
                assumed += map(clause, cores)
            case other:
                pytest.fail(str(other))


def pigeons(holes: int) -> list[Clause]:
    """One pigeon more than there are holes: unit propagation alone does not see it."""
    place = {(p, h): p * holes + h + 1 for p in range(holes + 1) for h in range(holes)}
    return [
        *(tuple(place[p, h] for h in range(holes)) for p in range(holes + 1)),
        *(
            (-place[p, h], -place[q, h])
            for h in range(holes)
            for p, q in combinations(range(holes + 1), 2)
        ),
    ]


def small() -> str:
    """Three lemmas, one of each kind, all of them needed."""
    patterns = [glob(text) for text in ("prod-db-*", "prod-*", "dev-*", "p*", "*/x", "p*/x")]
    clauses: list[Clause] = [(1,), (3, 5), (-6,)]
    assumed: list[Clause] = [(-1, 2), (-2, -3), (-2, 4), (-4, -5, 6)]
    found = certify(KEY, clauses, assumed, about(patterns))
    assert found is not None
    return found


# What is a proof


def test_a_certificate_is_verified() -> None:
    assert reason(small()) is None


def test_a_certificate_needs_nothing_of_this_project(tmp_path: Path) -> None:
    """The checker is one file of the standard library: it runs from anywhere, isolated from what is installed."""
    program = tmp_path / "check.py"
    program.write_bytes(CHECKER.read_bytes())
    proof = tmp_path / "proof"
    for text, code, said in (
        (small(), 0, "verified\n"),
        (small()[: small().index("step")], 1, "the last line is no step to the empty clause"),
        (small() + "\u0663\n", 1, "ascii"),
    ):
        proof.write_text(text, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-I", str(program), str(proof)], capture_output=True, text=True
        )
        assert (run.returncode, run.stderr) == (code, "")
        assert said in run.stdout
    gone = subprocess.run(
        [sys.executable, "-I", str(program), str(tmp_path / "gone")], capture_output=True, text=True
    )
    assert (gone.returncode, gone.stderr) == (1, "")


@pytest.mark.parametrize("holes", [1, 2, 3, 4, 5, 6])
def test_a_proof_that_takes_learning_is_verified(holes: int) -> None:
    found = certify(KEY, pigeons(holes), [], {1: Said("the first\npigeon is in the first hole")})
    assert found is not None
    assert reason(found) is None
    assert stated(found) == {*pigeons(holes)}


def test_another_solver_writes_proofs_that_are_verified() -> None:
    """Reasons are found for the common format of proofs: Glucose learns other clauses."""
    clauses = pigeons(5)
    with Glucose4(bootstrap_with=clauses, with_proof=True) as solver:
        assert not solver.solve()
        proof = solver.get_proof()
    lines = ["interlock-certificate 1", f"key {KEY}"]
    lines += [f"clause {' '.join(map(str, clause))}" for clause in clauses]
    for step in with_reasons(clauses, proof or ()):
        reasons = (number + 3 for number in step.reasons)
        lines.append(f"step {' '.join(map(str, (*step.clause, 0, *reasons)))}")
    assert reason("\n".join(lines)) is None


def test_what_does_not_follow_has_no_reasons() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        with_reasons(pigeons(3), ["1 0"])


def test_clauses_with_a_model_have_no_certificate() -> None:
    assert certify(KEY, [(1, 2)], [(-1, 2)], {}) is None


def test_a_certificate_holds_only_what_it_needs() -> None:
    found = certify(KEY, [(1,), (-1, 2), (-2,), (3, 4), (-5,)], [(-6, 7)], {5: Said("not asked")})
    assert found is not None
    assert stated(found) == {(1,), (-1, 2), (-2,)}
    assert "lemma" not in found
    assert "atom" not in found


@pytest.mark.parametrize("clauses", [[()], [(1,), (-1,)], [(1, 1), (-1, -1, -1)]])
def test_what_is_plainly_false_has_a_certificate(clauses: list[Clause]) -> None:
    found = certify(KEY, clauses, [], {})
    assert found is not None
    assert reason(found) is None


pieces = st.text("ab", max_size=2)
patterns = st.lists(pieces, min_size=1, max_size=4).map(tuple).map(normal)
problems = st.lists(patterns, min_size=1, max_size=5, unique=True).flatmap(
    lambda found: st.tuples(
        st.just(found),
        st.lists(
            st.lists(
                st.integers(1, len(found)).flatmap(lambda n: st.sampled_from((n, -n))),
                min_size=1,
                max_size=3,
            ).map(tuple),
            min_size=2,
            max_size=8,
        ),
    )
)


@given(problems)
def test_what_no_text_has_is_certified(problem: tuple[list[Pattern], list[Clause]]) -> None:
    found, clauses = problem
    certificate = refutation(found, clauses)
    possible = any(
        all(any((literal > 0) == truth[abs(literal) - 1] for literal in c) for c in clauses)
        and example(
            [p for p, holds in zip(found, truth, strict=True) if holds],
            [p for p, holds in zip(found, truth, strict=True) if not holds],
        )
        is not None
        for number in range(2 ** len(found))
        for truth in [[bool(number >> n & 1) for n in range(len(found))]]
    )
    assert (certificate is None) == possible
    assert certificate is None or reason(certificate) is None


# What is none


def is_sound(certificate: str) -> bool:
    """By a solver and automata: the lemmas that it states are true, and with its clauses they have no model."""
    atoms: dict[int, Pattern] = {}
    clauses: list[list[int]] = []
    for line in certificate.split("\n"):
        kind, _, rest = line.partition(" ")
        if kind == "atom":
            number, _, meaning = rest.partition(" ")
            atoms[int(number)] = tuple(json.loads(meaning)["glob"][1])
        elif kind in ("clause", "lemma"):
            clause = [int(word) for word in rest.split()]
            clauses.append(clause)
            if kind == "lemma":
                positive = [atoms[-literal] for literal in clause if literal < 0]
                negative = [atoms[literal] for literal in clause if literal > 0]
                if example(positive, negative) is not None:
                    return False
    with Cadical153(bootstrap_with=clauses) as solver:
        return not solver.solve()


def drop(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    del lines[at]


def repeat(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    lines.insert(draw(len(lines)), lines[at])


def swap(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    other = draw(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def change_a_literal(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    words = lines[at].split(" ")
    if words[0] in ("clause", "lemma", "step"):
        place = 1 + draw(len(words) - 1)
        words[place] = str(draw(13) - 6)
    lines[at] = " ".join(words)


def leave_a_literal_out(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    words = lines[at].split(" ")
    if words[0] in ("clause", "lemma", "step") and len(words) > 2:
        del words[1 + draw(len(words) - 1)]
    lines[at] = " ".join(words)


def change_a_pattern(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    head, brace, meaning = lines[at].partition("{")
    if brace:
        found = json.loads(brace + meaning)
        pieces = found["glob"][1]
        pieces[draw(len(pieces))] = ("", "a", "b", "ab")[draw(4)]
        lines[at] = head + json.dumps(found)


def change_the_kind(lines: list[str], at: int, draw: Callable[[int], int]) -> None:
    kind, _, rest = lines[at].partition(" ")
    if kind in ("lemma", "step"):
        lines[at] = f"{('lemma', 'step')[draw(2)]} {rest}"


MUTATIONS = (
    drop,
    repeat,
    swap,
    change_a_literal,
    leave_a_literal_out,
    change_a_pattern,
    change_the_kind,
)


@pytest.mark.parametrize("mutation", MUTATIONS)
@given(problem=problems, data=st.data())
def test_a_changed_certificate_is_refused_or_is_a_proof(
    mutation: Callable[[list[str], int, Callable[[int], int]], None],
    problem: tuple[list[Pattern], list[Clause]],
    data: st.DataObject,
) -> None:
    certificate = refutation(*problem)
    assume(certificate is not None)
    assert certificate is not None
    lines = certificate.removesuffix("\n").split("\n")
    mutation(
        lines, data.draw(st.integers(3, len(lines) - 1)), lambda n: data.draw(st.integers(0, n - 1))
    )
    changed = "\n".join(lines)
    if reason(changed) is None:
        assert is_sound(changed)


@pytest.mark.parametrize("kind", ["clause", "lemma", "atom"])
def test_each_line_of_a_smallest_certificate_is_needed(kind: str) -> None:
    """Its clauses and lemmas are a smallest set without a model; a lemma without its atoms says nothing."""
    lines = small().removesuffix("\n").split("\n")
    places = [n for n, line in enumerate(lines) if line.startswith(kind)]
    assert len(places) == {"clause": 3, "lemma": 4, "atom": 6}[kind]
    for place in places:
        assert reason("\n".join(lines[:place] + lines[place + 1 :])) is not None


def test_no_step_is_believed() -> None:
    """Of what takes learning, the last step alone does not follow, and neither does it after any half of the steps."""
    found = certify(KEY, pigeons(5), [], {})
    assert found is not None
    lines = found.removesuffix("\n").split("\n")
    first = next(n for n, line in enumerate(lines) if line.startswith("step "))
    before = " ".join(map(str, range(3, first + 1)))
    assert "the step does not follow: step 0" in (
        reason("\n".join([*lines[:first], f"step 0 {before}"])) or ""
    )
    for place in range(first, len(lines)):
        without = [*lines[:place], "step 1 -1 0", *lines[place + 1 :]]
        assert reason("\n".join(without)) is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lemma -1 2\n", "lemma 1 -2\n", "the lemma does not hold"),
        ("lemma -2 -3\n", "lemma -2\n", "the lemma does not hold"),
        ("lemma -4 -5 6\n", "lemma -4 6\n", "the lemma does not hold"),
        ("lemma -4 -5 6\n", "lemma -4 -5\n", "the lemma does not hold"),
        ('["prod-db-", ""]', '["", "prod-db-", ""]', "the lemma does not hold"),
        ('["dev-", ""]', '["prod", ""]', "the lemma does not hold"),
        ('["p", "/x"]', '["p", "a", "/x"]', "the lemma does not hold"),
        ('["p", "/x"]', '["p/x"]', "the lemma does not hold"),
        ('1 {"glob": ["resource"', '1 {"glob": ["action"', "not about globs of one dimension"),
        ('1 {"glob": ["resource", ["prod-db-", ""]]}', '1 {"is": "it"}', "not about globs"),
        ('["prod-db-", ""]', "[]", "not a meaning"),
        ('["prod-db-", ""]', '["prod", 1]', "not a meaning"),
        ("atom 2", "atom 1", "one twice"),
        ("atom 1", "atom 0", "not an atom"),
        ("atom 1", "atom -1", "not an atom"),
        ("clause 1\n", "clause 1 0\n", "not a clause"),
        ("clause 1\n", "clause x\n", "line 9: "),
        ("clause 1\n", "guess 1\n", "not a clause"),
        ("clause -6\n", "clause 6\n", "the step does not follow"),
        ("step 0 ", "step 0 99 ", "the step does not follow"),
        ("step 0 ", "step ", "line "),
        ("step 0 ", "step 7 0 ", "the last line is no step to the empty clause"),
        ("interlock-certificate 1", "interlock-certificate 2", "line 1: not the head"),
        (f"key {KEY}", "key 12", "line 2: not the head"),
    ],
)
def test_refusals(old: str, new: str, said: str) -> None:
    """The line that fails is named, and why."""
    assert old in small()
    problem = reason(small().replace(old, new, 1))
    assert problem is not None
    assert said in problem
    assert problem.startswith("line ")


def test_deeply_nested_meanings_are_refused() -> None:
    deep = f"atom 1 {'[' * 100_000}"
    assert reason(f"interlock-certificate 1\nkey {KEY}\n{deep}") is not None


def test_a_file_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(certificate_check, "BYTES", 100)
    file = tmp_path / "proof"
    file.write_text(small())
    assert certificate_check.main(str(file)) == 1
    assert capsys.readouterr().out == "longer than 100 bytes\n"


def test_a_lemma_too_large_is_refused() -> None:
    """A lemma whose check would take forever is none."""
    letters = "abcdefghijklmnopqrst"
    globs = {n: Glob("resource", ("", letter, "")) for n, letter in enumerate(letters, 1)}
    all_texts = len(letters) + 1
    clauses: list[Clause] = [*((n,) for n in globs), (-all_texts,)]
    lemma = (*(-n for n in globs), all_texts)
    found = certify(KEY, clauses, [lemma], {**globs, all_texts: Glob("resource", ("", ""))})
    assert found is not None
    assert "too many states" in (reason(found) or "")


def test_any_text_is_a_piece() -> None:
    """Line breaks, NUL, surrogates and letters beyond the first plane stay inside their line."""
    patterns = [("a\n\x00", "\ud800"), ("a\n", "\ud800"), ("\U0010ffff", "")]
    found = certify(KEY, [(1,), (-2, 3)], [(-1, 2), (-1, -3)], about(patterns))
    assert found is not None
    assert found.isascii()
    assert reason(found) is None
