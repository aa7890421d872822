"""What a command does to files: which place a path stands for, and what is lost there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from posixpath import normpath
from typing import assert_never

from ...model import Effect, Reversibility, Risk, Selector
from ...taxonomy.shell import Act, Place, Taxonomy
from .words import Field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens at one path."""

    effect: Effect
    selector: Selector
    reversibility: Reversibility
    why: str
    criticality: Risk = Risk.MEDIUM
    stateful: bool = False
    recovery: bool = False


def judge_path(
    taxonomy: Taxonomy, act: Act, path: Field, directory: str | None, *, is_tree: bool
) -> tuple[str, Outcome | str]:
    """The path as it is meant, and what happens there, or why that is not known."""
    if path.holes and (not path.is_path or path.is_pattern):
        return path.text, path.holes[0]
    full = resolve(path.text, directory)
    if full is None:
        return path.text, "the directory it is in is not known"
    place = place_of(taxonomy, full, is_pattern=path.is_pattern)
    wide = is_tree or path.is_pattern
    return full, _outcome(act, place, full, wide=wide)


def resolve(path: str, directory: str | None) -> str | None:
    """The path from `/`, from `~`, or from where the script starts."""
    path = path.replace("\\", "/") if re.match(r"[A-Za-z]:[\\/]?", path) else path
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path):
        full = path
    elif directory is None:
        return None
    else:
        full = f"{directory}/{path}"
    if full.startswith("~") and "/.." in full:
        return "/"
    return "/" + normpath(full).lstrip("/") if full.startswith("/") else normpath(full)


def place_of(taxonomy: Taxonomy, path: str, *, is_pattern: bool) -> Place | None:
    """What a path stands for; `None` is a path like any other."""
    if is_pattern and re.match(r"/[^/]*[*?\[]", path):
        # It fits directories of the root, whatever they hold.
        return Place.WHOLE
    for name in _names_of(path):
        place = _row_of(taxonomy, name)
        if place is not None and (name == path or place not in (Place.WHOLE, Place.SCRATCH)):
            return place
    if path in (".", "..") or path.startswith("../") or re.fullmatch(r"(\./)?[*.?]+", path):
        return Place.WHOLE
    return None


def _row_of(taxonomy: Taxonomy, path: str) -> Place | None:
    is_inside = not path.startswith(("/", "~"))
    for row in taxonomy.paths:
        whole, inside = _compiled(row.patterns)
        if whole.match(path) or whole.match(path.lower()):
            return row.place
        # A relative pattern means a name at any depth below where the script starts.
        if is_inside and any(inside.match(part) for part in path.split("/")):
            return row.place
    return None


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What fits a whole path, and what fits one name in a relative path."""
    inside = [each for each in patterns if not each.startswith(("/", "~"))]
    return _any_of(patterns), _any_of(inside)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(each) for each in patterns) or r"(?!)")


def _names_of(path: str) -> list[str]:
    """The ways to name what a path may stand for: a home by its owner, and what `..` may lead to."""
    if home := re.match(r"(/home/[^/]+|/Users/[^/]+|/root|~[^/]+)/", path):
        return [f"~/{path[home.end() :]}", path]
    if upwards := re.match(r"(\.\./)+", path):
        rest = path[upwards.end() :]
        return [f"/{rest}", f"~/{rest}", path]
    return [path]


def _outcome(act: Act, place: Place | None, path: str, *, wide: bool) -> Outcome:
    match act:
        case Act.DELETE | Act.EMPTY:
            return _lost(place, path, wide=wide)
        case Act.MOVE:
            lost = _lost(place, path, wide=wide)
            if place in (None, Place.SCRATCH):
                return _written(None, path)
            return Outcome(
                lost.effect, lost.selector, Reversibility.RECOVERABLE, lost.why, lost.criticality
            )
        case Act.REPLACE | Act.EDIT if place is Place.RECOVERY:
            is_new = act is Act.REPLACE and _DATED.search(path)
            return _written(None, path) if is_new else _lost(place, path, wide=wide)
        case Act.EDIT if wide and place in (None, Place.WHOLE) and path.startswith(("/", "~")):
            return _lost(None, path, wide=wide)
        case Act.WRITE | Act.WRITE_LAST | Act.REPLACE | Act.EDIT:
            return _written(place, path)
        case Act.CREATE:
            return Outcome(Effect.CREATE, Selector.ONE, Reversibility.REVERSIBLE, "it is made")
        case Act.ACCESS:
            if place in (Place.WHOLE, Place.SYSTEM, Place.DEVICE, Place.DATA):
                selector = Selector.ALL if wide else Selector.ONE
                why = "it changes who may reach what everything rests on"
                return Outcome(Effect.ESCALATE, selector, Reversibility.UNKNOWN, why, Risk.CRITICAL)
            selector = Selector.SOME if wide and place is Place.LOG else Selector.ONE
            why = "it changes rights or owners"
            return Outcome(Effect.UPDATE, selector, Reversibility.REVERSIBLE, why)
        case _:
            assert_never(act)


_DATED = re.compile(r"\d{4}-?[01]\d|\$\(date\b")
"""A name with a date is a new one every time."""


def _lost(place: Place | None, path: str, *, wide: bool) -> Outcome:
    gone = Reversibility.IRREVERSIBLE
    match place:
        case Place.NOTHING:
            return Outcome(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE, "nothing is there")
        case Place.SCRATCH:
            why = "it is temporary or made again"
            return Outcome(Effect.UPDATE, Selector.ONE, Reversibility.RECOVERABLE, why, Risk.LOW)
        case Place.LOG:
            why = "a record is lost"
            return Outcome(Effect.DELETE_AUDIT, Selector.ALL, gone, why, Risk.HIGH)
        case Place.RECOVERY:
            return Outcome(
                Effect.DELETE_RECOVERY, Selector.ALL, gone, "a way back is lost", Risk.CRITICAL,
                stateful=True, recovery=True,
            )  # fmt: skip
        case Place.DATA | Place.DEVICE | Place.WHOLE | Place.SYSTEM:
            why = {
                Place.DATA: "the data of a service is lost",
                Place.DEVICE: "everything on the device is lost",
                Place.WHOLE: "everything below it is lost",
                Place.SYSTEM: "the system depends on it",
            }[place]
            return Outcome(
                Effect.DELETE_DATA, Selector.ALL, gone, why, Risk.CRITICAL, stateful=True
            )
        case None:
            if path.startswith(("/", "~")):
                why = "it is outside the directory that is worked in"
                selector = Selector.ALL if wide else Selector.SOME
                return Outcome(Effect.DELETE_DATA, selector, gone, why, Risk.HIGH, stateful=True)
            if wide:
                why = "how much is there is not known"
                return Outcome(Effect.DELETE_DATA, Selector.SOME, gone, why)
            return Outcome(Effect.DELETE_DATA, Selector.ONE, gone, "one file is lost")
        case _:
            assert_never(place)


def _written(place: Place | None, path: str) -> Outcome:
    match place:
        case Place.NOTHING:
            return Outcome(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE, "nothing is kept")
        case Place.DEVICE:
            why = "everything on the device is lost"
            return Outcome(
                Effect.DELETE_DATA, Selector.ALL, Reversibility.IRREVERSIBLE, why, Risk.CRITICAL,
                stateful=True,
            )  # fmt: skip
        case Place.LOG:
            why = "a record is overwritten"
            return Outcome(
                Effect.DELETE_AUDIT, Selector.ALL, Reversibility.IRREVERSIBLE, why, Risk.HIGH
            )
        case Place.DATA:
            why = "the data of a service is overwritten"
            return Outcome(
                Effect.DELETE_DATA, Selector.ALL, Reversibility.IRREVERSIBLE, why, Risk.CRITICAL,
                stateful=True,
            )  # fmt: skip
        case Place.SYSTEM:
            why = "it decides who may enter, or what runs by itself"
            return Outcome(Effect.ESCALATE, Selector.ONE, Reversibility.UNKNOWN, why, Risk.CRITICAL)
        case Place.SCRATCH | Place.RECOVERY | Place.WHOLE | None:
            why = "a file is written, and one that stood there is lost"
            return Outcome(Effect.UPDATE, Selector.ONE, Reversibility.RECOVERABLE, why)
        case _:
            assert_never(place)
