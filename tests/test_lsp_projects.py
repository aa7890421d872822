"""Which files make a policy set in the editor, and what is said of each: as the command line has it."""

from pathlib import Path

import pytest
from lsprotocol.types import Position, TextEdit

from interlock.lang.loader import load
from interlock.lsp.features.formatting import format_document, format_on_type, format_range
from interlock.lsp.features.navigation import references
from interlock.lsp.features.rename import rename
from interlock.lsp.session import Session
from interlock.lsp.settings import Settings
from interlock.lsp.view import View

VOCABULARY = """\
module vocab
// 𝄞
entity User { age: Int }
entity Door
action enter { principal User  resource Door }
define grown(user: User) -> Bool = user.age >= 18
"""
POLICY = """\
use vocab (grown)
// 𝄞
permit all { action enter  when grown(principal) }
prove minors { action enter  when principal.age < 18  never permitted }
"""


def project(folder: Path, files: dict[str, str], settings: Settings | None = None) -> Session:
    """A folder with these files, as a client has opened it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    session = Session()
    session.workspace.add_folder(folder.as_uri())
    session.configure(settings or Settings())
    return session


def view(session: Session, file: Path) -> View:
    found = session.view(file.as_uri())
    assert found is not None
    return found


def said(session: Session, file: Path) -> list[str]:
    """The codes of what is said of a file once every policy set was read."""
    for files in session.workspace.sets():
        session.workspace.analysis_of(files)
    return [str(problem.code) for problem in session.diagnostics(view(session, file))]


def commanded(*files: Path) -> list[str]:
    """The codes of what the command line says."""
    _, problems = load(files)
    return [str(problem.code) for problem in problems if problem.code != "no-rules"]


def at(found: View, text: str, more: int = 0) -> Position:
    return found.position(found.source.index(text) + more)


@pytest.mark.parametrize("groups", [(), (("vocab.ilk", "prod.ilk"), ("vocab.ilk", "dev.ilk"))])
def test_two_policies_that_share_a_vocabulary_are_two_sets(
    tmp_path: Path, groups: tuple[tuple[str, ...], ...]
) -> None:
    dev = POLICY.replace("grown(principal)", "principal.age > 1").replace(" (grown)", "")
    files = {"vocab.ilk": VOCABULARY, "prod.ilk": POLICY, "dev.ilk": dev}
    session = project(tmp_path, files, Settings(policies=groups))
    assert [said(session, tmp_path / name) for name in files] == [[], [], []]
    sets = [view(session, tmp_path / name).analysis for name in ("prod.ilk", "dev.ilk")]
    assert [sorted(Path(one).name for one in found.documents) for found in sets] == [
        ["prod.ilk", "vocab.ilk"],
        ["dev.ilk", "vocab.ilk"],
    ]
    assert [len(found.whole()[1].rules) for found in sets] == [1, 1]


def test_what_sets_have_in_common_is_checked_once(tmp_path: Path) -> None:
    names = ["a.ilk", "b.ilk", "c.ilk"]
    session = project(tmp_path, {"vocab.ilk": VOCABULARY, **dict.fromkeys(names, POLICY)})
    found = [view(session, tmp_path / name) for name in names]
    session.workspace.open_file((tmp_path / "vocab.ilk").as_uri(), VOCABULARY, 1)
    for text in (VOCABULARY, VOCABULARY.replace(">= 18", "> 18")):
        vocabulary = session.workspace.documents[str(tmp_path / "vocab.ilk")]
        vocabulary.set_source(text)
        found = [view(session, tmp_path / name) for name in names]
        for part in vocabulary.parts:
            entries = {id(one.analysis.entry_of(part.declaration)) for one in found}
            assert len(entries) == 1
    assert {len(one.analysis.whole()[1].rules) for one in found} == {1}


def test_a_vocabulary_is_renamed_in_every_set_that_reads_it(tmp_path: Path) -> None:
    files = {"vocab.ilk": VOCABULARY, "prod.ilk": POLICY, "dev.ilk": POLICY}
    session = project(tmp_path, files)
    for name in files:
        assert said(session, tmp_path / name) == []
    for name in files:
        here = view(session, tmp_path / name)
        edits = rename(here, at(here, "grown"), "is_adult")
        assert isinstance(edits, dict)
        assert {Path(file).name: len(found) for file, found in edits.items()} == {
            "vocab.ilk": 1, "prod.ilk": 2, "dev.ilk": 2,
        }  # fmt: skip
        places = {
            (edit.range.start.line, edit.range.start.character)
            for edit in edits[str(tmp_path / "dev.ilk")]
        }
        assert places == {(0, 11), (2, 32)}
    # What two sets call by one name is two things.
    here = view(session, tmp_path / "prod.ilk")
    found = references(here, at(here, "all {"), declaration=True)
    assert [Path(one.uri).name for one in found] == ["prod.ilk"]


def test_a_module_says_what_another_set_adds_once(tmp_path: Path) -> None:
    clash = "use vocab\n// 𝄞\naction enter { principal User  resource Door }\n"
    files = {"vocab.ilk": VOCABULARY, "a.ilk": clash, "b.ilk": clash}
    session = project(tmp_path, files)
    assert said(session, tmp_path / "vocab.ilk") == ["duplicate-name"]
    assert commanded(tmp_path / "vocab.ilk") == []
    files["vocab.ilk"] += "permit all { action enter when principal.agee > 1 }\n"
    files["a.ilk"] = files["b.ilk"] = "use vocab\n// 𝄞\npermit all { action enter }\n"
    session = project(tmp_path, files)
    found = said(session, tmp_path / "vocab.ilk")
    assert found == ["unknown-attribute", "duplicate-name"]
    messages = [one.message for one in session.diagnostics(view(session, tmp_path / "vocab.ilk"))]
    assert messages[1].endswith("\nread with a.ilk")


def test_a_chain_of_modules_is_read_as_the_command_line_reads_it(tmp_path: Path) -> None:
    files = {
        "policies/main.ilk": "use one.two\n// 𝄞\npermit p { action go }\n",
        "policies/one/two.ilk": "module one.two\nuse three\n// 𝄞\n",
        # Modules are looked for from the file that is checked, and not from the one that uses them.
        "policies/one/three.ilk": "module three\n// 𝄞\n",
    }
    session = project(tmp_path, files)
    assert said(session, tmp_path / "policies/main.ilk") == ["unknown-action"]
    # `main.ilk` does not find what `two.ilk` does.
    (problem,) = session.diagnostics(view(session, tmp_path / "policies/one/two.ilk"))
    assert problem.message.endswith("\nread with policies/main.ilk")
    assert sorted(commanded(tmp_path / "policies/main.ilk")) == ["unknown-action", "unknown-module"]
    (tmp_path / "three.ilk").write_text(
        "module three\n// 𝄞\nentity A\naction go { principal A resource A }\n", encoding="utf-8"
    )
    session.workspace.reload(str(tmp_path / "three.ilk"))
    assert said(session, tmp_path / "policies/main.ilk") == []
    assert commanded(tmp_path / "policies/main.ilk") == []


def test_a_module_is_found_by_the_name_of_its_file(tmp_path: Path) -> None:
    session = project(tmp_path, {"other.ilk": VOCABULARY, "a.ilk": POLICY})
    a = tmp_path / "a.ilk"
    assert said(session, a) == commanded(a) == ["unknown-module"]
    assert "vocab" not in view(session, a).modules()
    # A buffer that was never saved counts.
    unsaved = (tmp_path / "vocab.ilk").as_uri()
    session.workspace.open_file(unsaved, VOCABULARY, 1)
    assert said(session, a) == []
    assert "vocab" in view(session, a).modules()
    session.workspace.close_file(unsaved)
    assert said(session, a) == ["unknown-module"]
    (tmp_path / "vocab.ilk").write_text("module elsewhere\n// 𝄞\n", encoding="utf-8")
    session.workspace.reload(str(tmp_path / "vocab.ilk"))
    (problem,) = session.diagnostics(view(session, a))
    assert "is not the module `vocab`" in problem.message
    (expected,) = load([a])[1]
    assert problem.message == f"{expected.message}\nhelp: {expected.help}"


def test_a_folder_of_the_settings_is_read_as_the_command_line_reads_it(tmp_path: Path) -> None:
    files = {
        "policies/actions.ilk": VOCABULARY.replace("module vocab\n", ""),
        "policies/build/rules.ilk": "// 𝄞\npermit p { action enter }\n",
    }
    session = project(tmp_path, files, Settings(policies=(("policies",),)))
    assert commanded(tmp_path / "policies") == []
    assert [said(session, tmp_path / name) for name in files] == [[], []]


def test_a_bundled_pack_can_be_named_in_the_settings(tmp_path: Path) -> None:
    session = project(
        tmp_path,
        {"a.ilk": "use std.change\n// 𝄞\npermit p { action apply }\n"},
        Settings(policies=(("production_guardrails", "a.ilk"),)),
    )
    found = view(session, tmp_path / "a.ilk").analysis
    assert "production_guardrails.ilk" in {Path(file).name for file in found.documents}
    assert session.files_to_report() == [str(tmp_path / "a.ilk")]


def test_a_file_that_is_no_text_says_so_and_is_no_module(tmp_path: Path) -> None:
    session = project(tmp_path, {"a.ilk": POLICY})
    broken = tmp_path / "vocab.ilk"
    broken.write_bytes("// 𝄞\n// ab".encode() + b"\xff\n")
    session.workspace.reload(str(broken))
    assert said(session, broken) == ["not-text"]
    (problem,) = session.diagnostics(view(session, broken))
    assert (problem.range.start.line, problem.range.start.character) == (1, 5)
    assert said(session, tmp_path / "a.ilk") == ["unknown-module"]
    assert sorted(commanded(tmp_path / "a.ilk")) == ["not-text", "unknown-module"]
    broken.write_text(VOCABULARY, encoding="utf-8")
    session.workspace.reload(str(broken))
    assert said(session, broken) == said(session, tmp_path / "a.ilk") == []


def test_only_files_that_are_looked_through_come_in(tmp_path: Path) -> None:
    session = project(tmp_path, {"a.ilk": "// 𝄞\n"})
    for folder in ("build", ".git", "src/node_modules/x"):
        (tmp_path / folder).mkdir(parents=True)
        file = tmp_path / folder / "y.ilk"
        file.write_text("permit broken {", encoding="utf-8")
        session.workspace.reload(str(file))
        session.workspace.reload(str(file.parent))
    assert session.files_to_report() == [str(tmp_path / "a.ilk")]


def test_what_is_below_a_folder_comes_and_goes_with_it(tmp_path: Path) -> None:
    session = project(tmp_path, {"a.ilk": "// 𝄞\n", "d/e/x.ilk": "permit broken {"})
    assert said(session, tmp_path / "d/e/x.ilk") == ["syntax-error"]
    (tmp_path / "d").rename(tmp_path / "f")
    session.workspace.reload(str(tmp_path / "d"))
    assert session.files_to_report() == [str(tmp_path / "a.ilk")]
    session.workspace.reload(str(tmp_path / "f"))
    assert session.files_to_report() == [str(tmp_path / "a.ilk"), str(tmp_path / "f/e/x.ilk")]


def test_a_folder_within_another_stays_when_the_other_goes(tmp_path: Path) -> None:
    session = project(tmp_path, {"a.ilk": "// 𝄞\n", "inner/x.ilk": "// 𝄞\n"})
    session.workspace.add_folder((tmp_path / "inner").as_uri())
    session.workspace.remove_folder(tmp_path.as_uri())
    assert session.files_to_report() == [str(tmp_path / "inner/x.ilk")]


def test_a_link_and_what_it_links_to_are_one_file(tmp_path: Path) -> None:
    session = project(tmp_path, {"real/a.ilk": "// 𝄞\n"})
    real, link = tmp_path / "real/a.ilk", tmp_path / "link.ilk"
    link.symlink_to(real)
    workspace = session.workspace
    workspace.open_file(real.as_uri(), "// 𝄞 one\n", 1)
    workspace.open_file(link.as_uri(), "// 𝄞 one\n", 1)
    assert workspace.uri_of(str(real)) == link.as_uri()
    workspace.close_file(link.as_uri())
    assert workspace.uri_of(str(real)) == real.as_uri()
    assert str(real) in workspace.open


def test_a_file_of_another_language_is_left_alone(tmp_path: Path) -> None:
    session = project(tmp_path, {})
    uri = (tmp_path / "a.cedar").as_uri()
    assert session.workspace.open_file(uri, "permit(principal, action, resource);", 1) is None
    assert session.view(uri) is None and session.files_to_report() == []


def test_formatting_keeps_the_line_ends_of_a_file(tmp_path: Path) -> None:

    tidy = "// 𝄞\r\nentity A\r\n\r\npermit p {\r\n  action go\r\n}\r\n"
    untidy = tidy.replace("p {\r\n  action go\r\n}", "p { action go\r\n}").replace(
        "entity ", "entity  "
    )
    session = project(tmp_path, {})
    uri = (tmp_path / "a.ilk").as_uri()
    document = session.workspace.open_file(uri, tidy, 1)
    assert document is not None
    here = view(session, tmp_path / "a.ilk")
    laid_out = format_document(here)
    document.set_source(_applied(here, laid_out))
    tidy = document.text.source
    assert "\n" not in tidy.replace("\r\n", "")
    assert format_document(view(session, tmp_path / "a.ilk")) == []
    document.set_source(untidy)
    here = view(session, tmp_path / "a.ilk")
    everything = here.range_between(0, len(untidy))
    brace = here.position(untidy.index("}") + 1)
    for edits in (
        format_document(here),
        format_range(here, everything),
        format_on_type(here, brace),
    ):
        assert edits
        assert "\n" not in _applied(here, edits).replace("\r\n", "")


def _applied(here: View, edits: list[TextEdit]) -> str:
    text = here.source
    for edit in sorted(edits, key=lambda one: here.offset(one.range.start), reverse=True):
        start, end = here.span_of(edit.range)
        text = text[:start] + edit.new_text + text[end:]
    return text
