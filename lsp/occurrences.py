"""Every place that names something: the ground of hover, definition, references, renaming and colours.

A declaration is checked once more by itself, and its names are read from what the checker found out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..lang import syntax
from ..lang.checked import Checked
from ..lang.functions import Form, function_named
from ..lang.lookups import Seen
from ..lang.meanings import Actions, Bound, Constant, Defined
from ..lang.names import Names, Scope
from ..lang.source import Span
from ..lang.typesystem import RecordField, SetOf, Type
from ..lang.values import EntityId, EnumValue, quote
from .analysis import Analysis, Entry
from .members import attributes_named, joined
from .repair import Reading
from .symbols import Kind, Occurrence, Symbol, action_symbol, declared, type_symbol


def occurrences(analysis: Analysis, entry: Entry) -> list[Occurrence]:
    """Every name in a declaration, in order; kept with the entry, which is new whenever an answer would be."""
    outdated = entry.is_broken and entry.occurrences_of != analysis.revision
    if entry.occurrences is None or outdated:
        entry.occurrences, entry.types = _occurrences(analysis, entry)
        entry.occurrences_of = analysis.revision
        by_symbol: dict[Symbol, list[Occurrence]] = {}
        for found in entry.occurrences:
            for symbol in found.symbols:
                by_symbol.setdefault(symbol, []).append(found)
        entry.by_symbol = by_symbol
    return entry.occurrences


def occurrence_at(analysis: Analysis, entry: Entry, offset: int) -> Occurrence | None:
    """The name that an offset in the fragment is in, or stands right after."""
    touching = [
        found
        for found in occurrences(analysis, entry)
        if found.span.start <= offset <= found.span.end
    ]
    inside = [found for found in touching if offset < found.span.end]
    return min(
        inside or touching, key=lambda found: found.span.end - found.span.start, default=None
    )


def uses(analysis: Analysis, symbols: Iterable[Symbol]) -> Iterator[tuple[Entry, Occurrence]]:
    """Every place of the project that names one of the symbols, declaration by declaration.

    A declaration that several policy sets read is told of once, by the first that reads it.
    """
    wanted = set(symbols)
    seen: set[int] = set()
    homes = {
        symbol: {id(entry.declaration) for entry, _ in declaring(analysis, symbol)}
        for symbol in wanted
    }
    for one in (analysis, *analysis.others()):
        # What another set declares by the same name is another thing.
        same = {
            symbol
            for symbol in wanted
            if one is analysis or not homes[symbol].isdisjoint(one.entries)
        }
        if same:
            yield from _uses(one, same, seen)


def _uses(
    analysis: Analysis, wanted: set[Symbol], seen: set[int]
) -> Iterator[tuple[Entry, Occurrence]]:
    words = {symbol.name.rpartition(".")[2] for symbol in wanted}
    for key, entry in list(analysis.entries.items()):
        if key in seen:
            continue
        seen.add(key)
        if entry.occurrences is None or entry.is_broken:
            text = entry.declaration.span.fragment.text
            if not any(word in text for word in words):
                continue
            occurrences(analysis, entry)
        by_symbol = entry.by_symbol
        places = [found for symbol in wanted if symbol in by_symbol for found in by_symbol[symbol]]
        if len(wanted) > 1 and places:
            # One place may name several of them.
            places = list({id(found): found for found in places}.values())
            places.sort(key=lambda found: found.span.start)
        for found in places:
            yield entry, found


def declared_at(analysis: Analysis, symbol: Symbol) -> list[Span]:
    """The places that declare a symbol; a group of actions may have several, a built-in none."""
    return [span for _, span in declaring(analysis, symbol)]


def declaring(analysis: Analysis, symbol: Symbol) -> list[tuple[Entry, Span]]:
    """The declarations that declare a symbol, each with the place of the name."""
    found = []
    for entry in analysis.entries.values():
        if symbol.place is not None:
            if entry.declaration.span.fragment is symbol.place.fragment:
                found.append((entry, symbol.place))
            continue
        for other, span in declared(entry.declaration, entry.module):
            if other == symbol:
                found.append((entry, span))
    return found


def _occurrences(
    analysis: Analysis, entry: Entry
) -> tuple[list[Occurrence], list[tuple[int, int, Type]]]:
    seen: dict[int, list[Type]] = {}
    spans: dict[int, Span] = {}
    # The nodes stay alive with the declaration, so that their identities stay their own.

    def watch(found: Seen) -> None:
        known = seen.setdefault(id(found.node), [])
        if found.type not in known:
            known.append(found.type)
            spans[id(found.node)] = found.node.span

    item = entry.reading.declaration
    checked, _ = analysis.check_alone(item, entry.module, watch)
    collector = _Collector(analysis.names, analysis.names.scopes[entry.module], checked, seen)
    collector.declaration(item)
    found = collector.found
    if entry.is_broken:
        found = list(_as_it_is(entry.reading, found))
    types = [
        (spans[key].start, spans[key].end, type)
        for key, known in seen.items()
        if (type := joined(known)) is not None
    ]
    return sorted(found, key=lambda one: (one.span.start, -one.span.end)), types


def _as_it_is(reading: Reading, found: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """What was found in a mended text, in the text as it is."""
    for one in found:
        span = reading.span(one.span)
        symbols = tuple(
            replace(symbol, place=reading.span(symbol.place))
            if symbol.place is not None
            else symbol
            for symbol in one.symbols
        )
        if span.end > span.start:
            yield Occurrence(span, symbols, one.declares)


@dataclass
class _Collector:
    """Walks one declaration. `locals` are the parameters and elements in sight."""

    names: Names
    scope: Scope
    checked: Checked
    seen: Mapping[int, list[Type]]
    found: list[Occurrence] = field(default_factory=list)
    locals: dict[str, Symbol] = field(default_factory=dict)

    def add(self, span: Span, *symbols: Symbol | None, declares: bool = False) -> None:
        known = tuple(dict.fromkeys(symbol for symbol in symbols if symbol is not None))
        if known and span.end > span.start:
            self.found.append(Occurrence(span, known, declares))

    def type_name(self, name: str, span: Span) -> None:
        self.add(span, type_symbol(self.names, self.scope, name, span))

    def action(self, reference: syntax.Reference) -> None:
        self.add(reference.span, action_symbol(self.names.schema, reference.name))

    # Declarations

    def declaration(self, item: syntax.Declaration) -> None:
        module = self.scope.module.name
        for symbol, span in declared(item, module):
            self.add(span, symbol, declares=True)
        if isinstance(item, syntax.Action | syntax.ActionGroup):
            for group in item.groups:
                self.add(group.span, Symbol(Kind.GROUP, group.name))
        match item:
            case syntax.Use(used, names):
                if used in self.names.scopes:
                    other = self.names.scopes[used]
                    self.add(item.name_span, Symbol(Kind.MODULE, used))
                    for reference in names:
                        known = type_symbol(self.names, other, reference.name, reference.span)
                        self.add(reference.span, known)
            case syntax.Entity():
                for reference in (*filter(None, [item.extends]), *item.parents):
                    self.type_name(reference.name, reference.span)
                self.fields(item.fields)
            case syntax.TypeAlias(type=type):
                self.type(type)
            case syntax.Action():
                for reference in (*item.principals, *item.resources):
                    self.type_name(reference.name, reference.span)
                self.fields(item.context.fields)
                for assignment in item.effects:
                    self.expression(assignment.target)
                    self.expression(assignment.value)
            case syntax.Define():
                for parameter in item.parameters:
                    self.parameter(parameter)
                self.type(item.result)
                if isinstance(item.body, syntax.Table):
                    for row in item.body.rows:
                        self.expression(row.value)
                        self.expression(row.condition)
                    self.expression(item.body.otherwise)
                else:
                    self.expression(item.body)
            case syntax.Rule() | syntax.Prove() | syntax.Test():
                for clause in item.clauses:
                    self.clause(clause)
            case _:
                pass

    def parameter(self, parameter: syntax.Parameter) -> None:
        symbol = Symbol(Kind.PARAMETER, parameter.name, place=parameter.name_span)
        self.locals[parameter.name] = symbol
        self.add(parameter.name_span, symbol, declares=True)
        self.type(parameter.type)

    def fields(self, fields: Iterable[syntax.Field]) -> None:
        for item in fields:
            symbol = Symbol(Kind.ATTRIBUTE, item.name, place=item.name_span)
            self.add(item.name_span, symbol, declares=True)
            self.type(item.type)

    def type(self, type: syntax.TypeExpression) -> None:
        match type:
            case syntax.TypeName(name):
                self.type_name(name, type.span)
            case syntax.UnionType(options):
                for option in options:
                    self.type_name(option.name, option.span)
            case syntax.SetType(inner) | syntax.OptionalType(type=inner):
                self.type(inner)
            case syntax.RecordType(fields):
                self.fields(fields)

    def clause(self, clause: syntax.Node) -> None:
        match clause:
            case syntax.Scope():
                for reference in clause.types:
                    self.type_name(reference.name, reference.span)
                for entity in (*clause.ancestors, *clause.entities):
                    self.entity(entity)
            case syntax.ActionScope(names):
                for reference in names:
                    self.action(reference)
            case syntax.TestAction(reference):
                self.action(reference)
            case syntax.When(condition) | syntax.Unless(condition):
                self.expression(condition)
            case syntax.PermittedOnlyIf(condition) | syntax.HeldUnless(condition):
                self.expression(condition)
            case syntax.Need(condition, message):
                self.expression(condition)
                if message is not None:
                    self.template(message)
            case syntax.Because(message) | syntax.Instead(message):
                self.template(message)
            case syntax.DeniedBy(reference):
                self.rules([reference])
            case syntax.Expect(_, references):
                self.rules(references)
            case syntax.AlwaysExists(binder, condition):
                self.parameter(binder)
                self.expression(condition)
            case syntax.Given():
                for entity in (clause.entity, *clause.parents):
                    self.entity(entity)
                if clause.attributes is not None:
                    self.expression(clause.attributes)
            case syntax.TestContext(value):
                self.expression(value)
            case _:
                pass

    def rules(self, references: Iterable[syntax.Reference]) -> None:
        for reference in references:
            if reference.name in self.names.rules:
                self.add(reference.span, Symbol(Kind.RULE, reference.name))

    def template(self, template: syntax.Template) -> None:
        for part in template.parts:
            if not isinstance(part, str):
                self.expression(part)

    def entity(self, node: syntax.EntityReference) -> None:
        self.type_name(node.type, node.name_span)
        meaning = self.checked.tables.meanings.get(id(node))
        type = node.type
        if isinstance(meaning, Constant) and isinstance(meaning.value, EntityId):
            type = meaning.value.type
        rest = Span(node.span.fragment, node.name_span.end + 2, node.span.end)
        self.add(rest, Symbol(Kind.ENTITY_ID, f"{type}::{quote(node.id)}"))

    # Expressions

    def expression(self, node: syntax.Expression) -> None:
        meaning = self.checked.tables.meanings.get(id(node))
        match node:
            case syntax.RequestVariable(name):
                self.add(node.span, Symbol(Kind.VARIABLE, name))
            case syntax.Name(name):
                if isinstance(meaning, Bound) or name in self.locals:
                    self.add(node.span, self.locals.get(name))
                elif isinstance(meaning, Constant) and isinstance(meaning.value, EnumValue):
                    self.add(node.span, Symbol(Kind.MEMBER, name, meaning.value.enum))
                elif isinstance(meaning, Actions):
                    self.add(node.span, action_symbol(self.names.schema, name))
            case syntax.EntityReference():
                self.entity(node)
            case syntax.Access():
                self.access(node)
            case syntax.Has():
                self.expression(node.base)
                types = self.types_of(node.base)
                for step, span in zip(node.path, node.step_spans, strict=True):
                    found = self.attributes(types, step)
                    self.add(span, *map(_attribute, found))
                    types = [item.type for item in found]
            case syntax.Is():
                self.expression(node.base)
                self.type_name(node.type, node.name_span)
            case syntax.Like(base) | syntax.Unary(operand=base):
                self.expression(base)
            case syntax.Binary(_, left, right):
                self.expression(left)
                self.expression(right)
            case syntax.And(parts) | syntax.Or(parts) | syntax.SetLiteral(parts):
                for part in parts:
                    self.expression(part)
            case syntax.Conditional(condition, then, otherwise):
                for part in (condition, then, otherwise):
                    self.expression(part)
            case syntax.RecordLiteral(fields):
                wanted = self.types_of(node)
                for item in fields:
                    found = self.attributes(wanted, item.name)
                    self.add(item.name_span, *map(_attribute, found))
                    self.expression(item.value)
            case syntax.Call():
                if isinstance(meaning, Defined):
                    self.type_name(node.function, node.name_span)
                elif function_named(node.function, Form.FUNCTION):
                    self.add(node.name_span, Symbol(Kind.FUNCTION, node.function))
                for argument in node.arguments:
                    self.expression(argument)
            case syntax.MethodCall():
                self.expression(node.base)
                if function_named(node.method, Form.METHOD):
                    self.add(node.name_span, Symbol(Kind.METHOD, node.method))
                for argument in node.arguments:
                    self.expression(argument)
            case syntax.Lambda(parameter, body):
                outer = dict(self.locals)
                symbol = Symbol(Kind.ELEMENT, parameter, place=node.name_span)
                self.locals[parameter] = symbol
                self.add(node.name_span, symbol, declares=True)
                self.expression(body)
                self.locals = outer
            case _:
                pass

    def access(self, node: syntax.Access) -> None:
        meaning = self.checked.tables.meanings.get(id(node))
        if isinstance(meaning, Actions):
            self.add(node.span, action_symbol(self.names.schema, node.span.text))
            return
        if isinstance(meaning, Constant) and isinstance(meaning.value, EnumValue):
            self.type_name("".join(node.base.span.text.split()), node.base.span)
            self.add(node.name_span, Symbol(Kind.MEMBER, node.name, meaning.value.enum))
            return
        self.expression(node.base)
        types = self.types_of(node.base)
        if node.name == "size" and any(isinstance(type, SetOf) for type in types):
            self.add(node.name_span, Symbol(Kind.METHOD, "size"))
        else:
            self.add(node.name_span, *map(_attribute, self.attributes(types, node.name)))

    def types_of(self, node: syntax.Expression) -> list[Type]:
        """Every type that an expression has in some kind of request."""
        if isinstance(node, syntax.RequestVariable) and node.name == "context":
            actions = self.names.schema.actions
            found: dict[int, Type] = {}
            environments = [one for rule in self.checked.rules for one in rule.environments]
            environments += [one for claim in self.checked.proves for one in claim.environments]
            for environment in environments:
                context = actions[environment.action].context
                found[id(context)] = context
            if found:
                return list(found.values())
        known = self.seen.get(id(node))
        if known is None:
            type = self.checked.tables.types.get(id(node))
            known = [] if type is None else [type]
        return known

    def attributes(self, types: Iterable[Type], name: str) -> list[RecordField]:
        """What `name` is on each of the types that have it."""
        return attributes_named(self.names.schema, types, name)


def _attribute(item: RecordField) -> Symbol | None:
    place = getattr(item, "span", None)
    return Symbol(Kind.ATTRIBUTE, item.name, place=place) if isinstance(place, Span) else None
