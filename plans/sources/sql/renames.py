"""Names that a script has taken from things, so that whatever takes one later stands in another's place."""

from dataclasses import dataclass, field, replace

from ...model import Effect, Reversibility, Selector
from .changes import Finding


@dataclass(slots=True)
class Renames:
    _now: dict[str, str] = field(default_factory=dict)
    """By the name that something had: the name it has."""

    def rename(self, old: str, new: str) -> bool:
        """Notes a new name; whether it was that of something else before."""
        if self._now.get(new) == old:
            # It has its own name again.
            del self._now[new]
            return False
        for name, now in self._now.items():
            if now == old:
                self._now[name] = new
        taken = new in self._now
        self._now[old] = new
        return taken

    def is_free(self, name: str) -> bool:
        """Whether what had the name has another now."""
        return name in self._now


def in_its_place(finding: Finding) -> Finding:
    """What takes the name of something else: whoever reads or writes under it no longer reaches what was there."""
    return replace(
        finding,
        effect=Effect.DELETE_DATA,
        selector=Selector.ALL,
        reversibility=Reversibility.REVERSIBLE,
        summary=f"{finding.summary}, in the place of what had the name",
    )
