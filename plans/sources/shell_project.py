"""The project's own tests, builds and checks: harmless as far as the project is, unless the line repoints them."""

import re
from collections.abc import Sequence

from ..taxonomy.shell import Place, Taxonomy
from .shell_files import place_of, resolve
from .shell_state import State
from .shell_words import Field
from .sql_changes import words


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
        if equals and not name.startswith("-") and (reason := changed_variable(name, value)):
            return reason
        # `./...` is what Go calls everything below.
        path = (value if equals else one.text).removesuffix("...")
        if "://" in path or path.startswith("git@") or _is_foreign(taxonomy, path, state.directory):
            return f"`{path[:100]}` is not in the project"
    return None


def changed_variable(name: str, value: str) -> str | None:
    """Why the tests of a project may reach something else once a variable has this value."""
    if name in _HARMLESS or value.lower() in _HARMLESS_VALUES or not _REPOINTING.search(name):
        return None
    return f"`{name}` may say what the project's commands act on"


def written_file(path: str) -> str | None:
    """Why the project is not what was reviewed once a script wrote a file."""
    if _RESULTS.search(path):
        return None
    return f"this script writes `{path[:100]}`, which it may run"


_HARMLESS = words("CI NODE_ENV PORT TOKENIZERS_PARALLELISM GIT_PAGER PAGER")
_HARMLESS_VALUES = words("test testing true false 0 1 yes no ci local localhost 127.0.0.1")
_REPOINTING = re.compile(
    r"^[A-Z0-9_]*(URL|URI|DSN|HOST|DATABASE|DB|PG|MYSQL|REDIS|MONGO|AWS|GOOGLE|AZURE|KUBE|ENV|PROFILE|SECRET|TOKEN|KEY"
    r"|PASSWORD|OPTS|OPTIONS|FLAGS|PATH|CONFIG|CONTEXT|SETTINGS|SHELL|REGISTRY|INDEX|PROXY|STAGE|WRAPPER|COMPILER"
    r"|LINKER|RUNNER|PLUGIN|MAKEFILES|COMMAND|CMD|EXEC)[A-Z0-9_]*$|^(CC|CXX|LD|AR|AS|CPP)$"
)
_RESULTS = re.compile(r"^/(tmp|var/tmp|dev)/|\.(txt|log|md|out|xml|html|csv|tap|lcov|pid)$")


def _is_foreign(taxonomy: Taxonomy, path: str, directory: str) -> bool:
    """Whether a path leads out of the project: upwards, to what is temporary, or into the system."""
    full = resolve(path, directory)
    if full is None or full == ".":
        return full is None
    if full.startswith("..") or full in ("/", "~"):
        return True
    place = place_of(taxonomy, full, is_pattern=False)
    is_outside = full.startswith(("/", "~"))
    return is_outside and place in (Place.SCRATCH, Place.SYSTEM, Place.DEVICE, Place.DATA)
