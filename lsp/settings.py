"""What a user sets in the editor, read from whatever a client sends; what cannot be read keeps its default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECTION = "interlock"


@dataclass(frozen=True, slots=True)
class Settings:
    policies: tuple[tuple[str, ...], ...] = ()
    """Paths that make a policy set together; several sets are lists of lists."""
    workspace_diagnostics: bool = True
    """Whether files that are not open are checked too."""
    inlay_hints: bool = True
    code_lenses: bool = True
    prove_on_change: bool = True
    """Whether claims are proved while typing, or only when asked."""
    proof_seconds: float = 10.0
    """How long one claim may take."""


def read_settings(value: Any) -> Settings:
    """Settings from the section `interlock`, or from an object that has it."""
    if isinstance(value, Mapping) and isinstance(value.get(SECTION), Mapping):
        value = value[SECTION]
    if not isinstance(value, Mapping):
        return Settings()
    default = Settings()

    def flag(name: str, otherwise: bool) -> bool:
        found = value.get(name)
        return found if isinstance(found, bool) else otherwise

    seconds = value.get("proofSeconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        seconds = default.proof_seconds
    return Settings(
        _paths(value.get("policies")),
        flag("workspaceDiagnostics", default.workspace_diagnostics),
        flag("inlayHints", default.inlay_hints),
        flag("codeLenses", default.code_lenses),
        flag("proveOnChange", default.prove_on_change),
        min(max(0.1, float(seconds)), 600.0),
    )


def _paths(value: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list):
        return ()
    if all(isinstance(item, str) for item in value):
        return (tuple(value),) if value else ()
    return tuple(
        tuple(path for path in item if isinstance(path, str))
        for item in value
        if isinstance(item, list)
    )
