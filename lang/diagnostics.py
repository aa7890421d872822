"""What can be said about policy text: every code with its severity and title, and the diagnostic that carries it."""

from dataclasses import dataclass, field
from enum import StrEnum

from .source import Span
from .spelling import did_you_mean

__all__ = ["did_you_mean"]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """A stable name for each kind of problem; `docs/diagnostics/<code>.md` explains it."""

    # Files and modules.
    FILE_NOT_FOUND = "file-not-found"
    NOT_TEXT = "not-text"
    FILE_TOO_LARGE = "file-too-large"
    NO_RULES = "no-rules"
    UNKNOWN_MODULE = "unknown-module"
    CYCLIC_IMPORT = "cyclic-import"
    UNUSED_IMPORT = "unused-import"
    # Text.
    SYNTAX_ERROR = "syntax-error"
    HIDDEN_CHARACTER = "hidden-character"
    NESTING_TOO_DEEP = "nesting-too-deep"
    STRING_TOO_LONG = "string-too-long"
    SET_TOO_LARGE = "set-too-large"
    NUMBER_TOO_LONG = "number-too-long"
    BAD_LITERAL = "bad-literal"
    MISSING_CLAUSE = "missing-clause"
    REPEATED_CLAUSE = "repeated-clause"
    MISPLACED_CLAUSE = "misplaced-clause"
    # Names.
    DUPLICATE_NAME = "duplicate-name"
    UNKNOWN_NAME = "unknown-name"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_ACTION = "unknown-action"
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    UNKNOWN_FUNCTION = "unknown-function"
    UNKNOWN_MEMBER = "unknown-member"
    UNKNOWN_RULE = "unknown-rule"
    AMBIGUOUS_NAME = "ambiguous-name"
    CYCLIC_DEFINITION = "cyclic-definition"
    # Types.
    TYPE_MISMATCH = "type-mismatch"
    UNGUARDED_OPTIONAL = "unguarded-optional"
    USELESS_GUARD = "useless-guard"
    UNORDERED_TYPE = "unordered-type"
    UNKNOWN_ELEMENT_TYPE = "unknown-element-type"
    WRONG_ARGUMENTS = "wrong-arguments"
    ABSTRACT_ENTITY = "abstract-entity"
    IMPOSSIBLE_PARENT = "impossible-parent"
    EXPANSION_TOO_LARGE = "expansion-too-large"
    # Rules.
    NEVER_APPLIES = "never-applies"
    IMPOSSIBLE_SCOPE = "impossible-scope"
    # What only a proof can say.
    SHADOWED_RULE = "shadowed-rule"
    OVERRIDDEN_PERMIT = "overridden-permit"
    UNSATISFIABLE_NEED = "unsatisfiable-need"
    VACUOUS_CLAIM = "vacuous-claim"
    NOT_DECIDED = "not-decided"

    @property
    def severity(self) -> Severity:
        return Severity.WARNING if self in _WARNINGS else Severity.ERROR


_WARNINGS = frozenset(
    {
        Code.UNUSED_IMPORT,
        Code.USELESS_GUARD,
        Code.NEVER_APPLIES,
        Code.IMPOSSIBLE_SCOPE,
        Code.SHADOWED_RULE,
        Code.OVERRIDDEN_PERMIT,
        Code.UNSATISFIABLE_NEED,
        Code.VACUOUS_CLAIM,
        Code.NOT_DECIDED,
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    """A place that helps to understand a diagnostic."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a code, a sentence, the place, and what would mend it."""

    code: Code
    message: str
    span: Span
    help: str | None = None
    notes: tuple[Note, ...] = field(default=())

    @property
    def severity(self) -> Severity:
        return self.code.severity

    def __str__(self) -> str:
        return f"{self.span}: {self.severity}[{self.code}]: {self.message}"


def has_errors(problems: "list[Diagnostic]") -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
