"""Shell lines and scripts: every command they reach is a change, and what cannot be followed says so."""

import hashlib

from ...model import Artifact, Effect, Problem, Reading, Risk, numbered
from ...taxonomy.shell import Taxonomy, shipped
from .. import MAX_ARTIFACT_BYTES, Options
from .commands import hooks
from .reached import Budget
from .report import ACTION_NAMES, change
from .state import State
from .syntax import Lines, Origin
from .walk import Walker

__all__ = ["ACTION_NAMES", "MAX_SCRIPT_BYTES", "read"]

MAX_SCRIPT_BYTES = min(MAX_ARTIFACT_BYTES, 4 * 1024 * 1024)


def read(file: str, text: str, options: Options) -> Reading:
    """The changes of a line or a script for `bash` or `sh`."""
    taxonomy = options.taxonomies.get("shell")
    if not isinstance(taxonomy, Taxonomy):
        taxonomy = shipped()
    encoded = text.encode("utf-8", "surrogatepass")
    artifact = Artifact(kind="shell", file=file, sha256=hashlib.sha256(encoded).hexdigest())
    if len(encoded) > MAX_SCRIPT_BYTES:
        problem = Problem(message=f"the script is larger than {MAX_SCRIPT_BYTES} bytes", file=file)
        return Reading(artifact=artifact, changes=(), problems=(problem,))
    budget = Budget()
    origin = Origin(Lines(file, text.encode("utf-8", "replace")))
    Walker(hooks(taxonomy), origin, budget, State()).run_text(text)
    problems: tuple[Problem, ...] = ()
    if budget.exceeded is not None:
        problems = (Problem(message=budget.exceeded, file=file),)
    if not budget.changes and text.strip():
        # Comments, assignments and definitions alone change nothing.
        budget.changes.append(
            change(
                origin, 0, text, effect=Effect.READ, operation="shell", why="it runs no command",
                criticality=Risk.LOW,
            )
        )  # fmt: skip
    return Reading(artifact=artifact, changes=numbered(budget.changes), problems=problems)
