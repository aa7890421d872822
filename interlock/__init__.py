"""Interlock: policy as code that stops automation from destroying production."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .policies import Decision, Entities, Explanation, Policies, PolicyError, load

__all__ = ["Decision", "Entities", "Explanation", "Policies", "PolicyError", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that importing the package stays light.
    if name in __all__:
        from . import policies

        return getattr(policies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
