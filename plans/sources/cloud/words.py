"""The words of a cloud's command line: what stands where, and which parameters they set."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .rules import UNRESOLVED, parsed

MAX_WORDS = 10_000


@dataclass(frozen=True, slots=True)
class Words:
    """A command line taken apart; a word that could not be resolved is `None` where it stands."""

    plain: tuple[str | None, ...]
    options: Mapping[str, Any]
    unresolved: bool
    """A word could not be resolved, and may be any number of options."""

    def text(self, name: str) -> str | None:
        value = self.options.get(name)
        return value if isinstance(value, str) else None


def taken_apart(
    words: Sequence[str | None], *, switches: Collection[str] = (), many: bool = False
) -> Words:
    """Plain words and options. A switch takes no value; with `many`, an option takes all words up to the next."""
    plain: list[str | None] = []
    options: dict[str, Any] = {}
    unresolved = None in words or len(words) > MAX_WORDS
    index = 0
    while index < min(len(words), MAX_WORDS):
        word = words[index]
        index += 1
        if word is None or not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if equals:
            _set(options, name, [value])
            continue
        values: list[str | None] = []
        if name not in switches and not name.startswith("no-"):
            while index < len(words):
                following = words[index]
                if (
                    following is not None
                    and following.startswith("-")
                    and not _is_number(following)
                ):
                    break
                values.append(following)
                index += 1
                if not many:
                    break
        _set(options, name, values)
    return Words(tuple(plain), options, unresolved)


def _set(options: dict[str, Any], name: str, values: list[str | None]) -> None:
    read = [_value(value) for value in values]
    value = True if not read else read[0] if len(read) == 1 else read
    if name not in options:
        options[name] = value
    else:
        known = options[name]
        options[name] = [*(known if isinstance(known, list) else [known]), value]


def _value(word: str | None) -> Any:
    if word is None or re.match(r"(?:file|fileb|https?)://", word):
        return UNRESOLVED
    return shorthand(word)


_PAIR = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*=")


def shorthand(word: str) -> Any:
    """`Status=Suspended,MFADelete=Disabled` as an object and JSON as itself; whatever else is just a text."""
    if word.lstrip()[:1] in ("{", "["):
        return parsed(word)
    if not _PAIR.match(word):
        return word
    if any(letter in word for letter in "[]{}\"'"):
        # Nested shorthand is a language of its own.
        return UNRESOLVED
    pairs: dict[str, Any] = {}
    last = ""
    for part in word.split(","):
        key, equals, value = part.partition("=")
        if equals:
            last = key
            pairs[key] = value
        else:
            known = pairs[last]
            pairs[last] = [*(known if isinstance(known, list) else [known]), part]
    return pairs


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-\d+(?:\.\d+)?", word) is not None
