"""What a verdict on a claim rests on: while these declarations stay, so does the verdict."""

from ..lang import syntax
from ..lang.checked import CheckedProve
from .analysis import Analysis, Entry

Ground = tuple[Entry, ...]
"""The checks of declarations, by identity."""

_WORLD = (syntax.Enum, syntax.Entity, syntax.TypeAlias, syntax.Action, syntax.ActionGroup)


def grounds_of(analysis: Analysis) -> dict[str, Ground]:
    """What each claim rests on: the schema, its own check, and every rule that a request in its scope may meet."""
    if not analysis.sound:
        return {
            entry.declaration.name: ()
            for entry in analysis.entries.values()
            if isinstance(entry.declaration, syntax.Prove)
        }
    found: dict[str, Ground] = {}
    # Which requests and entities there are is a part of every claim.
    world = [entry for entry in analysis.entries.values() if isinstance(entry.declaration, _WORLD)]
    rules = [
        (analysis.needed(entry), rule)
        for entry in analysis.entries.values()
        for rule in entry.rules
    ]
    for entry in analysis.entries.values():
        for prove in entry.proves:
            own, named = prove.scope.actions, _named_rules(prove)
            bearing = [
                needed
                for needed, rule in rules
                if not own.isdisjoint(rule.scope.actions) or rule.rule.name in named
            ]
            found[prove.prove.name] = (
                *world,
                *analysis.needed(entry),
                *(one for needed in bearing for one in needed),
            )
    return found


def _named_rules(prove: CheckedProve) -> set[str]:
    return {
        clause.rule.name for clause in prove.prove.clauses if isinstance(clause, syntax.DeniedBy)
    }


def same_ground(before: Ground, after: Ground) -> bool:
    """Whether two grounds are the same checks of the same declarations."""
    return len(before) == len(after) and all(
        one is other for one, other in zip(before, after, strict=True)
    )


def still_stands(ground: Ground, analysis: Analysis) -> bool:
    """Whether nothing of a ground was touched, even if the policy set as a whole is not sound."""
    return all(analysis.entry_of(entry.declaration) is entry for entry in ground)
