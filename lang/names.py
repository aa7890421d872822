"""What each name refers to: the declarations of all modules become one schema, and each module sees what it uses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TypeVar

from . import syntax
from .cycles import components, is_cycle
from .diagnostics import Code, Diagnostic, Note, did_you_mean
from .limits import MAX_NESTING, MAX_TYPE_PARTS
from .schema import ActionDeclaration, Attribute, EntityDeclaration, Schema
from .source import Span
from .typesystem import (
    PRIMITIVES,
    UNKNOWN,
    EntityType,
    EnumType,
    Optional,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    entity_type,
    parts,
)

Named = syntax.Enum | syntax.Entity | syntax.TypeAlias | syntax.Define


D = TypeVar("D", bound=syntax.Declaration)


@dataclass(frozen=True, slots=True)
class Module:
    """One policy file: its name, and what it declares and uses."""

    name: str
    file: str
    declarations: tuple[syntax.Declaration, ...]

    def of(self, kind: type[D]) -> list[D]:
        """The declarations of one kind, in order."""
        return [item for item in self.declarations if isinstance(item, kind)]


class Kind(Enum):
    """What a place takes of what can be named."""

    TYPE = auto()
    ENTITY = auto()
    ENUM = auto()
    FUNCTION = auto()


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str
    module: str
    declaration: Named


@dataclass(slots=True)
class Scope:
    """What one module sees by name."""

    module: Module
    symbols: dict[str, list[Symbol]] = field(default_factory=dict)
    incomplete: bool = False
    """Whether a name may come from something that could not be read, so that it is not reported as unknown."""
    broken: set[str] = field(default_factory=set)
    uses: list[str] = field(default_factory=list)
    imports: dict[str, list[Span]] = field(default_factory=dict)
    """Imported name → the places of the `use` that brings it."""
    used: set[Span] = field(default_factory=set)
    """The places in `imports` that something refers to."""


@dataclass(slots=True)
class Names:
    """All modules of a policy set and the schema they declare together."""

    modules: dict[str, Module]
    scopes: dict[str, Scope]
    schema: Schema
    rules: dict[str, syntax.Rule]
    types: dict[int, Type]
    """The type of each alias by the identity of its declaration."""
    hidden: dict[str, list[str]]
    """Every type and function name → modules that declare it, for `use` suggestions."""


Report = Callable[[Diagnostic], None]


def resolve(modules: Sequence[Module]) -> tuple[Names, list[Diagnostic]]:
    """The schema and the scopes of a policy set."""
    problems: list[Diagnostic] = []
    resolver = _Resolver(modules, problems.append)
    return resolver.resolve(), problems


def find_type(
    names: Names,
    scope: Scope,
    reference: syntax.Reference | syntax.TypeName,
    report: Report,
    kind: Kind = Kind.TYPE,
) -> Type:
    """The type a name stands for; an unknown name is reported once and becomes `UNKNOWN`.

    `kind` says what its place takes, so that nothing else is suggested there.
    """
    if reference.name in PRIMITIVES:
        return PRIMITIVES[reference.name]
    symbol = find_symbol(names, scope, reference.name, reference.span, report)
    if symbol is None:
        if not is_excused(scope, reference.name):
            report(_unknown_type(names, scope, reference, kind))
        return UNKNOWN
    match symbol.declaration:
        case syntax.Enum():
            return names.schema.enums.get(symbol.name, UNKNOWN)
        case syntax.Entity():
            entity = names.schema.entities.get(symbol.name)
            return EntityType(entity.concrete, symbol.name) if entity else UNKNOWN
        case syntax.TypeAlias():
            return names.types.get(id(symbol.declaration), UNKNOWN)
        case _:
            message = f"`{reference.name}` is a function, and a type is needed here"
            report(Diagnostic(Code.UNKNOWN_TYPE, message, reference.span))
            return UNKNOWN


def find_symbol(names: Names, scope: Scope, name: str, span: Span, report: Report) -> Symbol | None:
    """The declaration a name stands for in a module; two candidates are reported."""
    found = scope.symbols.get(name, [])
    if not found and "." in name:
        module, _, last = name.rpartition(".")
        if module in scope.uses:
            found = [
                symbol
                for symbol in names.scopes[module].symbols.get(last, [])
                if symbol.module == module
            ]
    for use in scope.imports.get(name, []):
        scope.used.add(use)
    distinct = {symbol.module: symbol for symbol in found}
    if len(distinct) > 1:
        modules = " and ".join(f"`{module.strip('<>')}`" for module in sorted(distinct))
        message = f"`{name}` is declared in {modules}"
        report(Diagnostic(Code.AMBIGUOUS_NAME, message, span, _which_one(name, distinct)))
    return next(iter(distinct.values()), None)


def _which_one(name: str, candidates: Mapping[str, Symbol]) -> str:
    """How to say which of several declarations is meant; only types are written with their module."""
    named = [module for module in sorted(candidates) if not module.startswith("<")]
    if not named:
        return "rename one of them"
    if isinstance(candidates[named[0]].declaration, syntax.Define):
        return f"name the one that is meant: `use {named[0]} ({name})`"
    return f"write `{named[0]}.{name}`, or name what you `use`"


def find_entity(
    names: Names, scope: Scope, reference: syntax.Reference, report: Report
) -> EntityType | None:
    """The entity type a name stands for; anything else is reported."""
    type = find_type(names, scope, reference, report, Kind.ENTITY)
    if isinstance(type, EntityType):
        return type
    if type != UNKNOWN:
        message = f"`{reference.name}` is not an entity type"
        report(Diagnostic(Code.UNKNOWN_TYPE, message, reference.span))
    return None


def find_actions(names: Names, name: str) -> frozenset[str] | None:
    """The actions a name stands for: one action, or all of a group; `drop` also finds a unique `sql.drop`."""
    schema = names.schema
    if name in schema.actions:
        return frozenset({name})
    if name in schema.groups:
        return schema.groups[name]
    ends = [known for known in schema.actions if known.endswith("." + name)]
    return frozenset(ends) if len(ends) == 1 else None


def unknown_action(
    names: Names, reference: syntax.Reference | syntax.Name, *, groups: bool = True
) -> Diagnostic:
    """`groups` says whether a group of actions could stand there."""
    schema = names.schema
    ends = sorted(known for known in schema.actions if known.endswith("." + reference.name))
    if len(ends) > 1:
        message = f"`{reference.name}` could be " + " or ".join(f"`{name}`" for name in ends)
        return Diagnostic(Code.AMBIGUOUS_NAME, message, reference.span, "write the whole name")
    known = {*schema.actions, *(schema.groups if groups else ())}
    help_line = did_you_mean(reference.name, known) or "declare it with `action`"
    message = f"there is no action or action group `{reference.name}`"
    return Diagnostic(Code.UNKNOWN_ACTION, message, reference.span, help_line)


def resolve_type(
    names: Names, scope: Scope, expression: syntax.TypeExpression, report: Report
) -> Type:
    """The type that a type expression says; one beyond a limit is reported and becomes `UNKNOWN`."""
    type = _type_of(names, scope, expression, report)
    problem = _too_large(type, expression.span)
    if problem is not None:
        report(problem)
        return UNKNOWN
    return type


def _too_large(type: Type, span: Span) -> Diagnostic | None:
    count = 0
    stack = [(type, 1)]
    while stack:
        part, depth = stack.pop()
        count += 1
        if depth > MAX_NESTING:
            message = f"the type is nested deeper than {MAX_NESTING} levels once it is written out"
            return Diagnostic(Code.NESTING_TOO_DEEP, message, span, "make it of fewer aliases")
        if count > MAX_TYPE_PARTS:
            message = f"the type has more than {MAX_TYPE_PARTS:,} parts once it is written out"
            return Diagnostic(Code.EXPANSION_TOO_LARGE, message, span, "make it of fewer aliases")
        stack += [(inner, depth + 1) for inner in parts(part)]
    return None


def _type_of(names: Names, scope: Scope, expression: syntax.TypeExpression, report: Report) -> Type:
    match expression:
        case syntax.TypeName():
            return find_type(names, scope, expression, report)
        case syntax.UnionType(options):
            types: set[str] = set()
            for option in options:
                type = find_type(names, scope, option, report)
                if isinstance(type, EntityType):
                    types |= type.types
                elif type != UNKNOWN:
                    message = f"`{option.name}` is not an entity type, and `|` joins entity types"
                    report(Diagnostic(Code.TYPE_MISMATCH, message, option.span))
            return entity_type(types, " | ".join(option.name for option in options))
        case syntax.SetType(element):
            inner = _type_of(names, scope, element, report)
            if isinstance(inner, Optional):
                message = "the elements of a set are never optional"
                report(Diagnostic(Code.TYPE_MISMATCH, message, element.span, "remove the `?`"))
                inner = inner.type
            return SetOf(inner)
        case syntax.OptionalType(type=inner_type):
            inner = _type_of(names, scope, inner_type, report)
            if isinstance(inner, Optional):
                message = f"`{inner_type.span.text}` is optional already"
                report(Diagnostic(Code.TYPE_MISMATCH, message, expression.span, "remove the `?`"))
                return inner
            return Optional(inner)
        case syntax.RecordType(fields):
            return RecordOf(tuple(_fields(names, scope, fields, report)))


def _fields(
    names: Names, scope: Scope, fields: Iterable[syntax.Field], report: Report
) -> list[RecordField]:
    result: dict[str, RecordField] = {}
    for item in fields:
        type = _type_of(names, scope, item.type, report)
        optional = isinstance(type, Optional)
        inner = type.type if isinstance(type, Optional) else type
        if item.name in result:
            message = f"a second field `{item.name}`"
            report(Diagnostic(Code.DUPLICATE_NAME, message, item.name_span))
        result[item.name] = Attribute(item.name, inner, optional, item.doc, item.name_span)
    return list(result.values())


def silent(problem: Diagnostic) -> None:
    """For what is reported elsewhere."""


def is_excused(scope: Scope, name: str) -> bool:
    return scope.incomplete or name in scope.broken


def _unknown_type(
    names: Names, scope: Scope, reference: syntax.Reference | syntax.TypeName, kind: Kind
) -> Diagnostic:
    message = f"there is no type `{reference.name}` here"
    return Diagnostic(
        Code.UNKNOWN_TYPE, message, reference.span, suggestion(names, scope, reference.name, kind)
    )


def suggestion(
    names: Names, scope: Scope, name: str, kind: Kind, others: Iterable[str] = ()
) -> str | None:
    """Where an unknown name is declared, or the closest one that is visible; only what is of a kind.

    `others` are names that fit the place without being declared.
    """
    for module in names.hidden.get(name, []):
        symbols = names.scopes[module].symbols.get(name, ())
        own = any(one.module == module and is_a(names, one, kind) for one in symbols)
        if own and not module.startswith("<") and name not in scope.symbols:
            return f"add `use {module} ({name})`"
    known = {known for known, symbols in scope.symbols.items() if is_a(names, symbols[0], kind)}
    if kind is Kind.TYPE:
        known |= PRIMITIVES.keys()
    return did_you_mean(name, {*known, *others} - {name})


def is_a(names: Names, symbol: Symbol, kind: Kind) -> bool:
    """Whether what a symbol declares can stand where something of a kind is needed."""
    item = symbol.declaration
    type = names.types.get(id(item)) if isinstance(item, syntax.TypeAlias) else None
    match kind:
        case Kind.TYPE:
            return not isinstance(item, syntax.Define)
        case Kind.ENTITY:
            return isinstance(item, syntax.Entity) or isinstance(type, EntityType)
        case Kind.ENUM:
            return isinstance(item, syntax.Enum) or isinstance(type, EnumType)
        case Kind.FUNCTION:
            return isinstance(item, syntax.Define)


class _Resolver:
    """Builds the names of a policy set in the order in which they depend on each other."""

    def __init__(self, modules: Sequence[Module], report: Report) -> None:
        self.modules = {module.name: module for module in modules}
        self.report = report
        self.reported: set[tuple[int, str, int]] = set()
        self.above: dict[str, str] = {}
        hidden: dict[str, list[str]] = {}
        scopes = {module.name: Scope(module) for module in modules}
        self.names = Names(self.modules, scopes, Schema({}, {}, {}, {}), {}, {}, hidden)

    def resolve(self) -> Names:
        self._declare()
        self._import()
        self._schema()
        return self.names

    # Who declares what, and who sees it

    def _declare(self) -> None:
        worldwide: dict[str, syntax.Declaration] = {}
        for module in self.modules.values():
            scope = self.names.scopes[module.name]
            local: dict[str, syntax.Declaration] = {}
            for item in module.declarations:
                match item:
                    case syntax.Enum(name) | syntax.Entity(name):
                        if self._claim(worldwide, name, item):
                            self._claim(local, name, item)
                        self._see(scope, name, item)
                    case syntax.TypeAlias(name) | syntax.Define(name):
                        self._claim(local, name, item)
                        self._see(scope, name, item)
                    case syntax.Rule(name=name):
                        if self._claim(worldwide, f"rule {name}", item):
                            self.names.rules[name] = item
                    case syntax.Prove(name):
                        self._claim(worldwide, f"prove {name}", item)
                    case syntax.Test(name):
                        self._claim(local, f"test {name}", item)
                    case syntax.Broken():
                        for other in self.names.scopes.values():
                            other.broken.update(item.names)
                        if item.keyword in ("use", "module", ""):
                            scope.incomplete = True
                    case _:
                        pass

    def _see(self, scope: Scope, name: str, item: Named) -> None:
        if name in PRIMITIVES or name == "Action" or name in syntax.RESERVED:
            kind = "word" if name in syntax.RESERVED else "type"
            message = f"`{name}` is a {kind} of the language"
            self.report(
                Diagnostic(Code.DUPLICATE_NAME, message, item.name_span, "choose another name")
            )
            return
        scope.symbols.setdefault(name, []).append(Symbol(name, scope.module.name, item))
        self.names.hidden.setdefault(name, []).append(scope.module.name)

    def _claim(
        self, taken: dict[str, syntax.Declaration], name: str, item: syntax.Declaration
    ) -> bool:
        before = taken.get(name)
        if before is not None and before is not item:
            message = f"`{name}` is declared twice"
            note = Note("the first declaration", before.name_span)
            self.report(
                Diagnostic(
                    Code.DUPLICATE_NAME, message, item.name_span, "rename one of them", (note,)
                )
            )
            return False
        taken[name] = item
        return True

    def _import(self) -> None:
        for module in self.modules.values():
            scope = self.names.scopes[module.name]
            for use in module.of(syntax.Use):
                if use.module not in self.modules:
                    scope.incomplete = True
                    continue
                scope.uses.append(use.module)
                self._bring(scope, use)

    def _bring(self, scope: Scope, use: syntax.Use) -> None:
        other = self.names.scopes[use.module]
        if other.incomplete:
            scope.incomplete = True
        own = {
            name: [symbol for symbol in symbols if symbol.module == use.module]
            for name, symbols in other.symbols.items()
        }
        own = {name: symbols for name, symbols in own.items() if symbols}
        wanted = [(reference.name, reference.span) for reference in use.names] or [
            (name, use.span) for name in own
        ]
        for name, span in wanted:
            if name in own:
                scope.symbols.setdefault(name, []).extend(own[name])
                scope.imports.setdefault(name, []).append(span)
            elif not is_excused(other, name):
                message = f"module `{use.module}` declares no `{name}`"
                self.report(
                    Diagnostic(Code.UNKNOWN_NAME, message, span, did_you_mean(name, set(own)))
                )

    # The schema

    def _schema(self) -> None:
        enums = self._enums()
        entities = self._entity_skeletons(enums)
        self._aliases()
        self._fill_entities(entities)
        actions, groups = self._actions()
        self.names.schema = Schema(enums, self.names.schema.entities, actions, groups)

    def _all(self, kind: type[D]) -> list[tuple[Scope, D]]:
        return [
            (self.names.scopes[module.name], item)
            for module in self.modules.values()
            for item in module.of(kind)
        ]

    def _enums(self) -> dict[str, EnumType]:
        enums: dict[str, EnumType] = {}
        for _, item in self._all(syntax.Enum):
            members: dict[str, None] = {}
            for member in item.members:
                if member.name in members:
                    message = f"a second member `{member.name}`"
                    self.report(Diagnostic(Code.DUPLICATE_NAME, message, member.span))
                members[member.name] = None
            enums.setdefault(item.name, EnumType(item.name, tuple(members), item.ordered))
        return enums

    def _entity_skeletons(
        self, enums: dict[str, EnumType]
    ) -> dict[str, tuple[Scope, syntax.Entity]]:
        """Entity types with their names and what they extend, so that attributes can refer to them."""
        entities: dict[str, tuple[Scope, syntax.Entity]] = {}
        for scope, item in self._all(syntax.Entity):
            entities.setdefault(item.name, (scope, item))
        above: dict[str, str] = {}
        for name, (scope, item) in entities.items():
            if item.extends is not None:
                symbol = find_symbol(
                    self.names, scope, item.extends.name, item.extends.span, self.report
                )
                if symbol is None or not isinstance(symbol.declaration, syntax.Entity):
                    if symbol is not None or item.extends.name in PRIMITIVES:
                        message = f"`{item.extends.name}` is not an entity type"
                        self.report(Diagnostic(Code.UNKNOWN_TYPE, message, item.extends.span))
                    elif not is_excused(scope, item.extends.name):
                        kind = Kind.ENTITY
                        self.report(_unknown_type(self.names, scope, item.extends, kind))
                elif not symbol.declaration.abstract:
                    message = f"`{symbol.name}` is not abstract, so nothing can extend it"
                    self.report(Diagnostic(Code.ABSTRACT_ENTITY, message, item.extends.span))
                else:
                    above[name] = symbol.name
        self._break_cycles(above, {name: item.name_span for name, (_, item) in entities.items()})
        concrete: dict[str, set[str]] = {name: set() for name in entities}
        for name, (_, item) in entities.items():
            if not item.abstract:
                for ancestor in _chain(name, above):
                    concrete[ancestor].add(name)
        self.above = above
        skeletons = {
            name: EntityDeclaration(name, item.abstract, {}, frozenset(concrete[name]), frozenset())
            for name, (_, item) in entities.items()
        }
        self.names.schema = Schema(enums, skeletons, {}, {})
        return entities

    def _break_cycles(self, above: dict[str, str], spans: Mapping[str, Span]) -> None:
        """Removes from `above` what makes an entity extend itself, or extend too many others."""
        graph = {name: [above[name]] if name in above else [] for name in spans}
        places = {name: place for place, name in enumerate(spans)}
        depths: dict[str, int] = {}
        for component in components(graph):
            if is_cycle(component, graph):
                first = min(component, key=places.__getitem__)
                path = [first]
                while len(path) <= len(component):
                    path.append(above[path[-1]])
                message = f"`{first}` extends itself: {' → '.join(path)}"
                self.report(Diagnostic(Code.CYCLIC_DEFINITION, message, spans[first]))
                for name in component:
                    del above[name]
                continue
            (name,) = component
            depths[name] = depths.get(above.get(name, ""), 0) + 1
            if depths[name] > MAX_NESTING:
                if depths[name] == MAX_NESTING + 1:
                    message = f"`{name}` extends more than {MAX_NESTING} others in a chain"
                    self.report(Diagnostic(Code.NESTING_TOO_DEEP, message, spans[name]))
                del above[name]

    def _aliases(self) -> None:
        """Aliases in the order in which they depend on each other; a cycle is reported once."""
        pending = {id(item): (scope, item) for scope, item in self._all(syntax.TypeAlias)}
        places = {key: place for place, key in enumerate(pending)}
        graph: dict[int, list[int]] = {}
        for key, (scope, item) in pending.items():
            symbols = [
                find_symbol(self.names, scope, name, item.span, silent)
                for name in _type_names(item.type)
            ]
            graph[key] = [id(symbol.declaration) for symbol in symbols if symbol is not None]
        for component in components(graph):
            if is_cycle(component, graph):
                _, item = pending[min(component, key=places.__getitem__)]
                message = f"the type `{item.name}` is made of itself"
                self.report(Diagnostic(Code.CYCLIC_DEFINITION, message, item.name_span))
                self.names.types |= dict.fromkeys(component, UNKNOWN)
                continue
            scope, item = pending[component[0]]
            self.names.types[component[0]] = resolve_type(self.names, scope, item.type, self.report)

    def _fill_entities(self, entities: dict[str, tuple[Scope, syntax.Entity]]) -> None:
        own: dict[str, dict[str, Attribute]] = {}
        inside: dict[str, frozenset[str]] = {}
        for name, (scope, item) in entities.items():
            own[name] = {
                found.name: found
                for found in _fields(self.names, scope, item.fields, self.report)
                if isinstance(found, Attribute)
            }
            for attribute in own[name].values():
                problem = _too_large(attribute.type, attribute.span)
                if problem is not None:
                    self.report(problem)
                    own[name][attribute.name] = replace(attribute, type=UNKNOWN)
            parents: set[str] = set()
            for reference in item.parents:
                parent = find_entity(self.names, scope, reference, self.report)
                parents |= parent.types if parent else set()
            inside[name] = frozenset(parents)
        filled = {}
        for name, (_, item) in entities.items():
            attributes: dict[str, Attribute] = {}
            parents = set()
            for ancestor in reversed(_chain(name, self.above)):
                for attribute in own[ancestor].values():
                    if attribute.name in attributes:
                        message = f"`{name}` already has `{attribute.name}` from what it extends"
                        if ancestor == name:
                            self.report(Diagnostic(Code.DUPLICATE_NAME, message, attribute.span))
                        continue
                    attributes[attribute.name] = attribute
                parents |= inside[ancestor]
            skeleton = self.names.schema.entities[name]
            filled[name] = EntityDeclaration(
                name,
                item.abstract,
                attributes,
                skeleton.concrete,
                frozenset(parents),
                item.doc,
                item.name_span,
            )
        self.names.schema = Schema(self.names.schema.enums, filled, {}, {})

    def _actions(self) -> tuple[dict[str, ActionDeclaration], dict[str, frozenset[str]]]:
        above: dict[str, set[str]] = {}
        groups: dict[str, Span] = {}
        for _, group_item in self._all(syntax.ActionGroup):
            for reference in group_item.names:
                groups.setdefault(reference.name, reference.span)
                above.setdefault(reference.name, set()).update(
                    group.name for group in group_item.groups
                )
        declared: dict[str, tuple[Scope, syntax.Action, Span]] = {}
        for scope, item in self._all(syntax.Action):
            for reference in item.names:
                if reference.name in declared:
                    message = f"the action `{reference.name}` is declared twice"
                    note = Note("the first declaration", declared[reference.name][2])
                    self.report(
                        Diagnostic(Code.DUPLICATE_NAME, message, reference.span, None, (note,))
                    )
                    continue
                if reference.name in groups:
                    message = f"`{reference.name}` is an action and a group of actions"
                    note = Note("the action", reference.span)
                    span = groups[reference.name]
                    self.report(
                        Diagnostic(Code.DUPLICATE_NAME, message, span, "rename one", (note,))
                    )
                    continue
                declared[reference.name] = (scope, item, reference.span)
                above.setdefault(reference.name, set()).update(group.name for group in item.groups)
        self._check_groups(groups, declared)
        actions = {}
        for name, (scope, item, span) in declared.items():
            report = self._once(item)
            context = resolve_type(self.names, scope, item.context, report)
            actions[name] = ActionDeclaration(
                name,
                frozenset(_all_above(name, above) & groups.keys()),
                self._types(scope, item.principals, report),
                self._types(scope, item.resources, report),
                context if isinstance(context, RecordOf) else RecordOf(()),
                item.effects,
                item.doc,
                span,
            )
        members = {
            group: frozenset(name for name, action in actions.items() if group in action.groups)
            for group in groups
        }
        return actions, members

    def _once(self, item: syntax.Action) -> Report:
        """Reports a problem of a declaration that stands for several actions only for the first."""

        def report(problem: Diagnostic) -> None:
            key = (id(item), problem.message, problem.span.start)
            if key not in self.reported:
                self.reported.add(key)
                self.report(problem)

        return report

    def _types(
        self, scope: Scope, references: tuple[syntax.Reference, ...], report: Report
    ) -> frozenset[str]:
        types: set[str] = set()
        for reference in references:
            found = find_entity(self.names, scope, reference, report)
            types |= found.types if found else set()
        return frozenset(types)

    def _check_groups(
        self, groups: dict[str, Span], declared: dict[str, tuple[Scope, syntax.Action, Span]]
    ) -> None:
        above: dict[str, set[str]] = {}
        found: list[tuple[Scope, syntax.ActionGroup | syntax.Action]] = [
            *self._all(syntax.ActionGroup),
            *self._all(syntax.Action),
        ]
        for scope, item in found:
            for reference in item.groups:
                if reference.name in groups:
                    for name in item.names:
                        above.setdefault(name.name, set()).add(reference.name)
                elif not is_excused(scope, reference.name):
                    message = f"there is no action group `{reference.name}`"
                    help_line = (
                        f"`{reference.name}` is an action; declare it with `action group`"
                        if reference.name in declared
                        else did_you_mean(reference.name, set(groups))
                    )
                    self.report(Diagnostic(Code.UNKNOWN_ACTION, message, reference.span, help_line))
        for group, span in groups.items():
            if group in _all_above(group, above):
                message = f"the group `{group}` is in itself"
                self.report(Diagnostic(Code.CYCLIC_DEFINITION, message, span))


def _chain(name: str, above: dict[str, str]) -> list[str]:
    chain = [name]
    while (upper := above.get(chain[-1])) is not None:
        chain.append(upper)
    return chain


def _all_above(name: str, above: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    frontier = list(above.get(name, ()))
    while frontier:
        current = frontier.pop()
        if current not in reached:
            reached.add(current)
            frontier.extend(above.get(current, ()))
    return reached


def _type_names(expression: syntax.TypeExpression) -> list[str]:
    match expression:
        case syntax.TypeName(name):
            return [name]
        case syntax.UnionType(options):
            return [option.name for option in options]
        case syntax.SetType(element):
            return _type_names(element)
        case syntax.OptionalType(type=inner):
            return _type_names(inner)
        case syntax.RecordType(fields):
            return [name for item in fields for name in _type_names(item.type)]
