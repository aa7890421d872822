"""Policy sets of any size for the prover: a fifth as many teams as rules, globs of five shapes, 75 % permits.

Each rule is drawn once and then written three ways: as policy text, as the IR that this text compiles to (10,000 rules
would spend their time in the parser), and as SMT-LIB over strings for a solver that knows these itself.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from interlock.analyzer.goals import Goal, goals_of
from interlock.compiler import ir
from interlock.compiler.ir_text import digest_of
from interlock.lang.loader import load_texts
from interlock.lang.syntax import Effect
from interlock.lang.values import EnumValue

ACTIONS = ("read", "list", "write", "delete", "migrate", "delete_backup", "grant", "run")
STAGES = ("prod", "staging", "dev", "test")
PRINCIPALS = ("Human", "Agent", "Service")
LIMITS = (10, 100, 1_000, 5_000)
SEED = 1
SPLIT_SEED = 7

REACH = "{ rows: Int, approvals: Int, wildcard: Bool }"
SCHEMA = f"""/// Assets in stages, which people and programs work on.
module proofs

enum Stage {{ {", ".join(STAGES)} }}

abstract entity Actor
entity Human extends Actor
entity Agent extends Actor
entity Service extends Actor

entity Asset {{ stage: Stage, path: String }}

""" + "\n".join(
    f"action {name} {{ principal Actor  resource Asset  context {REACH} }}" for name in ACTIONS
)
CLAIMS = """
prove no_wildcard_delete {
  action    delete
  when      resource.stage == prod and context.wildcard
  never permitted
}

prove no_agent_deletes_backups {
  principal Agent
  action    delete_backup
  when      resource.stage == prod
  never permitted
}
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rule. An empty `principals` is everyone; `rows` and `approvals` are limits, and `wildcard` a wish, or none."""

    name: str
    permits: bool
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    stages: tuple[str, ...]
    path: str
    rows: int | None
    """A permit is for at most so many, a forbid for more."""
    approvals: int | None
    wildcard: bool | None


def drawn(number: int) -> list[Drawn]:
    """The same rules every time. The first claim holds for them, and the second does not."""
    chance = random.Random(SEED)  # noqa: S311  # the same rules every time
    teams = max(5, number // 20)
    rules = []
    for position in range(number):
        stage = chance.choice(STAGES)
        path = _path(chance, stage, f"t{chance.randrange(teams)}", f"s{chance.randrange(20)}")
        permits = chance.random() >= 0.25
        actions = tuple(sorted(chance.sample(ACTIONS, chance.randint(1, 3))))
        stages = _stages(chance, stage)
        principals: tuple[str, ...] = ()
        if chance.random() >= 0.4:
            principals = tuple(sorted(chance.sample(PRINCIPALS, chance.randint(1, 2))))
        rows = None
        if chance.random() >= 0.4:
            limits = (1, *LIMITS, 10_000) if permits else LIMITS
            rows = chance.choice((*limits, chance.randrange(1, 20_000)))
        approvals = None if chance.random() < 0.5 else chance.randint(1, 3)
        wildcard = None if chance.random() < 0.5 else not permits
        if permits and "delete" in actions and "prod" in stages:
            wildcard = False
        if not permits and "/" not in path.strip("/*"):
            wildcard = True  # Else some broad forbid would leave nothing to permit.
        rules.append(
            Drawn(
                f"rule_{position}",
                permits,
                principals,
                actions,
                stages,
                path,
                rows,
                approvals,
                wildcard,
            )
        )
    return rules


def _path(chance: random.Random, stage: str, team: str, service: str) -> str:
    shape = chance.random()
    if shape < 0.55:
        return f"{stage}/{team}/*" if chance.random() < 0.6 else f"{stage}/{team}/{service}/*"
    if shape < 0.75:
        return f"{stage}/{team}/{service}/db-*"
    if shape < 0.85:
        return f"*/{team}/{chance.choice(('backup', 'secrets', 'config'))}"
    if shape < 0.95:
        return f"{stage}/*/{chance.choice(('db', 'bucket', 'queue', 'table'))}-*"
    return chance.choice(("*", *(f"{name}/*" for name in STAGES), "*backup*"))


def _stages(chance: random.Random, stage: str) -> tuple[str, ...]:
    shape = chance.random()
    if shape < 0.2:
        return STAGES
    return (stage,) if shape < 0.84 else tuple(sorted(chance.sample(STAGES, 2)))


def refactored(rules: Iterable[Drawn]) -> list[Drawn]:
    """The same policies in other words: a rule for several actions becomes two, and the order is another."""
    found = []
    for rule in rules:
        if len(rule.actions) == 1:
            found.append(rule)
        else:
            found.append(replace(rule, actions=rule.actions[:1]))
            found.append(replace(rule, name=f"{rule.name}_more", actions=rule.actions[1:]))
    random.Random(SPLIT_SEED).shuffle(found)  # noqa: S311  # the same order every time
    return found


def changed(rules: Sequence[Drawn]) -> list[Drawn]:
    """One rule is not what it was: a permit for one service in the middle, which is now for a place of its own."""
    middle = next(place for place in range(len(rules) // 2, len(rules)) if rules[place].permits)
    other = replace(
        rules[middle], actions=("run",), stages=("test",), path="test/fresh/*", approvals=None
    )
    return [*rules[:middle], other, *rules[middle + 1 :]]


# As policies


def text_of(rules: Iterable[Drawn]) -> str:
    """The module in the policy language."""
    return "\n".join((SCHEMA, *map(_rule_text, rules), CLAIMS))


def _rule_text(rule: Drawn) -> str:
    lines = [f"{'permit' if rule.permits else 'forbid'} {rule.name} {{"]
    if rule.principals:
        lines.append(f"  principal {' | '.join(rule.principals)}")
    lines.append(f"  action {' | '.join(rule.actions)}")
    if len(rule.stages) == 1:
        lines.append(f"  when resource.stage == {rule.stages[0]}")
    elif len(rule.stages) < len(STAGES):
        lines.append(f"  when resource.stage in {{{', '.join(rule.stages)}}}")
    lines.append(f'  when resource.path like "{rule.path}"')
    if rule.rows is not None:
        lines.append(f"  when context.rows {'<=' if rule.permits else '>'} {rule.rows}")
    if rule.approvals is not None:
        lines.append(f"  when context.approvals >= {rule.approvals}")
    if rule.wildcard is not None:
        lines.append(f"  when {'' if rule.wildcard else 'not '}context.wildcard")
    return "\n".join((*lines, "}"))


def compiled(*sets: Sequence[Drawn]) -> tuple[list[ir.PolicySet], dict[str, Goal]]:
    """The policy sets over one schema, and the claims by name."""
    checked, problems = load_texts({"proofs.ilk": text_of(sets[0][:1])})
    assert not problems, problems
    goals, problems = goals_of(checked)
    assert not problems, problems
    policies = []
    for rules in sets:
        built = tuple(map(_rule, rules))
        policies.append(ir.PolicySet(checked.schema, built, digest_of(checked.schema, built)))
    return policies, {goal.name: goal for goal in goals}


def _rule(rule: Drawn) -> ir.Rule:
    conditions = tuple(_conditions(rule))
    first, *more = conditions
    return ir.Rule(
        rule.name,
        Effect.PERMIT if rule.permits else Effect.FORBID,
        ir.Scope(
            ir.VariableScope(frozenset(rule.principals or PRINCIPALS)),
            frozenset(rule.actions),
            ir.VariableScope(frozenset({"Asset"})),
        ),
        ir.And(conditions) if more else first,
    )


def _conditions(rule: Drawn) -> Iterator[ir.Term]:
    resource, context = ir.Variable("resource"), ir.Variable("context")
    stage = ir.Attribute(resource, "stage")
    members: tuple[ir.EnumMember, ...] = tuple(
        ir.EnumMember(EnumValue("Stage", name, STAGES.index(name))) for name in rule.stages
    )
    if len(members) < len(STAGES):
        one = next(iter(members))
        yield ir.Equal(stage, one) if len(members) == 1 else ir.Member(stage, ir.SetOf(members))
    yield ir.Like(ir.Attribute(resource, "path"), tuple(rule.path.split("*")))
    rows, limit = ir.Attribute(context, "rows"), rule.rows
    if limit is not None:
        number = ir.Integer(limit)
        yield ir.LessOrEqual(rows, number) if rule.permits else ir.Less(number, rows)
    if rule.approvals is not None:
        yield ir.LessOrEqual(ir.Integer(rule.approvals), ir.Attribute(context, "approvals"))
    if rule.wildcard is not None:
        wildcard = ir.Attribute(context, "wildcard")
        yield wildcard if rule.wildcard else ir.Not(wildcard)


# As strings for a solver

HEADER = f"""(set-logic ALL)
(declare-datatypes ((Action 0) (Stage 0) (Principal 0)) (
  ({" ".join(f"(action_{name})" for name in ACTIONS)})
  ({" ".join(f"(stage_{name})" for name in STAGES)})
  ({" ".join(f"(principal_{name})" for name in PRINCIPALS)})))
(declare-const action Action) (declare-const stage Stage) (declare-const principal Principal)
(declare-const rows Int) (declare-const approvals Int) (declare-const wildcard Bool)
(declare-const path String)
"""
QUESTIONS = {
    "no_wildcard_delete": "(and permitted_0 (= stage stage_prod) (= action action_delete) wildcard)",
    "no_agent_deletes_backups": (
        "(and permitted_0 (= stage stage_prod) (= action action_delete_backup)"
        " (= principal principal_Agent))"
    ),
    "differs": "(not (= permitted_0 permitted_1))",
}


def smt_lib(*sets: Sequence[Drawn]) -> str:
    """`permitted_0`, `permitted_1` … are when each set permits, and `rule_0_n` when the rule at `n` applies."""
    lines = [HEADER]
    for number, rules in enumerate(sets):
        names = [f"rule_{number}_{position}" for position in range(len(rules))]
        for name, rule in zip(names, rules, strict=True):
            lines.append(f"(define-fun {name} () Bool {_applies(rule)})")
        permits = [name for name, rule in zip(names, rules, strict=True) if rule.permits]
        forbids = [name for name, rule in zip(names, rules, strict=True) if not rule.permits]
        lines.append(f"(define-fun forbidden_{number} () Bool {_any(forbids)})")
        lines.append(
            f"(define-fun permitted_{number} () Bool "
            f"(and {_any(permits)} (not forbidden_{number})))"
        )
    return "\n".join(lines)


def _applies(rule: Drawn) -> str:
    parts = [
        _any([f"(= action action_{name})" for name in rule.actions]),
        _any([f"(= stage stage_{name})" for name in rule.stages]),
        f"(str.in_re path {_expression(rule.path)})",
    ]
    if rule.principals:
        parts.append(_any([f"(= principal principal_{name})" for name in rule.principals]))
    if rule.rows is not None:
        parts.append(f"({'<=' if rule.permits else '>'} rows {rule.rows})")
    if rule.approvals is not None:
        parts.append(f"(>= approvals {rule.approvals})")
    if rule.wildcard is not None:
        parts.append("wildcard" if rule.wildcard else "(not wildcard)")
    return f"(and {' '.join(parts)})"


def _any(parts: Sequence[str]) -> str:
    return f"(or false {' '.join(parts)})"


def _expression(path: str) -> str:
    pieces: list[str] = []
    for position, piece in enumerate(path.split("*")):
        if position:
            pieces.append("re.all")
        if piece:
            pieces.append(f'(str.to_re "{piece}")')
    return pieces[0] if len(pieces) == 1 else f"(re.++ {' '.join(pieces)})"
