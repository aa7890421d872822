"""A counterexample in words: the request, the entities, and why each guard that could have stopped it did not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..compiler import ir
from ..compiler.reference import evaluate
from ..lang import syntax
from ..lang.checked import Checked
from ..lang.names import Module
from ..lang.render import safe
from ..lang.source import Span
from ..lang.syntax import Effect, Outcome
from ..lang.values import EntityId, EnumValue, Instant, IpRange, Record, Value, quote, show
from .prove import Counterexample, Proof

MAX_GUARDS = 5
_UNLESS = re.compile(r"unless\b(\s|//[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Miss:
    """One thing that a rule asks for and the request does not have."""

    message: str
    span: Span
    term: ir.Term | None = None
    """The condition of the rule; nothing where the scope misses."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A `forbid` or `require` that does not apply to the counterexample, and why."""

    rule: str
    span: Span
    misses: tuple[Miss, ...]

    @property
    def message(self) -> str:
        return " and ".join(miss.message for miss in self.misses)


def guards(checked: Checked, policies: ir.PolicySet, found: Counterexample) -> list[Guard]:
    """The guards that came closest to stopping the request, those that miss fewest things first."""
    if found.decision.outcome is Outcome.DENY:
        return []
    result = []
    for rule in policies.rules:
        if rule.effect is not Effect.PERMIT:
            misses = tuple(_misses(rule, checked.names.rules.get(rule.id), found))
            if misses:
                result.append(Guard(rule.id, rule.span, misses))
    result.sort(key=lambda guard: (len(guard.misses), guard.rule))
    return [guard for guard in result if len(guard.misses) == 1][:MAX_GUARDS] or result[:1]


def _misses(rule: ir.Rule, written: syntax.Rule | None, found: Counterexample) -> Iterator[Miss]:
    request = found.request
    if request.action not in rule.scope.actions:
        wanted, span = _clause(rule, written, "action")
        yield Miss(f"it needs action {wanted}, and `{request.action}` is not", span)
    for name, scope, entity in (
        ("principal", rule.scope.principal, request.principal),
        ("resource", rule.scope.resource, request.resource),
    ):
        data = found.entities.known.get(entity)
        above = (data.ancestors if data else frozenset()) | {entity}
        if (
            entity.type not in scope.types
            or (scope.entities and entity not in scope.entities)
            or (scope.ancestors and not above.intersection(scope.ancestors))
        ):
            wanted, span = _clause(rule, written, name)
            yield Miss(f"it needs {name} {wanted}, and {entity} is not", span)
    condition = rule.condition
    if request.action in rule.scope.actions:
        for term in condition.operands if isinstance(condition, ir.And) else (condition,):
            value = evaluate(term, request, found.entities)
            if value is not True:
                yield Miss(_told(term.span, value), term.span, term)
                return


def said(span: Span, quote: str = "`") -> str:
    """What a condition says; inside a definition with the calls for which it is written out."""
    text = f"{quote}{_one_line(span.text)}{quote}"
    return text if span.call is None else f"{text} of {said(span.call, quote)}"


def _told(span: Span, value: object) -> str:
    """What is true of the text of a condition with this value; `unless` says the opposite of what it stands before."""
    text = _UNLESS.sub("", span.text)
    written = replace(span, start=span.end - len(text))
    if not isinstance(value, bool):
        return f"{said(written)} cannot be read"
    holds = value == (text == span.text)
    return f"{said(written)} {'holds' if holds else 'does not hold'}"


def _clause(rule: ir.Rule, written: syntax.Rule | None, name: str) -> tuple[str, Span]:
    """What a scope clause of a rule asks for, and its place; a rule without one speaks about what its types allow."""
    for clause in written.clauses if written is not None else ():
        match clause:
            case syntax.ActionScope(names) if name == "action":
                wanted = " | ".join(item.name for item in names)
            case syntax.Scope(variable, types, ancestors, entities) if name == variable:
                wanted = " | ".join([*(item.name for item in types), *map(_uid, entities)])
                if ancestors:
                    wanted = f"{wanted} in {' | '.join(map(_uid, ancestors))}".lstrip()
            case _:
                continue
        return f"`{_one_line(wanted)}`", clause.span
    return "of a type that its action takes", rule.span


def _uid(reference: syntax.EntityReference) -> str:
    return str(EntityId(reference.type, reference.id))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:97] + "…"


def situation_lines(found: Counterexample) -> list[tuple[str, str]]:
    """The request as `(role, text)` lines: who, what, on what, and what the request and the store say beside."""
    request = found.request
    lines = [
        ("principal", _entity(request.principal, found)),
        ("action", request.action),
        ("resource", _entity(request.resource, found)),
    ]
    lines += [("context", text) for text in _flat("", request.context)]
    for entity in found.entities.known:
        if entity not in (request.principal, request.resource) and (
            found.entities.known[entity].attributes or found.parents.get(entity)
        ):
            lines.append(("given", _entity(entity, found)))
    return lines


def _flat(prefix: str, record: Record) -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, Record) and value:
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name} = {show(value)}"


def _entity(entity: EntityId, found: Counterexample) -> str:
    data = found.entities.known.get(entity)
    text = str(entity)
    parents = sorted(found.parents.get(entity, ()), key=str)
    if parents:
        text += " in " + ", ".join(map(str, parents))
    if data is not None and data.attributes:
        text += " " + show(data.attributes)
    return text


# Tests


def test_source(checked: Checked, proof: Proof) -> str:
    """The counterexample as a module with one test, which passes today and pins what is wrong.

    It uses the modules whose names it needs; `homeless_type` says whether there is such a module for each.
    """
    found = proof.counterexample
    assert found is not None
    request, decision = found.request, found.decision
    name = f"counterexample_to_{proof.goal.name}"
    lines = []
    written: set[EntityId] = {request.principal, request.resource}
    for entity in found.entities.known:
        if entity not in written:
            lines.append(f"  given {_written_entity(entity, found)}")
    lines.append(f"  principal {_written_entity(request.principal, found)}")
    lines.append(f"  action {request.action}")
    lines.append(f"  resource {_written_entity(request.resource, found)}")
    if request.context:
        lines.append(f"  context {literal(request.context)}")
    by = f" by {', '.join(decision.rules)}" if decision.rules else ""
    lines.append(f"  expect {decision.outcome}{by}")
    body = "\n".join(lines)
    uses = "\n".join(f"use {module}" for module in _modules(checked, found))
    claim = safe(f"{proof.goal.span.file}:{proof.goal.span.line}")
    text = (
        f"/// Breaks the claim `{proof.goal.name}` ({claim}): when this test fails, the claim may hold.\n"
        f"module counterexamples.{proof.goal.name}\n\n{uses}\n\ntest {name} {{\n{body}\n}}\n"
    )
    # The formatter takes a while to load, and is for those who save a test.
    from ..lang.printer import format_text

    formatted, _ = format_text(f"{name}.ilk", text)
    return formatted or text


def literal(value: Value) -> str:
    """A value as an expression of the language."""
    match value:
        case Instant():
            return f"instant({quote(str(value))})"
        case Record():
            fields = ", ".join(f"{name}: {literal(item)}" for name, item in value.items())
            return f"{{ {fields} }}" if fields else "{}"
        case frozenset():
            return "{" + ", ".join(sorted(map(literal, value))) + "}"
        case _ if isinstance(value, IpRange):
            return f"ip({quote(str(value))})"
        case _:
            return show(value)


def _written_entity(entity: EntityId, found: Counterexample) -> str:
    text = str(entity)
    parents = sorted(found.parents.get(entity, ()), key=str)
    if parents:
        text += " in " + ", ".join(map(str, parents))
    data = found.entities.known.get(entity)
    if data is not None and data.attributes:
        text += " " + literal(data.attributes)
    return text


def homeless_type(checked: Checked, proof: Proof) -> tuple[str, str] | None:
    """A type that the test of a counterexample names and no other file can, and the file that declares it.

    A file without a `module` line cannot be used by another.
    """
    found = proof.counterexample
    assert found is not None
    types = _types(found)
    for module in checked.names.modules.values():
        if module.name.startswith("<"):
            for name in sorted(types & _declared(module)):
                return name, module.file
    return None


def _modules(checked: Checked, found: Counterexample) -> list[str]:
    """The modules that declare the types, the action and the rules that a test names.

    Actions and rules are known everywhere, so that files without a `module` line need only be loaded.
    """
    types, rules = _types(found), set(found.decision.rules)
    result = []
    for module in checked.names.modules.values():
        actions = {name.name for item in module.of(syntax.Action) for name in item.names}
        own = {item.name for item in module.of(syntax.Rule)}
        is_needed = _declared(module) & types or own & rules or found.request.action in actions
        if is_needed and not module.name.startswith("<"):
            result.append(module.name)
    return sorted(result)


def _declared(module: Module) -> set[str]:
    """The types of a module that values name."""
    entities, enums = module.of(syntax.Entity), module.of(syntax.Enum)
    return {item.name for item in entities} | {item.name for item in enums}


def _types(found: Counterexample) -> set[str]:
    """The types of the entities and of the enum members of a counterexample."""
    request, known = found.request, found.entities.known
    values: list[Value] = [request.principal, request.resource, request.context]
    for entity in known:
        values += (entity, known[entity].attributes, *found.parents.get(entity, ()))
    types = set()
    while values:
        match values.pop():
            case EntityId(type=name) | EnumValue(enum=name):
                types.add(name)
            case Record() as record:
                values += record.values()
            case frozenset() as elements:
                values += elements
            case _:
                pass
    return types
