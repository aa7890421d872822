"""What every format prints: the proofs of one policy set, and what no claim protects if that was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...analyzer.prove import Proof
from ...compiler.ir import PolicySet
from ...lang.checked import Checked

if TYPE_CHECKING:
    from ...analyzer.coverage import Coverage
    from ...analyzer.repair import Repair


@dataclass(frozen=True, slots=True)
class Report:
    checked: Checked
    policies: PolicySet
    proofs: tuple[Proof, ...]
    coverage: "Coverage | None" = None
    repairs: Mapping[str, tuple["Repair", ...]] = field(default_factory=dict)
    """By claim: edits after which it holds, best first."""
