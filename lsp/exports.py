"""What the modules of a project declare for others, also those that a policy set does not read yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..lang import syntax
from .documents import Document
from .symbols import Kind, declared
from .view import View

_IMPORTED = frozenset({Kind.ENUM, Kind.ENTITY, Kind.ALIAS, Kind.DEFINE})


@dataclass(frozen=True, slots=True)
class Export:
    """A type, a definition, an action or a group of a module."""

    module: str
    kind: Kind
    name: str
    declaration: syntax.Declaration

    @property
    def use(self) -> str:
        """The line that brings it into sight; actions come with their module."""
        return f"use {self.module} ({self.name})" if self.is_imported else f"use {self.module}"

    @property
    def is_imported(self) -> bool:
        """Whether a `use` names it."""
        return self.kind in _IMPORTED


def exports(view: View, module: str) -> list[Export]:
    """What a module declares, in its order."""
    document = view.module(module)
    return list(_declared(module, document)) if document is not None else []


def unread(view: View) -> Iterator[Export]:
    """What the modules declare that the policy set does not read."""
    for module in view.modules():
        if module not in view.analysis.names.modules:
            yield from exports(view, module)


def _declared(module: str, document: Document) -> Iterator[Export]:
    for part in document.parts:
        for symbol, _ in declared(part.declaration, module):
            if symbol.kind in _IMPORTED or symbol.kind in (Kind.ACTION, Kind.GROUP):
                yield Export(module, symbol.kind, symbol.name, part.declaration)
