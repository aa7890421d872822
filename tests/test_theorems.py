"""What the language promises about every policy, tried on random ones; `docs/language.md` states the same in prose."""

import os
import subprocess
import sys
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from strategies import (
    Json,
    Sample,
    World,
    broken,
    check_text,
    compile_text,
    errors,
    partial_stores,
    policy_sets,
    requests,
    rules,
    stores,
    worlds,
)

from interlock.compiler import compile_policies
from interlock.compiler.decision import SEVERITY, Decision, Outcome
from interlock.compiler.entities import Entities
from interlock.compiler.judge import decide_document
from interlock.compiler.lower import BINARY, lower
from interlock.compiler.testing import run_tests
from interlock.compiler.wire import Misfit, read_entities
from interlock.lang import syntax
from interlock.lang.diagnostics import Code, Diagnostic
from interlock.lang.functions import FUNCTIONS, Form
from interlock.lang.loader import load_texts
from interlock.lang.meanings import Reading
from interlock.lang.syntax import Effect, walk

few = settings(
    max_examples=max(10, settings().max_examples // 4),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For claims that draw a whole world, policies and data for each example."""


class Case:
    """A policy set with a request and a store of entities, and what is decided about it."""

    def __init__(self, sample: Sample, request: Json, store: Json) -> None:
        self.sample, self.request, self.store = sample, request, store

    def __repr__(self) -> str:
        return f"{self.sample.text}\nrequest {self.request}\nentities {self.store}"

    def decide(self, sample: Sample | None = None, request: Json = None) -> Decision:
        policies = (sample or self.sample).compile()
        entities = read_entities(policies.schema, self.store)
        decision = decide_document(policies, request or self.request, entities)
        note(f"{decision.outcome} by {decision.rules}, {decision.problems}")
        return decision


@st.composite
def cases(draw: st.DrawFn, whole: bool = False, least: int = 1) -> Case:
    """Any policy set with a request that fits its schema; entities are missing or broken unless `whole`."""
    world = draw(worlds().filter(_admits_requests))
    sample = draw(policy_sets(world, least))
    store = draw(stores(world) if whole else partial_stores(world))
    return Case(sample, draw(requests(world)), store)


def _admits_requests(world: World) -> bool:
    return any(True for _ in world.schema.environments())


def decide(text: str, request: Json, entities: list[Json]) -> Decision:
    policies = compile_text(text)
    return decide_document(policies, request, read_entities(policies.schema, entities))


def problems_of(text: str) -> list[Diagnostic]:
    return load_texts({"policy.ilk": text})[1]


def entity(type: str, id: str, **attributes: Json) -> Json:
    return {"uid": {"type": type, "id": id}, "attrs": attributes, "parents": []}


def request(action: str, resource: str = "Table", **context: Json) -> Json:
    return {
        "principal": {"type": "User", "id": "u"},
        "action": {"type": "Action", "id": action},
        "resource": {"type": resource, "id": "r"},
        "context": context,
    }


# A checked policy


@few
@given(cases(whole=True))
def test_a_well_typed_policy_checks_without_errors(case: Case) -> None:
    """The generator types every expression itself, so this holds the checker and the generator against each other."""
    _, problems = load_texts({"policy.ilk": case.sample.text})
    assert errors(problems) == []


@few
@given(cases(), st.data())
def test_a_checked_policy_never_raises(case: Case, data: st.DataObject) -> None:
    """Whatever comes in, a decision comes out; only a store in which entities cannot be told apart is refused."""
    policies = case.sample.compile()
    try:
        entities = read_entities(policies.schema, data.draw(broken(case.store)))
    except Misfit:
        entities = Entities()
    document = data.draw(broken(case.request))
    assert decide_document(policies, document, entities).outcome in Outcome


@few
@given(cases(whole=True))
def test_no_rule_fails_while_every_entity_is_there(case: Case) -> None:
    """The only thing that can fail in a checked rule is reading an entity, so here nothing does."""
    assert case.decide().problems == ()


@few
@given(cases())
def test_a_rule_fails_only_for_an_absent_entity(case: Case) -> None:
    """With entities missing or unreadable, each problem names one of them and nothing else."""
    for problem in case.decide().problems:
        assert "is missing" in problem.message or "does not fit the schema" in problem.message
        assert '::"' in problem.message


@few
@given(cases())
def test_the_same_request_always_gets_an_equal_decision(case: Case) -> None:
    """A logged decision can be replayed: the same rules give the same reasons under the same id."""
    policies = case.sample.compile()
    entities = read_entities(policies.schema, case.store)
    first = decide_document(policies, case.request, entities)
    assert decide_document(policies, case.request, entities) == first
    later = case.decide()
    assert (later.id, _told(later)) == (first.id, _told(first))


def _told(decision: Decision) -> object:
    """What a decision says but for the places in the text, which belong to one reading of it."""
    reasons = [(item.rule, item.because, item.instead) for item in decision.reasons]
    needs = [(item.rule, item.message) for item in decision.needs]
    problems = sorted((item.rule or "", item.message) for item in decision.problems)
    return decision.outcome, reasons, needs, problems


# Fail closed


@few
@given(cases(whole=True), st.data())
def test_a_request_with_a_needed_field_missing_is_denied_by_name(
    case: Case, data: st.DataObject
) -> None:
    """A guard cannot be skipped by leaving out what it reads."""
    context = case.sample.world.schema.actions[case.request["action"]["id"]].context
    needed = [f"context.{item.name}" for item in context.fields if not item.optional]
    path = data.draw(st.sampled_from([*needed, "principal", "action", "resource"]))
    *above, name = path.split(".")
    document = {**case.request, "context": dict(case.request["context"])}
    del (document[above[0]] if above else document)[name]
    decision = case.decide(request=document)
    assert decision.outcome is Outcome.DENY
    assert f"{path}: this is missing" in decision.problems[0].message


@few
@given(cases(whole=True), st.data())
def test_a_request_with_a_value_of_the_wrong_type_is_denied_by_name(
    case: Case, data: st.DataObject
) -> None:
    """No value is converted, and none is ignored."""
    name = data.draw(st.sampled_from(sorted(case.request)))
    document = {**case.request, name: data.draw(st.sampled_from((None, 0, "x", [], True, 1.5)))}
    decision = case.decide(request=document)
    assert decision.outcome is Outcome.DENY
    assert f"{name}: " in decision.problems[0].message


@few
@given(cases(whole=True), st.sampled_from(("principal", "resource")))
def test_a_missing_principal_or_resource_is_denied_by_name(case: Case, role: str) -> None:
    """Nobody is decided about from the name alone."""
    named = case.request[role]
    case.store = [item for item in case.store if item["uid"] != named]
    decision = case.decide()
    assert decision.outcome is Outcome.DENY
    told = f'{named["type"]}::"{named["id"]}" is missing'
    assert any(told in problem.message for problem in decision.problems)


@few
@given(cases(whole=True), st.data())
def test_an_attribute_that_does_not_fit_denies_whoever_reads_it(
    case: Case, data: st.DataObject
) -> None:
    """An entity with an unknown attribute is never read, so a request about it is denied with the reason."""
    named = case.request[data.draw(st.sampled_from(("principal", "resource")))]
    for item in case.store:
        if item["uid"] == named:
            item["attrs"] = {**item["attrs"], "unheard_of": 1}
    decision = case.decide()
    assert decision.outcome is Outcome.DENY
    assert "there is no field `unheard_of`" in decision.problems[0].message


@few
@given(worlds().filter(_admits_requests), st.data())
def test_an_empty_policy_set_denies_everything_and_check_says_so(
    world: World, data: st.DataObject
) -> None:
    """Nothing is permitted by default, and forgetting to pass the policies is an error."""
    case = Case(Sample(world, ()), data.draw(requests(world)), data.draw(stores(world)))
    assert case.decide().outcome is Outcome.DENY
    assert [problem.code for problem in problems_of(world.text)] == [Code.NO_RULES]


TABLE = """
entity User
entity Table {{ name: String }}
action delete {{ principal User  resource Table  context {{ rows: Int }} }}
permit deletes {{ action delete }}
forbid many_rows {{ action delete  when {condition}  because "{{context.rows}} rows" }}
"""
STORE = [entity("User", "u"), entity("Table", "r", name="orders")]
GUARDED = TABLE.format(condition="context.rows > 100")


def test_few_rows_are_permitted_and_many_are_not() -> None:
    """The two cases that every engine gets right, so that the three below mean something."""
    assert decide(GUARDED, request("delete", rows=100), STORE).outcome is Outcome.PERMIT
    assert decide(GUARDED, request("delete", rows=101), STORE).rules == ("many_rows",)


def test_a_guard_whose_field_is_missing_denies() -> None:
    """Other engines skip the rule, and allow."""
    decision = decide(GUARDED, request("delete"), STORE)
    assert decision.outcome is Outcome.DENY
    assert [problem.message for problem in decision.problems] == [
        "the request does not fit the schema: context.rows: this is missing; a `Int` is needed"
    ]


@pytest.mark.parametrize("rows", ["0", True, None, [], {}, "100"])
def test_a_guard_whose_field_is_of_the_wrong_type_denies(rows: Json) -> None:
    """Other engines order a text before a number, or find the two unequal, and allow."""
    decision = decide(GUARDED, request("delete", rows=rows), STORE)
    assert decision.outcome is Outcome.DENY
    assert "context.rows: " in decision.problems[0].message


def test_a_misspelt_attribute_does_not_compile() -> None:
    """Other engines read a field that no request has, and allow."""
    (problem,) = problems_of(TABLE.format(condition="context.rosw > 100"))
    assert problem.code is Code.UNKNOWN_ATTRIBUTE
    assert problem.help == "did you mean `rows`?"


# Decisions


@few
@given(cases(), st.data())
def test_adding_a_forbid_never_makes_a_decision_more_permissive(
    case: Case, data: st.DataObject
) -> None:
    """Holds with entities missing too: a rule that cannot be read denies."""
    _, before, after = _with_another_rule(case, Effect.FORBID, data)
    assert SEVERITY[after.outcome] >= SEVERITY[before.outcome]


@few
@given(cases(), st.data())
def test_adding_a_require_never_makes_a_decision_more_permissive(
    case: Case, data: st.DataObject
) -> None:
    """A `require` can hold what was permitted, and can deny where it cannot be read."""
    _, before, after = _with_another_rule(case, Effect.REQUIRE, data)
    assert SEVERITY[after.outcome] >= SEVERITY[before.outcome]


@few
@given(cases(), st.data())
def test_adding_a_permit_never_makes_a_decision_less_permissive(
    case: Case, data: st.DataObject
) -> None:
    """A `permit` that cannot be read permits nothing, and forbids nothing either."""
    _, before, after = _with_another_rule(case, Effect.PERMIT, data)
    assert SEVERITY[after.outcome] <= SEVERITY[before.outcome]


def _with_another_rule(
    case: Case, effect: Effect, data: st.DataObject
) -> tuple[syntax.Rule, Decision, Decision]:
    schema = case.sample.world.schema
    defines = tuple(item for item in case.sample.declarations if isinstance(item, syntax.Define))
    added = data.draw(rules(schema, "added", defines, effect))
    before = case.decide()
    return added, before, case.decide(case.sample.with_rules(*case.sample.rules, added))


@few
@given(cases(), st.data())
def test_rule_order_changes_nothing(case: Case, data: st.DataObject) -> None:
    """Neither the decision nor its reasons and needs, and the policy set has the same digest."""
    shuffled = data.draw(st.permutations(case.sample.rules))
    before, after = case.decide(), case.decide(case.sample.with_rules(*shuffled))
    assert (after.id, _told(after)) == (before.id, _told(before))


@few
@given(cases())
def test_duplicate_rules_change_no_outcome(case: Case) -> None:
    """Saying a thing twice is saying it once."""
    copies = tuple(_renamed(rule, f"{rule.name}_again") for rule in case.sample.rules)
    twice = case.decide(case.sample.with_rules(*case.sample.rules, *copies))
    assert twice.outcome is case.decide().outcome


def _renamed(rule: syntax.Rule, name: str) -> syntax.Rule:
    return syntax.Rule(rule.effect, name, rule.clauses)


@few
@given(cases())
def test_the_outcome_follows_from_the_rules_that_apply(case: Case) -> None:
    """Each rule alone says whether it applies, and the four lines of the definition say the rest."""
    decision = case.decide()
    alone = {rule.name: _applies_alone(case, rule) for rule in case.sample.rules}
    if _is_unreadable(case):
        assert decision.outcome is Outcome.DENY
        return
    names = {
        effect: {rule.name for rule in case.sample.rules if rule.effect is effect}
        for effect in Effect
    }
    applying = {name for name, outcome in alone.items() if outcome == "applies"}
    failing = {name for name, outcome in alone.items() if outcome == "fails"}
    permits = applying & names[Effect.PERMIT]
    if applying & names[Effect.FORBID] or failing - names[Effect.PERMIT]:
        assert decision.outcome is Outcome.DENY, "forbid beats permit"
        assert set(decision.rules) == applying & names[Effect.FORBID]
    elif not permits:
        assert decision.outcome is Outcome.DENY, "what nothing permits is denied"
    elif applying & names[Effect.REQUIRE]:
        assert decision.outcome is Outcome.HOLD, "permitted, but a need is unmet"
        assert set(decision.rules) == {need.rule for need in decision.needs}
    else:
        assert decision.outcome is Outcome.PERMIT
        assert set(decision.rules) == permits


def _applies_alone(case: Case, rule: syntax.Rule) -> str:
    """`applies`, `fails` or `no`, from a policy set in which nothing else decides; a `require` applies if unmet."""
    everything = syntax.Rule(Effect.PERMIT, "everything", ())
    others = () if rule.effect is Effect.PERMIT else (everything,)
    decision = case.decide(case.sample.with_rules(rule, *others))
    if decision.problems:
        return "fails"
    applies = rule.name in decision.rules or rule.name in {need.rule for need in decision.needs}
    return "applies" if applies else "no"


def _is_unreadable(case: Case) -> bool:
    """Whether the principal or the resource is missing, so that no rule is asked."""
    decision = case.decide(case.sample.with_rules(syntax.Rule(Effect.PERMIT, "everything", ())))
    return decision.outcome is Outcome.DENY


@few
@given(cases())
def test_nothing_but_an_applying_permit_permits(case: Case) -> None:
    """Without its permits a policy set denies, whatever else it says."""
    others = [rule for rule in case.sample.rules if rule.effect is not Effect.PERMIT]
    assert case.decide(case.sample.with_rules(*others)).outcome is Outcome.DENY
    if case.decide().outcome is not Outcome.DENY:
        assert len(others) < len(case.sample.rules)


# What the generator covers


def test_generated_policies_use_every_node_and_every_function() -> None:
    """A theorem that is never tried on `none` says nothing about `none`."""
    wanted = {kind.__name__ for kind in get_args(syntax.Expression)}
    wanted |= {str(function) for function in FUNCTIONS}
    wanted |= {f"{operator} as {reading}" for operator, reading in BINARY}
    seen: set[str] = set()

    @settings(
        max_examples=5_000,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(worlds().filter(_admits_requests).flatmap(lambda world: policy_sets(world, least=4)))
    def look(sample: Sample) -> None:
        checked = check_text(sample.text)
        for module in checked.names.modules.values():
            for node in walk(module.declarations):
                seen.update(_names_of(node))
                meaning = checked.tables.meanings.get(id(node))
                if isinstance(node, syntax.Binary) and isinstance(meaning, Reading):
                    seen.add(f"{node.operator} as {meaning.name}")
                elif isinstance(meaning, Reading):
                    seen.add(f"{Form.PROPERTY} {meaning.name}")
        if wanted <= seen:
            raise _Complete

    with suppress(_Complete):
        look()
    assert wanted - seen == set()


class _Complete(Exception):
    """Everything was seen."""


def _names_of(node: syntax.Node) -> set[str]:
    names = {type(node).__name__}
    match node:
        case syntax.Unary(operator):
            names.add(f"{Form.PREFIX} {operator}")
        case syntax.Binary("??"):
            names |= {f"{Form.SPECIAL} ??", "?? as "}
        case syntax.Binary(operator):
            names.add(f"{Form.INFIX} {operator}")
        case syntax.MethodCall(method=method):
            names.add(f"{Form.METHOD} {method}")
        case syntax.Call(function):
            names.add(f"{Form.FUNCTION} {function}")
        case syntax.And() | syntax.Or() | syntax.Like() | syntax.Has() | syntax.Is():
            names.add(f"{Form.SPECIAL} {type(node).__name__.lower()}")
        case syntax.Conditional():
            names.add(f"{Form.SPECIAL} if")
        case _:
            pass
    return names


# Where a theorem does not hold yet

ONE = "entity User {}\naction act { principal User  resource User  context { n: Int } }\npermit everything {}\n"
TWO = """
entity User {{}}
entity First {{ {first} }}
entity Second {{ {second} }}
action act {{ principal User  resource First | Second }}
permit everything {{}}
forbid guard {{ when {condition} }}
"""
GROUPS = """
entity User {}
entity Table { quiet: Bool }
action group destroy
action drop, truncate in destroy { principal User  resource Table }
action read { principal User  resource Table }
permit everything {}
"""
LEVELS = """
enum Risk ordered { low, high }
enum Severity ordered { low, high }
entity User {}
action first  { principal User  resource User  context { level: Risk } }
action second { principal User  resource User  context { level: Severity } }
permit everything {}
forbid guard { when context.level == high }
"""


def verdict(text: str, request: Json, *others: Json) -> str:
    """`refused` if the text does not check, else the outcome and the problems of the decision."""
    if errors(problems_of(text)):
        return "refused"
    decision = decide(text, request, [entity("User", "u"), entity("User", "r"), *others])
    return " ".join([decision.outcome, *(problem.message for problem in decision.problems)])


@pytest.mark.parametrize(
    ("text", "request_", "others"),
    [
        pytest.param(LEVELS, request("first", "User", level="high"), [], id="members of two enums"),
        pytest.param(
            TWO.format(
                first="all: Set<{ n: Int }>  most: Int",
                second="all: Set<{ n: Decimal }>  most: Decimal",
                condition="resource.all.sum(x => x.n) > resource.most",
            ),
            request("act", "First"),
            [entity("First", "r", all=[{"n": 5}], most=1)],
            id="the zero of a sum",
        ),
        pytest.param(
            TWO.format(
                first="all: { n: Int? }", second="all: Set<Int>", condition="resource.all == {}"
            ),
            request("act", "First"),
            [entity("First", "r", all={})],
            id="an empty set and an empty record",
        ),
        pytest.param(
            TWO.format(
                first="all: Set<Int>",
                second="all: { size: Int }",
                condition="resource.all.size == 0",
            ),
            request("act", "First"),
            [entity("First", "r", all=[])],
            id="a size and an attribute",
        ),
    ],
)
def test_a_word_means_the_same_in_every_kind_of_request(
    text: str, request_: Json, others: list[Json]
) -> None:
    """Or the rule is refused; each of these guards applies, and must deny without a problem."""
    assert verdict(text, request_, *others) in ("deny", "refused")


@pytest.mark.parametrize(
    "condition",
    [
        "destroy == action",
        "action == (if resource.quiet then read else destroy)",
        "action in (if resource.quiet then read else destroy)",
    ],
)
def test_a_group_of_actions_is_compared_with_in_or_not_at_all(condition: str) -> None:
    """Each of these is false for every action as it stands, so the guard never applies."""
    text = GROUPS + f"forbid guard {{ when {condition} }}"
    assert verdict(text, request("drop"), entity("Table", "r", quiet=False)) in ("deny", "refused")


def test_a_parameter_is_not_confused_with_the_request() -> None:
    """A definition sees only its parameters, whatever they are called."""
    text = (
        ONE
        + "define big(resource: Int) -> Bool = resource > 1\nforbid guard { when big(context.n) }"
    )
    assert verdict(text, request("act", "User", n=1)) in ("permit", "refused")


@pytest.mark.parametrize("condition", ["resource.x == foo", "resource.x in resource.y"])
def test_what_no_entity_reaches_compiles(condition: str) -> None:
    """An entity that is of two types at once is of none, so what follows is never read."""
    text = TWO.format(
        first="", second="", condition=f"resource is First and resource is Second and {condition}"
    )
    assert verdict(text, request("act", "First"), entity("First", "r")) in ("permit", "refused")


@pytest.mark.parametrize(
    "rule",
    [
        f"forbid guard {{ when {' * '.join(['9' * 999] * 5)} == context.n }}",
        'permit guard { because "{context.n * context.n * context.n * context.n * context.n}" }',
    ],
    ids=["folded", "shown"],
)
def test_numbers_may_grow_as_long_as_they_like(rule: str) -> None:
    """`Int` has no bounds, so its text needs one of its own."""
    assert verdict(ONE + rule, request("act", "User", n=10**999)) in ("permit", "refused")


def test_a_rule_that_is_nested_too_deep_once_written_out_is_refused() -> None:
    """The limit on nesting holds for what definitions become, too."""
    chain = "define f0(n: Int) -> Int = n\n" + "".join(
        f"define f{number}(n: Int) -> Int = f{number - 1}(n){' + 1' * 50}\n"
        for number in range(1, 25)
    )
    checked, _ = load_texts(
        {"policy.ilk": ONE + chain + "forbid guard { when f24(context.n) == 0 }"}
    )
    policies, problems = compile_policies(checked)
    assert [problem.code for problem in problems] == [Code.EXPANSION_TOO_LARGE]
    assert policies.rules == ()


def test_what_a_rule_grows_to_is_limited() -> None:
    """Four doublings of fifty make millions of terms, from two lines."""
    wide = f"define wide(n: Int) -> Int = n{' + n' * 50}\n"
    text = ONE + wide + "forbid guard { when wide(wide(wide(wide(context.n)))) == 0 }"
    _, problems = lower(check_text(text))
    assert [problem.code for problem in problems] == [Code.EXPANSION_TOO_LARGE]


def test_policy_sets_that_decide_differently_have_different_digests() -> None:
    """Whether a `Disk` may be the owner depends on what it extends."""
    before, after = (
        "abstract entity Asset\nentity File extends Asset\nentity User\n"
        f"entity Disk{extends}\n"
        "action act { principal User  resource User  context { owner: Asset } }\n"
        "permit everything {}\n"
        for extends in ("", " extends Asset")
    )
    assert compile_text(before).digest != compile_text(after).digest


def test_a_test_says_only_values_that_read_nothing() -> None:
    """What an attribute of another entity is, no request has said yet."""
    text = """
entity User { n: Int }
action act { principal User  resource User }
permit everything {}
test reads { principal User::"a" { n: User::"b".n }  action act  resource User::"a"  expect permit }
"""
    checked, problems = load_texts({"policy.ilk": text})
    assert [problem.code for problem in problems] == [Code.UNKNOWN_NAME]
    assert run_tests(checked, compile_policies(checked)[0]) == []


def test_a_rule_on_a_line_of_its_own_is_read() -> None:
    """Editors show a lone carriage return as the end of a line, and so do our line numbers."""
    text = ONE + "// harmless\rforbid guard {}\n"
    assert verdict(text, request("act", "User", n=1)) == "deny"


def test_a_decision_is_the_same_in_every_process() -> None:
    """Also which of several missing entities is named."""
    program = """
from interlock.compiler import compile_policies
from interlock.compiler.wire import read_entities
from interlock.compiler.judge import decide_document
from interlock.lang.loader import load_texts

policies, _ = compile_policies(load_texts({"policy.ilk": '''
entity User { on: Bool }
action act { principal User  resource User  context { all: Set<User> } }
forbid guard { when context.all.any(one => one.on) }
'''})[0])
ids = [{"type": "User", "id": str(number)} for number in range(9)]
entities = read_entities(policies.schema, [{"uid": ids[0], "attrs": {"on": False}}])
request = {"principal": ids[0], "resource": ids[0], "context": {"all": ids}}
request["action"] = {"type": "Action", "id": "act"}
print(decide_document(policies, request, entities).problems[0].message)
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(told) == 1


def test_a_field_given_twice_is_refused_everywhere() -> None:
    """Also where nothing says which record is wanted."""
    text = ONE + "forbid guard { when { a: 1, a: 2 }.a == 1 }"
    assert verdict(text, request("act", "User", n=1)) == "refused"


def test_a_guard_with_is_holds_in_every_kind_of_request() -> None:
    """Where no resource is a `File`, what is asked of files is never read, and that is no error."""
    text = """
entity Folder {}
entity User {}
entity File in Folder
action open { principal User  resource File | User  context { n: Int } }
action call { principal User  resource User  context { m: Int } }
permit guard { when resource is File and resource in Folder::"f" }
"""
    assert errors(problems_of(text)) == []


def test_has_follows_what_is_told() -> None:
    """The same path can be read after the same guard."""
    text = """
entity File { size: Int? }
entity User { owns: File | User }
action act { principal User  resource User }
permit guard { when resource.owns is File and resource has owns.size }
"""
    assert errors(problems_of(text)) == []


def test_an_instant_can_be_handed_to_a_definition() -> None:
    """A literal that is written as a call has no declaration to look into."""
    text = (
        ONE
        + 'define same(t: Instant) -> Bool = t == t\nforbid guard { when same(instant("2026-01-01T00:00:00Z")) }'
    )
    assert verdict(text, request("act", "User", n=1)) == "deny"
