"""OPTIONS of BigQuery: what a list of options does to the thing that has it, by the table of the dialect."""

from collections.abc import Iterator
from dataclasses import replace

from ....model import Effect, Reversibility, Selector
from ...verdicts import Verdict, worst
from ..changes import Finding
from .taxonomy import Dialect, Option
from .tokens import Kind, Tokens


def with_options(dialect: Dialect, tokens: Tokens, finding: Finding) -> Finding:
    """The finding of an ALTER with what its `SET OPTIONS (…)` does, as far as that is worse."""
    if not dialect.options:
        return finding
    verdicts = [Verdict(finding.effect, finding.selector, finding.reversibility)]
    for name, value in _options(tokens):
        row = _row(dialect, name, finding.resource.kind.partition(".")[2])
        if row is None or (row.spares_null and _is_null(value)):
            continue
        note = f"`{name}` {row.why}"
        if row.effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY):
            lost = Verdict(row.effect, Selector.ALL, Reversibility.IRREVERSIBLE, (note,))
            verdicts.append(lost)
        else:
            verdicts.append(Verdict(row.effect, finding.selector, finding.reversibility, (note,)))
    found = worst(verdicts)
    return replace(
        finding,
        effect=found.effect,
        selector=found.selector,
        reversibility=found.reversibility,
        summary=": ".join((finding.summary, *found.notes)),
    )


def _row(dialect: Dialect, name: str, kind: str) -> Option | None:
    """What an option does to one kind of thing; an option that no row knows takes a protection off."""
    for row in dialect.options:
        if name in row.names and (not row.kinds or kind in row.kinds):
            return row
    if name in dialect.plain_options:
        return None
    return Option(frozenset({name}), frozenset(), Effect.DISARM, "is not known", False)


def _options(tokens: Tokens) -> Iterator[tuple[str, Tokens]]:
    """The names and values in every `OPTIONS ( … )` of a statement."""
    number = 0
    while number + 1 < len(tokens):
        number += 1
        if not (tokens[number - 1].is_word("OPTIONS") and tokens[number].is_symbol("(")):
            continue
        depth, start = 0, number + 1
        while number < len(tokens):
            token = tokens[number]
            if token.kind == Kind.SYMBOL and token.value in "([{":
                depth += 1
            elif token.kind == Kind.SYMBOL and token.value in ")]}":
                depth -= 1
            if (depth == 1 and token.is_symbol(",")) or depth == 0:
                if number - start > 2 and tokens[start + 1].is_symbol("="):
                    yield tokens[start].value.lower(), tokens[start + 2 : number]
                elif number > start:
                    yield tokens[start].value.lower(), ()
                start = number + 1
            if depth == 0:
                break
            number += 1


def _is_null(value: Tokens) -> bool:
    return len(value) == 1 and value[0].is_word("NULL")
