"""The generated evaluator: what it writes, what it keeps, and what it does when things change under it."""

import ast
import gc
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import interlock
from interlock.cli.decisions import decision_document
from interlock.compiler.backends.python import runtime
from interlock.compiler.backends.python.literals import python_literal
from interlock.compiler.backends.python.load import Program
from interlock.compiler.decision import Decision
from interlock.compiler.documents import Misfit, decode, decode_items

POLICY = """
entity Team in Team
entity User in Team { age: Int }
entity File in Team { open: Bool }
action read { principal User  resource File  context { hour: Int? } }
permit adults { action read  when principal.age >= 18 }
forbid closed { action read  unless resource.open  because "{resource} is closed" }
permit mates  { action read  when principal in Team::"x" and resource in Team::"x" }
"""

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_a_literal_is_exactly_its_value(value: Any) -> None:
    text = python_literal(value)
    assert ast.literal_eval(text) == value
    assert text.isascii() and "\n" not in text


@given(st.frozensets(st.text(st.characters(codec=None))))
def test_a_set_literal_is_exactly_its_value(value: frozenset[str]) -> None:
    assert eval(python_literal(value), {"__builtins__": {"frozenset": frozenset}}) == value  # noqa: S307


def test_a_number_too_long_for_decimal_text_is_a_literal() -> None:
    assert ast.literal_eval(python_literal(-(10**5000))) == -(10**5000)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "policy.ilk"
    file.write_text(POLICY)
    return file


def user(age: int = 30, team: str | None = None, name: str = "ann") -> dict[str, Any]:
    parents = [{"type": "Team", "id": team}] if team else []
    return {"uid": {"type": "User", "id": name}, "attrs": {"age": age}, "parents": parents}


def file(open: bool = True, team: str | None = None, name: str = "f") -> dict[str, Any]:
    parents = [{"type": "Team", "id": team}] if team else []
    return {"uid": {"type": "File", "id": name}, "attrs": {"open": open}, "parents": parents}


def team(name: str, above: str | None = None) -> dict[str, Any]:
    parents = [{"type": "Team", "id": above}] if above else []
    return {"uid": {"type": "Team", "id": name}, "attrs": {}, "parents": parents}


REQUEST = {
    "principal": {"type": "User", "id": "ann"},
    "action": {"type": "Action", "id": "read"},
    "resource": {"type": "File", "id": "f"},
    "context": {},
}


def test_a_program_is_kept_and_used_again(path: Path) -> None:
    first = interlock.load(path)
    second = interlock.load(path)
    store = second.entities([user(), file(open=False)])
    decision = second.decide(REQUEST, store)
    assert first.digest == second.digest
    other = first.decide(REQUEST, first.entities([user(), file(open=False)]))
    assert decision_document(decision) == decision_document(other)
    assert str(decision.reasons[0].span) == f"{path}:7:1"
    assert decision.reasons[0].because == 'File::"f" is closed'


def test_a_kept_program_is_not_used_when_a_file_changed(path: Path) -> None:
    interlock.load(path)
    path.write_text(POLICY.replace("18", "40"))
    policies = interlock.load(path)
    assert policies.decide(REQUEST, policies.entities([user(), file()])).outcome == "deny"


def test_a_kept_program_that_was_touched_is_not_used(path: Path, tmp_path: Path) -> None:
    interlock.load(path)
    (kept,) = (tmp_path / "cache" / "interlock" / "programs").iterdir()
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes(data)
    assert interlock.load(path).rules == ("adults", "closed", "mates")
    kept.chmod(0o666)
    assert interlock.load(path).rules == ("adults", "closed", "mates")


def test_a_program_in_a_folder_that_others_can_write_is_not_used(
    path: Path, tmp_path: Path
) -> None:
    interlock.load(path)
    folder = tmp_path / "cache" / "interlock" / "programs"
    os.chmod(folder, 0o777)  # noqa: PTH101, S103
    assert interlock.load(path).rules == ("adults", "closed", "mates")


def test_policies_that_do_not_compile_raise_with_their_problems(path: Path) -> None:
    path.write_text("permit { }")
    with pytest.raises(interlock.PolicyError) as error:
        interlock.load(path)
    assert error.value.problems


def test_a_reload_that_does_not_check_keeps_the_old_policies(path: Path) -> None:
    policies = interlock.load(path)
    store = policies.entities([user(), file()])
    path.write_text("permit { }")
    assert policies.reload()
    assert policies.decide(REQUEST, store).outcome == "permit"
    path.write_text(POLICY.replace("18", "40"))
    assert not policies.reload()
    assert policies.decide(REQUEST, store).outcome == "deny"


def test_entities_of_another_schema_are_refused(path: Path) -> None:
    policies = interlock.load(path)
    store = policies.entities([user(), file()])
    path.write_text(POLICY.replace("open: Bool", "open: Bool, size: Int?"))
    policies.reload()
    decision = policies.decide(REQUEST, store)
    assert decision.outcome == "deny"
    assert "another schema" in decision.problems[0].message


def test_decisions_while_policies_are_reloaded(path: Path) -> None:
    """Every decision is wholly by the old or wholly by the new policies."""
    policies = interlock.load(path)
    store = policies.entities([user(), file()])
    seen: set[str] = set()
    stop = threading.Event()

    def decide() -> None:
        while not stop.is_set():
            seen.add(str(policies.decide(REQUEST, store).outcome))

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for limit in ("40", "18", "40"):
        path.write_text(POLICY.replace("18", limit))
        policies.reload()
    stop.set()
    for thread in threads:
        thread.join()
    assert seen <= {"permit", "deny"}
    assert policies.decide(REQUEST, store).outcome == "deny"


# Entities


def test_an_update_gives_another_store_and_leaves_the_first(path: Path) -> None:
    policies = interlock.load(path)
    store = policies.entities([user(), file(open=False)])
    changed = store.updated([file(open=True)])
    assert policies.decide(REQUEST, store).outcome == "deny"
    assert policies.decide(REQUEST, changed).outcome == "permit"
    removed = changed.updated([], removed=[("File", "f")])
    assert policies.decide(REQUEST, removed).problems[0].message == 'File::"f" is missing'
    assert (len(store), len(changed), len(removed)) == (2, 2, 1)


def test_what_is_in_a_changed_entity_changes_with_it(path: Path) -> None:
    policies = interlock.load(path)
    people = [team("x"), team("y"), user(9, "y"), file(team="x")]
    store = policies.entities(people)
    assert policies.decide(REQUEST, store).outcome == "deny"
    inside = store.updated([team("y", above="x")])
    assert policies.decide(REQUEST, inside).outcome == "permit"
    assert policies.decide(REQUEST, inside.updated([team("y")])).outcome == "deny"


def test_an_entity_below_a_missing_one_is_read_when_that_comes(path: Path) -> None:
    policies = interlock.load(path)
    store = policies.entities([user(30, "late"), file()])
    assert "is missing" in policies.decide(REQUEST, store).problems[0].message
    assert policies.decide(REQUEST, store.updated([team("late")])).outcome == "permit"


@given(st.data())
def test_an_updated_store_equals_a_fresh_one(data: st.DataObject) -> None:
    policies = interlock.load(Path(__file__).parent / "specs" / "teams.ilk", cache=False)
    names = ("a", "b", "c", "d")
    described: dict[str, dict[str, Any]] = {}
    store = policies.entities([])
    for _ in range(data.draw(st.integers(1, 6))):
        name = data.draw(st.sampled_from(names))
        if data.draw(st.booleans()):
            above = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
            described[name] = {
                "uid": {"type": "Team", "id": name},
                "attrs": {},
                "parents": [{"type": "Team", "id": parent} for parent in above],
            }
            store = store.updated([described[name]])
        else:
            described.pop(name, None)
            store = store.updated([], removed=[("Team", name)])
        fresh = policies.entities(list(described.values()))
        for other in names:
            uid = ("Team", other)
            assert store.get(uid) == fresh.get(uid), (name, other)


JSON_TEXTS = st.one_of(
    st.text('[]{},:"1e-. \\n\\\\u', max_size=12),
    st.lists(VALUES, max_size=3).map(lambda items: json.dumps(items, default=str)),
    st.builds(
        lambda text, at, extra: text[:at] + extra + text[at:],
        st.just('[{"a": 1}, [2, "x"] , 3]'),
        st.integers(0, 24),
        st.sampled_from((",", "]", "[", "x", '"', " ")),
    ),
)


@given(JSON_TEXTS)
def test_items_are_read_one_by_one_as_the_whole_is(text: str) -> None:
    def read(reader: Any) -> tuple[Any, str]:
        try:
            return reader(text), ""
        except Misfit as misfit:
            return None, str(misfit)

    whole, problem = read(decode)
    items, same_problem = read(lambda text: list(decode_items(text)))
    if problem or isinstance(whole, list):
        assert (items, same_problem) == (whole, problem)
    else:
        assert same_problem


# The quick path

KINDS = """
enum Risk ordered { low, high }
entity Team
entity User in Team
action read {
  principal User
  resource User
  context {
    on: Bool, count: Int, price: Decimal, name: String, at: Instant, length: Duration, from: IpRange,
    risk: Risk, by: User, tags: Set<String>, past: Set<{ by: User, at: Instant? }>, note: { text: String, risk: Risk? },
    other: String?, more: { count: Int }?
  }
}
action look { principal User  resource User }
permit all {}
"""
CONTEXT: dict[str, Any] = {
    "on": True, "count": 10**30, "price": "1.5", "name": "x", "at": "2026-01-01T00:00:00Z", "length": "1h",
    "from": "10.0.0.0/8", "risk": "high", "by": {"type": "User", "id": "ann"}, "tags": ["a", "b"],
    "past": [{"by": {"type": "User", "id": "ann"}}, {"by": {"__entity": {"type": "User", "id": "zoe"}}}],
    "note": {"text": "t", "risk": "low"}, "other": "o",
    "more": {"count": 1},
}  # fmt: skip
ANN = {"type": "User", "id": "ann"}


def asking(action: str, **rest: Any) -> dict[str, Any]:
    named = {"type": "Action", "id": action}
    return {"principal": ANN, "action": named, "resource": ANN, **rest}


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_as_it_should_be_is_decided_without_the_exact_readers(
    kept: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow way is right about everything, so only this tells when it stands in for the quick one."""
    path.write_text(KINDS)
    if kept:
        interlock.load(path)
    called = []

    def exactly(self: Program, document: Any, entities: interlock.Entities) -> Decision:
        called.append(document)
        return self.refuse()

    monkeypatch.setattr(Program, "decide_exactly", exactly)
    policies = interlock.load(path)
    store = policies.entities([{"uid": ANN}])
    without = {key: value for key, value in CONTEXT.items() if key not in ("other", "more")}
    requests = [
        asking("read", context=CONTEXT),
        asking("read", context=without),
        asking("look", context={}),
        asking("look"),
    ]
    for over in (store, store.updated([{"uid": {**ANN, "id": "zoe"}}])):
        assert [policies.decide(request, over).outcome for request in requests] == ["permit"] * 4
        assert [policies.allows(request, over) for request in requests] == [True] * 4
    assert policies.decide_json(json.dumps(asking("look")), store).outcome == "permit"
    assert called == []


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("a field more", {**asking("look", context={}), "more": 1}),
    ("a field more, no context", {**asking("look"), "more": 1}),
    ("a field more in a name", asking("look", principal={**ANN, "more": 1})),
    ("a context where there is none", asking("look", context={"on": True})),
    ("a list as context", asking("look", context=[])),
    ("another type of action", {**asking("look"), "action": {"type": "Deed", "id": "look"}}),
    ("a number as name", asking("look", principal={"type": "User", "id": 1})),
    ("a list as name", asking("look", resource={"type": "User", "id": []})),
    ("nobody", asking("look", principal={"type": "User", "id": "nobody"})),
    ("a context that lacks a field", asking("read", context={"on": True})),
    ("a number for a text", asking("read", context={**CONTEXT, "name": 1})),
    ("true for a number", asking("read", context={**CONTEXT, "count": True})),
    ("a field more in the context", asking("read", context={**CONTEXT, "what": 1})),
    ("a text too long", asking("read", context={**CONTEXT, "name": "x" * 2_000_000})),
]


@pytest.mark.parametrize(("what", "request_"), WRONG, ids=[what for what, _ in WRONG])
def test_what_is_not_as_it_should_be_is_denied_with_the_reason(
    what: str, request_: dict[str, Any], path: Path
) -> None:
    path.write_text(KINDS)
    policies = interlock.load(path)
    store = policies.entities([{"uid": ANN}])
    decision = policies.decide(request_, store)
    assert decision.outcome == "deny", what
    assert decision.problems
    assert not policies.allows(request_, store)


def test_an_answer_is_kept_only_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "MAX_ANSWERS", 2)
    answers = runtime.Answers("permit", (3, 5, 8))
    assert [answers[found].rules for found in (1, 2, 6, 7)] == [(3,), (5,), (5, 8), (3, 5, 8)]
    assert len(answers) == 2
    assert answers[1] is answers[1]


def test_a_decision_keeps_no_store_alive(path: Path) -> None:
    policies = interlock.load(path)
    decision = policies.decide(REQUEST, policies.entities([user(), file()]))
    seen: list[Any] = [decision]
    for item in seen:
        found = gc.get_referents(item) if isinstance(item, tuple) else []
        assert not any(isinstance(one, interlock.Entities) for one in found)
        seen += [one for one in found if isinstance(one, tuple)]
