"""`interlock diff`: every way in which decisions change between two policy sets, with a smallest request for each."""

import os
from contextlib import chdir
from dataclasses import dataclass

import click

from ..analyzer.claims import never_permitted
from ..analyzer.diff import Difference, compare
from ..analyzer.goals import Goal
from ..analyzer.prove import Counterexample, Engine, Verdict, prove_goal
from ..analyzer.vocabulary import vocabulary_of
from ..analyzer.witness import Vocabulary
from ..analyzer.worker import Done, run
from ..compiler import ir
from ..lang.checked import Checked
from ..lang.diagnostics import Code, has_errors
from ..lang.loader import bundled
from ..lang.schema import Environment
from ..lang.source import NOWHERE
from ..lang.syntax import Effect
from .common import Exit, compile_paths, exit_for, report, stop
from .diff_reports import REPORTS, Changes, Side
from .revisions import Revision, checked_out, inside_repository, merge_base, revision_named


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="OLD NEW | REV..REV PATHS… | REV PATHS…")
@click.option(
    "--fail-on",
    type=click.Choice(["gained", "changed", "never"]),
    default="gained",
    show_default=True,
    help="What to answer with exit code 5; with `never` it is 0 for every comparison.",
)
@click.option(
    "--format",
    type=click.Choice(list(REPORTS)),
    default="text",
    show_default=True,
    help="How to print.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.01),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Seconds for the comparison; reaching them leaves it undecided.",
)
@click.option(
    "--engine",
    type=click.Choice([engine.value for engine in Engine]),
    default=Engine.AUTO.value,
    show_default=True,
    help="The solver: by default CaDiCaL where everything is Boolean, else Z3.",
)
def command(what: tuple[str, ...], fail_on: str, format: str, timeout: float, engine: str) -> None:
    """Compare what two policy sets decide, for every request.

    OLD and NEW are policy files, folders or bundled packs. REV..REV compares PATHS in two git revisions, REV...REV in
    the second and where it left the first, REV alone in that revision and in the working tree. Exit codes: 0 no more
    is permitted or held than before, 5 more is, 6 not decided.
    """
    before, after = _sides(what)
    changes = _compare(before, after, timeout, Engine(engine))
    click.echo(REPORTS[format](changes))
    raise SystemExit(int(_exit_for(changes, fail_on)))


def _exit_for(changes: Changes, fail_on: str) -> Exit:
    is_found = {"gained": changes.is_gained, "changed": changes.is_changed, "never": False}
    if is_found[fail_on]:
        return Exit.REFUTED
    return Exit.UNDECIDED if changes.doubts and fail_on != "never" else Exit.OK


# What to compare


def _sides(what: tuple[str, ...]) -> tuple[Side, Side]:
    first, *paths = what
    if _is_policy(first) and len(paths) == 1:
        return _side(first, [first]), _side(paths[0], paths)
    if _is_policy(first):
        stop(Exit.USAGE, f"`{first}` is a path: give one more to compare with, or a revision first")
    if not paths:
        stop(Exit.USAGE, "give two policy sets, or a revision and the paths to compare")
    old, new = _revisions(first)
    before, missing = _at(old, paths)
    after, also = (_working_tree(paths)) if new is None else _at(new, paths)
    for path in paths:
        if path in missing and path in also:
            stop(Exit.USAGE, f"neither {before.name} nor {after.name} has policies in `{path}`")
    return before, after


def _revisions(text: str) -> tuple[Revision, Revision | None]:
    """The revisions to compare; one alone is compared with the working tree."""
    if "..." in text:
        left, right = map(_revision, text.split("...", 1))
        return merge_base(left, right), right
    if ".." in text:
        left, right = map(_revision, text.split("..", 1))
        return left, right
    return revision_named(text), None


def _is_policy(path: str) -> bool:
    # The questions of `os.path` never raise, whatever the path.
    return os.path.exists(path) or path in bundled()  # noqa: PTH110


def _revision(name: str) -> Revision:
    return revision_named(name or "HEAD")


def _at(revision: Revision, paths: list[str]) -> tuple[Side, set[str]]:
    """The policies of paths as a revision has them, and the paths that it does not have."""
    with checked_out(revision) as folder:
        inside = {path: inside_repository(path) for path in paths}
        there = {path: str(item) for path, item in inside.items() if (folder / item).exists()}
        found = [there.get(path, path) for path in paths if path in there or path in bundled()]
        with chdir(folder):
            return _side(str(revision), found), set(paths) - there.keys() - bundled().keys()


def _working_tree(paths: list[str]) -> tuple[Side, set[str]]:
    found = [path for path in paths if _is_policy(path)]
    return _side("working tree", found), set(paths) - set(found)


def _side(name: str, paths: list[str]) -> Side:
    checked, policies, problems = compile_paths(paths)
    if not paths:
        # Where there is nothing yet, everything is denied; else that is a mistake.
        problems = [problem for problem in problems if problem.code is not Code.NO_RULES]
    if has_errors(problems):
        click.echo(f"in {name}:", err=True)
        report(problems)
        raise SystemExit(int(exit_for(problems)))
    return Side(name, checked, policies)


# The comparison


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the worker found: the difference, and what is permitted of kinds of request that were not there before."""

    difference: Difference
    verdict: Verdict
    example: Counterexample | None
    why: str


def _compare(before: Side, after: Side, timeout: float, engine: Engine) -> Changes:
    vocabulary = _both(before.checked, after.checked)

    def work(_: None) -> _Answer:
        difference = compare(before.policies, after.policies, vocabulary, engine)
        if not difference.only_after:
            return _Answer(difference, Verdict.PROVED, None, "")
        goal = _nothing_permitted(difference.only_after)
        proof = prove_goal(after.policies, goal, vocabulary, engine)
        return _Answer(difference, proof.verdict, proof.counterexample, proof.why)

    ((_, answer),) = run([None], work, timeout=timeout, jobs=1)
    if not isinstance(answer, Done):
        nothing = Difference((), 0, (), (), (answer.why,))
        return Changes(before, after, nothing, None, (answer.why,))
    found = answer.value
    doubts = found.difference.doubts
    if found.verdict is Verdict.UNKNOWN:
        doubts = (*doubts, f"the new kinds of request: {found.why}")
    return Changes(before, after, found.difference, found.example, doubts)


def _both(before: Checked, after: Checked) -> Vocabulary:
    """The names that the tests of either side use, those of the new one first."""
    new, old = vocabulary_of(after), vocabulary_of(before)
    return Vocabulary(
        {**old.ids, **new.ids}, {**old.texts, **new.texts}, (*new.instants, *old.instants)
    )


def _nothing_permitted(environments: tuple[Environment, ...]) -> Goal:
    """The claim that no request of these kinds is permitted."""
    scope = ir.Scope(
        ir.VariableScope(frozenset(item.principal for item in environments)),
        frozenset(item.action for item in environments),
        ir.VariableScope(frozenset(item.resource for item in environments)),
    )
    claim = ir.Rule("new_kinds_of_request", Effect.FORBID, scope, ir.TRUE, span=NOWHERE)
    return Goal(claim.id, claim, never_permitted, "", environments, NOWHERE)
