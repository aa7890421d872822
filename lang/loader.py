"""Files and what they `use`, read into one policy set. A file that cannot be read is a diagnostic."""

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from . import syntax
from .checked import Checked, has_unknown
from .checker import check
from .diagnostics import Code, Diagnostic, did_you_mean, has_errors
from .limits import MAX_FILE_CHARACTERS
from .names import Module, Scope, resolve
from .parser import parse
from .source import Fragment, Span

SUFFIX = ".ilk"


def load(paths: Sequence[str | Path]) -> tuple[Checked, list[Diagnostic]]:
    """The policy set of files and folders, with every module they use, checked.

    A path that is no file may name a bundled policy pack, such as `production_guardrails`.
    """
    loader = _Loader()
    for path in paths:
        loader.add_path(str(path))
    return loader.finish()


def load_texts(texts: Mapping[str, str]) -> tuple[Checked, list[Diagnostic]]:
    """The policy set of texts by file name, as an editor or a test has them."""
    loader = _Loader()
    for file, text in texts.items():
        loader.add_text(file, text)
    return loader.finish()


def bundled() -> dict[str, str]:
    """Name of each bundled module → its path below `stdlib_policies`."""
    root = resources.files("interlock.stdlib_policies")
    found = {
        item.name.removesuffix(SUFFIX): item.name
        for item in root.iterdir()
        if item.name.endswith(SUFFIX)
    }
    for item in (root / "std").iterdir():
        if item.name.endswith(SUFFIX):
            found["std." + item.name.removesuffix(SUFFIX)] = f"std/{item.name}"
    return found


class _Loader:
    """Collects modules by name; each file is read once."""

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        self.modules: dict[str, Module] = {}
        self.files: dict[str, str] = {}
        """The files that were read by where they really are, as they were named, in order."""
        self.roots: list[Path] = []
        self.unread: list[syntax.Use] = []
        """The `use` declarations whose module is still to be found."""

    def add_path(self, path: str) -> None:
        # The questions of `os.path` never raise, whatever the path.
        if os.path.isdir(path):  # noqa: PTH112
            found = sorted(file for file in Path(path).rglob("*" + SUFFIX) if file.is_file())
            if not found:
                self._fail(path, Code.NO_RULES, f"there is no `{SUFFIX}` file in `{path}`")
            self.roots.append(Path(path))
            for file in found:
                self._add_file(file)
        elif os.path.exists(path):  # noqa: PTH110
            self.roots.append(Path(path).parent)
            self._add_file(Path(path))
        elif path in bundled():
            self._add_bundled(path)
        else:
            known = [name for name in bundled() if not name.startswith("std.")]
            help_line = did_you_mean(path, known) or "bundled packs are " + ", ".join(
                f"`{name}`" for name in sorted(known)
            )
            self._fail(path, Code.FILE_NOT_FOUND, f"there is no file `{path}`", help_line)

    def _add_file(self, path: Path) -> None:
        place = os.path.realpath(path)
        if place in self.files:
            return
        self.files[place] = str(path)
        found = read_file(path)
        if isinstance(found, str):
            self.add_text(str(path), found)
        else:
            self.problems.append(found)

    def _add_bundled(self, name: str) -> None:
        relative = bundled()[name]
        file = f"interlock/{relative}"
        if file not in self.files:
            self.files[file] = file
            root = resources.files("interlock.stdlib_policies")
            self.add_text(file, (root / relative).read_text(encoding="utf-8"))

    def add_text(self, file: str, text: str) -> None:
        """Reads one file; what it uses is read when every file that was named has been."""
        declarations, problems = parse(file, text)
        self.problems += problems
        module, problems = module_of(file, declarations)
        self.problems += problems
        if module.name in self.modules:
            self.problems.append(second_module(module, self.modules[module.name]))
            return
        self.modules[module.name] = module
        self.unread += module.of(syntax.Use)

    def _find_module(self, use: syntax.Use) -> None:
        if use.module in bundled():
            self._add_bundled(use.module)
            return
        relative = Path(*use.module.split(".")).with_suffix(SUFFIX)
        found: Path | None = None
        for root in self.roots:
            for folder in (root, *root.resolve().parents[:3]):
                if os.path.isfile(folder / relative):  # noqa: PTH113
                    self._add_file(folder / relative)
                    if use.module not in self.modules:
                        found = folder / relative
        if use.module in self.modules:
            return
        if found is not None:
            self.problems.append(misnamed_module(use, found))
            return
        self.problems.append(unknown_module(use, {*self.modules, *bundled()}))

    def finish(self) -> tuple[Checked, list[Diagnostic]]:
        for use in self.unread:
            if use.module not in self.modules:
                self._find_module(use)
        self.problems += cyclic_imports(self.modules.values())
        names, problems = resolve(list(self.modules.values()))
        self.problems += problems
        checked, problems = check(names)
        self.problems += problems
        self.problems += unused_imports(checked.names.scopes.values())
        rules = any(module.of(syntax.Rule) for module in self.modules.values())
        if not rules and not self.problems:
            named = [*self.files.values(), *(module.file for module in self.modules.values())]
            file = named[0] if named else "policies"
            message = "there is no rule, so every request is denied"
            self._fail(
                file, Code.NO_RULES, message, "write a `permit`, or pass the file that has one"
            )
        checked.sound = not has_errors(self.problems)
        assert not checked.sound or not has_unknown(checked), "a mistake without a diagnostic"
        return checked, sorted(self.problems, key=_order)

    def _fail(self, file: str, code: Code, message: str, help_line: str | None = None) -> None:
        self.problems.append(_about(file, code, message, help_line))


def read_file(path: Path) -> str | Diagnostic:
    """The text of a policy file, or why there is none."""
    try:
        size = path.stat().st_size
        if size > 4 * MAX_FILE_CHARACTERS:
            message = f"the file has {size:,} bytes, and the limit is {4 * MAX_FILE_CHARACTERS:,}"
            return _about(str(path), Code.FILE_TOO_LARGE, message, "split it into modules")
        content = path.read_bytes()
    except OSError as error:
        return _about(str(path), Code.FILE_NOT_FOUND, f"cannot read it: {error.strerror}")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _not_text(str(path), content, error.start)


def _about(file: str, code: Code, message: str, help_line: str | None = None) -> Diagnostic:
    """What is said of a file as a whole."""
    return Diagnostic(code, message, Span(Fragment(file, ""), 0, 0), help_line)


def module_of(
    file: str, declarations: Iterable[syntax.Declaration]
) -> tuple[Module, list[Diagnostic]]:
    """The module that a file is, by its `module` declaration or by the name of the file."""
    problems = []
    found = tuple(declarations)
    name = ""
    for number, item in enumerate(found):
        if isinstance(item, syntax.Module):
            if number:
                message = "`module` stands first in its file, once"
                help_line = "move it up, or remove it"
                problems.append(Diagnostic(Code.MISPLACED_CLAUSE, message, item.span, help_line))
            name = name or item.name
    return Module(name or f"<{file}>", file, found), problems


def second_module(module: Module, first: Module) -> Diagnostic:
    """A file that is a module which another file is already."""
    declarations = module.declarations
    span = declarations[0].name_span if declarations else Span(Fragment(module.file, ""), 0, 0)
    message = f"module `{module.name}` is also in {first.file}"
    return Diagnostic(Code.DUPLICATE_NAME, message, span, "rename one of them")


def unknown_module(use: syntax.Use, known: Iterable[str]) -> Diagnostic:
    message = f"there is no module `{use.module}`"
    help_line = did_you_mean(use.module, known) or (
        f"it would be in `{'/'.join(use.module.split('.'))}{SUFFIX}`"
    )
    return Diagnostic(Code.UNKNOWN_MODULE, message, use.name_span, help_line)


def misnamed_module(use: syntax.Use, found: str | Path) -> Diagnostic:
    """A `use` whose module is not what the file of that name says it is."""
    message = f"`{found}` is not the module `{use.module}`"
    help_line = f"write `module {use.module}` as its first line"
    return Diagnostic(Code.UNKNOWN_MODULE, message, use.name_span, help_line)


def cyclic_imports(modules: Iterable[Module]) -> list[Diagnostic]:
    """Modules that use each other, once for each way around."""
    problems = []
    uses = {module.name: module.of(syntax.Use) for module in modules}
    state: dict[str, str] = {}
    for name in uses:
        if name in state:
            continue
        state[name] = "open"
        path = [(name, iter(uses[name]))]
        while path:
            use = next(path[-1][1], None)
            if use is None:
                state[path.pop()[0]] = "done"
            elif state.get(use.module) == "open":
                names = [step[0] for step in path]
                cycle = [*names[names.index(use.module) :], use.module]
                message = "these modules use each other: " + " → ".join(cycle)
                help_line = "move what both need into a module of its own"
                problems.append(Diagnostic(Code.CYCLIC_IMPORT, message, use.name_span, help_line))
            elif use.module not in state:
                state[use.module] = "open"
                path.append((use.module, iter(uses.get(use.module, []))))
    return problems


def _not_text(file: str, content: bytes, offset: int) -> Diagnostic:
    before = content[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line, start = before.count(b"\n"), before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8"))
    rest = content[offset : offset + 100].splitlines()[0]
    text = before[start:].decode("utf-8") + rest.decode("utf-8", errors="replace")
    span = Span(Fragment(file, text, line=line), column, column + 1)
    message = f"line {line + 1} is not UTF-8 text"
    return Diagnostic(Code.NOT_TEXT, message, span, "save the file as UTF-8")


def unused_imports(scopes: Iterable[Scope]) -> list[Diagnostic]:
    """Names that a module imports one by one and never writes."""
    problems = []
    for scope in scopes:
        for use in scope.module.of(syntax.Use):
            for reference in use.names:
                known = reference.name in scope.imports
                if known and reference.span not in scope.used and not scope.incomplete:
                    message = f"`{reference.name}` is imported and not used"
                    problems.append(
                        Diagnostic(Code.UNUSED_IMPORT, message, reference.span, "remove it")
                    )
    return problems


def _order(problem: Diagnostic) -> tuple[str, int, int]:
    return problem.span.file, problem.span.line, problem.span.column
