"""The tables of the shell: every row has a source, says one thing, and a user's rows never acquit what is shipped."""

import pytest

from interlock.plans.model import Effect
from interlock.plans.sources import Options
from interlock.plans.sources.shell.arguments import is_word
from interlock.plans.sources.shell.source import read
from interlock.plans.taxonomy.shell import Form, Taxonomy, read_table, shipped, shipped_tables

TABLES = dict(shipped_tables())


@pytest.mark.parametrize("file", sorted(TABLES))
def test_every_row_has_a_source(file: str) -> None:
    table = TABLES[file]
    rows = (
        *table.programs, *table.readers, *table.wrappers, *table.databases, *table.files, *table.paths, *table.runners
    )  # fmt: skip
    assert rows
    assert all(getattr(row, "source").startswith("https://") for row in rows)  # noqa: B009


def test_a_form_that_is_not_read_says_why() -> None:
    for programs in shipped().programs.values():
        for program in programs:
            for form in (*program.forms, *([program.otherwise] if program.otherwise else [])):
                assert form.effect is not Effect.UNKNOWN or form.opaque, (program.names, form.words)


def test_what_a_project_runs_is_an_update_that_says_why() -> None:
    for programs in shipped().programs.values():
        for program in programs:
            for form in (*program.forms, *([program.otherwise] if program.otherwise else [])):
                if form.project:
                    assert form.effect in (Effect.UPDATE, Effect.CREATE), (
                        program.names,
                        form.words,
                    )


def test_no_row_is_dead() -> None:
    dead = [
        (program.names[0], later.words, later.given)
        for table in TABLES.values()
        for program in table.programs
        for index, later in enumerate(program.forms)
        if any(_takes_all(earlier, later) for earlier in program.forms[:index])
    ]
    assert dead == []


def _takes_all(earlier: Form, later: Form) -> bool:
    """Whether every line that fits the later row fits the earlier one, as far as its words tell."""
    conditions = (
        earlier.given, earlier.also, earlier.missing, earlier.among, earlier.bare, earlier.after_dashes,
        earlier.every, earlier.anywhere, later.anywhere,
    )  # fmt: skip
    if any(conditions) or len(earlier.words) > len(later.words):
        return False
    return all(
        all(is_word(one, words) for one in others.split("|"))
        for words, others in zip(earlier.words, later.words, strict=False)
    )


def test_a_program_stands_in_one_kind_of_table() -> None:
    kinds = [shipped().readers, shipped().databases, shipped().files, shipped().runners]
    for index, kind in enumerate(kinds):
        for other in (*kinds[index + 1 :],):
            assert not set(kind) & set(other), set(kind) & set(other)


def with_table(text: str) -> Taxonomy:
    table, problems = read_table("shell.yaml", text)
    assert table is not None and not problems, problems
    return Taxonomy(shipped().shipped, (table,))


def effects(line: str, taxonomy: Taxonomy) -> set[Effect]:
    return {
        change.effect
        for change in read("a.sh", line, Options(taxonomies={"shell": taxonomy})).changes
    }


OWN = """
programs:
- names: [deploy-tool, terraform]
  source: https://example.com/deploy-tool
  forms:
  - {words: [status], effect: read}
  - {words: [destroy], effect: read}
readers:
- names: [rm, our-viewer]
  source: https://example.com/viewer
files:
- names: [helm, psql]
  act: create
  source: https://example.com/viewer
"""


def test_a_user_adds_programs() -> None:
    taxonomy = with_table(OWN)
    assert effects("deploy-tool status", taxonomy) == {Effect.READ}
    assert effects("our-viewer x", taxonomy) == {Effect.READ}
    assert effects("deploy-tool other", taxonomy) == {Effect.UNKNOWN}


def test_a_user_cannot_acquit_what_is_shipped() -> None:
    taxonomy = with_table(OWN)
    assert effects("terraform destroy", taxonomy) == {Effect.DELETE_DATA}
    assert effects("rm -rf /", taxonomy) == {Effect.DELETE_DATA}
    assert effects("helm uninstall db", taxonomy) == {Effect.DELETE_DATA}
    assert effects("psql -c 'DROP TABLE a'", taxonomy) == {Effect.DELETE_DATA}


def test_a_table_with_a_mistake_is_refused() -> None:
    for text in (
        "programs: [{names: [a]}]",
        "programs:\n- names: [a]\n  source: http://x\n",
        "nonsense: 1",
        "a: [",
        "&a [*a]",
    ):
        table, problems = read_table("shell.yaml", text)
        assert table is None and problems, text
