"""What every format prints: the proofs of one policy set, and what no claim protects if that was asked."""

from dataclasses import dataclass

from ...analyzer.coverage import Coverage
from ...analyzer.prove import Proof
from ...compiler.ir import PolicySet
from ...lang.checker import Checked


@dataclass(frozen=True, slots=True)
class Report:
    checked: Checked
    policies: PolicySet
    proofs: tuple[Proof, ...]
    coverage: Coverage | None = None
