"""pygls with what it lacks: unknown words of a client are taken as they are, and files are kept by the server."""

import enum
from collections.abc import Callable, Generator
from typing import Any

from cattrs import Converter
from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.language_server import lsp_method

Handler = Callable[..., Any]
_Steps = Generator[tuple[Handler, tuple[Any, ...], None], Any, Any]


class Protocol(LanguageServerProtocol):
    """Hands the changes of documents on without a second copy of their text.

    The copy that pygls keeps ends lines at U+2028 and its like, and is cut into lines anew for every change.
    """

    def _pass_on(self, method: str, params: Any) -> _Steps:
        handler = self.fm.features.get(method)
        if handler is not None:
            yield handler, (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: Any) -> _Steps:
        yield from self._pass_on(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: Any) -> _Steps:
        yield from self._pass_on(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: Any) -> _Steps:
        yield from self._pass_on(types.TEXT_DOCUMENT_DID_CLOSE, params)


class Server(LanguageServer):
    """A server whose every handler runs in the event loop, so that nothing waits for a thread."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            name,
            version,
            protocol_cls=Protocol,
            converter_factory=lenient_converter,
            # One reads standard input; no handler is a thread.
            max_workers=2,
        )


def lenient_converter() -> Converter:
    """Reads messages in which a client names kinds that this version of the protocol does not know."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]

    def structure(value: Any, kind: Callable[[Any], Any]) -> Any:
        try:
            return kind(value)
        except ValueError:
            return value

    for item in vars(types).values():
        if isinstance(item, type) and issubclass(item, enum.Enum):
            converter.register_structure_hook(item, structure)
    return converter
