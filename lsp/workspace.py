"""The files of a project, open and on disk, and the policy sets that they make.

The policy set of a file is what `interlock check FILE` reads: the file and what it uses, directly or through others.
Files that the settings name together are one set, as when the command line is given their paths. A module is read
with every set that uses it, so that sets overlap; what they have in common is read and checked once.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..lang import syntax
from ..lang.loader import SUFFIX, read_file
from ..lang.loader import bundled as find_bundled
from ..lang.source import Span
from .analysis import Analysis
from .documents import Document, unreadable

Files = tuple[str, ...]
"""The files that make a policy set together, without what they use."""

MAX_FILES = 2_000
"""Files of a project that are read; beyond, only those that are open and what they use."""
MAX_FOLDERS = 10_000
"""Folders that are looked through, so that a whole disk can be opened as a project."""
MAX_SIBLINGS = 3
"""Policy sets that are asked whether they have checked a declaration already."""
_FOLDERS_ABOVE = 3
"""How many folders above it a module is looked for, as the loader does."""
_SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "target"})
_MODULE = re.compile(r"^[ \t]*module[ \t]+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.MULTILINE)


@cache
def bundled() -> dict[str, str]:
    """Name of each bundled module → where it is; what is installed does not change while the server runs."""
    folder = _bundled_folder()
    return {name: os.path.realpath(folder / path) for name, path in find_bundled().items()}


@cache
def _bundled_folder() -> Path:
    return Path(os.path.realpath(str(resources.files("interlock.stdlib_policies"))))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a policy set reads: its files in the order in which a loader reads them, and its modules by name."""

    files: list[str]
    modules: dict[str, str]
    misnamed: dict[str, str]
    """The files that have the name of a module and are another."""


class Workspace:
    """Files by where they really are; one that is on no disk goes by its URI."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.groups: dict[Files, list[str]] = {}
        """Files that the settings name together → the folders where their modules are looked for."""
        self.documents: dict[str, Document] = {}
        self.open: dict[str, list[str]] = {}
        """Every open file → its URIs, since a link may be open beside what it links to."""
        self._uris: dict[str, str] = {}
        """The URI of each file as the client writes it."""
        self._headers: dict[str, str] = {}
        """The module of each file of the project."""
        self._analyses: dict[Files, Analysis] = {}
        self._seen: dict[Files, tuple[tuple[str, int, int], ...]] = {}
        """The documents that each analysis was brought up to date with."""
        self._linked: dict[str, tuple[str, list[str]]] = {}
        """What each document said of modules when the sets were read."""
        self._readings: dict[Files, _Reading] = {}
        """What each set reads, until a file comes, goes or says something else of modules."""

    # What the client says

    def file_of(self, uri: str) -> str:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return uri
        file = os.path.realpath(unquote(parts.path))
        self._uris.setdefault(file, uri)
        return file

    def uri_of(self, file: str) -> str:
        if file in self.open:
            return self.open[file][-1]
        known = self._uris.get(file)
        if known is None:
            known = Path(file).as_uri() if os.path.isabs(file) else file  # noqa: PTH117
        return known

    def add_folder(self, uri: str) -> None:
        path = Path(self.file_of(uri))
        if path.is_dir() and path not in self.folders:
            self.folders.append(path)
            self._add_files_below(path)

    def remove_folder(self, uri: str) -> None:
        path = Path(self.file_of(uri))
        self.folders = [folder for folder in self.folders if folder != path]
        for file in [file for file in self._headers if not self._is_in_project(file)]:
            del self._headers[file]
        self._forget_readings()

    def set_groups(self, groups: Iterable[Iterable[str]]) -> None:
        """Takes the paths, files or folders or bundled packs, that the settings name together."""
        before, self.groups = self.groups, {}
        for paths in groups:
            files: dict[str, None] = {}
            roots: list[str] = []
            for path in paths:
                if os.path.isdir(path):  # noqa: PTH112
                    roots.append(path)
                    files.update(dict.fromkeys(_every_policy_file(Path(path))))
                elif path in bundled() and not os.path.exists(path):  # noqa: PTH110
                    files[bundled()[path]] = None
                else:
                    roots.append(str(Path(path).parent))
                    files[os.path.realpath(path)] = None
            if files:
                self.groups[tuple(files)] = roots
        if before != self.groups:
            self._forget_readings()

    def open_file(self, uri: str, source: str, version: int | None) -> Document | None:
        """Takes what the editor has; `None` for a file of another language."""
        file = self.file_of(uri)
        if not is_policy(file):
            return None
        uris = self.open.setdefault(file, [])
        if uri not in uris:
            uris.append(uri)
        document = self.documents.get(file)
        if document is None or not document.is_readable:
            document = self.documents[file] = Document(file, source)
        document.set_source(source)
        document.version = version
        self._forget_readings()
        return document

    def close_file(self, uri: str) -> None:
        """What is on the disk counts again."""
        file = self.file_of(uri)
        uris = self.open.get(file, [])
        if uri in uris:
            uris.remove(uri)
        if not uris:
            self.open.pop(file, None)
        self.reload(file)

    def reload(self, path: str) -> None:
        """A file or a folder on the disk is new, changed or gone; a file that is open is the editor's."""
        if os.path.isdir(path):  # noqa: PTH112
            if self._is_in_project(os.path.join(path, "any")):  # noqa: PTH118
                self._add_files_below(Path(path))
            return
        below = path + os.sep
        known = {*self.documents, *self._headers}
        for file in {path, *(file for file in known if file.startswith(below))}:
            if file not in self.open:
                self._reload(file)
        self._forget_readings()

    def _reload(self, file: str) -> None:
        self._headers.pop(file, None)
        before, document = self.documents.pop(file, None), _read(file)
        if document is None:
            return
        if before is not None:
            if before.is_readable and document.is_readable:
                before.set_source(document.text.source)
                before.version = None
                document = before
            self.documents[file] = document
        if self._is_in_project(file):
            self._headers[file] = document.header[0]

    def changed(self, document: Document) -> None:
        """An open document was edited."""
        if self._linked.get(document.file) != document.header:
            self._forget_readings()

    def looks_again(self) -> None:
        """Has modules that were not found looked for again."""
        self._forget_readings()

    def _add_files_below(self, folder: Path) -> None:
        for file in _policy_files(folder):
            if len(self._headers) >= MAX_FILES:
                break
            if file not in self._headers:
                self._read_header(file)
        self._forget_readings()

    def _is_in_project(self, file: str) -> bool:
        """Whether a file is in a folder that is looked through."""
        place = Path(file).parent
        return any(
            place.is_relative_to(folder)
            and not any(map(_is_skipped, place.relative_to(folder).parts))
            for folder in self.folders
        )

    # Policy sets

    def analysis(self, file: str) -> Analysis:
        """The analysis of the policy set of a file, brought up to date."""
        return self.analysis_of(self.set_of(file))

    def set_of(self, file: str) -> Files:
        """The files that the settings name together with a file, or the file alone."""
        return next((files for files in self.groups if file in files), (file,))

    def sets(self) -> list[Files]:
        """The policy sets of the project: those that the settings name, and those of all other files."""
        grouped = {file for files in self.groups for file in files}
        return [*self.groups, *((file,) for file in self.files() if file not in grouped)]

    def analysis_of(self, files: Files) -> Analysis:
        """The analysis of a policy set, brought up to date."""
        analysis = self._analyses.get(files)
        if analysis is None:
            analysis = self._analyses[files] = Analysis()
            analysis.others = partial(self._others, files)
        state = self._state(files)
        if self._seen.get(files) != state:
            reading = self._readings[files]
            documents = [self.documents[file] for file in reading.files]
            analysis.update(documents, reading.misnamed, partial(self._siblings, files))
            self._seen[files] = state
        return analysis

    def readers(self, file: str) -> list[tuple[Files, Analysis]]:
        """The policy sets of the project that were seen to read a file, as they were then."""
        return [
            (files, analysis)
            for files, analysis in self._analyses.items()
            if file in analysis.documents
            and (files in self.groups or files[0] in self._headers or files[0] in self.open)
        ]

    def is_reading_open_file(self, files: Files) -> bool:
        """Whether a policy set reads a file that is open."""
        return any(file in self.open for file in self._reading(files).files)

    def is_set_of_open_file(self, analysis: Analysis) -> bool:
        return any(self._analyses.get(self.set_of(file)) is analysis for file in self.open)

    def analyses(self) -> list[Analysis]:
        return list(self._analyses.values())

    def _others(self, files: Files) -> list[Analysis]:
        """The policy sets of the project, but for one, that are up to date."""
        return [
            analysis
            for other, analysis in self._analyses.items()
            if other != files and self._seen.get(other) == self._state(other)
        ]

    def _siblings(self, files: Files) -> list[Analysis]:
        """The policy sets that read the most of what a set reads."""
        own = set(self._reading(files).files)
        common = [
            (len(own & analysis.documents.keys()), analysis)
            for other, analysis in self._analyses.items()
            if other != files
        ]
        common.sort(key=lambda found: -found[0])
        return [analysis for number, analysis in common[:MAX_SIBLINGS] if number]

    def _state(self, files: Files) -> tuple[tuple[str, int, int], ...]:
        documents = (self.documents[file] for file in self._reading(files).files)
        return tuple((document.file, document.revision, id(document)) for document in documents)

    def files(self) -> list[str]:
        """Every file of the project and every open one."""
        named = {file for files in self.groups for file in files if self.is_editable(file)}
        return sorted({*self._headers, *self.open, *named})

    def module_names(self, user: str) -> list[str]:
        """Every module that a `use` in a file can name."""
        found = {*bundled(), *self._reading(self.set_of(user)).modules}
        for file in self.files():
            name = self._module_of(file)
            if name and name not in found and self.file_of_module(name, user) == file:
                found.add(name)
        return sorted(name for name in found if not name.startswith("<"))

    def modules_with(self, user: str, name: str) -> list[str]:
        """The modules that a file can use and that declare a type or a definition of a name, the bundled ones first."""
        found = []
        for module in self.module_names(user):
            file = self.file_of_module(module, user)
            document = self._document(file) if file is not None else None
            for part in document.parts if document is not None else ():
                match part.declaration:
                    case syntax.Enum(name=declared) | syntax.Entity(name=declared):
                        pass
                    case syntax.TypeAlias(name=declared) | syntax.Define(name=declared):
                        pass
                    case _:
                        continue
                if declared == name:
                    found.append(module)
        return found

    def document_of_module(self, name: str, user: str) -> Document | None:
        """The module that a file would use by this name, whether or not it does."""
        file = self.file_of_module(name, user)
        return self._document(file) if file is not None else None

    def is_editable(self, file: str) -> bool:
        """Whether a file is the user's to change: not one that is installed with the language."""
        return file not in bundled().values() or any(
            folder in Path(file).parents for folder in self.folders
        )

    def shown(self, span: Span) -> str:
        """A place as a person reads it: the file from the folder of the project on, the line, the column."""
        return f"{self.name_of(span.file)}:{span.line}:{span.column}"

    def name_of(self, file: str) -> str:
        """A file as a person calls it: from the folder of the project on."""
        path = Path(file)
        for folder in (*self.folders, _bundled_folder()):
            if folder in path.parents:
                return path.relative_to(folder).as_posix()
        return file

    def file_of_module(self, name: str, user: str) -> str | None:
        """The file of a module that a file uses or could use."""
        if name in bundled():
            return bundled()[name]
        files = self.set_of(user)
        read = self._reading(files).modules.get(name)
        if read is not None:
            return read
        found = self._files_named(name, self._roots(files))
        return next((file for file in found if self._module_of(file) == name), None)

    def _roots(self, files: Files) -> list[str]:
        """The folders where the modules of a policy set are looked for."""
        if files in self.groups:
            return self.groups[files]
        return [str(Path(file).parent) for file in files if os.path.isabs(file)]  # noqa: PTH117

    def _files_named(self, module: str, roots: Iterable[str]) -> Iterator[str]:
        """The files, open or on the disk, in which a loader looks for a module."""
        relative = Path(*module.split(".")).with_suffix(SUFFIX)
        for root in roots:
            for folder in (
                Path(root),
                *list(Path(os.path.realpath(root)).parents)[:_FOLDERS_ABOVE],
            ):
                file = os.path.realpath(folder / relative)
                if file in self.open or os.path.isfile(file):  # noqa: PTH113
                    yield file

    def _reading(self, files: Files) -> _Reading:
        """What a policy set reads, as the loader would."""
        known = self._readings.get(files)
        if known is not None:
            return known
        reading = _Reading([], {}, {})
        waiting: list[str] = []

        def add(file: str) -> None:
            document = self._document(file) if file not in reading.files else None
            if document is not None:
                reading.files.append(file)
                module, uses = document.header
                if document.is_readable and (module or f"<{file}>") not in reading.modules:
                    reading.modules[module or f"<{file}>"] = file
                    waiting.extend(uses)
                self._linked[file] = document.header

        for file in files:
            add(file)
        for name in waiting:
            if name in reading.modules:
                continue
            if name in bundled():
                add(bundled()[name])
                continue
            for file in self._files_named(name, self._roots(files)):
                add(file)
                if name not in reading.modules:
                    reading.misnamed[name] = file
        for name in reading.modules.keys() & reading.misnamed.keys():
            del reading.misnamed[name]
        self._readings[files] = reading
        return reading

    def _forget_readings(self) -> None:
        """A file came, went or says something else of modules."""
        self._readings = {}
        self._linked = {}
        grouped = {file for files in self.groups for file in files}
        kept = {*self.groups, *((file,) for file in self.documents if file not in grouped)}
        self._analyses = {files: one for files, one in self._analyses.items() if files in kept}
        self._seen = {files: state for files, state in self._seen.items() if files in kept}

    def _document(self, file: str) -> Document | None:
        document = self.documents.get(file)
        if document is None:
            document = _read(file)
            if document is not None:
                self.documents[file] = document
        return document

    def _module_of(self, file: str) -> str:
        document = self.documents.get(file)
        if document is not None:
            return document.header[0]
        if file not in self._headers:
            self._read_header(file)
        return self._headers.get(file, "")

    def _read_header(self, file: str) -> None:
        found = read_file(Path(file))
        if not isinstance(found, str):
            self._headers[file] = ""
            return
        module = _MODULE.search(found)
        self._headers[file] = module[1] if module is not None else ""


def is_policy(file: str) -> bool:
    """Whether a file may be a policy by its name; one that was never saved may have no suffix."""
    return Path(file).suffix in ("", SUFFIX)


def _is_skipped(folder: str) -> bool:
    return folder.startswith(".") or folder in _SKIPPED


def _policy_files(folder: Path) -> Iterator[str]:
    """The policy files of a folder, without hidden folders and what is built."""
    for number, (parent, folders, files) in enumerate(os.walk(folder)):
        if number >= MAX_FOLDERS:
            return
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        for name in sorted(files):
            if name.endswith(SUFFIX):
                yield os.path.realpath(Path(parent) / name)


def _every_policy_file(folder: Path) -> list[str]:
    """The policy files of a folder that is named, as the loader takes them."""
    found: list[Path] = []
    for number, (parent, _, files) in enumerate(os.walk(folder)):
        if number >= MAX_FOLDERS:
            break
        found += [Path(parent) / name for name in files if name.endswith(SUFFIX)]
    return [os.path.realpath(file) for file in sorted(found)]


def _read(file: str) -> Document | None:
    """A policy file on the disk; `None` where there is none."""
    if not file.endswith(SUFFIX) or not os.path.isfile(file):  # noqa: PTH113
        return None
    found = read_file(Path(file))
    return Document(file, found) if isinstance(found, str) else unreadable(file, found)
