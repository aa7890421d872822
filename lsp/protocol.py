"""pygls with what it lacks: unknown words of a client are taken as they are, every request has an answer, however
it is written, and files are kept by the server."""

import enum
import logging
import sys
from collections.abc import Callable, Generator
from typing import Any, BinaryIO

from cattrs import BaseValidationError, Converter, transform_error
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.language_server import lsp_method

logger = logging.getLogger(__name__)
Handler = Callable[..., Any]
_Steps = Generator[tuple[Handler, tuple[Any, ...], None], Any, Any]


class Protocol(LanguageServerProtocol):
    """Hands the changes of documents on without a second copy of their text.

    The copy that pygls keeps ends lines at U+2028 and its like, and is cut into lines anew for every change.
    """

    _is_initialized = False

    def structure_message(self, data: Any) -> Any:
        """Leaves the objects within a message as they are, until the whole is there."""
        return data

    def handle_message(self, message: Any) -> None:
        """Takes a message, or several in a list, as plain data."""
        if isinstance(message, list) and message:
            for one in message:
                self.handle_message(one)
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            self.refuse(None, JsonRpcInvalidRequest("this is no message of JSON-RPC 2.0"))
            return
        method, number = message.get("method"), message.get("id")
        is_request = "id" in message and "method" in message
        problem = self._refusal(method) if "method" in message else None
        found: Any = None
        if problem is None:
            try:
                if method not in types.METHOD_TO_TYPES:
                    message.setdefault("params", None)
                found = super().structure_message(message)
            except JsonRpcException as error:
                problem = JsonRpcInvalidParams(_why(error.__cause__))
        if problem is None:
            self._is_initialized = self._is_initialized or method == types.INITIALIZE
            super().handle_message(found)
        elif is_request:
            self.refuse(number, problem)
        elif "method" in message:
            logger.warning("%s is ignored: %s", method, problem)
        else:
            self._handle_response(number, error=problem.to_response_error())  # type: ignore[arg-type]

    def refuse(self, number: Any, problem: JsonRpcException) -> None:
        """Answers a request that cannot be taken, of which perhaps not even the number is known."""
        error = {"code": problem.code, "message": problem.message}
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": error})

    def _refusal(self, method: Any) -> JsonRpcException | None:
        """Why a message is not taken now."""
        if method == types.EXIT:
            return None
        if self._shutdown:
            return JsonRpcInvalidRequest("the server was shut down")
        if self._is_initialized and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("the server is initialized already")
        if not self._is_initialized and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized("the server is not initialized")
        return None

    @lsp_method(types.EXIT)
    def lsp_exit(self, *parameters: Any) -> _Steps:
        # The loop ends at once and swallows the code with which it is told to.
        self._server.exit_code = 0 if self._shutdown else 1  # type: ignore[attr-defined]
        yield from super().lsp_exit(*parameters)

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


def _why(error: BaseException | None) -> str:
    """Which part of a message cannot be read."""
    if isinstance(error, BaseValidationError):
        return "; ".join(transform_error(error, "message"))
    return f"the message cannot be read: {error}"


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
        self.exit_code = 0

    def start_io(self, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> None:
        """Serves until the client ends; ends the process with what the protocol says of an `exit`."""
        super().start_io(stdin, stdout)
        sys.exit(self.exit_code)

    def report_server_error(self, error: Exception, source: Any) -> None:
        if isinstance(error, ValueError | RecursionError):
            assert isinstance(self.protocol, Protocol)
            self.protocol.refuse(None, JsonRpcParseError("the message is no JSON"))
        super().report_server_error(error, source)


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
