"""The document reader: what readers read alike is read, everything else names itself, and nothing hides the rest."""

import re
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from interlock.plans.sources.kubernetes.yaml import MAX_DEPTH, MAX_DOCUMENTS, Document, documents


def read(text: str) -> list[Document]:
    return list(documents(text))


def values(text: str) -> list[object]:
    found = read(text)
    assert [each.fault for each in found] == [None] * len(found)
    return [each.value for each in found]


def fault(text: str) -> str:
    (found,) = read(text)
    assert found.fault is not None
    assert found.value is None
    return found.fault


def test_documents_are_cut_at_their_separators() -> None:
    assert values("a: 1\n---\nb: [1, x]\n--- # note\nc: {d: null}\n") == [
        {"a": 1},
        {"b": [1, "x"]},
        {"c": {"d": None}},
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only a note\n", "---\n---\n", "%YAML 1.1\n---\n", "...\n"]
)
def test_an_empty_document_is_none(text: str) -> None:
    assert read(text) == []


def test_places_count_from_the_top_of_the_file() -> None:
    _, second = read("# one\na: 1\n---\nb:\n  c: 2\n  d: [x, y: z]\n")
    assert second.place == (4, 1)
    assert second.place_of(("b", "d", 1, "y")) == (6, 10)
    assert second.place_of(("b", "gone", "deeper")) == (4, 1)
    assert second.place_of(("nothing",)) is None


def test_json_is_read_as_json_and_a_list_knows_the_lines_of_its_items() -> None:
    (found,) = read(
        '{\n  "kind": "List",\n  "items": [\n    {"a": 1},\n    {"b": "\\u00e9"}\n  ]\n}\n'
    )
    assert found.value["items"][1] == {"b": "é"}
    assert found.place_of(("items", 1)) == (5, 5)
    assert found.place_of(("kind",)) == (2, 3)


def test_tabs_are_fine_in_json() -> None:
    assert values('{\n\t"a": 1\n}') == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0777", 511), ("0o17", 15), ("0x1F", 31), ("1_000", 1000), ("-5", -5), ("1.5", 1.5),
        ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("yes", True), ("Off", False), ("~", None),
        ("'5'", "5"), ("!!str 5", "5"), ("!!int 5", 5), ("=", "="), ("08", 8.0),
    ],
)  # fmt: skip
def test_a_scalar_is_what_kubernetes_reads(text: str, value: object) -> None:
    assert values(f"a: {text}") == [{"a": value}]


def test_aliases_and_merges_mean_what_they_say() -> None:
    text = "x: &a {k: 1, l: 2}\ny: *a\nz: {<<: *a, l: 3}\n"
    assert values(text) == [{"x": {"k": 1, "l": 2}, "y": {"k": 1, "l": 2}, "z": {"l": 3, "k": 1}}]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: 1\na: 2\n", "`a` stands twice"),
        ('{"a": 1, "a": 2}', "`a` stands twice"),
        ("a: {b: 1, b: 2}", "`b` stands twice"),
        ("a: !Ref b", "the tag `!Ref`"),
        ("a: !!python/object:os.system x", "has no meaning here"),
        ("a: !!binary aGk=", "has no meaning here"),
        ("a: &x [*x]", "inside what it repeats"),
        ("a: *nothing", "inside what it repeats"),
        ("? [a]\n: b", "a key is not a word"),
        ("{a: 1}: b", "a key is not a word"),
        ("a: 1\n...\nb: 2", "not YAML"),
        ("a: 1\n... # end\n--- \nb: 2\n...\nc: 1", "not YAML"),
        ("---foo\na: 1", "begins with `---` and goes on"),
        ("a: [1", "not YAML"),
        ("a: b: c", "not YAML"),
        ("a:\n\t- 1", "not YAML"),
        ("a: \x00", "not YAML"),
        ("a: \ud800", "not YAML"),
        ("a: 1\x85b: 2", "readers disagree"),
        ("a: 1\rb: 2", "readers disagree"),
        ("%TAG ! tag:x,2026:\n--- \na: 1", "not YAML"),
        ("{{ if .Values.on }}\na: 1\n{{ end }}", ""),
    ],
)
def test_what_readers_could_read_differently_is_a_fault(text: str, named: str) -> None:
    faults = [each.fault for each in read(text) if each.fault is not None]
    assert faults
    assert named in faults[0]


def test_a_broken_document_hides_no_other() -> None:
    first, second, third = read("a: 1\n---\nb: [\n---\nc: 3\n")
    assert (first.value, third.value) == ({"a": 1}, {"c": 3})
    assert second.fault is not None


def test_a_bomb_of_aliases_is_refused_without_being_built() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "nodes" in fault("\n".join(lines))


@pytest.mark.parametrize("deep", ["[" * 100_000, "{a: " * 100_000, '{"a":' * 100_000])
def test_depth_has_a_limit(deep: str) -> None:
    assert "deep" in fault(deep) or "not YAML" in fault(deep)


def test_aliases_do_not_hide_depth() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 5)]
    assert "deep" in fault("\n".join(lines))


def test_documents_have_a_limit_that_names_itself() -> None:
    found = read("---\na: 1\n" * (MAX_DOCUMENTS + 5))
    assert len(found) == MAX_DOCUMENTS + 1
    assert "more than" in (found[-1].fault or "")


# PyYAML writes `1e5` without quotes, since to it a number has a dot; to Kubernetes' reader it is a number.
a_number_to_some = re.compile(r"\d+[eE]\d+")
plain = st.text(
    alphabet=string.ascii_letters + string.digits + " :-'\"#|>&*!{}[]é\n", max_size=12
).filter(lambda text: not a_number_to_some.fullmatch(text))
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(plain, trees, min_size=1, max_size=4), max_size=4))
def test_what_is_written_is_read_back(written: list[dict[str, object]]) -> None:
    found = values(yaml.safe_dump_all(written, allow_unicode=True))
    assert found == written


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for each in read(text):
        assert (each.fault is None) or each.value is None
        assert each.place >= (1, 1)


@given(
    st.lists(
        st.sampled_from(
            [
                "a: 1",
                "- x",
                "---",
                "  b: {",
                "}",
                "&a",
                "*a",
                "<<: *a",
                '"',
                "|",
                "...",
                "? ",
                "!!x",
                "%TAG",
                "\t",
            ]
        ),
        max_size=12,
    )
)
def test_no_pieces_of_yaml_break_the_reader(pieces: list[str]) -> None:
    for each in read("\n".join(pieces)):
        assert (each.fault is None) or each.value is None
