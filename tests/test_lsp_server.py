"""Every feature of the language server, asked over standard input and output by a client of each kind."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
import pytest_lsp
from lsp_fixtures import SCHEMA
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

from interlock.lsp.proofs import can_prove

T = TypeVar("T")
COMMAND = [sys.executable, "-m", "interlock", "lsp"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""How the units of a client are counted here, and not by the server: a codec and its bytes per unit."""
RULES = """\
// 𝄞
module rules

use world

/// 𝄞
permit grown_ups {
  action enter
  when   "𝄞" == "𝄞" and grown(principal, 18)
  when   principal.aeg > 1
}

test grown_up_enters {
  principal User::"𝄞" { age: 20 }
  action    enter
  resource  Door::"front"
  expect    permit by grown_ups
}

prove nobody {
  action enter
  when   resource.level > 9
  never permitted
}
"""
WORLD = SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule world\n\n", 1)


def make_client() -> LanguageClient:
    """A client that also does what editors do and the client of pytest-lsp does not."""
    client = make_test_lsp_client()

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]
    def register(params: types.RegistrationParams) -> None:
        assert {one.method for one in params.registrations} == {
            types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        }

    @client.feature(types.WORKSPACE_CODE_LENS_REFRESH)  # type: ignore[untyped-decorator]
    def refresh_lenses(params: None) -> None:
        """Lenses are asked for by the test itself."""

    @client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)  # type: ignore[untyped-decorator]
    def refresh_hints(params: None) -> None:
        """Hints are asked for by the test itself."""

    return client


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    scope="module",
    params=["visual-studio-code", "neovim", "emacs", "utf-8", "utf-32"],
    config=ClientServerConfig(server_command=COMMAND, client_factory=make_client),
)
async def client(
    request: pytest.FixtureRequest, lsp_client: LanguageClient, tmp_path_factory: Any
) -> AsyncIterator[None]:
    """One server for all tests of a client; each test has a folder of its own in the project."""
    name = request.param
    capabilities = client_capabilities("neovim" if name.startswith("utf") else name)
    if name.startswith("utf"):
        capabilities.general = capabilities.general or types.GeneralClientCapabilities()
        capabilities.general.position_encodings = [types.PositionEncodingKind(name), "utf-16"]
    if name not in ("neovim", "emacs"):
        # As clients have it since it is in the protocol.
        capabilities.workspace = capabilities.workspace or types.WorkspaceClientCapabilities()
        capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(
            refresh_support=True
        )
    folder = tmp_path_factory.mktemp("project")
    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            workspace_folders=[types.WorkspaceFolder(folder.as_uri(), "project")],
        )
    )
    lsp_client.can_pull = result.capabilities.diagnostic_provider is not None  # type: ignore[attr-defined]
    encoding = result.capabilities.position_encoding
    lsp_client.unit = str(getattr(encoding, "value", encoding))  # type: ignore[attr-defined]
    lsp_client.folder = folder  # type: ignore[attr-defined]
    assert not name.startswith("utf") or lsp_client.unit == name  # type: ignore[attr-defined]
    yield
    await lsp_client.shutdown_session()


@pytest_asyncio.fixture(loop_scope="module")
async def session(
    client: LanguageClient, request: pytest.FixtureRequest
) -> AsyncIterator["Session"]:
    folder = client.folder / re.sub(r"\W", "_", request.node.originalname)  # type: ignore[attr-defined]
    folder.mkdir(exist_ok=True)
    (folder / "world.ilk").write_text(WORLD, encoding="utf-8")
    session = Session(client, folder, client.unit)  # type: ignore[attr-defined]
    created = types.FileEvent((folder / "world.ilk").as_uri(), types.FileChangeType.Created)
    client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([created]))
    yield session
    for uri in session.opened:
        document = types.TextDocumentIdentifier(uri)
        client.text_document_did_close(types.DidCloseTextDocumentParams(document))


class Session:
    """The files that a test opens, and places in them by the text that stands there."""

    def __init__(self, client: LanguageClient, folder: Path, unit: str) -> None:
        self.client, self.folder, self.unit = client, folder, unit
        self.texts: dict[str, str] = {}
        self.opened: list[str] = []

    async def open(self, name: str, text: str) -> str:
        uri = (self.folder / name).as_uri()
        self.texts[uri] = text
        self.opened.append(uri)
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "interlock", 1, text))
        )
        return uri

    async def diagnosed(self, uri: str, count: int, seconds: float = 10) -> list[types.Diagnostic]:
        """The diagnostics of a file, once there are so many."""
        found: list[types.Diagnostic] = []
        for _ in range(int(seconds * 40)):
            found = list(self.client.diagnostics.get(uri, ()))
            if uri in self.client.diagnostics and len(found) == count:
                return found
            await asyncio.sleep(0.025)
        raise AssertionError(f"{count} diagnostics were awaited, there are {found}")

    def change(self, uri: str, version: int, old: str, new: str) -> None:
        """One incremental edit, as an editor sends it."""
        start = self.at(uri, old)
        end = self.at(uri, old, len(old))
        self.texts[uri] = self.texts[uri].replace(old, new, 1)
        change = types.TextDocumentContentChangePartial(range=types.Range(start, end), text=new)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, uri), [change]
            )
        )

    def at(self, uri: str, text: str, plus: int = 0) -> types.Position:
        """The place of a text in a file, in the client's units."""
        offset = self.texts[uri].index(text) + plus
        before = self.texts[uri][:offset]
        line = before.count("\n")
        column = before[before.rfind("\n") + 1 :]
        codec, size = CODECS[self.unit]
        return types.Position(line, len(column.encode(codec)) // size)

    def text(self, uri: str, range: types.Range) -> str:
        """What stands in a range of the client's units."""
        lines = self.texts[uri].split("\n")
        codec, size = CODECS[self.unit]

        def cut(line: str, start: int, end: int | None) -> str:
            raw = line.encode(codec)
            return raw[start * size : None if end is None else end * size].decode(codec)

        if range.start.line == range.end.line:
            return cut(lines[range.start.line], range.start.character, range.end.character)
        inside = lines[range.start.line + 1 : range.end.line]
        first = cut(lines[range.start.line], range.start.character, None)
        last = cut(lines[range.end.line], 0, range.end.character)
        return "\n".join([first, *inside, last])

    def edits(self, edit: types.WorkspaceEdit) -> dict[str, Any]:
        """The edits of each file, as a client of this kind takes them."""
        workspace = self.client.capabilities.workspace if self.client.capabilities else None
        wanted = workspace.workspace_edit if workspace is not None else None
        if wanted is None or not wanted.document_changes:
            assert edit.document_changes is None
            return dict(edit.changes or {})
        assert edit.changes is None
        found = {}
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            document = change.text_document
            assert document.version == (1 if document.uri in self.opened else None)
            found[document.uri] = change.edits
        return found

    def applied(self, uri: str, edits: Any) -> str:
        text = self.texts[uri]
        starts = [0, *(match.end() for match in re.finditer("\n", text))]
        codec, size = CODECS[self.unit]

        def offset(place: types.Position) -> int:
            line = text[starts[place.line] :].split("\n")[0]
            return starts[place.line] + len(
                line.encode(codec)[: place.character * size].decode(codec)
            )

        places = [(offset(one.range.start), offset(one.range.end), one.new_text) for one in edits]
        for start, end, new in sorted(places, reverse=True):
            text = text[:start] + new + text[end:]
        return text


async def opened(session: Session) -> tuple[str, types.TextDocumentIdentifier]:
    uri = await session.open("rules.ilk", RULES)
    return uri, types.TextDocumentIdentifier(uri)


async def test_a_mistake_is_pushed_and_goes_when_it_is_mended(
    client: LanguageClient, session: Session
) -> None:
    uri, _ = await opened(session)
    (found,) = await session.diagnosed(uri, 1)
    assert found.code == "unknown-attribute"
    assert session.text(uri, found.range) == "aeg"
    assert "did you mean `age`?" in str(found.message)
    session.change(uri, 2, "aeg", "age")
    assert await session.diagnosed(uri, 0) == []


async def test_a_burst_of_edits_ends_in_the_last_state(
    client: LanguageClient, session: Session
) -> None:
    uri, _ = await opened(session)
    await session.diagnosed(uri, 1)
    for number, (old, new) in enumerate(
        [
            ("aeg", "a𝄞g"),
            ("a𝄞g", "ag"),
            ("ag >", "age >"),
            ("age > 1", "age > 1 and tru"),
            ("tru", "true"),
        ]
    ):
        session.change(uri, number + 2, old, new)
    assert await session.diagnosed(uri, 0) == []


async def test_hover_tells_type_documentation_and_users(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    found = await client.text_document_hover_async(
        types.HoverParams(document, session.at(uri, "grown(", 2))
    )
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    assert "define grown(user: User, limit: Int) -> Bool" in found.contents.value
    assert "Whether somebody is grown up." in found.contents.value
    assert "1 rule: `grown_ups`" in found.contents.value
    assert found.range is not None and session.text(uri, found.range) == "grown"


async def test_completion_knows_the_type_before_the_dot(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    session.change(uri, 2, "aeg", "")
    found = await client.text_document_completion_async(
        types.CompletionParams(document, session.at(uri, "principal. >", len("principal.")))
    )
    assert isinstance(found, types.CompletionList)
    assert [item.label for item in found.items] == ["age", "boss"]


async def test_signature_help_counts_arguments(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    found = await client.text_document_signature_help_async(
        types.SignatureHelpParams(document, session.at(uri, "18)"))
    )
    assert found is not None and found.active_parameter == 1
    assert found.signatures[0].label == "grown(user: User, limit: Int) -> Bool"


async def test_definition_leads_into_another_file(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    world = (session.folder / "world.ilk").as_uri()
    session.texts[world] = WORLD
    for request, name in (
        (
            client.text_document_definition_async(
                types.DefinitionParams(document, session.at(uri, "grown("))
            ),
            "grown",
        ),
        (
            client.text_document_type_definition_async(
                types.TypeDefinitionParams(document, session.at(uri, "principal, 18"))
            ),
            "User",
        ),
    ):
        found = await request
        assert isinstance(found, list | tuple)
        (place,) = found
        assert isinstance(place, types.Location) and place.uri == world
        assert session.text(world, place.range) == name


async def test_references_and_highlights_find_every_use(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    world = (session.folder / "world.ilk").as_uri()
    session.texts[world] = WORLD
    found = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(True), document, session.at(uri, "enter"))
    )
    assert found is not None
    assert sorted((place.uri == uri, session.text(place.uri, place.range)) for place in found) == [
        (False, "enter"), (True, "enter"), (True, "enter"), (True, "enter"),
    ]  # fmt: skip
    highlights = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(document, session.at(uri, "enter"))
    )
    assert highlights is not None and len(highlights) == 3


async def test_renaming_reaches_across_files(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    world = await session.open("world.ilk", WORLD)
    place = session.at(uri, "grown(")
    prepared = await client.text_document_prepare_rename_async(
        types.PrepareRenameParams(document, place)
    )
    assert isinstance(prepared, types.PrepareRenamePlaceholder)
    assert prepared.placeholder == "grown"
    edit = await client.text_document_rename_async(types.RenameParams(document, place, "is_grown"))
    assert edit is not None
    assert "and is_grown(principal, 18)" in session.applied(uri, session.edits(edit)[uri])
    assert "define is_grown(" in session.applied(world, session.edits(edit)[world])
    with pytest.raises(JsonRpcException, match="is a word of the language"):
        await client.text_document_rename_async(types.RenameParams(document, place, "permit"))


async def test_symbols_of_a_file_and_of_the_project(
    client: LanguageClient, session: Session
) -> None:
    _, document = await opened(session)
    found = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert found is not None
    assert [item.name for item in found] == ["rules", "grown_ups", "grown_up_enters", "nobody"]
    everywhere = await client.workspace_symbol_async(types.WorkspaceSymbolParams("grn"))
    assert everywhere is not None
    assert {item.name for item in everywhere} == {"grown", "grown_ups", "grown_up_enters"}


async def test_a_quick_fix_mends_what_it_promises(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    (problem,) = await session.diagnosed(uri, 1)
    found = await client.text_document_code_action_async(
        types.CodeActionParams(document, problem.range, types.CodeActionContext([problem]))
    )
    assert found is not None
    action = next(item for item in found if isinstance(item, types.CodeAction))
    assert action.title == "Change to `age`" and action.is_preferred
    assert action.edit is not None
    assert "principal.age > 1" in session.applied(uri, session.edits(action.edit)[uri])
    only = types.CodeActionContext([problem], only=[types.CodeActionKind.SourceOrganizeImports])
    assert not await client.text_document_code_action_async(
        types.CodeActionParams(document, problem.range, only)
    )


async def test_formatting_of_a_file_a_range_and_while_typing(
    client: LanguageClient, session: Session
) -> None:
    text = "// 𝄞\nentity   A\npermit p{action go}\naction go{principal A resource A}\n"
    uri = await session.open("untidy.ilk", text)
    document = types.TextDocumentIdentifier(uri)
    options = types.FormattingOptions(2, True)
    edits = await client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    tidy = session.applied(uri, edits)
    assert tidy.startswith("// 𝄞\nentity A\n\npermit p {\n  action    go\n}\n")
    edits = await client.text_document_range_formatting_async(
        types.DocumentRangeFormattingParams(
            document, types.Range(session.at(uri, "A\n"), session.at(uri, "A\n")), options
        )
    )
    assert session.applied(uri, edits) == text.replace("entity   A", "entity A")
    edits = await client.text_document_on_type_formatting_async(
        types.DocumentOnTypeFormattingParams(document, session.at(uri, "}", 1), "}", options)
    )
    assert session.applied(uri, edits) == text.replace(
        "permit p{action go}", "permit p {\n  action    go\n}"
    )


async def test_semantic_tokens_whole_changed_and_in_a_range(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    full = await client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(document)
    )
    assert full is not None and full.result_id is not None
    words = decoded(session, uri, full.data)
    assert {"permit", "grown_ups", "enter", "grown", "principal", "18", "User", '::"𝄞"'} - set(
        words
    ) <= {'::"𝄞"'}
    session.change(uri, 2, "aeg", "age")
    changed = await client.text_document_semantic_tokens_full_delta_async(
        types.SemanticTokensDeltaParams(document, full.result_id)
    )
    assert isinstance(changed, types.SemanticTokensDelta)
    data = list(full.data)
    for one in changed.edits:
        data[one.start : one.start + one.delete_count] = one.data or []
    again = await client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(document)
    )
    assert again is not None and list(again.data) == data
    part = types.Range(session.at(uri, "prove"), session.at(uri, "nobody {"))
    ranged = await client.text_document_semantic_tokens_range_async(
        types.SemanticTokensRangeParams(document, part)
    )
    assert ranged is not None and decoded(session, uri, ranged.data) == ["prove"]


def decoded(session: Session, uri: str, data: Any) -> list[str]:
    """The words that tokens cover."""
    words, line, character = [], 0, 0
    for index in range(0, len(data), 5):
        down, right, length = data[index : index + 3]
        line, character = line + down, right if down else character + right
        place = types.Range(
            types.Position(line, character), types.Position(line, character + length)
        )
        words.append(session.text(uri, place))
    return words


async def test_inlay_hints_say_the_type_of_an_element(
    client: LanguageClient, session: Session
) -> None:
    text = 'use world\npermit p {\n  action open\n  when "𝄞" == "𝄞" and resource.tags.any(t => t like "a*")\n}\n'
    uri = await session.open("hints.ilk", text)
    end = types.Position(5, 0)
    found = await client.text_document_inlay_hint_async(
        types.InlayHintParams(
            types.TextDocumentIdentifier(uri), types.Range(types.Position(0, 0), end)
        )
    )
    assert found is not None
    assert [(hint.label, hint.position) for hint in found] == [
        (": String", session.at(uri, "t =>", 1)),
        ("door.", session.at(uri, "open")),
    ]


async def test_a_lens_runs_a_test_and_shows_its_result(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    session.change(uri, 2, "aeg", "age")
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    assert lenses is not None
    titles = {lens.command.title: lens.command for lens in lenses if lens.command is not None}
    run = titles["Run test"]
    result = await client.workspace_execute_command_async(
        types.ExecuteCommandParams(run.command, run.arguments)
    )
    assert read(result, "passed") is True
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    assert lenses is not None
    assert any(lens.command and lens.command.title.startswith("✓ permit") for lens in lenses)
    session.change(uri, 3, "age: 20", "age: 2")
    result = await client.workspace_execute_command_async(
        types.ExecuteCommandParams(run.command, run.arguments)
    )
    assert "expected permit, got deny" in read(result, "message")
    (failed,) = await session.diagnosed(uri, 1)
    assert failed.code == "test-failed" and session.text(uri, failed.range) == "grown_up_enters"


def only(found: Sequence[T] | None) -> T:
    assert found is not None and len(found) == 1, found
    return found[0]


def read(result: Any, name: str) -> Any:
    """A part of the answer to a command, which arrives as an object or as a dictionary."""
    return result[name] if isinstance(result, dict) else getattr(result, name)


async def test_a_lens_evaluates_the_request_beside_the_policy(
    client: LanguageClient, session: Session
) -> None:
    uri, _ = await opened(session)
    session.change(uri, 2, "aeg", "age")
    (session.folder / "request.json").write_text(
        '{"principal": {"type": "User", "id": "𝄞"}, "action": {"type": "Action", "id": "enter"},'
        ' "resource": {"type": "Door", "id": "d"}, "context": {"now": "2026-01-01T00:00:00Z"}}',
        encoding="utf-8",
    )
    (session.folder / "entities.json").write_text(
        '[{"uid": {"type": "User", "id": "𝄞"}, "attrs": {"age": 30}, "parents": []},'
        ' {"uid": {"type": "Door", "id": "d"}, "attrs": {"level": 1, "risk": "low", "tags": []}, "parents": []}]',
        encoding="utf-8",
    )
    result = await client.workspace_execute_command_async(
        types.ExecuteCommandParams("interlock.evaluate", [uri, "grown_ups"])
    )
    assert read(result, "message") == "permitted by grown_ups"


async def test_the_shape_of_a_file(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(document))
    assert folds is not None
    assert (session.at(uri, "permit").line, session.at(uri, "}\n\ntest").line) in {
        (fold.start_line, fold.end_line) for fold in folds
    }
    selection = only(
        await client.text_document_selection_range_async(
            types.SelectionRangeParams(document, [session.at(uri, "principal, 18")])
        )
    )
    texts = []
    current: types.SelectionRange | None = selection
    while current is not None:
        texts.append(session.text(uri, current.range))
        current = current.parent
    assert texts[:3] == [
        "principal", "grown(principal, 18)", '"𝄞" == "𝄞" and grown(principal, 18)',
    ]  # fmt: skip
    assert texts[-1] == RULES
    link = only(await client.text_document_document_link_async(types.DocumentLinkParams(document)))
    assert link.target == (session.folder / "world.ilk").as_uri()
    assert session.text(uri, link.range) == "world"


async def test_the_calls_of_a_definition(client: LanguageClient, session: Session) -> None:
    uri, document = await opened(session)
    item = only(
        await client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(document, session.at(uri, "grown("))
        )
    )
    assert item.name == "grown"
    call = only(
        await client.call_hierarchy_incoming_calls_async(
            types.CallHierarchyIncomingCallsParams(item)
        )
    )
    assert call.from_.name == "grown_ups"
    out = only(
        await client.call_hierarchy_outgoing_calls_async(
            types.CallHierarchyOutgoingCallsParams(call.from_)
        )
    )
    assert out.to.name == "grown"


BROKEN = """\
// 𝄞
module rules

use world

permit grown_ups {
  action enter
  when   "𝄞" == "𝄞" && grown(principal, 18
  when   principal. and resource.risk == high
}

forbid late { action enter when "𝄞" == "𝄞" and resource.level > 5 because "𝄞" }
"""


async def test_every_feature_answers_in_a_declaration_that_cannot_be_read(
    client: LanguageClient, session: Session
) -> None:
    world = await session.open("world.ilk", WORLD)
    uri = await session.open("rules.ilk", BROKEN)
    document = types.TextDocumentIdentifier(uri)
    (problem,) = await session.diagnosed(uri, 1)
    assert problem.code == "syntax-error"
    name, level = session.at(uri, "grown(", 2), session.at(uri, "risk", 1)
    hover = await client.text_document_hover_async(types.HoverParams(document, level))
    assert hover is not None and "risk: Risk" in getattr(hover.contents, "value", "")
    assert hover.range is not None and session.text(uri, hover.range) == "risk"
    found = await client.text_document_definition_async(types.DefinitionParams(document, name))
    assert isinstance(found, list | tuple)
    (place,) = found
    assert isinstance(place, types.Location)
    assert (place.uri, session.text(world, place.range)) == (world, "grown")
    kinds = await client.text_document_type_definition_async(
        types.TypeDefinitionParams(document, level)
    )
    assert isinstance(kinds, list | tuple) and isinstance(kinds[0], types.Location)
    assert session.text(world, kinds[0].range) == "Risk"
    action = session.at(uri, "enter", 1)
    everywhere = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(True), document, action)
    )
    assert everywhere is not None
    assert sorted(one.uri == uri for one in everywhere) == [False, True, True]
    here = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(document, action)
    )
    assert here is not None and [session.text(uri, one.range) for one in here] == ["enter"] * 2
    edit = await client.text_document_rename_async(types.RenameParams(document, name, "is_adult"))
    assert edit is not None
    assert session.applied(uri, session.edits(edit)[uri]) == BROKEN.replace("grown(", "is_adult(")
    assert "define is_adult(" in session.applied(world, session.edits(edit)[world])
    signature = await client.text_document_signature_help_async(
        types.SignatureHelpParams(document, session.at(uri, "18\n", 2))
    )
    assert signature is not None and signature.active_parameter == 1
    proposals = await client.text_document_completion_async(
        types.CompletionParams(document, session.at(uri, "principal. ", 10))
    )
    assert isinstance(proposals, types.CompletionList)
    assert [item.label for item in proposals.items] == ["age", "boss"]
    full = await client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(document)
    )
    assert full is not None
    assert {"permit", "enter", "grown", "risk", "high", "late"} <= set(
        decoded(session, uri, full.data)
    )
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert symbols is not None and [one.name for one in symbols] == ["rules", "grown_ups", "late"]
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(document))
    assert folds is not None and session.at(uri, "permit").line in {one.start_line for one in folds}
    options = types.FormattingOptions(2, True)
    assert not await client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    fixes = await client.text_document_code_action_async(
        types.CodeActionParams(document, problem.range, types.CodeActionContext([problem]))
    )
    titles = [one.title for one in fixes or ()]
    assert titles == ["Write `and`"]


async def test_files_that_come_and_go_on_the_disk_are_known(
    client: LanguageClient, session: Session
) -> None:
    other = session.folder / "more.ilk"
    other.write_text(
        "// 𝄞\nmodule more\n\nuse world\n\npermit all { action entre }\n", encoding="utf-8"
    )

    def happened(kind: types.FileChangeType) -> None:
        event = types.FileEvent(other.as_uri(), kind)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    happened(types.FileChangeType.Created)
    (found,) = await session.diagnosed(other.as_uri(), 1)
    assert found.code == "unknown-action"
    other.unlink()
    happened(types.FileChangeType.Deleted)
    assert await session.diagnosed(other.as_uri(), 0) == []


async def test_a_change_on_the_disk_reaches_open_files(
    client: LanguageClient, session: Session
) -> None:
    uri, _ = await opened(session)
    session.change(uri, 2, "aeg", "age")
    await session.diagnosed(uri, 0)
    world = session.folder / "world.ilk"
    world.write_text(
        WORLD.replace("age: Int", "years: Int").replace("user.age", "user.years"), encoding="utf-8"
    )
    client.workspace_did_change_watched_files(
        types.DidChangeWatchedFilesParams(
            [types.FileEvent(world.as_uri(), types.FileChangeType.Changed)]
        )
    )
    found = await session.diagnosed(uri, 2)
    assert {item.code for item in found} == {"unknown-attribute"}


async def test_settings_turn_lenses_off(client: LanguageClient, session: Session) -> None:
    _, document = await opened(session)
    params = types.CodeLensParams(document)
    assert await client.text_document_code_lens_async(params)
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"interlock": {"codeLenses": False}})
    )
    assert not await client.text_document_code_lens_async(params)
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"interlock": {"codeLenses": True}})
    )


async def test_a_refuted_claim_shows_its_counterexample_everywhere(
    client: LanguageClient, session: Session
) -> None:
    if not can_prove():
        pytest.skip("the prover is not installed")
    text = RULES.replace("aeg", "age").replace("resource.level > 9", "principal.age > 60")
    uri = await session.open("claims.ilk", text)
    document = types.TextDocumentIdentifier(uri)
    (found,) = await session.diagnosed(uri, 1, seconds=60)
    assert found.code == "claim-refuted" and session.text(uri, found.range) == "nobody"
    message = str(found.message)
    assert "this request breaks `never permitted`" in message
    assert re.search(r'^principal User::".*" \{ age: \d+', message, re.MULTILINE)
    assert "decision  permit by grown_ups" in message
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    titles = [lens.command.title for lens in lenses or () if lens.command is not None]
    assert any(title.startswith("✗ refuted") for title in titles)
    assert "Show counterexample" in titles
    place = session.at(uri, "nobody", 2)
    hover = await client.text_document_hover_async(types.HoverParams(document, place))
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert "✗ refuted" in hover.contents.value and "decision" in hover.contents.value
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            document, types.Range(place, place), types.CodeActionContext([found])
        )
    )
    (action,) = [item for item in actions or () if isinstance(item, types.CodeAction)]
    assert action.edit is not None
    after = session.applied(uri, session.edits(action.edit)[uri])
    assert "test counterexample_to_nobody {" in after
    tail = session.texts[uri][-30:]
    session.change(uri, 2, tail, after[after.index(tail) :])
    result = await client.workspace_execute_command_async(
        types.ExecuteCommandParams("interlock.runTest", [uri, "counterexample_to_nobody"])
    )
    assert read(result, "passed") is True
    session.change(
        uri,
        3,
        "action enter\n  when   principal.age > 60",
        "action enter\n  when   principal.age < 18",
    )
    for _ in range(1_200):
        (found,) = await session.diagnosed(uri, 1, seconds=60)
        if found.code == "claim-proved":
            break
        await asyncio.sleep(0.05)
    assert found.code == "claim-proved" and found.severity is types.DiagnosticSeverity.Hint


async def test_an_edit_that_comes_before_its_file_is_opened_counts(session: Session) -> None:
    """Helix tells of a rename across files before it opens the other file, with its old text."""
    uri = (session.folder / "rules.ilk").as_uri()
    session.texts[uri] = RULES
    session.change(uri, 2, "aeg", "age")
    await session.open("rules.ilk", RULES)
    await session.diagnosed(uri, 0)


async def test_diagnostics_can_be_pulled_and_are_then_not_pushed(
    client: LanguageClient, session: Session
) -> None:
    uri, document = await opened(session)
    await session.diagnosed(uri, 1)
    workspace = client.capabilities.workspace if client.capabilities else None
    refreshes = workspace is not None and workspace.diagnostics is not None
    assert client.can_pull == refreshes  # type: ignore[attr-defined]
    if not refreshes:
        return  # Nothing tells such a client of a verdict but a push.
    params = types.DocumentDiagnosticParams(document)
    full = await client.text_document_diagnostic_async(params)
    assert isinstance(full, types.RelatedFullDocumentDiagnosticReport)
    assert [item.code for item in full.items] == ["unknown-attribute"]
    await session.diagnosed(uri, 0)
    params = types.DocumentDiagnosticParams(document, previous_result_id=full.result_id)
    same = await client.text_document_diagnostic_async(params)
    assert isinstance(same, types.RelatedUnchangedDocumentDiagnosticReport)
    session.change(uri, 2, "aeg", "age")
    empty = await client.text_document_diagnostic_async(params)
    assert isinstance(empty, types.RelatedFullDocumentDiagnosticReport) and not empty.items
    everywhere = await client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams([]))
    (here,) = [item for item in everywhere.items if item.uri == uri]
    assert isinstance(here, types.WorkspaceFullDocumentDiagnosticReport) and not here.items
