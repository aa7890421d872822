"""All claims of a policy set, each in a process of its own with limits; what `interlock prove` and the editor show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..compiler import ir
from ..compiler.entities import NO_ENTITIES, Entities
from ..lang.checked import Checked
from .goals import Goal
from .proof_store import ProofStore, name_of_proof
from .prove import Because, Counterexample, Engine, Proof, Verdict, prove_goal
from .vocabulary import vocabulary_of
from .why import explain
from .worker import Done, run

DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """A proof without its goal, as it travels between processes."""

    verdict: Verdict
    counterexample: Counterexample | None
    because: tuple[Because, ...]
    why: str
    certificates: tuple[str | None, ...]
    request: str


def prove_all(
    checked: Checked,
    policies: ir.PolicySet,
    goals: Sequence[Goal],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    jobs: int = 1,
    engine: Engine = Engine.AUTO,
    store: ProofStore | None = None,
    inventory: Entities = NO_ENTITIES,
) -> Iterator[Proof]:
    """The proofs as they are done, in no order. `timeout` is in seconds for each claim.

    What `inventory` says about entities that the policies name is taken as given; the others are open.
    With a store, what it holds is checked instead of solved, and what is proved is kept in it; raises `OSError` where
    that cannot be written.
    """
    vocabulary = vocabulary_of(checked, inventory)

    def work(goal: Goal) -> _Answer:
        proof = prove_goal(policies, goal, vocabulary, engine, store, inventory)
        proof = explain(policies, proof, engine, inventory, store)
        found = (proof.verdict, proof.counterexample, proof.because, proof.why)
        return _Answer(*found, proof.certificates, proof.request)

    for position, answer in run(goals, work, timeout=timeout, jobs=jobs):
        goal = goals[position]
        if isinstance(answer, Done):
            found = answer.value
            proof = Proof(goal, found.verdict, found.counterexample, found.because, found.why)
            proof = replace(proof, certificates=found.certificates, request=found.request)
            if store is not None:
                keep(policies, proof, store)
            yield proof
        else:
            yield Proof(goal, Verdict.UNKNOWN, why=answer.why)


def keep(policies: ir.PolicySet, proof: Proof, store: ProofStore) -> None:
    """Keeps what a proof can be checked by, and what is told of it; raises `OSError` where it cannot be written."""
    for group, certificate in enumerate(proof.certificates):
        if certificate is not None:
            store.write(proof.goal.name, group, certificate)
    name = name_of_proof(policies, proof.goal, proof.certificates)
    if name:
        because = [(item.rule, item.path) for item in proof.because]
        store.write_told(proof.goal.name, name, proof.request, because)
