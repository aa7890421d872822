"""What somebody probably meant, and small words. Imports nothing of this project."""

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A help line that names the closest known name, if one is close."""
    from difflib import get_close_matches

    close = get_close_matches(name[:100], sorted(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


def with_article(name: object) -> str:
    """A name in backticks with `a` or `an` before it."""
    return f"{article(name)} `{name}`"


def article(word: object) -> str:
    return "an" if str(word)[:1] in "AEIOaeio" else "a"


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
