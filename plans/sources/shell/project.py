"""The project's own tests, builds and checks: harmless as far as the project is, unless the line repoints them."""

import re
from collections.abc import Sequence

from ...taxonomy.shell import Place, Taxonomy
from .files import place_of, resolve
from .state import State
from .variables import repointing
from .words import Field


def repointed(taxonomy: Taxonomy, state: State, operands: Sequence[Field]) -> str | None:
    """Why a command of the project may do something else than the project says; `None` where nothing shows that."""
    if state.repointed is not None:
        return state.repointed
    if state.directory is None:
        return "the directory it runs in is not known"
    if _is_foreign(taxonomy, state.directory, "."):
        return f"it runs in `{state.directory[:100]}`, which is not the project"
    for one in operands:
        name, equals, value = one.text.partition("=")
        if equals and not name.startswith("-") and (reason := repointing(name, value)):
            return reason
        # `./...` is what Go calls everything below.
        path = (value if equals else one.text).removesuffix("...")
        if attached := re.match(r"-\w([/~.].*)", path):
            path = attached[1]
        is_elsewhere = _is_foreign(taxonomy, path, state.directory) or _is_of_service(path, state)
        if "://" in path or path.startswith("git@") or is_elsewhere:
            return f"`{path[:100]}` is not in the project"
    return None


def written_file(path: str) -> str | None:
    """Why the project is not what was reviewed once a script wrote a file."""
    if _RESULTS.search(path):
        return None
    return f"this script writes `{path[:100]}`, which it may run"


_SERVICES = re.compile(
    r"/(srv|opt|mnt|media|var|backups?)(/(?!folders/|homebrew/)|$)|(/home|/Users)/[^/]+$|/root$"
)
"""What runs on the machine has its files there; a home itself is no project either."""


def _is_of_service(path: str, state: State) -> bool:
    """Whether a path leads to what runs on the machine, from outside of it."""
    is_inside = state.directory is not None and path.startswith(f"{state.directory}/")
    return not is_inside and _SERVICES.match(path) is not None


_NOBODY_S = frozenset({"/", "~", "/tmp", "/var/tmp", "/private/tmp", "/dev/shm"})  # noqa: S108
_RESULTS = re.compile(
    r"^/(tmp|var/tmp|dev)/|(^|/)[\w.-]*tfplan$|\.(log|md|out|html|csv|tap|lcov|pid)$|(^|/)(?!requirements|constraints|CMakeLists)[^/]*\.txt$"
    r"|(^|/)(junit|report|reports|results|coverage|test-results)[^/]*\.(xml|json)$"
)


def _is_foreign(taxonomy: Taxonomy, path: str, directory: str) -> bool:
    """Whether a path leads out of the project: upwards, to what is temporary, or into the system."""
    full = resolve(path, directory)
    if full is None or full == ".":
        return full is None
    if full.startswith("..") or full in _NOBODY_S:
        return True
    if not full.startswith(("/", "~")):
        return False
    place = place_of(taxonomy, full, is_pattern=False)
    return place in (Place.SCRATCH, Place.SYSTEM, Place.DEVICE, Place.DATA, Place.RECOVERY)
