"""The files of a project, open and on disk, and which of them make a policy set together.

Files belong together where one uses another, directly or through others, or where the settings name them together.
Bundled modules are read with every set that uses them.
"""

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..lang import syntax
from ..lang.limits import MAX_FILE_CHARACTERS
from ..lang.loader import SUFFIX
from ..lang.loader import bundled as find_bundled
from ..lang.source import Span
from .analysis import Analysis
from .documents import Document

MAX_FILES = 2_000
"""Files of a project that are read; beyond, only those that are open and what they use."""
MAX_FOLDERS = 10_000
"""Folders that are looked through, so that a whole disk can be opened as a project."""
_SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "target"})
_HEADER = re.compile(r"^[ \t]*(module|use)[ \t]+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.MULTILINE)


@cache
def bundled() -> dict[str, str]:
    """Name of each bundled module → where it is; what is installed does not change while the server runs."""
    folder = _bundled_folder()
    return {name: os.path.realpath(folder / path) for name, path in find_bundled().items()}


@cache
def _bundled_folder() -> Path:
    return Path(os.path.realpath(str(resources.files("interlock.stdlib_policies"))))


class Workspace:
    """Files by where they really are; one that is on no disk goes by its URI."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.groups: list[list[str]] = []
        """Files that the settings name together."""
        self.documents: dict[str, Document] = {}
        self.open: set[str] = set()
        self._uris: dict[str, str] = {}
        """The URI of each file as the client writes it."""
        self._headers: dict[str, tuple[str, list[str]]] = {}
        """The module and the uses of each file on disk that was not read in full."""
        self._analyses: dict[str, Analysis] = {}
        """By the first file of the policy set."""
        self._seen: dict[str, tuple[tuple[str, int, int], ...]] = {}
        """The documents that each analysis was brought up to date with."""
        self._linked: dict[str, tuple[str, list[str]]] = {}
        """What each document said of modules when the sets were made."""
        self._sets: dict[str, list[str]] | None = None

    # What the client says

    def file_of(self, uri: str) -> str:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return uri
        file = os.path.realpath(unquote(parts.path))
        self._uris.setdefault(file, uri)
        return file

    def uri_of(self, file: str) -> str:
        known = self._uris.get(file)
        if known is None:
            known = Path(file).as_uri() if os.path.isabs(file) else file  # noqa: PTH117
        return known

    def add_folder(self, uri: str) -> None:
        path = Path(self.file_of(uri))
        if path.is_dir() and path not in self.folders:
            self.folders.append(path)
            for file in _policy_files(path):
                if len(self._headers) >= MAX_FILES:
                    break
                self._read_header(file)
            self._sets = None

    def remove_folder(self, uri: str) -> None:
        path = Path(self.file_of(uri))
        self.folders = [folder for folder in self.folders if folder != path]
        for file in [file for file in self._headers if path in Path(file).parents]:
            del self._headers[file]
        self._sets = None

    def set_groups(self, groups: Iterable[Iterable[str]]) -> None:
        """Takes the paths, files or folders, that the settings name together."""
        self.groups = []
        for paths in groups:
            files: dict[str, None] = {}
            for path in paths:
                found = _policy_files(Path(path)) if os.path.isdir(path) else [path]  # noqa: PTH112
                files.update(dict.fromkeys(map(os.path.realpath, found)))
            self.groups.append(list(files))
        self._sets = None

    def open_file(self, uri: str, source: str, version: int | None) -> Document:
        file = self.file_of(uri)
        self._uris[file] = uri
        self.open.add(file)
        document = self.documents.get(file)
        if document is None:
            document = self.documents[file] = Document(file, source)
        document.set_source(source)
        document.version = version
        self._sets = None
        return document

    def close_file(self, uri: str) -> None:
        """What is on the disk counts again."""
        file = self.file_of(uri)
        self.open.discard(file)
        self.reload(file)

    def reload(self, file: str) -> None:
        """A file on the disk is new, changed or gone; one that is open is the editor's."""
        if file in self.open:
            return
        self._headers.pop(file, None)
        source = _read(file)
        document = self.documents.get(file)
        if source is None:
            self.documents.pop(file, None)
        else:
            if document is not None:
                document.set_source(source)
                document.version = None
            if any(folder in Path(file).parents for folder in self.folders):
                self._read_header(file)
        self._sets = None

    def changed(self, document: Document) -> None:
        """An open document was edited."""
        if self._linked.get(document.file) != document.header:
            self._sets = None

    # Policy sets

    def analysis(self, file: str) -> Analysis:
        """The analysis of the policy set that a file is in, brought up to date."""
        key = self._set_of(file)[0]
        analysis = self._analyses.setdefault(key, Analysis())
        documents = self._documents_of(file)
        state = tuple((document.file, document.revision, id(document)) for document in documents)
        if self._seen.get(key) != state:
            analysis.update(documents)
            self._seen[key] = state
        return analysis

    def sets(self) -> list[list[str]]:
        """The policy sets of the project: the files of each, without what is bundled."""
        return [files for files in self._all_sets().values() if files]

    def files(self) -> list[str]:
        """Every file of the project and every open one."""
        return sorted(
            {*self._headers, *self.open, *(one for group in self.groups for one in group)}
        )

    def module_names(self) -> list[str]:
        """Every module that a `use` can name."""
        named = [self._header(file)[0] for file in self.files()]
        return sorted({*bundled(), *(name for name in named if name)})

    def modules_with(self, name: str) -> list[str]:
        """The named modules that declare a type or a definition of a name, the bundled ones first."""
        found = []
        for module in self.module_names():
            file = self.file_of_module(module, "")
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
        path = Path(span.file)
        for folder in (*self.folders, _bundled_folder()):
            if folder in path.parents:
                return f"{path.relative_to(folder).as_posix()}:{span.line}:{span.column}"
        return str(span)

    def file_of_module(self, name: str, user: str) -> str | None:
        """The file of a module that a file uses."""
        if name in bundled():
            return bundled()[name]
        for group in self.groups:
            if user in group:
                for file in group:
                    if self._header(file)[0] == name:
                        return file
        if os.path.isabs(user):  # noqa: PTH117
            relative = Path(*name.split(".")).with_suffix(SUFFIX)
            for folder in list(Path(user).parents)[:4]:
                file = str(folder / relative)
                if file in self.documents or os.path.isfile(file):  # noqa: PTH113
                    file = os.path.realpath(file)
                    if self._header(file)[0] == name:
                        return file
        return next((file for file in self.files() if self._header(file)[0] == name), None)

    def _all_sets(self) -> dict[str, list[str]]:
        """The first file of each policy set → its files."""
        if self._sets is None:
            self._sets = {}
            files = self.files()
            above = {file: file for file in files}

            def root(file: str) -> str:
                while above[file] != file:
                    file = above[file]
                return file

            for group in self.groups:
                for file in group[1:]:
                    above[root(file)] = root(group[0])
            grouped = {file for group in self.groups for file in group}
            for file in files:
                for name in self._header(file)[1]:
                    other = self.file_of_module(name, file) if name not in bundled() else None
                    if other in above and file not in grouped and other not in grouped:
                        above[root(other)] = root(file)
            for file in files:
                self._sets.setdefault(root(file), []).append(file)
            self._linked = {document.file: document.header for document in self.documents.values()}
            kept = {found[0] for found in self._sets.values()} | (
                self.documents.keys() - set(files)
            )
            self._analyses = {key: one for key, one in self._analyses.items() if key in kept}
            self._seen = {key: state for key, state in self._seen.items() if key in kept}
        return self._sets

    def _set_of(self, file: str) -> list[str]:
        return next((files for files in self._all_sets().values() if file in files), [file])

    def _documents_of(self, file: str) -> list[Document]:
        """The documents of the policy set of a file, in the order in which a loader reads them."""
        found: dict[str, Document] = {}
        modules: set[str] = set()
        for one in self._set_of(file):
            document = self._document(one)
            if document is not None:
                found[one] = document
        waiting = list(found.values())
        modules = {document.header[0] for document in waiting}
        for document in waiting:
            for name in document.header[1]:
                if name in modules:
                    continue
                modules.add(name)
                other = self.file_of_module(name, document.file)
                read = self._document(other) if other is not None and other not in found else None
                if read is not None:
                    found[read.file] = read
                    waiting.append(read)
        return waiting

    def _document(self, file: str) -> Document | None:
        document = self.documents.get(file)
        if document is None:
            source = _read(file)
            if source is None:
                return None
            document = self.documents[file] = Document(file, source)
        return document

    def _header(self, file: str) -> tuple[str, list[str]]:
        document = self.documents.get(file)
        if document is not None:
            return document.header
        if file not in self._headers:
            self._read_header(file)
        return self._headers.get(file, ("", []))

    def _read_header(self, file: str) -> None:
        source = _read(file)
        if source is not None:
            found = [(match[1], match[2]) for match in _HEADER.finditer(source)]
            module = next((name for keyword, name in found if keyword == "module"), "")
            self._headers[file] = module, [name for keyword, name in found if keyword == "use"]


def _policy_files(folder: Path) -> Iterator[str]:
    """The policy files of a folder, without hidden folders and what is built."""
    for number, (parent, folders, files) in enumerate(os.walk(folder)):
        if number >= MAX_FOLDERS:
            return
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _SKIPPED
        )
        for name in sorted(files):
            if name.endswith(SUFFIX):
                yield os.path.realpath(Path(parent) / name)


def _read(file: str) -> str | None:
    """The text of a policy file; `None` where there is none to read."""
    try:
        path = Path(file)
        if not file.endswith(SUFFIX) or path.stat().st_size > 4 * MAX_FILE_CHARACTERS:
            return None
        return path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except (OSError, ValueError):
        return None
