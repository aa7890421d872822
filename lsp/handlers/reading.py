"""What is shown beside the text: hover, signatures, proposals, hints, lenses and colours."""

from lsprotocol import types

from ..connection import InterlockServer, breathe
from ..features import claims as claim_features
from ..features import completion, hints, hover, lenses, signature, tokens
from ..view import View


def register(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def on_hover(ls: InterlockServer, params: types.HoverParams) -> types.Hover | None:
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        return hover.hover(view, params.position, ls.session.claims_of(view.analysis))

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    )
    def on_signature(
        ls: InterlockServer, params: types.SignatureHelpParams
    ) -> types.SignatureHelp | None:
        view = ls.view(params.text_document.uri)
        return signature.signature_help(view, params.position) if view is not None else None

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[".", '"', "{", "(", ":"]),
    )
    def on_completion(
        ls: InterlockServer, params: types.CompletionParams
    ) -> types.CompletionList | None:
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        items = completion.completion(view, params.position, snippets=ls.supports_snippets())
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def on_hints(ls: InterlockServer, params: types.InlayHintParams) -> list[types.InlayHint]:
        view = ls.view(params.text_document.uri)
        if view is None or not ls.session.settings.inlay_hints:
            return []
        claims = claim_features.claim_hints(view, ls.session.claims_of(view.analysis), params.range)
        return [*hints.inlay_hints(view, params.range), *claims]

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    def on_lenses(ls: InterlockServer, params: types.CodeLensParams) -> list[types.CodeLens]:
        view = ls.view(params.text_document.uri)
        if view is None or not ls.session.settings.code_lenses:
            return []
        tests = ls.session.test_results(view)
        claims = ls.session.claims_of(view.analysis)
        return lenses.code_lenses(view, tests, claims, can_prove=ls.can_prove)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, tokens.LEGEND)
    async def on_tokens(
        ls: InterlockServer, params: types.SemanticTokensParams
    ) -> types.SemanticTokens | None:
        await breathe()
        view = ls.view(params.text_document.uri)
        return _keep_tokens(ls, params.text_document.uri, view) if view is not None else None

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, tokens.LEGEND)
    async def on_tokens_delta(
        ls: InterlockServer, params: types.SemanticTokensDeltaParams
    ) -> types.SemanticTokens | types.SemanticTokensDelta | None:
        await breathe()
        uri = params.text_document.uri
        view = ls.view(uri)
        if view is None:
            return None
        before = ls.tokens.get(uri)
        after = _keep_tokens(ls, uri, view)
        if before is None or before[0] != params.previous_result_id:
            return after
        found = tokens.delta(before[1], after.data)
        found.result_id = after.result_id
        return found

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, tokens.LEGEND)
    def on_tokens_range(
        ls: InterlockServer, params: types.SemanticTokensRangeParams
    ) -> types.SemanticTokens | None:
        view = ls.view(params.text_document.uri)
        return tokens.semantic_tokens_range(view, params.range) if view is not None else None


def _keep_tokens(ls: InterlockServer, uri: str, view: View) -> types.SemanticTokens:
    found = tokens.semantic_tokens(view)
    number = int(ls.tokens[uri][0]) + 1 if uri in ls.tokens else 1
    found.result_id = str(number)
    ls.tokens[uri] = str(number), list(found.data)
    return found
