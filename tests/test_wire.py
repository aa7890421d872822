"""Documents from outside are requests and entities of the schema, or a `Misfit` that says where; nothing else."""

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Json, World, broken, compile_text, requests, stores, worlds

from interlock.compiler.entities import Entities
from interlock.compiler.wire import Misfit, decode, read_entities, read_request
from interlock.lang.schema import Schema
from interlock.lang.values import EntityId

few = settings(
    max_examples=max(10, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCHEMA = """
enum Risk { low, high }
entity Team in Team
entity Root
entity User in Team | Root { age: Int, tags: Set<String>? }
abstract entity Asset
entity Table extends Asset in Table
action drop {
  principal User
  resource  Table
  context   {
    risk: Risk?
    rows: Int?
    share: Decimal?
    at: Instant?
    ttl: Duration?
    from: IpRange?
    dry: Bool?
    owner: Asset?
    note: { text: String }?
    all: Set<{ n: Int }>?
  }
}
permit all {}
"""
USER = {"type": "User", "id": "u"}
TABLE = {"type": "Table", "id": "t"}
REQUEST = {"principal": USER, "action": {"type": "Action", "id": "drop"}, "resource": TABLE}

json_documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(("User", "Action", "drop", "\ud800", "__entity")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "principal",
                    "action",
                    "resource",
                    "context",
                    "type",
                    "id",
                    "uid",
                    "attrs",
                    "parents",
                )
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def schema() -> Schema:
    return compile_text(SCHEMA).schema


def misfit(read: Callable[[], object]) -> str:
    """The message with which a document is refused."""
    with pytest.raises(Misfit) as caught:
        read()
    return str(caught.value)


def context_misfit(**context: Json) -> str:
    return misfit(lambda: read_request(schema(), {**REQUEST, "context": context}))


# Documents


@given(json_documents)
def test_any_json_is_a_request_or_a_misfit(document: Json) -> None:
    """No shape of a document raises anything else."""
    try:
        read_request(schema(), document)
    except Misfit as problem:
        assert str(problem).strip()


@given(json_documents)
def test_any_json_is_a_store_or_a_misfit(document: Json) -> None:
    """The same for entities, described as they should be or not."""
    for store in (document, [document], [{"uid": USER, "attrs": document, "parents": document}]):
        try:
            read_entities(schema(), store)
        except Misfit as problem:
            assert str(problem).startswith("entities")


@few
@given(worlds().filter(lambda world: any(True for _ in world.schema.environments())), st.data())
def test_what_fits_the_schema_is_accepted(world: World, data: st.DataObject) -> None:
    """And says the same as what was sent, after it went through text."""
    document = decode(json.dumps(data.draw(requests(world))))
    request = read_request(world.schema, document)
    assert request.principal == EntityId(**document["principal"])
    assert request.action == document["action"]["id"]
    assert set(request.context) == set(document["context"])
    entities = read_entities(world.schema, decode(json.dumps(data.draw(stores(world)))))
    assert not entities.invalid


@few
@given(worlds().filter(lambda world: any(True for _ in world.schema.environments())), st.data())
def test_what_nearly_fits_is_accepted_or_a_misfit(world: World, data: st.DataObject) -> None:
    """One thing wrong somewhere is found or does not matter; it never raises anything else."""
    document = data.draw(broken(data.draw(requests(world))))
    try:
        read_request(world.schema, document)
    except Misfit as problem:
        assert ": " in str(problem)


# Text


@given(st.text() | st.binary())
def test_any_text_is_a_document_or_a_misfit(text: str | bytes) -> None:
    """Bytes that are no text, and text that is no JSON."""
    try:
        decode(text)
    except Misfit as problem:
        assert str(problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', "the key `a` stands twice in one object"),
        ('[{"b": {"a": 1, "a": 1}}]', "the key `a` stands twice"),
        ("NaN", "`NaN` is not JSON"),
        ("[Infinity]", "`Infinity` is not JSON"),
        ("-Infinity", "`-Infinity` is not JSON"),
        ("[" * 10_000 + "]" * 10_000, "nested deeper than"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested deeper than"),
        ("1" * 1_001, "more than 1,000 digits"),
        ("{'a': 1}", "this is not JSON"),
        ("[1,]", "this is not JSON"),
        ("", "line 1, column 1"),
        (b"\xff", "this is not UTF-8 text"),
    ],
)
def test_text_that_readers_disagree_about_is_refused(text: str | bytes, expected: str) -> None:
    """What one parser takes for the first value of a key, another takes for the last."""
    assert expected in misfit(lambda: decode(text))


# Values


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"rows": True}, "context.rows: a `Int` is needed here, not `true`"),
        ({"rows": "1"}, 'context.rows: a `Int` is needed here, not the text "1"'),
        ({"rows": None}, "context.rows: `null` is not a value; leave out what is absent"),
        ({"rows": []}, "context.rows: a `Int` is needed here, not a list"),
        ({"dry": 1}, "context.dry: a `Bool` is needed here, not the number 1"),
        ({"share": "1.00001"}, "context.share: a `Decimal` is needed here"),
        ({"share": True}, "context.share: a `Decimal` is needed here"),
        ({"at": "2026-01-01"}, "context.at: a `Instant` is needed here"),
        ({"ttl": "1y"}, "context.ttl: a `Duration` is needed here"),
        ({"from": "10.0.0.1/8"}, "context.from: a `IpRange` is needed here"),
        ({"risk": "hihg"}, "context.risk: `hihg` is not a member of `Risk`; did you mean `high`?"),
        ({"owner": {"type": "Asset", "id": "a"}}, "context.owner: a `Asset` is needed here"),
        ({"owner": {"type": "Table"}}, "context.owner.id: this is missing"),
        ({"owner": {"type": "Table", "id": 1}}, "context.owner.id: a text is needed here"),
        ({"note": {}}, "context.note.text: this is missing; a `String` is needed"),
        ({"all": [{"n": 1}, {"n": "x"}]}, "context.all[1].n: a `Int` is needed here"),
        ({"rosw": 1}, "context.rosw: there is no field `rosw`; did you mean `rows`?"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_path(context: Json, expected: str) -> None:
    """No conversion, no null, no field that nobody declared."""
    assert context_misfit(**context).startswith(expected)


def test_a_fraction_is_exact() -> None:
    """`0.1` is a tenth, not the nearest float; an exponent is refused rather than worked out."""
    document = {**REQUEST, "context": decode('{"share": 0.1}')}
    assert str(read_request(schema(), document).context["share"]) == "0.1"
    assert "context.share" in context_misfit(share=decode("1e3"))
    assert "context.rows" in context_misfit(rows=decode("1.0"))


def test_a_lone_surrogate_is_text_like_any_other() -> None:
    """JSON can say what UTF-8 cannot; it is kept, and has a digest."""
    document = {**REQUEST, "context": decode('{"note": {"text": "\\ud800"}}')}
    assert read_request(schema(), document).digest


def test_the_request_itself_is_checked() -> None:
    """Its four parts, the action, and who may ask for it on what."""

    def refused(**changes: Json) -> str:
        document = {key: value for key, value in {**REQUEST, **changes}.items() if value != "gone"}
        return misfit(lambda: read_request(schema(), document))

    assert refused(action="gone").endswith("action: this is missing")
    assert refused(extra=1).startswith("request.extra: there is no field `extra`")
    assert refused(action=USER).startswith("action: the type of an action is `Action`")
    assert "did you mean `drop`?" in refused(action={"type": "Action", "id": "dorp"})
    assert refused(principal=TABLE) == "principal: `drop` takes `User` here, not `Table`"
    assert refused(resource={"type": "Tabel", "id": "t"}).startswith(
        "resource: there is no entity type `Tabel`"
    )
    assert misfit(lambda: read_request(schema(), [])).startswith("request: an object is needed")


@pytest.mark.parametrize("context", [{"rows": 10**5_000}, {"dry": 10**5_000}])
def test_a_number_beyond_the_limit_is_a_misfit(context: Json) -> None:
    """A caller in Python can pass any number, and Python refuses to write one of more than 4,300 digits."""
    document = {**REQUEST, "context": context}
    assert "digits" in misfit(lambda: read_request(schema(), document).digest)


# Entities


def store(*documents: Json) -> Entities:
    return read_entities(schema(), list(documents))


def described(type: str, id: str, *parents: tuple[str, str], attrs: Json = None) -> Json:
    above = [{"type": type, "id": id} for type, id in parents]
    return {"uid": {"type": type, "id": id}, "attrs": attrs or {}, "parents": above}


def test_ancestors_are_found_at_any_distance() -> None:
    """And an entity is not its own ancestor in the store, since `in` adds that."""
    found = store(
        described("User", "u", ("Team", "a"), attrs={"age": 1}),
        described("Team", "a", ("Team", "b"), ("Team", "c")),
        described("Team", "b"),
        described("Team", "c"),
    )
    teams = {EntityId("Team", name) for name in "abc"}
    assert found.known[EntityId("User", "u")].ancestors == teams
    assert not found.invalid


@pytest.mark.parametrize("length", [1, 2, 3, 1_000])
def test_an_entity_in_itself_cannot_be_read_nor_what_is_below_it(length: int) -> None:
    """A cycle of any length, found without recursion."""
    names = [f"t{number}" for number in range(length)]
    ring = [
        described("Team", name, ("Team", names[number - 1])) for number, name in enumerate(names)
    ]
    below = described("User", "u", ("Team", "t0"), attrs={"age": 1})
    found = store(below, *ring, described("Team", "free"))
    assert set(found.known) == {EntityId("Team", "free")}
    assert any("it is in itself" in reason for reason in found.invalid.values())


def test_a_missing_parent_matters_where_it_could_be_in_something() -> None:
    """A missing root hides nothing; a missing team could be in the team that a guard asks about."""
    rooted = store(described("User", "u", ("Root", "r"), attrs={"age": 1}))
    assert rooted.known[EntityId("User", "u")].ancestors == {EntityId("Root", "r")}
    found = store(described("User", "u", ("Team", "gone"), attrs={"age": 1}))
    assert found.invalid == {EntityId("User", "u"): 'it is in Team::"gone", and that is missing'}


def test_an_entity_described_twice_cannot_be_read() -> None:
    """Whichever description comes first, equal or not."""
    twice = described("Team", "a")
    found = store(twice, twice, described("Team", "b", ("Team", "a")))
    assert found.invalid[EntityId("Team", "a")] == "it is described twice"
    assert EntityId("Team", "b") in found.invalid
    assert not found.known


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (described("User", "u"), "attrs.age: this is missing; a `Int` is needed"),
        (described("User", "u", attrs={"age": "1"}), "attrs.age: a `Int` is needed here"),
        (described("User", "u", attrs={"aeg": 1}), "attrs.aeg: there is no field `aeg`"),
        (described("User", "u", attrs={"age": 1, "tags": [1]}), "attrs.tags[0]: a `String`"),
        (described("Team", "t", ("User", "u")), "parents[0]: a `Team` is never in a `User`"),
        (described("Asset", "a"), "uid: `Asset` is abstract"),
        (described("Taem", "a"), "uid: there is no entity type `Taem`; did you mean `Team`?"),
        ({**described("Team", "a"), "parents": {}}, "parents: a list is needed here"),
    ],
)
def test_an_entity_that_does_not_fit_is_kept_with_the_reason(document: Json, expected: str) -> None:
    """So that whatever reads it denies and says why, and what does not read it goes on."""
    found = store(document, described("Root", "fine"))
    (reason,) = found.invalid.values()
    assert reason.startswith(expected)
    assert set(found.known) == {EntityId("Root", "fine")}


def test_a_store_whose_entities_cannot_be_told_apart_is_a_misfit() -> None:
    """Without a name there is nothing to keep the reason under."""
    assert misfit(lambda: store({"uid": "u"})).startswith("entities[0].uid: an object is needed")
    assert misfit(lambda: store({})) == "entities[0].uid: this is missing"
    assert misfit(lambda: read_entities(schema(), {})).startswith("entities: a list is needed")
