"""A policy set as Python source: one function for each group of requests that the same rules can decide.

Requests go by action, principal type and resource type to a function that reads only the rules that can apply.
Where these are many, an index over equalities, memberships, prefixes and ancestors picks the few that still can,
and rules of one shape share one function. Text of a policy reaches the source only through `python_literal`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ....lang.schema import Environment, Schema
from ....lang.source import Span
from ....lang.syntax import Effect
from ....lang.typesystem import RecordOf
from ... import ir
from ...documents import World
from ...rewrite import parts
from ...shapes import shape_of, world_of
from ...typer import Disagreement, Typer, typer_for
from .index import Entry, index_of, index_source, may_fail
from .literals import python_literal
from .readers import Readers
from .terms import Code, Terms

PARAMETERS = "P, R, a, c, nodes"
"""What the store holds of principal and resource, the action, the context, the store."""
PIECES = {"P": ("pa", "ph", "_", "p"), "R": ("ra", "rh", "_", "r")}
"""The pieces of what the store holds of an entity, in order: attributes, ancestors, parents, name."""
MAX_INLINE_RULES = 40
"""Up to so many rules, a function holds their conditions itself; beyond, it looks them up."""
EFFECTS = (Effect.FORBID, Effect.PERMIT, Effect.REQUIRE)
OUTCOMES = {Effect.FORBID: "deny", Effect.PERMIT: "permit"}


@dataclass(frozen=True, slots=True)
class Module:
    """The generated source and the tables that give its numbers a meaning."""

    source: str
    """Defines `ENVIRONMENTS`, `FILL`, `READERS` and `WORLD`."""
    rules: tuple[ir.Rule, ...]
    """In the order of their names, which is that of their numbers."""
    needs: tuple[tuple[int, ir.Need], ...]
    """Number of a need → the number of its rule, and the need."""
    sites: tuple[Span, ...]


def generate(policies: ir.PolicySet) -> Module:
    """The policy set as a module; `runtime.py` says what its functions take and give."""
    rules = tuple(sorted(policies.rules, key=lambda rule: rule.id))
    generator = _Generator(policies, rules)
    generator.run()
    return Module(generator.text(), rules, tuple(generator.needs), tuple(generator.site_list))


@dataclass(slots=True)
class _Generator:
    policies: ir.PolicySet
    rules: tuple[ir.Rule, ...]
    constants: dict[str, str] = field(default_factory=dict)
    """Literal → the name under which it stands."""
    site_list: list[Span] = field(default_factory=list)
    needs: list[tuple[int, ir.Need]] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    shapes: dict[str, int] = field(default_factory=dict)
    """Body of a shared function → its number."""
    places: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Number of a rule → numbers of its needs."""
    typers: dict[tuple[Environment, ...], Typer] = field(default_factory=dict)
    """Kinds of request → the typer of terms about them."""
    dispatch: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def schema(self) -> Schema:
        return self.policies.schema

    # The module

    def run(self) -> None:
        for number, rule in enumerate(self.rules):
            self.places[number] = list(range(len(self.needs), len(self.needs) + len(rule.needs)))
            self.needs += [(number, need) for need in rule.needs]
        groups: dict[tuple[tuple[int, ...], RecordOf], list[Environment]] = defaultdict(list)
        for environment, numbers in self._rules_by_environment():
            context = self.schema.actions[environment.action].context
            groups[numbers, context].append(environment)
        for (numbers, _), environments in groups.items():
            before, known = len(self.functions), len(self.shapes)
            try:
                self._environment(numbers, environments)
            except Disagreement:
                # The code differs between these kinds of request, so each gets its own.
                del self.functions[before:]
                self.shapes = {code: at for code, at in self.shapes.items() if at < known}
                for environment in environments:
                    self._environment(numbers, [environment])
        self._messages()

    def text(self) -> str:
        world = world_of(self.schema)
        readers = Readers(self._constant)
        named = [
            f"{python_literal(name)}: {readers.name(action.context)}"
            for name, action in world.actions.items()
        ]
        lines = [f"{name} = {literal}" for literal, name in self.constants.items()]
        shapes = [line for line in self.functions if line.startswith("def shape_")]
        lines.append("NOTHING = Answer('deny', ())")
        lines += shapes
        lines.append(f"SHAPES = ({''.join(f'shape_{number}, ' for number in range(len(shapes)))})")
        lines += [line for line in self.functions if not line.startswith("def shape_")]
        lines += readers.functions
        lines.append(f"READERS = {{{', '.join(named)}}}")
        lines.append("ENVIRONMENTS = {")
        for action, by_principal in self.dispatch.items():
            lines.append(f"    {python_literal(action)}: {{")
            for principal, by_resource in by_principal.items():
                inside = ", ".join(
                    f"{python_literal(resource)}: ({name}, {name}_allows)"
                    for resource, name in by_resource.items()
                )
                lines.append(f"        {python_literal(principal)}: {{{inside}}},")
            lines.append("    },")
        lines.append("}")
        inside = ", ".join(f"{key}: {name}" for key, name in self.fills.items())
        lines.append(f"FILL = {{{inside}}}")
        lines.append(f"WORLD = {world_literal(world)}")
        return "\n".join(lines) + "\n"

    def _rules_by_environment(self) -> Iterator[tuple[Environment, tuple[int, ...]]]:
        """Each kind of request with the rules in whose scope it is; rules of one scope are asked about once."""
        by_scope: dict[tuple[frozenset[str], ...], list[int]] = defaultdict(list)
        for number, rule in enumerate(self.rules):
            scope = rule.scope
            by_scope[scope.actions, scope.principal.types, scope.resource.types].append(number)
        for one in self.schema.environments():
            numbers = [
                number
                for (actions, principals, resources), found in by_scope.items()
                if one.action in actions
                and one.principal in principals
                and one.resource in resources
                for number in found
            ]
            yield one, tuple(sorted(numbers))

    def _terms(
        self, environments: Iterable[Environment], constant: Callable[[object], str] | None = None
    ) -> Terms:
        key = tuple(environments)
        if key not in self.typers:
            self.typers[key] = typer_for(self.schema, key)
        return Terms(self.typers[key], constant or self._constant, self._site)

    def _constant(self, value: object) -> str:
        literal = python_literal(value)
        return self.constants.setdefault(literal, f"k{len(self.constants)}")

    def _site(self, span: Span) -> int:
        self.site_list.append(span)
        return len(self.site_list) - 1

    # Functions of environments

    def _environment(self, numbers: tuple[int, ...], environments: list[Environment]) -> None:
        name = f"environment_{self.count}"
        self.count += 1
        by_effect = {
            effect: [number for number in numbers if self.rules[number].effect is effect]
            for effect in EFFECTS
        }
        if len(numbers) <= MAX_INLINE_RULES:
            self._inline(name, by_effect, environments)
        else:
            self._indexed(name, by_effect, environments)
        for one in environments:
            by_type = self.dispatch.setdefault(one.action, {})
            by_type.setdefault(one.principal, {})[one.resource] = name

    def _inline(
        self, name: str, by_effect: dict[Effect, list[int]], environments: list[Environment]
    ) -> None:
        wanted = [self.rules[number] for numbers in by_effect.values() for number in numbers]
        terms = self._terms(environments)
        terms.shared = _shared_terms([rule.condition for rule in wanted])
        terms.nodes = _shared_nodes(
            [*(rule.condition for rule in wanted)]
            + [need.condition for rule in wanted for need in rule.needs]
        )
        conditions = {
            number: self._condition(terms, self.rules[number])
            for numbers in by_effect.values()
            for number in numbers
        }
        decide = self._decide(name, by_effect, conditions, terms)
        self._function(name, PARAMETERS, terms, decide)
        allows = self._allows(by_effect, conditions, terms)
        self._function(f"{name}_allows", PARAMETERS, terms, allows)

    def _function(self, name: str, parameters: str, terms: Terms, lines: list[str]) -> None:
        """Adds a function that has what its lines read of principal and resource."""
        start = []
        for held, names in PIECES.items():
            wanted = [name for name in names if name in terms.pieces]
            if len(wanted) == 1:
                start.append(f"    {wanted[0]} = {held}[{names.index(wanted[0])}]")
            elif wanted:
                start.append(f"    {', '.join(names)} = {held}")
        body = "\n".join(lines)
        for value, locals in (("UNSET", terms.shared), ("None", terms.nodes)):
            used = [local for local in locals.values() if f"{local} " in body]
            if used:
                start.append(f"    {' = '.join(used)} = {value}")
        self.functions.append("\n".join([f"def {name}({parameters}):", *start, body]))

    def _decide(
        self,
        name: str,
        by_effect: dict[Effect, list[int]],
        conditions: dict[int, Code],
        terms: Terms,
    ) -> list[str]:
        """The stages of a decision; see `reference.py`. What applies is a number with a bit for each rule."""
        forbids, permits, requires = (by_effect[effect] for effect in EFFECTS)
        for effect, numbers in by_effect.items():
            if numbers and effect is not Effect.REQUIRE:
                table = f"Answers({OUTCOMES[effect]!r}, {python_literal(tuple(numbers))})"
                self.functions.append(f"{name}_{effect} = {table}")
        lines = []
        if forbids:
            lines += [
                *self._applying(forbids, conditions),
                "    if found or failed:",
                f"        return denied({name}_forbid[found], failed)",
            ]
        if not permits:
            return [*lines, "    return NOTHING"]
        lines += [
            *self._applying(permits, conditions),
            "    if not found:",
            "        return denied(NOTHING, failed)",
        ]
        if not requires:
            return [*lines, f"    return {name}_permit[found]"]
        return [
            *lines,
            "    permits = found",
            *self._applying(requires, conditions),
            *self._need_lines(name, requires, terms),
            "    if failed:",
            "        return denied(NOTHING, failed)",
            "    if unmet:",
            f"        return {name}_hold[unmet]",
            f"    return {name}_permit[permits]",
        ]

    def _applying(self, numbers: list[int], conditions: dict[int, Code]) -> list[str]:
        """Lines that find which rules apply, and which cannot be read."""
        lines = ["    found = 0; failed = ()"]
        for bit, number in enumerate(numbers):
            test = f"if {conditions[number].text}: found |= {1 << bit}"
            lines += self._attempt(conditions[number], number, [test], "    ")
        return lines

    def _attempt(self, code: Code, number: int, lines: list[str], margin: str) -> list[str]:
        """Lines of a rule, with what follows when reading fails."""
        if not code.fails:
            return [margin + line for line in lines]
        failure = f"failed += (({number}, missing),)" if self._fails_closed(number) else "pass"
        return [
            f"{margin}try:",
            *(f"{margin}    {line}" for line in lines),
            f"{margin}except Missing as missing:",
            f"{margin}    {failure}",
        ]

    def _need_lines(self, name: str, numbers: list[int], terms: Terms) -> list[str]:
        lines = ["    unmet = 0"]
        owed: list[tuple[int, int]] = []
        for bit, number in enumerate(numbers):
            inside = []
            for place in self.places[number]:
                need = self.needs[place][1]
                code = terms.code_behind(self.rules[number].condition, True, need.condition)
                test = f"if not {code.text}: unmet |= {1 << len(owed)}"
                inside += self._attempt(code, number, [test], "        ")
                owed.append((number, place))
            if inside:
                lines += [f"    if found & {1 << bit}:", *inside]
        rules = python_literal(tuple(number for number, _ in owed))
        places = python_literal(tuple(place for _, place in owed))
        self.functions.append(f"{name}_hold = Answers('hold', {rules}, {places})")
        return lines

    def _allows(
        self, by_effect: dict[Effect, list[int]], conditions: dict[int, Code], terms: Terms
    ) -> list[str]:
        """Yes or no; stops at the first rule that decides. `Missing` says that `decide` must be asked."""
        lines = []
        for number in by_effect[Effect.FORBID]:
            lines += [f"    if {conditions[number].text}:", "        return False"]
        permits = by_effect[Effect.PERMIT]
        if not permits:
            return [*lines, "    return False"]
        texts = [conditions[number].text for number in permits]
        requires = by_effect[Effect.REQUIRE]
        if not requires:
            return [*lines, f"    return {_either(texts)}"]
        lines += [f"    if not ({_either(texts)}):", "        return False"]
        for number in requires:
            rule = self.rules[number]
            needs = [
                terms.code_behind(rule.condition, True, need.condition).text for need in rule.needs
            ]
            lines += [
                f"    if {conditions[number].text} and not ({' and '.join(needs) or 'True'}):",
                "        return False",
            ]
        return [*lines, "    return True"]

    def _fails_closed(self, number: int) -> bool:
        return self.rules[number].on_failure is ir.OnFailure.DENY

    def _condition(self, terms: Terms, rule: ir.Rule) -> Code:
        """The scope beyond the types, and the condition."""
        parts = [
            *_scope_conditions(rule.scope.principal, "principal"),
            *_scope_conditions(rule.scope.resource, "resource"),
        ]
        if rule.condition != ir.TRUE or not parts:
            parts.append(rule.condition)
        return terms.code(parts[0] if len(parts) == 1 else ir.And(tuple(parts)))

    # Many rules

    def _indexed(
        self, name: str, by_effect: dict[Effect, list[int]], environments: list[Environment]
    ) -> None:
        """The same stages as `_decide`, where what applies is a list of the few rules that were looked up."""
        terms = self._terms(environments)
        found: dict[Effect, list[str]] = {}
        for effect, numbers in by_effect.items():
            certain = [number for number in numbers if self._always_applies(self.rules[number])]
            rules = {number: self.rules[number] for number in numbers if number not in certain}
            tables, lines = index_source(
                f"{name}_{effect}",
                index_of(rules),
                lambda number: self._entry(number, environments),
                terms,
                f"apply(rules, found, failed, {PARAMETERS})",
            )
            self.functions += tables
            found[effect] = [f"    found = {certain}; failed = []", *lines]
        lines = []
        if by_effect[Effect.FORBID]:
            lines += [
                *found[Effect.FORBID],
                "    if found or failed:",
                f"        return denied({name}_forbid[tuple(found)], failed)",
            ]
        lines += [
            *found[Effect.PERMIT],
            "    if not found:",
            "        return denied(NOTHING, failed)",
        ]
        if by_effect[Effect.REQUIRE]:
            owed = {
                number: tuple(self._owed(number, place, environments) for place in places)
                for number in by_effect[Effect.REQUIRE]
                if (places := self.places[number])
            }
            self.functions.append(f"{name}_needs = by_key(SHAPES, {python_literal(owed)})")
            lines += [
                "    permits = found",
                *found[Effect.REQUIRE],
                f"    unmet = demand({name}_needs, found, failed, {PARAMETERS})",
                "    if failed:",
                "        return denied(NOTHING, failed)",
                "    if unmet:",
                "        return held(unmet)",
                "    found = permits",
            ]
        lines.append(f"    return {name}_permit[tuple(found)]")
        self.functions += [
            f"{name}_{effect} = Found({said!r})" for effect, said in OUTCOMES.items()
        ]
        self._function(name, PARAMETERS, terms, lines)
        self.functions.append(
            f"def {name}_allows({PARAMETERS}):\n    return {name}({PARAMETERS}).outcome == 'permit'"
        )

    def _always_applies(self, rule: ir.Rule) -> bool:
        scopes = (rule.scope.principal, rule.scope.resource)
        return rule.condition == ir.TRUE and not any(
            scope.entities or scope.ancestors for scope in scopes
        )

    def _entry(self, number: int, environments: list[Environment]) -> Entry:
        """The condition of a rule; rules that differ only in constants share the function."""
        rule = self.rules[number]
        return self._shaped(
            environments, lambda terms: self._condition(terms, rule), number, number
        )

    def _owed(self, number: int, place: int, environments: list[Environment]) -> Entry:
        """The condition of a need of a rule that applies."""
        condition, need = self.rules[number].condition, self.needs[place][1].condition
        return self._shaped(
            environments, lambda terms: terms.code_behind(condition, True, need), number, place
        )

    def _shaped(
        self,
        environments: list[Environment],
        write: Callable[[Terms], Code],
        number: int,
        said: int,
    ) -> Entry:
        values: list[object] = []

        def constant(value: object) -> str:
            values.append(value)
            return f"k[{len(values) - 1}]"

        terms = self._terms(environments, constant)
        code = write(terms)
        shape = self.shapes.get(code.text)
        if shape is None:
            shape = self.shapes[code.text] = len(self.shapes)
            lines = [f"    return {code.text}"]
            self._function(f"shape_{shape}", f"{PARAMETERS}, k", terms, lines)
        return (shape, tuple(values), said, self._fails_closed(number))

    # Messages

    def _messages(self) -> None:
        """Functions that fill in the messages with holes, in the environments where their rule can apply."""
        for number, rule in enumerate(self.rules):
            for kind, message in (("because", rule.because), ("instead", rule.instead)):
                if message is not None:
                    self._message(f"('{kind}', {number})", message, rule)
        for place, (number, need) in enumerate(self.needs):
            self._message(f"('need', {place})", need.message, self.rules[number])

    def _message(self, key: str, message: ir.Template, rule: ir.Rule) -> None:
        if all(isinstance(part, str) for part in message.parts):
            self.fills[key] = self._constant("".join(map(str, message.parts)))
            return
        environments = [
            one
            for one in self.schema.environments()
            if one.action in rule.scope.actions
            and one.principal in rule.scope.principal.types
            and one.resource in rule.scope.resource.types
        ]
        contexts = {self.schema.actions[one.action].context for one in environments}
        name = f"message_{len(self.fills)}"
        terms = self._terms(environments[:1])
        lines = ["    parts = []"]
        for part in message.parts:
            if isinstance(part, str):
                lines.append(f"    parts.append({self._constant(part)})")
                continue
            code = self._hole(part, rule, environments, len(contexts) == 1, terms.pieces)
            lines += [
                "    try:",
                f"        parts.append({code})",
                "    except Missing:",
                "        parts.append('?')",
            ]
        lines.append("    return ''.join(parts)")
        self._function(name, PARAMETERS, terms, lines)
        self.fills[key] = name

    def _hole(
        self,
        part: ir.Term,
        rule: ir.Rule,
        environments: list[Environment],
        together: bool,
        pieces: set[str],
    ) -> str:
        """Text of the value of a hole; chosen by kind of request where the types differ."""
        try:
            if not together:
                raise Disagreement
            return self._hole_code(part, rule, environments, pieces)
        except Disagreement:
            pieces |= {"p", "r"}
            cases = [
                f"(lambda: {self._hole_code(part, rule, [one], pieces)}) if (a[1], p[0], r[0]) == "
                f"{python_literal((one.action, one.principal, one.resource))} else "
                for one in environments
            ]
            return "(" + "".join(cases) + "(lambda: '?'))()"

    def _hole_code(
        self, part: ir.Term, rule: ir.Rule, environments: list[Environment], pieces: set[str]
    ) -> str:
        terms = self._terms(environments)
        terms.pieces = pieces
        code = terms.code_behind(rule.condition, True, part)
        return f"filled({self._constant(shape_of(code.type))}, {code.text})"


# Pieces of source


def _scope_conditions(scope: ir.VariableScope, variable: str) -> list[ir.Term]:
    found: list[ir.Term] = []
    for entities, kind in ((scope.entities, ir.Equal), (scope.ancestors, ir.InHierarchy)):
        terms = tuple(kind(ir.Variable(variable), ir.Entity(item)) for item in entities)
        if terms:
            found.append(terms[0] if len(terms) == 1 else ir.Or(terms))
    return found


def _either(texts: list[str]) -> str:
    return " or ".join(texts) or "False"


def _shared_terms(conditions: list[ir.Term]) -> dict[ir.Term, str]:
    """Terms worth computing once: they stand in several places and cost more than reading a local."""
    counts: Counter[ir.Term] = Counter()
    for condition in conditions:
        counts.update(_subterms(condition))
    worth = [term for term, count in counts.items() if count > 1 and _cost(term) > 2]
    return {term: f"t{number}" for number, term in enumerate(worth)}


def _shared_nodes(conditions: list[ir.Term]) -> dict[ir.Term, str]:
    """Entities that several terms look up."""
    counts: Counter[ir.Term] = Counter()
    for condition in conditions:
        for term in _subterms(condition):
            match term:
                case ir.Attribute(entity) | ir.Has(entity) | ir.InHierarchy(entity) if may_fail(
                    term
                ):
                    counts[entity] += 1
                case _:
                    pass
    worth = [term for term, count in counts.items() if count > 1]
    return {term: f"n{number}" for number, term in enumerate(worth)}


def _subterms(term: ir.Term) -> Iterator[ir.Term]:
    """A term and what stands in it, outside of the bodies of quantifiers."""
    yield term
    if isinstance(term, ir.Quantifier):
        yield from _subterms(term.set)
        return
    for part in parts(term):
        yield from _subterms(part)


def _cost(term: ir.Term) -> int:
    """Roughly how many times a term costs what reading a local costs."""
    if isinstance(term, ir.Literal | ir.Variable):
        return 0
    own = 3 if isinstance(term, ir.Quantifier) else 1
    if isinstance(term, ir.Attribute | ir.Has) and may_fail(term):
        own = 3
    return own + sum(map(_cost, parts(term)))


def world_literal(world: World) -> str:
    """The plain schema as source."""
    entities = ", ".join(
        f"{python_literal(name)}: EntityShape{python_literal(tuple(shape))}"
        for name, shape in world.entities.items()
    )
    actions = ", ".join(
        f"{python_literal(name)}: ActionShape{python_literal(tuple(shape))}"
        for name, shape in world.actions.items()
    )
    return f"World({{{entities}}}, {{{actions}}})"
