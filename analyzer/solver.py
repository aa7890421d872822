"""A problem answered by a solver in this process: CaDiCaL where all is Boolean, else Z3; `worker.py` adds limits.

The algebra of globs is asked after every model: an assignment that no text has becomes a clause, and the solver
goes on; so does one in which equality is not transitive. Each clause excludes the assignment it came from, so that
this ends.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from itertools import compress
from operator import itemgetter
from typing import Any, Protocol

from ..compiler.backends.smt.circuit import Clause
from ..compiler.backends.smt.encoder import Encoder
from .globs import Index, Pattern, TooLarge, Witness, realisable
from .problem import Problem, Sum

MAX_REFINEMENTS = 100_000


class Engine(StrEnum):
    """Which program decides."""

    AUTO = "auto"
    CADICAL = "cadical"
    Z3 = "z3"
    CVC5 = "cvc5"


@dataclass(frozen=True, slots=True)
class Model:
    """For each variable, from 1 on, the literal that holds; and the value of each number of the problem."""

    literals: Sequence[int]
    numbers: tuple[int, ...] = ()

    def holds(self, variable: int) -> bool:
        """Whether a variable is true; one that the problem does not have is not."""
        return variable <= len(self.literals) and self.literals[variable - 1] > 0


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Nothing is possible; `core` are the assumptions that exclude it."""

    core: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Undecided:
    """No answer, with the limit or the reason by name."""

    why: str


Answer = Model | Unsatisfiable | Undecided


class _Solver(Protocol):
    def add(self, clauses: Iterable[Clause]) -> None: ...
    def solve(self, assumptions: Sequence[int]) -> Answer: ...


class Session:
    """One problem, asked under different assumptions; what was learnt stays."""

    def __init__(self, problem: Problem, engine: Engine = Engine.AUTO) -> None:
        self._problem = problem
        self.engine = _choose(problem, engine)
        self._solver: _Solver = _SOLVERS[self.engine](problem)
        self._texts = [_Text(text) for text in problem.texts]
        self.lemmas: list[Clause] = []
        """Every clause that the algebra of globs added."""
        self.transitivity: list[Clause] = []
        """Every clause that says that texts equal to the same text are equal."""

    def add(self, clauses: Iterable[Clause]) -> None:
        self._solver.add(clauses)

    def solve(self, assumptions: Sequence[int] = ()) -> Answer:
        """A model in which all assumptions hold."""
        for _ in range(MAX_REFINEMENTS):
            answer = self._solver.solve(assumptions)
            if not isinstance(answer, Model):
                return answer
            found: list[Clause] = []
            for text in self._texts:
                clauses = text.refine(answer.literals)
                if isinstance(clauses, TooLarge):
                    return Undecided(f"too many {clauses.limit}")
                found += clauses
            paths = unequal_paths(self._problem.equal, answer)
            if not found and not paths:
                return answer
            self.lemmas += found
            self.transitivity += paths
            self._solver.add(found + paths)
        return Undecided("too many refinements")


def search(session: Session, encoder: Encoder, literals: Sequence[int]) -> Answer:
    """A model in which all elements of sets are told apart, or that there is none for sets of any size."""
    answer = session.solve((*literals, *encoder.within_slots))
    if isinstance(answer, Unsatisfiable) and encoder.within_slots:
        answer = session.solve(literals)
        if isinstance(answer, Model):
            return Undecided("; ".join(encoder.bounds))
    return answer


def unequal_paths(equal: Sequence[tuple[int, int, int]], model: Model) -> list[Clause]:
    """For each pair of texts that is not equal although a path of equal texts joins it: that it is, along the path."""
    neighbours: dict[int, list[tuple[int, int]]] = {}
    for literal, left, right in equal:
        if model.holds(literal):
            neighbours.setdefault(left, []).append((right, literal))
            neighbours.setdefault(right, []).append((left, literal))
    clauses: list[Clause] = []
    for literal, left, right in equal:
        if not model.holds(literal) and left in neighbours and right in neighbours:
            path = _path(neighbours, left, right)
            if path is not None:
                clauses.append((literal, *(-step for step in path)))
    return clauses


def _path(neighbours: dict[int, list[tuple[int, int]]], start: int, end: int) -> list[int] | None:
    """The literals along a shortest path."""
    came: dict[int, tuple[int, int]] = {start: (start, 0)}
    frontier = [start]
    for place in frontier:
        if place == end:
            path = []
            while place != start:
                place, literal = came[place]
                path.append(literal)
            return path
        for following, literal in neighbours[place]:
            if following not in came:
                came[following] = (place, literal)
                frontier.append(following)
    return None


class _Text:
    """The patterns of one text, and the clauses that an impossible assignment of them breaks."""

    def __init__(self, literals: Sequence[tuple[int, Pattern]]) -> None:
        self._literals = {pattern: literal for literal, pattern in literals}
        # With one place alone `itemgetter` gives no tuple, hence the place that is asked twice.
        places = [literal - 1 for literal in self._literals.values()]
        self._choose = itemgetter(*places, places[-1])
        self._index = Index(self._literals)
        self._by_start: dict[str, list[Pattern]] = {}
        for pattern in self._literals:
            self._by_start.setdefault(pattern[0], []).append(pattern)
        self._starts = sorted(self._by_start)
        self._possible: set[frozenset[Pattern]] = set()

    def refine(self, model: Sequence[int]) -> list[Clause] | TooLarge:
        chosen = self._choose(model)
        positive = frozenset(compress(self._literals, map((0).__lt__, chosen)))
        if positive in self._possible:
            return []
        negative = [pattern for pattern in self._near(positive) if pattern not in positive]
        found = realisable(positive, negative, index=self._index)
        match found:
            case Witness():
                self._possible.add(positive)
                return []
            case TooLarge():
                return found
            case _:
                return [
                    (
                        *(-self._literals[pattern] for pattern in core.positive),
                        *(self._literals[pattern] for pattern in core.negative),
                    )
                    for core in found.cores
                ]

    def _near(self, positive: Iterable[Pattern]) -> Iterator[Pattern]:
        """Every pattern that can match a text that matches all of `positive`: the starts of both begin that text."""
        longest = max((pattern[0] for pattern in positive), key=len, default="")
        for end in range(len(longest) + 1):
            yield from self._by_start.get(longest[:end], ())
        for start in self._starts[bisect_right(self._starts, longest) :]:
            if not start.startswith(longest):
                return
            yield from self._by_start[start]


def _choose(problem: Problem, engine: Engine) -> Engine:
    if engine is Engine.AUTO:
        return Engine.CADICAL if problem.is_propositional and _has("pysat") else Engine.Z3
    if engine is Engine.CADICAL and not problem.is_propositional:
        return Engine.Z3
    return engine


def _has(module: str) -> bool:
    return find_spec(module) is not None


class _Cadical:
    def __init__(self, problem: Problem) -> None:
        from pysat.solvers import Cadical195

        self._solver: Any = Cadical195()
        # A text matches few globs, so that a model with few of them needs few refinements.
        self._solver.configure({"phase": 0})
        self._solver.append_formula(problem.clauses)
        self._solver.append_formula(problem.lemmas)
        self._variables = problem.variables

    def add(self, clauses: Iterable[Clause]) -> None:
        self._solver.append_formula(list(clauses))

    def solve(self, assumptions: Sequence[int]) -> Answer:
        if self._solver.solve(assumptions=list(assumptions)):
            literals = self._solver.get_model()
            # The solver does not know variables that are in no clause.
            return Model([*literals, *range(-len(literals) - 1, -self._variables - 1, -1)])
        return Unsatisfiable(tuple(self._solver.get_core() or ()))


class _Z3:
    def __init__(self, problem: Problem) -> None:
        import z3

        self._z3 = z3
        self._numbers = 1 + max((item for s in problem.sums for item, _ in s.numbers), default=-1)
        # The combined solver of Z3 starts slower, and forgets what it learnt.
        self._solver: Any = z3.SimpleSolver()
        self._variables = problem.variables
        self._booleans = [None, *z3.Bools([f"b{i}" for i in range(1, problem.variables + 1)])]
        self._solver.from_string(smt_lib(problem))

    def add(self, clauses: Iterable[Clause]) -> None:
        for clause in clauses:
            self._solver.add(self._z3.Or([self._literal(item) for item in clause]))

    def _literal(self, literal: int) -> Any:
        found = self._booleans[abs(literal)]
        return found if literal > 0 else self._z3.Not(found)

    def solve(self, assumptions: Sequence[int]) -> Answer:
        answer = self._solver.check([self._literal(item) for item in assumptions])
        if answer == self._z3.sat:
            model = self._solver.model()
            literals = [-variable for variable in range(1, self._variables + 1)]
            for item in model.decls():
                if item.name()[0] == "b" and self._z3.is_true(model[item]):
                    literals[int(item.name()[1:]) - 1] *= -1
            numbers = tuple(
                model.eval(self._z3.Int(f"n{index}"), model_completion=True).as_long()
                for index in range(self._numbers)
            )
            return Model(literals, numbers)
        if answer == self._z3.unsat:
            core = {str(item) for item in self._solver.unsat_core()}
            return Unsatisfiable(
                tuple(item for item in assumptions if str(self._literal(item)) in core)
            )
        return Undecided(f"Z3 gave up: {self._solver.reason_unknown()}")


class _Cvc5:
    """The second opinion: a solver of other hands, asked afresh each time."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._added: list[Clause] = []

    def add(self, clauses: Iterable[Clause]) -> None:
        self._added += clauses

    def solve(self, assumptions: Sequence[int]) -> Answer:
        # Its module is made at run time, so that no type checker knows what is in it.
        cvc5: Any = import_module("cvc5")
        solver = cvc5.Solver()
        solver.setOption("produce-models", "true")
        solver.setOption("produce-unsat-assumptions", "true")
        solver.setLogic("QF_LIA")
        parser = cvc5.InputParser(solver)
        text = smt_lib(self._problem, self._added)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "problem")
        symbols = parser.getSymbolManager()
        while not (command := parser.nextCommand()).isNull():
            command.invoke(solver, symbols)
        terms = {term.getSymbol(): term for term in symbols.getDeclaredTerms()}

        def literal(item: int) -> Any:
            term = terms[f"b{abs(item)}"]
            return term if item > 0 else term.notTerm()

        wanted = {literal(item): item for item in assumptions}
        result = solver.checkSatAssuming(*wanted) if wanted else solver.checkSat()
        if result.isSat():
            literals = [-variable for variable in range(1, self._problem.variables + 1)]
            for name, term in terms.items():
                if name[0] == "b" and solver.getValue(term).getBooleanValue():
                    literals[int(name[1:]) - 1] *= -1
            count = sum(name[0] == "n" for name in terms)
            numbers = tuple(
                int(solver.getValue(terms[f"n{index}"]).getIntegerValue()) for index in range(count)
            )
            return Model(literals, numbers)
        if result.isUnsat():
            core = [wanted[term] for term in solver.getUnsatAssumptions()] if wanted else []
            return Unsatisfiable(tuple(core))
        return Undecided(f"cvc5 gave up: {result.getUnknownExplanation()}")


_SOLVERS: dict[Engine, type[Any]] = {
    Engine.CADICAL: _Cadical,
    Engine.Z3: _Z3,
    Engine.CVC5: _Cvc5,
}


def smt_lib(problem: Problem, more: Iterable[Clause] = ()) -> str:
    """The problem in SMT-LIB 2.6, in bulk; only numbers are written into it."""
    lines = [f"(declare-const b{index} Bool)" for index in range(1, problem.variables + 1)]
    count = 1 + max((item for s in problem.sums for item, _ in s.numbers), default=-1)
    lines += [f"(declare-const n{index} Int)" for index in range(count)]
    for clause in (*problem.clauses, *problem.lemmas, *more):
        if len(clause) == 1:
            lines.append(f"(assert {_literal(clause[0])})")
        else:
            lines.append(
                f"(assert (or {' '.join(map(_literal, clause))}))" if clause else "(assert false)"
            )
    lines += [
        f"(assert (= b{item.literal} (<= {_total(item)} {_integer(item.limit)})))"
        for item in problem.sums
    ]
    return "\n".join(lines)


def _literal(literal: int) -> str:
    return f"b{literal}" if literal > 0 else f"(not b{-literal})"


def _total(item: Sum) -> str:
    parts = [f"(* {_integer(weight)} n{number})" for number, weight in item.numbers]
    parts += [
        f"(ite {_literal(literal)} {_integer(weight)} 0)" for literal, weight in item.literals
    ]
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"


def _integer(number: int) -> str:
    return str(number) if number >= 0 else f"(- {-number})"
