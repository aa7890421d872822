"""What can be done about the text under the cursor: quick fixes, a counterexample as a test, and what is not needed."""

from collections.abc import Sequence

from lsprotocol.types import CodeAction, CodeActionKind, Range, TextEdit, WorkspaceEdit

from ..claims import Claims
from ..view import View
from .claims import save_as_test
from .diagnostics import diagnostic
from .fixes import Fix, fix_all, fixes

KINDS = [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll]


def code_actions(
    view: View, range: Range, claims: Claims, only: Sequence[str] = ()
) -> list[CodeAction]:
    """The actions of a range; of the kinds in `only` and those below them, where a client names any."""

    def is_wanted(kind: CodeActionKind) -> bool:
        return any(kind.value == one or kind.value.startswith(f"{one}.") for one in only)

    found: list[CodeAction] = []
    if not only or is_wanted(CodeActionKind.QuickFix):
        saved = save_as_test(view, claims, view.offset(range.start))
        found += [_quick_fix(view, fix) for fix in (*fixes(view, range), *saved)]
    # What is not needed goes when a client asks for it by name, as on saving.
    if is_wanted(CodeActionKind.SourceFixAll) and (edits := fix_all(view)):
        edit = workspace_edit(view, {view.file: edits})
        found.append(
            CodeAction("Remove what is not needed", CodeActionKind.SourceFixAll, edit=edit)
        )
    return found


def workspace_edit(view: View, edits: dict[str, list[TextEdit]]) -> WorkspaceEdit:
    return WorkspaceEdit(changes={view.uri_of(file): found for file, found in edits.items()})


def _quick_fix(view: View, fix: Fix) -> CodeAction:
    problems = [diagnostic(view, fix.problem)] if fix.problem is not None else None
    return CodeAction(
        fix.title,
        CodeActionKind.QuickFix,
        problems,
        is_preferred=fix.is_preferred or None,
        edit=workspace_edit(view, fix.edits),
    )
