"""A policy set as Python source: one function for each group of requests that the same rules can decide.

Requests go by action, principal type and resource type to a function that reads only the rules that can apply.
Where these are many, an index over equalities, memberships, prefixes and ancestors picks the few that still can,
and rules of one shape share one function. Text of a policy reaches the source only through `python_literal`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ...lang.schema import Environment, Schema
from ...lang.source import Span
from ...lang.syntax import Effect
from ...lang.typesystem import ACTION, EntityType, RecordOf, Type, entity_type
from .. import ir
from ..documents import World
from ..rewrite import parts
from ..shapes import shape_of, world_of
from .python_readers import Readers
from .python_source import python_literal
from .python_terms import Code, Terms, Undetermined, raw

PARAMETERS = "p, pa, ph, r, ra, rh, a, c, get"
"""Principal, its attributes and ancestors, the same of the resource, the action, the context, the store."""
MAX_INLINE_RULES = 40
"""Up to so many rules, a function holds their conditions itself; beyond, it looks them up."""
EFFECTS = (Effect.FORBID, Effect.PERMIT, Effect.REQUIRE)


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
    shapes: dict[str, str] = field(default_factory=dict)
    """Body of a shared function → its name."""
    dispatch: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def schema(self) -> Schema:
        return self.policies.schema

    # The module

    def run(self) -> None:
        for number, rule in enumerate(self.rules):
            self.needs += [(number, need) for need in rule.needs]
        groups: dict[tuple[tuple[int, ...], RecordOf], list[Environment]] = defaultdict(list)
        for environment, numbers in self._rules_by_environment():
            context = self.schema.actions[environment.action].context
            groups[numbers, context].append(environment)
        for (numbers, _), environments in groups.items():
            before, known = len(self.functions), set(self.shapes.values())
            try:
                self._environment(numbers, environments)
            except Undetermined:
                # The code differs between these kinds of request, so each gets its own.
                del self.functions[before:]
                self.shapes = {code: name for code, name in self.shapes.items() if name in known}
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
        lines += [*self.functions, *readers.functions]
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
        self,
        environments: Iterable[Environment],
        constant: Callable[[object], str],
        shared: dict[ir.Term, str] | None = None,
    ) -> Terms:
        found = list(environments)
        variables: dict[str, Type] = {
            "principal": entity_type({one.principal for one in found}),
            "resource": entity_type({one.resource for one in found}),
            "action": ACTION,
            "context": self.schema.actions[found[0].action].context,
        }
        return Terms(self.schema, variables, constant, self._site, shared or {})

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
        rules = self.rules
        shared = _shared_terms(
            [rules[number].condition for numbers in by_effect.values() for number in numbers]
        )
        terms = self._terms(environments, self._constant, shared)
        conditions = {
            number: self._condition(terms, rules[number])
            for numbers in by_effect.values()
            for number in numbers
        }
        start = [f"    {' = '.join(shared.values())} = UNSET"] if shared else []
        applying = {
            effect: [
                line
                for number in numbers
                for line in _collect(conditions[number], number, self._fails_closed(number))
            ]
            for effect, numbers in by_effect.items()
        }
        self.functions.append(
            "\n".join(
                [
                    f"def {name}({PARAMETERS}):",
                    *start,
                    *self._decide(by_effect, applying, terms),
                ]
            )
        )
        self.functions.append(
            "\n".join(
                [
                    f"def {name}_allows({PARAMETERS}):",
                    *start,
                    *self._allows(by_effect, conditions, terms),
                ]
            )
        )

    def _decide(
        self, by_effect: dict[Effect, list[int]], applying: dict[Effect, list[str]], terms: Terms
    ) -> list[str]:
        """The stages of a decision; see `reference.py`."""
        lines = []
        if by_effect[Effect.FORBID]:
            lines += ["    found = []; failed = []"]
            lines += applying[Effect.FORBID]
            lines += ["    if found or failed:", "        return denied(found, failed)"]
        lines += ["    found = []; failed = []"]
        lines += applying[Effect.PERMIT]
        lines += ["    if not found:", "        return denied(found, failed)"]
        if by_effect[Effect.REQUIRE]:
            lines += ["    permits = found", "    found = []; failed = []"]
            lines += applying[Effect.REQUIRE]
            lines += self._need_lines(by_effect[Effect.REQUIRE], terms)
            lines += [
                "    if failed:",
                "        return denied([], failed)",
                "    if unmet:",
                "        return held(holding, unmet)",
                "    found = permits",
            ]
        lines.append("    return permitted(found)")
        return lines

    def _need_lines(self, numbers: list[int], terms: Terms) -> list[str]:
        lines = ["    holding = []; unmet = []"]
        wanted = set(numbers)
        for place, (number, need) in enumerate(self.needs):
            if number in wanted:
                before = terms.assume(self.rules[number].condition, True)
                code = terms.code(need.condition)
                terms.narrowed = before
                lines += [
                    f"    if {number} in found:",
                    "        try:",
                    f"            if not {code.text}:",
                    f"                holding.append({number}); unmet.append({place})",
                    "        except Missing as missing:",
                    f"            failed.append(({number}, missing))"
                    if self._fails_closed(number)
                    else "            pass",
                ]
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
            before = terms.assume(self.rules[number].condition, True)
            needs = [terms.code(need.condition).text for need in self.rules[number].needs]
            terms.narrowed = before
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
        applying: dict[Effect, list[str]] = {}
        for effect, numbers in by_effect.items():
            applying[effect] = self._lookup(name, effect, numbers, environments)
        # Needs are read as in a small function; only the rules that apply come here.
        terms = self._terms(environments, self._constant)
        self.functions.append(
            "\n".join([f"def {name}({PARAMETERS}):", *self._decide(by_effect, applying, terms)])
        )
        self.functions.append(
            "\n".join(
                [
                    f"def {name}_allows({PARAMETERS}):",
                    f"    return {name}({PARAMETERS}).outcome == 'permit'",
                ]
            )
        )

    def _lookup(
        self, name: str, effect: Effect, numbers: list[int], environments: list[Environment]
    ) -> list[str]:
        """Lines that add to `found` the rules of one effect that apply, looked up by what they ask for."""
        keys = {number: self._keys(self.rules[number]) for number in numbers}
        sizes = Counter(
            key for options in keys.values() for option in options for key in option.keys
        )
        tables: dict[_Field, dict[object, list[str]]] = defaultdict(lambda: defaultdict(list))
        scanned: list[str] = []
        for number in numbers:
            entry = self._entry(number, environments)
            best = min(
                keys[number],
                key=lambda option: sum(sizes[key] for key in option.keys),
                default=None,
            )
            if best is None:
                scanned.append(entry)
            else:
                for key in best.keys:
                    tables[best.field][key[1]].append(entry)
        lines = []
        fails = "True" if all(map(self._fails_closed, numbers)) else "False"
        call = f"apply(rules, found, failed, {fails}, {PARAMETERS})"
        if scanned:
            table = f"{name}_{effect}_all"
            self.functions.append(f"{table} = ({', '.join(scanned)},)")
            lines += [f"    rules = {table}", f"    {call}"]
        terms = self._terms(environments, self._constant)
        for place, (where, table_of) in enumerate(tables.items()):
            table = f"{name}_{effect}_{place}"
            rows = ", ".join(
                f"{python_literal(key)}: ({', '.join(entries)},)"
                for key, entries in table_of.items()
            )
            self.functions.append(f"{table} = {{{rows}}}")
            lines += where.lines(table, terms, call)
        return lines

    def _entry(self, number: int, environments: list[Environment]) -> str:
        """`(function, constants, number)`; rules that differ only in constants share the function."""
        values: list[object] = []

        def constant(value: object) -> str:
            values.append(value)
            return f"k[{len(values) - 1}]"

        code = self._condition(self._terms(environments, constant), self.rules[number])
        shape = self.shapes.get(code.text)
        if shape is None:
            shape = self.shapes[code.text] = f"shape_{len(self.shapes)}"
            self.functions.append(f"def {shape}({PARAMETERS}, k):\n    return {code.text}")
        return f"({shape}, {python_literal(tuple(values))}, {number})"

    def _keys(self, rule: ir.Rule) -> list["_Option"]:
        """The ways in which a rule can be looked up: conditions that must hold and cannot fail to be read."""
        options = []
        for variable, scope in (
            ("principal", rule.scope.principal),
            ("resource", rule.scope.resource),
        ):
            if scope.entities:
                where = _Field("equal", ir.Variable(variable))
                options.append(_Option(where, tuple((where, raw(item)) for item in scope.entities)))
            if scope.ancestors:
                where = _Field("ancestor", ir.Variable(variable))
                options.append(
                    _Option(where, tuple((where, raw(item)) for item in scope.ancestors))
                )
        conjuncts = (
            rule.condition.operands if isinstance(rule.condition, ir.And) else (rule.condition,)
        )
        for conjunct in conjuncts:
            # A rule must not be passed over where reading what stands before would have failed.
            if _may_fail(conjunct):
                break
            option = _option(conjunct)
            if option is not None:
                options.append(option)
        return options

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
        lines = [f"def {name}({PARAMETERS}):", "    parts = []"]
        for part in message.parts:
            if isinstance(part, str):
                lines.append(f"    parts.append({self._constant(part)})")
                continue
            code = self._hole(part, rule, environments, len(contexts) == 1)
            lines += [
                "    try:",
                f"        parts.append({code})",
                "    except Missing:",
                "        parts.append('?')",
            ]
        lines.append("    return ''.join(parts)")
        self.functions.append("\n".join(lines))
        self.fills[key] = name

    def _hole(
        self, part: ir.Term, rule: ir.Rule, environments: list[Environment], together: bool
    ) -> str:
        """Text of the value of a hole; chosen by kind of request where the types differ."""
        try:
            if not together:
                raise Undetermined
            return self._hole_code(part, rule, environments)
        except Undetermined:
            cases = [
                f"(lambda: {self._hole_code(part, rule, [one])}) if (a[1], p[0], r[0]) == "
                f"{python_literal((one.action, one.principal, one.resource))} else "
                for one in environments
            ]
            return "(" + "".join(cases) + "(lambda: '?'))()"

    def _hole_code(self, part: ir.Term, rule: ir.Rule, environments: list[Environment]) -> str:
        terms = self._terms(environments, self._constant)
        terms.assume(rule.condition, True)
        code = terms.code(part)
        return f"filled({self._constant(shape_of(code.type))}, {code.text})"


# Looking rules up


@dataclass(frozen=True, slots=True)
class _Field:
    """What a request is looked up by: the value of a term, a prefix of it of some length, or its ancestors."""

    kind: str
    term: ir.Term
    length: int = 0

    def lines(self, table: str, terms: Terms, call: str) -> list[str]:
        if self.kind == "ancestor":
            code = terms.code(self.term).text
            return [
                f"    for above in ({code}, *{code}h):",
                f"        rules = {table}.get(above)",
                f"        if rules is not None: {call}",
            ]
        value = _read_if_there(terms, self.term)
        if self.kind == "prefix":
            return [
                f"    value = {value}",
                f"    rules = {table}.get(value[:{self.length}]) if value is not None else None",
                f"    if rules is not None: {call}",
            ]
        return [
            f"    rules = {table}.get({value})",
            f"    if rules is not None: {call}",
        ]


_Key = tuple[_Field, object]


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to look a rule up: it can apply only if the field has one of the keys."""

    field: _Field
    keys: tuple[_Key, ...]


def _option(term: ir.Term) -> _Option | None:
    match term:
        case ir.Equal(left, right):
            path, literal = (right, left) if isinstance(left, ir.Literal) else (left, right)
            if not isinstance(literal, ir.Literal) or not _is_path(path):
                return None
            where = _Field("equal", path)
            return _Option(where, ((where, raw(literal.value)),))
        case ir.Member(path, ir.SetOf(elements)) if _is_path(path) and all(
            isinstance(element, ir.Literal) for element in elements
        ):
            where = _Field("equal", path)
            found = {raw(element.value) for element in elements}  # type: ignore[union-attr]
            return _Option(where, tuple((where, key) for key in sorted(found, key=str)))
        case ir.Like(path, (whole,)) if _is_path(path):
            where = _Field("equal", path)
            return _Option(where, ((where, whole),))
        case ir.Like(path, (start, *_)) if start and _is_path(path):
            where = _Field("prefix", path, len(start))
            return _Option(where, ((where, start),))
        case ir.InHierarchy(ir.Variable(name), ir.Entity(value)) if name in (
            "principal",
            "resource",
        ):
            where = _Field("ancestor", ir.Variable(name))
            return _Option(where, ((where, raw(value)),))
        case _:
            return None


def _is_path(term: ir.Term) -> bool:
    """A request variable, or an attribute that can be read without another entity."""
    match term:
        case ir.Variable(name):
            return name in ("principal", "resource", "action")
        case ir.Attribute(ir.Variable(name), _):
            return name in ("principal", "resource", "context")
        case _:
            return False


def _read_if_there(terms: Terms, path: ir.Term) -> str:
    """Code of the value at a path; `None` where an optional attribute is absent."""
    if not isinstance(path, ir.Attribute):
        return terms.code(path).text
    base = terms.code(path.base)
    row = f"{base.text}a" if isinstance(base.type, EntityType) else base.text
    return f"{row}.get({python_literal(path.name)})"


def _may_fail(term: ir.Term) -> bool:
    """Whether reading a term may need an entity other than principal and resource."""
    match term:
        case ir.Attribute(base, _) | ir.Has(base, _):
            return not isinstance(base, ir.Variable) or base.name not in ir.REQUEST_VARIABLES
        case ir.InHierarchy(entity, _):
            known = isinstance(entity, ir.Variable) and entity.name in ("principal", "resource")
            return not known or any(map(_may_fail, parts(term)))
        case ir.Least() | ir.Greatest():
            return True
        case _:
            return any(map(_may_fail, parts(term)))


# Pieces of source


def _scope_conditions(scope: ir.VariableScope, variable: str) -> list[ir.Term]:
    found: list[ir.Term] = []
    for entities, kind in ((scope.entities, ir.Equal), (scope.ancestors, ir.InHierarchy)):
        terms = tuple(kind(ir.Variable(variable), ir.Entity(item)) for item in entities)
        if terms:
            found.append(terms[0] if len(terms) == 1 else ir.Or(terms))
    return found


def _collect(condition: Code, number: int, fails_closed: bool) -> list[str]:
    """Lines that add a rule to `found` when it applies, and to `failed` when it cannot be read."""
    test = f"if {condition.text}: found.append({number})"
    if condition.text == "True":
        return [f"    found.append({number})"]
    if not condition.fails:
        return [f"    {test}"]
    failure = f"failed.append(({number}, missing))" if fails_closed else "pass"
    return ["    try:", f"        {test}", "    except Missing as missing:", f"        {failure}"]


def _either(texts: list[str]) -> str:
    return " or ".join(texts) or "False"


def _shared_terms(conditions: list[ir.Term]) -> dict[ir.Term, str]:
    """Terms worth computing once: they stand in several places and cost more than reading a local."""
    counts: Counter[ir.Term] = Counter()
    for condition in conditions:
        counts.update(_subterms(condition))
    worth = [term for term, count in counts.items() if count > 1 and _cost(term) > 2]
    return {term: f"t{number}" for number, term in enumerate(worth)}


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
    if isinstance(term, ir.Attribute | ir.Has) and _may_fail(term):
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
