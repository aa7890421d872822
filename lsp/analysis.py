"""What is known about a policy set while it is edited: the same as a fresh check says, declaration by declaration."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from ..compiler import ir
from ..compiler.ir_text import digest_of
from ..compiler.lower import lower
from ..compiler.passes import run_passes
from ..lang import syntax
from ..lang.checked import Checked, CheckedProve, CheckedRule
from ..lang.checker import check_declaration, recursive_defines
from ..lang.diagnostics import Code, Diagnostic, has_errors
from ..lang.loader import (
    bundled,
    cyclic_imports,
    misnamed_module,
    module_of,
    second_module,
    unknown_module,
    unused_imports,
)
from ..lang.lookups import Watch
from ..lang.meanings import Defined, Tables
from ..lang.names import Module, Names, resolve
from ..lang.source import Span
from ..lang.typesystem import Type
from .documents import Document
from .reads import Difference, Reads, Recorder
from .repair import Reading, reading
from .symbols import Occurrence, Symbol


@dataclass(eq=False, slots=True)
class Entry:
    """One checked declaration, and what its check has read elsewhere."""

    declaration: syntax.Declaration
    module: str
    file: str
    problems: list[Diagnostic]
    tables: Tables
    rules: list[CheckedRule]
    proves: list[CheckedProve]
    tests: list[syntax.Test]
    used: set[Span]
    reads: Reads
    calls: list[syntax.Define] = field(default_factory=list)
    """The definitions that it calls."""
    occurrences: list[Occurrence] | None = None
    """What its names stand for, once somebody has asked."""
    occurrences_of: int = 0
    """The revision in which that was so; a declaration that cannot be read notes no reads that outdate it."""
    by_symbol: dict[Symbol, list[Occurrence]] = field(default_factory=dict)
    """The same by what is named."""
    types: list[tuple[int, int, Type]] = field(default_factory=list)
    """Start, end and type of each expression of its reading, found with its occurrences."""
    tokens: dict[str, list[tuple[int, int, int, int, int]]] = field(default_factory=dict)
    """How its words are coloured, by the units of a client."""
    _reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """The declaration, mended where it cannot be read."""
        if self._reading is None:
            self._reading = reading(self.declaration)
        return self._reading

    @property
    def is_broken(self) -> bool:
        return isinstance(self.declaration, syntax.Broken)


@dataclass(eq=False, slots=True)
class _Compiled:
    """A rule written out, from these checks of it and of all definitions in it."""

    entries: tuple[Entry, ...]
    rule: ir.Rule | None
    problems: list[Diagnostic]


_revisions = count(1)
"""No two states of any policy sets have one number, since they share the checks of what they have in common."""

Siblings = Callable[[], Sequence["Analysis"]]
"""Other policy sets that read some of the same files, those first that have the most in common."""


class Analysis:
    """A policy set of open and closed files. `update` brings it up to date; until then it says what was."""

    def __init__(self) -> None:
        self.others: Siblings = tuple
        """The other policy sets of the project as they are now, for what names something everywhere."""
        self.documents: dict[str, Document] = {}
        self.names: Names = resolve([])[0]
        self.entries: dict[int, Entry] = {}
        """By the identity of the declaration."""
        self.problems: dict[str, list[Diagnostic]] = {}
        """File → everything to say about it, in order."""
        self.sound = False
        self.revision = 0
        """Grows with every update, and is no other policy set's."""
        self._compiled: dict[int, _Compiled] = {}
        self._whole: tuple[int, Checked, ir.PolicySet] | None = None

    def update(
        self,
        documents: Sequence[Document],
        misnamed: Mapping[str, str] | None = None,
        siblings: Siblings = tuple,
    ) -> None:
        """Checks again what the documents changed and what depends on it, unless a sibling has checked it.

        The documents come in the order in which a loader reads them: those that were named, then what they use.
        `misnamed` has the files that have the name of a module and are another.
        """
        problems: list[Diagnostic] = []
        modules: dict[str, Module] = {}
        for document in documents:
            problems += document.head
            for part in document.parts:
                problems += part.problems
            found = [part.declaration for part in document.parts]
            module, more = module_of(document.file, found)
            problems += more
            if module.name in modules:
                problems.append(second_module(module, modules[module.name]))
            else:
                modules[module.name] = module
        known = {*modules, *bundled()}
        misnamed = misnamed or {}
        problems += [
            misnamed_module(use, misnamed[use.module])
            if use.module in misnamed
            else unknown_module(use, known)
            for module in modules.values()
            for use in module.of(syntax.Use)
            if use.module not in modules
        ]
        problems += cyclic_imports(modules.values())
        names, more = resolve(list(modules.values()))
        problems += more
        checks = _Checks(self, names, siblings)
        entries = {
            id(item): checks.entry(module, item)
            for module in names.modules.values()
            for item in module.declarations
        }
        for entry in entries.values():
            problems += entry.problems
            names.scopes[entry.module].used.update(entry.used)
        problems += _recursive(entries)
        problems += unused_imports(names.scopes.values())
        sound = not has_errors(problems)
        compiled: dict[int, _Compiled] = {}
        if sound:
            for key, entry in entries.items():
                if entry.rules:
                    compiled[key] = self._compile(names, entries, entry, checks.known)
            found_problems = [problem for item in compiled.values() for problem in item.problems]
            # Where a rule grows too large, nothing is said of the others, as nothing is compiled.
            too_large = [problem for problem in found_problems if has_errors([problem])]
            problems += too_large or found_problems
            self._compiled = compiled
        self.documents = {document.file: document for document in documents}
        self.names, self.entries, self.sound = names, entries, sound
        self.problems = {document.file: [] for document in documents}
        for problem in problems:
            self.problems.setdefault(problem.span.file, []).append(problem)
        for of_file in self.problems.values():
            of_file.sort(key=lambda problem: (problem.span.line, problem.span.column))
        self.revision = next(_revisions)

    def _compile(
        self,
        names: Names,
        entries: dict[int, Entry],
        entry: Entry,
        known: Callable[[], Iterable["Analysis"]],
    ) -> _Compiled:
        needed = _needed(entries, entry)
        for analysis in known():
            before = analysis._compiled.get(id(entry.declaration))
            if before is not None and before.entries == needed:
                return before
        tables = Tables()
        for item in needed:
            tables.types.update(item.tables.types)
            tables.meanings.update(item.tables.meanings)
        lowered, problems = lower(Checked(names, tables, rules=entry.rules))
        rule = run_passes(lowered[0]) if lowered else None
        if rule is not None and entry.rules[0].environments and _never_holds(rule.condition):
            message = f"`{rule.id}` can never apply: its condition is always false"
            span = entry.rules[0].rule.name_span
            problems.append(Diagnostic(Code.NEVER_APPLIES, message, span))
        return _Compiled(needed, rule, problems)

    # Questions

    def entry_of(self, declaration: syntax.Declaration) -> Entry | None:
        return self.entries.get(id(declaration))

    def needed(self, entry: Entry) -> tuple[Entry, ...]:
        """The check of a rule or a claim, and those of all definitions that are written out in it."""
        return _needed(self.entries, entry)

    def check_alone(
        self, declaration: syntax.Declaration, module: str, watch: Watch | None = None
    ) -> tuple[Checked, list[Diagnostic]]:
        """Checks a declaration that may not be in any file, as if it stood in a module."""
        checked = Checked(self.names, Tables(), watch=watch)
        scope = self.names.scopes[module]
        used = set(scope.used)
        problems = check_declaration(checked, scope, declaration)
        scope.used = used
        return checked, problems

    def whole(self) -> tuple[Checked, ir.PolicySet]:
        """The policy set as the command line has it; without rules unless it is sound."""
        if self._whole is None or self._whole[0] != self.revision:
            checked = Checked(self.names, Tables(), sound=self.sound)
            for entry in self.entries.values():
                checked.tables.types.update(entry.tables.types)
                checked.tables.meanings.update(entry.tables.meanings)
                checked.rules += entry.rules
                checked.proves += entry.proves
                checked.tests += entry.tests
            found = [item.rule for item in self._compiled.values()] if self.sound else []
            rules = tuple(rule for rule in found if rule is not None)
            if len(rules) < len(found):
                rules = ()
            schema = self.names.schema
            policies = ir.PolicySet(schema, rules, digest_of(schema, rules))
            self._whole = self.revision, checked, policies
        return self._whole[1:]


class _Checks:
    """The check of every declaration: the one there was, a sibling's, or a new one where what was read is new."""

    def __init__(self, before: Analysis, names: Names, siblings: Siblings) -> None:
        self._names = names
        self._recorder = Recorder(names)
        self._siblings = siblings
        self._known = [before]
        self._asked = False
        self._differences: dict[int, Difference] = {}

    def known(self) -> Iterator[Analysis]:
        """The policy sets whose checks may do, of which the siblings are looked for only when they are needed."""
        yield self._known[0]
        if not self._asked:
            self._asked = True
            self._known += self._siblings()
        yield from self._known[1:]

    def entry(self, module: Module, item: syntax.Declaration) -> Entry:
        for analysis in self.known():
            entry = analysis.entries.get(id(item))
            if (
                entry is not None
                and entry.declaration is item
                and entry.module == module.name
                and not self._difference(analysis).concerns(module.name, entry.reads)
            ):
                return entry
        return _checked_entry(self._recorder, module, item)

    def _difference(self, analysis: Analysis) -> Difference:
        found = self._differences.get(id(analysis))
        if found is None:
            found = self._differences[id(analysis)] = Difference(analysis.names, self._names)
        return found


def _checked_entry(recorder: Recorder, module: Module, item: syntax.Declaration) -> Entry:
    scope, used = recorder.scope(module.name)
    recorder.reads = {}
    checked = Checked(recorder.recorded, Tables())
    problems = check_declaration(checked, scope, item)
    calls = [
        meaning.declaration
        for meaning in checked.tables.meanings.values()
        if isinstance(meaning, Defined)
    ]
    return Entry(
        item,
        module.name,
        module.file,
        problems,
        checked.tables,
        checked.rules,
        checked.proves,
        checked.tests,
        used,
        recorder.reads,
        calls,
    )


def _recursive(entries: dict[int, Entry]) -> list[Diagnostic]:
    defines = {
        key: entry.declaration
        for key, entry in entries.items()
        if isinstance(entry.declaration, syntax.Define)
    }
    return recursive_defines(
        defines, {key: [id(item) for item in entries[key].calls] for key in defines}
    )


def _needed(entries: dict[int, Entry], entry: Entry) -> tuple[Entry, ...]:
    """A rule's entry and those of all definitions that are written out in it."""
    needed = {id(entry): entry}
    open_entries = [entry]
    while open_entries:
        for item in open_entries.pop().calls:
            found = entries[id(item)]
            if id(found) not in needed:
                needed[id(found)] = found
                open_entries.append(found)
    return tuple(needed.values())


def _never_holds(condition: ir.Term) -> bool:
    last = condition.operands[-1] if isinstance(condition, ir.And) else condition
    return last == ir.FALSE
