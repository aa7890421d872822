"""`interlock prove`: the claims of policies, decided for every request, with a request for each that does not hold."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..analyzer.goals import Goal, goals_of
from ..analyzer.proof_store import ProofStore
from ..analyzer.prove import Engine, Proof, Verdict
from ..analyzer.run import DEFAULT_TIMEOUT, prove_all
from ..analyzer.worker import Done, run
from ..compiler.entities import NO_ENTITIES, Entities
from ..compiler.ir import PolicySet
from ..compiler.wire import MAX_DOCUMENT_BYTES, Misfit, decode, read_entities
from ..lang.checked import Checked
from ..lang.diagnostics import has_errors
from .common import Exit, load_policies, read_file, report, stop
from .proof_reports import FORMATS, Report, render

if TYPE_CHECKING:
    from ..analyzer.coverage import Coverage
    from ..analyzer.repair import Repair

EXIT_OF = {
    Verdict.PROVED: Exit.OK,
    Verdict.REFUTED: Exit.REFUTED,
    Verdict.UNKNOWN: Exit.UNDECIDED,
    Verdict.VACUOUS: Exit.UNDECIDED,
}


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--claim", "claims", multiple=True, metavar="NAME", help="Only this claim. May repeat."
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How to print.",
)
@click.option(
    "--also",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write this format to a file as well. May repeat.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.01),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    metavar="S",
    help="Seconds for each claim; reaching them leaves it undecided.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="one for each processor",
    metavar="N",
    help="How many claims are proved at once.",
)
@click.option(
    "--engine",
    type=click.Choice([engine.value for engine in Engine]),
    default=Engine.AUTO.value,
    show_default=True,
    help="The solver: by default CaDiCaL where everything is Boolean, else Z3.",
)
@click.option(
    "--cross-check", is_flag=True, help="Ask cvc5 as well; verdicts that differ are undecided."
)
@click.option(
    "--coverage", "with_coverage", is_flag=True, help="Name the guards that no claim protects."
)
@click.option(
    "--repair",
    "with_repairs",
    is_flag=True,
    help="Suggest the smallest edits after which a refuted claim holds.",
)
@click.option(
    "--proofs",
    metavar="DIR",
    show_default="the nearest .interlock/proofs, if there is one",
    help="Keep certificates there: an unchanged claim is checked against its own, not solved again.",
)
@click.option(
    "--inventory",
    metavar="FILE",
    help="Entities as JSON: what they say about entities that the policies name is given; all others stay open.",
)
@click.option(
    "--save-tests",
    metavar="DIR",
    help="Write each counterexample as a test, which passes today and pins what is wrong.",
)
def command(
    paths: tuple[str, ...],
    claims: tuple[str, ...],
    format: str,
    also: tuple[str, ...],
    timeout: float,
    jobs: int,
    engine: str,
    cross_check: bool,
    with_coverage: bool,
    with_repairs: bool,
    proofs: str | None,
    inventory: str | None,
    save_tests: str | None,
) -> None:
    """Prove the claims of policies.

    PATHS are policy files, folders of them, or bundled packs. Each `prove` is decided for every request that the
    schema admits. Exit codes: 0 all proved, 5 some refuted, 6 some undecided or vacuous.
    """
    if not any(find_spec(module) for module in ("pysat", "z3")):
        stop(Exit.USAGE, "no solver is installed: pip install 'interlock[prove]'")
    checked, policies = load_policies(paths)
    goals, problems = goals_of(checked, claims)
    report(problems)
    if has_errors(problems):
        raise SystemExit(int(Exit.INVALID))
    unknown = set(claims) - {goal.name for goal in goals}
    if unknown:
        stop(Exit.USAGE, f"there is no claim `{min(unknown)}`")
    outputs = _outputs(also)
    known = _entities(policies, inventory) if inventory is not None else NO_ENTITIES
    store = ProofStore(Path(proofs)) if proofs is not None else _nearest_store()
    try:
        found = _prove(checked, policies, goals, timeout, jobs, Engine(engine), store, known)
    except OSError as error:
        stop(Exit.USAGE, f"{proofs}: cannot be written: {error.strerror}")
    if cross_check:
        second = _prove(checked, policies, goals, timeout, jobs, Engine.CVC5, None, known)
        found = [_agreed(one, other) for one, other in zip(found, second, strict=True)]
    unprotected = _coverage(policies, found, timeout, known) if with_coverage else None
    suggested = _repairs(checked, policies, found, timeout, jobs, known) if with_repairs else {}
    verdicts = Report(checked, policies, tuple(found), unprotected, suggested)
    for name, file in outputs.items():
        _write(Path(file), render(name, verdicts))
    click.echo(render(format, verdicts))
    if save_tests is not None:
        _save(checked, found, Path(save_tests))
    code = exit_for(found)
    is_covered = unprotected is not None and not unprotected.undecided
    if with_coverage and not is_covered and code is Exit.OK:
        code = Exit.UNDECIDED
    raise SystemExit(int(code))


def exit_for(proofs: list[Proof]) -> Exit:
    """Refuted comes before undecided; without claims nothing is wrong."""
    codes = {EXIT_OF[proof.verdict] for proof in proofs}
    return next((code for code in (Exit.REFUTED, Exit.UNDECIDED) if code in codes), Exit.OK)


def _outputs(also: tuple[str, ...]) -> dict[str, str]:
    """The files to write by format."""
    found = {}
    for item in also:
        name, _, file = item.partition("=")
        if name not in FORMATS or not file:
            stop(Exit.USAGE, f"`--also {item}` is not `FORMAT=FILE`, FORMAT {', '.join(FORMATS)}")
        found[name] = file
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        stop(Exit.USAGE, f"{path}: cannot be written: {error.strerror}")


def _nearest_store() -> ProofStore | None:
    """The store of the nearest folder that has one, from here upwards."""
    here = Path.cwd()
    for place in (here, *here.parents):
        folder = place / ".interlock" / "proofs"
        if folder.is_dir():
            return ProofStore(folder, is_optional=True)
    return None


def _prove(
    checked: Checked,
    policies: PolicySet,
    goals: list[Goal],
    timeout: float,
    jobs: int,
    engine: Engine,
    store: ProofStore | None,
    inventory: Entities,
) -> list[Proof]:
    proofs = prove_all(
        checked,
        policies,
        goals,
        timeout=timeout,
        jobs=jobs,
        engine=engine,
        store=store,
        inventory=inventory,
    )
    by_name = {proof.goal.name: proof for proof in proofs}
    return [by_name[goal.name] for goal in goals]


# What only some runs ask for is loaded when it is asked for.


def _coverage(
    policies: PolicySet, proofs: list[Proof], timeout: float, inventory: Entities
) -> "Coverage | None":
    """What no claim protects, or nothing where that takes longer than all claims may."""
    from ..analyzer.coverage import coverage

    def work(_: None) -> "Coverage":
        return coverage(policies, proofs, inventory=inventory)

    ((_, answer),) = run([None], work, timeout=timeout * max(1, len(proofs)), jobs=1)
    if isinstance(answer, Done):
        return answer.value
    click.echo(f"error: what no claim protects is not decided: {answer.why}", err=True)
    return None


def _repairs(
    checked: Checked,
    policies: PolicySet,
    proofs: list[Proof],
    timeout: float,
    jobs: int,
    inventory: Entities,
) -> dict[str, tuple["Repair", ...]]:
    """Edits for each refuted claim, as long as they take no longer to find than all claims may to be proved."""
    from ..analyzer.repair import repairs

    def work(proof: Proof) -> tuple["Repair", ...]:
        return tuple(repairs(checked, policies, proof, proofs, inventory=inventory))

    refuted = [proof for proof in proofs if proof.counterexample is not None]
    found = {}
    for position, answer in run(refuted, work, timeout=timeout * len(proofs), jobs=jobs):
        name = refuted[position].goal.name
        if isinstance(answer, Done):
            found[name] = answer.value
        else:
            click.echo(f"warning: no repair of `{name}` was found: {answer.why}", err=True)
    return found


def _entities(policies: PolicySet, file: str) -> Entities:
    try:
        found = read_entities(policies.schema, decode(read_file(file, MAX_DOCUMENT_BYTES)))
    except Misfit as misfit:
        stop(Exit.INVALID, f"{file}: {misfit}")
    if found.invalid:
        entity, why = next(iter(found.invalid.items()))
        stop(Exit.INVALID, f"{file}: {entity}: {why}")
    return found


def _agreed(one: Proof, other: Proof) -> Proof:
    if one.verdict is other.verdict:
        return one
    why = f"the solvers differ: {one.verdict} and, by cvc5, {other.verdict}"
    return Proof(one.goal, Verdict.UNKNOWN, why=f"{why} {other.why}".strip())


def _save(checked: Checked, proofs: list[Proof], folder: Path) -> None:
    """Writes the tests that can be; one that could name no type is an error that says what to mend."""
    from ..analyzer.telling import homeless_type, test_source

    refuted = [proof for proof in proofs if proof.counterexample is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for proof in refuted:
            homeless = homeless_type(checked, proof)
            if homeless is not None:
                type, file = homeless
                problem = (
                    f"{file} has no `module` line, so that no saved test can name its `{type}`"
                )
                stop(Exit.USAGE, f"{problem}: begin it with one, such as `module policies`")
            path = folder / f"counterexample_to_{proof.goal.name}.ilk"
            path.write_text(test_source(checked, proof), encoding="utf-8")
            click.echo(f"saved {path}", err=True)
    except OSError as error:
        stop(Exit.USAGE, f"{folder}: cannot be written: {error.strerror}")
