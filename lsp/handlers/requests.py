"""Everything that is asked of one file: a row for each request, with the feature that answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lsprotocol import types

from ..connection import InterlockServer, RequestFailed, breathe
from ..features import (
    actions,
    calls,
    claims,
    completion,
    formatting,
    hints,
    hover,
    lenses,
    navigation,
    outline,
    rename,
    signature,
    structure,
    tokens,
)
from ..view import View

T = TypeVar("T")
Answer = Callable[[InterlockServer, View, Any], Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the protocol; `options` is what a client is told of it, and no file has `None` for its answer."""

    method: str
    answer: Answer
    options: Any = None
    is_long: bool = False
    """Whether it may take a while, so that the messages that wait are read first."""
    is_wide: bool = False
    """Whether it is about every policy set of the project."""


def register(server: InterlockServer) -> None:
    for request in REQUESTS:
        server.feature(request.method, request.options)(_handler(request))


def _handler(request: Request) -> Callable[..., Any]:
    def answer(ls: InterlockServer, params: Any) -> Any:
        view = ls.view(_uri(params))
        return request.answer(ls, view, params) if view is not None else None

    async def answer_later(ls: InterlockServer, params: Any) -> Any:
        await breathe()
        if request.is_wide:
            await ls.bring_up_to_date()
        return answer(ls, params)

    return answer_later if request.is_long or request.is_wide else answer


def _uri(params: Any) -> str:
    is_call = isinstance(
        params, types.CallHierarchyIncomingCallsParams | types.CallHierarchyOutgoingCallsParams
    )
    uri: str = params.item.uri if is_call else params.text_document.uri
    return uri


def _at(feature: Callable[[View, types.Position], Any]) -> Answer:
    """A feature that asks about a position alone."""
    return lambda ls, view, asked: feature(view, asked.position)


# What needs more than the view


def _completion(
    ls: InterlockServer, view: View, params: types.CompletionParams
) -> types.CompletionList:
    items = completion.completion(view, params.position, snippets=ls.supports_snippets())
    return types.CompletionList(is_incomplete=False, items=items)


def _hints(ls: InterlockServer, view: View, params: types.InlayHintParams) -> list[types.InlayHint]:
    if not ls.session.settings.inlay_hints:
        return []
    states = ls.session.claims_of(view.analysis)
    return [
        *hints.inlay_hints(view, params.range),
        *claims.claim_hints(view, states, params.range),
    ]


def _lenses(ls: InterlockServer, view: View, params: types.CodeLensParams) -> list[types.CodeLens]:
    if not ls.session.settings.code_lenses:
        return []
    tests, states = ls.session.test_results(view), ls.session.claims_of(view.analysis)
    return lenses.code_lenses(view, tests, states, can_prove=ls.can_prove)


def _actions(
    ls: InterlockServer, view: View, params: types.CodeActionParams
) -> list[types.CodeAction]:
    if not view.is_editable(view.file):
        return []
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
    states = ls.session.claims_of(view.analysis)
    found = actions.code_actions(view, params.range, states, only)
    for action in found:
        action.edit = ls.edit_of(action.edit) if action.edit is not None else None
    return found


def _tokens(ls: InterlockServer, view: View, params: Any) -> types.SemanticTokens:
    """All tokens, kept under a number so that the next answer can be what changed."""
    uri = params.text_document.uri
    found = tokens.semantic_tokens(view)
    found.result_id = str(int(ls.tokens[uri][0]) + 1) if uri in ls.tokens else "1"
    ls.tokens[uri] = found.result_id, list(found.data)
    return found


def _tokens_delta(
    ls: InterlockServer, view: View, params: types.SemanticTokensDeltaParams
) -> types.SemanticTokens | types.SemanticTokensDelta:
    before = ls.tokens.get(params.text_document.uri)
    after = _tokens(ls, view, params)
    if before is None or before[0] != params.previous_result_id:
        return after
    found = tokens.delta(before[1], after.data)
    found.result_id = after.result_id
    return found


def _prepare_rename(
    ls: InterlockServer, view: View, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder:
    span, name = _allowed(rename.prepare_rename(view, params.position))
    return types.PrepareRenamePlaceholder(view.range(span), name)


def _rename(ls: InterlockServer, view: View, params: types.RenameParams) -> types.WorkspaceEdit:
    found = _allowed(rename.rename(view, params.position, params.new_name))
    return ls.edit_of(actions.workspace_edit(view, found))


def _allowed(found: T | rename.Refusal) -> T:
    if isinstance(found, rename.Refusal):
        raise RequestFailed(found.message)
    return found


REQUESTS = (
    # Reading
    Request(
        types.TEXT_DOCUMENT_HOVER,
        lambda ls, view, asked: hover.hover(
            view, asked.position, ls.session.claims_of(view.analysis)
        ),
    ),
    Request(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        _at(signature.signature_help),
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    ),
    Request(
        types.TEXT_DOCUMENT_COMPLETION,
        _completion,
        types.CompletionOptions(trigger_characters=[".", '"', "{", "(", ":"]),
    ),
    Request(types.TEXT_DOCUMENT_INLAY_HINT, _hints),
    Request(types.TEXT_DOCUMENT_CODE_LENS, _lenses, types.CodeLensOptions(resolve_provider=False)),
    Request(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, _tokens, tokens.LEGEND, is_long=True),
    Request(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, _tokens_delta, tokens.LEGEND, is_long=True
    ),
    Request(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE,
        lambda ls, view, asked: tokens.semantic_tokens_range(view, asked.range),
        tokens.LEGEND,
    ),
    # Moving
    Request(
        types.TEXT_DOCUMENT_DEFINITION,
        _at(navigation.definition),
    ),
    Request(
        types.TEXT_DOCUMENT_TYPE_DEFINITION,
        _at(navigation.type_definition),
    ),
    Request(
        types.TEXT_DOCUMENT_REFERENCES,
        lambda ls, view, asked: navigation.references(
            view, asked.position, declaration=asked.context.include_declaration
        ),
        is_wide=True,
    ),
    Request(
        types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT,
        _at(navigation.highlights),
    ),
    Request(
        types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY,
        _at(calls.prepare),
    ),
    Request(
        types.CALL_HIERARCHY_INCOMING_CALLS,
        lambda ls, view, asked: calls.incoming(view, asked.item.selection_range.start),
        is_wide=True,
    ),
    Request(
        types.CALL_HIERARCHY_OUTGOING_CALLS,
        lambda ls, view, asked: calls.outgoing(view, asked.item.selection_range.start),
    ),
    Request(
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        lambda ls, view, asked: outline.document_symbols(view),
    ),
    Request(
        types.TEXT_DOCUMENT_FOLDING_RANGE,
        lambda ls, view, asked: structure.folding_ranges(view),
    ),
    Request(
        types.TEXT_DOCUMENT_SELECTION_RANGE,
        lambda ls, view, asked: structure.selection_ranges(view, asked.positions),
    ),
    Request(
        types.TEXT_DOCUMENT_DOCUMENT_LINK,
        lambda ls, view, asked: structure.document_links(view, ls.session.workspace.file_of_module),
    ),
    # Writing
    Request(types.TEXT_DOCUMENT_CODE_ACTION, _actions, types.CodeActionOptions([*actions.KINDS])),
    Request(types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename),
    Request(
        types.TEXT_DOCUMENT_RENAME,
        _rename,
        types.RenameOptions(prepare_provider=True),
        is_wide=True,
    ),
    Request(
        types.TEXT_DOCUMENT_FORMATTING,
        lambda ls, view, asked: formatting.format_document(view),
    ),
    Request(
        types.TEXT_DOCUMENT_RANGE_FORMATTING,
        lambda ls, view, asked: formatting.format_range(view, asked.range),
    ),
    Request(
        types.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
        _at(formatting.format_on_type),
        types.DocumentOnTypeFormattingOptions(first_trigger_character="}"),
    ),
)
