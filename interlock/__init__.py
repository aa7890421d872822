"""Interlock: policy as code that stops automation from destroying production."""

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .policies import Decision, Entities, Explanation, Policies, PolicyError, load

_API = ("Decision", "Entities", "Explanation", "Policies", "PolicyError", "load")
__all__ = ["Decision", "Entities", "Explanation", "Policies", "PolicyError", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that importing the package stays light.
    if name in _API:
        from . import policies

        return getattr(policies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
