"""One body in every kind of request that its scope admits: all at once where that succeeds, else one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from . import syntax
from .checked import Checked
from .diagnostics import Code, Diagnostic, Note, Severity, did_you_mean
from .expressions import Expressions
from .meanings import ReadAttribute, Tables
from .names import Report, Scope
from .schema import Environment
from .source import Span
from .typesystem import ACTION, EntityType, RecordOf, Type, entity_type

Body = Callable[[Expressions], None]
"""What is checked in each environment."""


@dataclass(slots=True)
class Reading:
    """What a body is in some kinds of request, of which `environment` is the first."""

    environment: Environment | None
    variables: dict[str, Type]
    tables: Tables = field(default_factory=Tables)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def errors(self) -> list[Diagnostic]:
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]


class Readings:
    """What is wrong with one declaration, and what its parts mean."""

    def __init__(self, checked: Checked, scope: Scope, item: syntax.Declaration) -> None:
        self.checked = checked
        self.names = checked.names
        self.scope = scope
        self.item = item
        self.problems: list[Diagnostic] = []
        self.is_excused = False
        """Whether a scope names something that could not be read, so that it may fit more than is known."""

    def report(self, problem: Diagnostic) -> None:
        self.problems.append(problem)

    def expressions(
        self, variables: dict[str, Type], tables: Tables | None = None, report: Report | None = None
    ) -> Expressions:
        return Expressions(
            self.names,
            self.scope,
            tables or self.checked.tables,
            report or self.report,
            dict(variables),
            watch=self.checked.watch,
        )

    def _find_rules(
        self, references: Iterable[syntax.Reference], effects: Sequence[syntax.Effect]
    ) -> None:
        """Reports the rules that do not exist; those with one of the effects could be meant."""
        for reference in references:
            if reference.name not in self.names.rules and reference.name not in self.scope.broken:
                message = f"there is no rule `{reference.name}`"
                known = (name for name, rule in self.names.rules.items() if rule.effect in effects)
                help_line = did_you_mean(reference.name, known)
                self.report(Diagnostic(Code.UNKNOWN_RULE, message, reference.span, help_line))

    def _in_environments(self, environments: list[Environment], body: Body) -> None:
        """Checks a body for every environment: all at once where that succeeds, else one by one."""
        readings: list[Reading] = []
        failed = False
        for group in self._alike(environments):
            reading = self._read(body, self._together(group), group[0])
            found = [reading]
            if reading.errors and len(group) > 1:
                found = self._one_by_one(group, body, reading.errors)
            readings += found
            errors = found[-1].errors
            failed = failed or bool(errors)
            self.problems += _unreported(errors, self.problems)
        if failed:
            for reading in readings:
                self._keep(reading.tables)
        else:
            self._agree(readings, body)

    def _read(
        self, body: Body, variables: dict[str, Type], environment: Environment | None = None
    ) -> Reading:
        reading = Reading(environment, variables)
        expressions = self.expressions(variables, reading.tables, reading.problems.append)
        expressions.skips = True
        body(expressions)
        return reading

    def _agree(self, readings: list[Reading], body: Body) -> None:
        """Keeps what a body is in every kind of request, where each node must mean the same."""
        for first in readings:
            self.problems += _unreported(
                [
                    problem
                    for problem in first.problems
                    if problem.severity is Severity.ERROR
                    or all(_warns(reading, problem) for reading in readings)
                ],
                self.problems,
            )
        conflict = self._conflict(readings)
        if conflict is not None:
            self.report(conflict)
        for reading in readings:
            self._keep(reading.tables)
        self._read_the_rest(readings, body)

    def _conflict(self, readings: list[Reading]) -> Diagnostic | None:
        """The first node that means one thing for some kinds of request and another for others."""
        before: dict[int, Reading] = {}
        for reading in readings:
            for key in reading.tables.types:
                first = before.setdefault(key, reading)
                one, other = first.tables.meanings.get(key), reading.tables.meanings.get(key)
                if one == other or (
                    isinstance(one, ReadAttribute) and isinstance(other, ReadAttribute)
                ):
                    continue
                node = next(node for node in syntax.walk(self.item) if id(node) == key)
                text = " ".join(node.span.text.split())
                message = (
                    f"`{text}` means one thing in `{first.environment}`"
                    f" and another in `{reading.environment}`"
                )
                help_line = "write a rule for each kind of request"
                return Diagnostic(Code.AMBIGUOUS_NAME, message, node.span, help_line)
        return None

    def _read_the_rest(self, readings: list[Reading], body: Body) -> None:
        """Checks what no kind of request reaches as if the guards before it said nothing."""
        known = self.checked.tables
        rest = [
            node
            for reading in readings
            for key, node in reading.tables.unread.items()
            if key not in known.types
        ]
        if not rest:
            return
        again = Reading(None, readings[0].variables)
        body(self.expressions(again.variables, again.tables, again.problems.append))
        inside = [
            problem
            for problem in again.errors
            if any(_is_inside(problem.span, node.span) for node in rest)
        ]
        self.problems += _unreported(inside, self.problems)
        for key, type in again.tables.types.items():
            if key not in known.types:
                known.types[key] = type
                if key in again.tables.meanings:
                    known.meanings[key] = again.tables.meanings[key]

    def _alike(self, environments: list[Environment]) -> Iterator[list[Environment]]:
        """Environments whose context is of one type."""
        groups: dict[RecordOf, list[Environment]] = {}
        for environment in environments:
            context = self.names.schema.actions[environment.action].context
            groups.setdefault(context, []).append(environment)
        yield from groups.values()

    def _together(self, group: list[Environment]) -> dict[str, Type]:
        return {
            "principal": self._called({environment.principal for environment in group}),
            "action": ACTION,
            "resource": self._called({environment.resource for environment in group}),
            "context": self.names.schema.actions[group[0].action].context,
        }

    def _called(self, types: set[str]) -> EntityType:
        """The types together, by the name of the abstract entity that stands for just these."""
        name = self.names.schema.called.get(frozenset(types))
        return EntityType(frozenset(types), name) if name else entity_type(types)

    def _one_by_one(
        self, group: list[Environment], body: Body, together: list[Diagnostic]
    ) -> list[Reading]:
        """Readings up to the first with an error, which is told in the words for all where they are the same."""
        words = {_place_of(problem): problem for problem in together}
        readings = []
        for environment in group:
            reading = self._read(body, self._together([environment]), environment)
            readings.append(reading)
            if reading.errors:
                last = self._read(body, self._together(group[-1:]), group[-1])
                everywhere = set(map(_place_of, last.errors)) if environment is group[0] else set()
                span = self.names.schema.actions[environment.action].span
                note = Note(f"in a request `{environment}`, whose action is declared here", span)
                reading.problems = [
                    replace(
                        words.get(_place_of(problem), problem),
                        notes=problem.notes if _place_of(problem) in everywhere else (note,),
                    )
                    for problem in reading.errors
                ]
                break
        return readings

    def _keep(self, tables: Tables) -> None:
        """Adds the facts of one environment; an attribute is optional if it is so in any."""
        known = self.checked.tables
        known.types.update(tables.types)
        for key, meaning in tables.meanings.items():
            before = known.meanings.get(key, meaning)
            if isinstance(meaning, ReadAttribute) and isinstance(before, ReadAttribute):
                meaning = ReadAttribute(meaning.optional or before.optional)
            known.meanings[key] = meaning


def _place_of(problem: Diagnostic) -> tuple[Code, int, int]:
    return problem.code, problem.span.start, problem.span.end


def _unreported(found: list[Diagnostic], known: list[Diagnostic]) -> list[Diagnostic]:
    seen = set(map(_place_of, known))
    return [problem for problem in found if _place_of(problem) not in seen]


def _is_inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _warns(reading: Reading, warning: Diagnostic) -> bool:
    """Whether a reading has the warning, or does not come to its place; the types in its words may differ."""
    return any(
        _place_of(problem) == _place_of(warning) and problem.help == warning.help
        for problem in reading.problems
    ) or any(_is_inside(warning.span, node.span) for node in reading.tables.unread.values())
