"""YAML and JSON text to documents with places; what two readers could read differently is a fault of its document.

Kubernetes' own readers first cut the text at lines that begin with `---`, and so does this one, so
that one broken document never hides the next. Values are built from parser events, without
recursion, and aliases share what they repeat.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..json_text import Fault, Lines, decode

MAX_DOCUMENTS = 20_000
MAX_DEPTH = 100
MAX_NODES = 1_000_000
"""The most nodes of one document, counting what an alias repeats as often as it stands there."""

Place = tuple[int, int]
"""A line and a column, both counted from 1."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its value, or why it has none that every reader would agree on."""

    value: Any
    place: Place
    fault: str | None = None
    places: Mapping[int, Mapping[str | int, Place]] = field(default_factory=dict, repr=False)
    """Where each key and each element stands, by the identity of what holds it."""

    def place_of(self, path: tuple[str | int, ...]) -> Place | None:
        """Where the last step of a path stands that the document has; `None` when it has none of it."""
        current, found = self.value, None
        for step in path:
            known = self.places.get(id(current), {})
            if step not in known:
                break
            found, current = known[step], current[step]
        return found


def documents(text: str) -> Iterator[Document]:
    """Every document that is not empty; the last one names a limit when there are more than it allows."""
    count = 0
    for line, chunk in _chunks(text.removeprefix("\ufeff")):
        if all(_EMPTY_LINE.fullmatch(each) for each in chunk.split("\n")):
            continue
        count += 1
        if count > MAX_DOCUMENTS:
            message = f"the file has more than {MAX_DOCUMENTS} documents; the rest is not read"
            yield Document(None, (line, 1), message)
            return
        yield _document(chunk, line)


class _Refused(Exception):
    """Why a document is not read, and where."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.place = (line, column)


_SEPARATOR = re.compile(r"^---", re.M)
_EMPTY_LINE = re.compile(r"(?:---|\.\.\.)?[ \t]*(?:[ \t\r]#.*|\r)?|#.*|%YAML .*")
_CLEAN_SEPARATOR = re.compile(r"---(?:[ \t\r\n]|$)")
_OTHER_LINE_ENDS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({f"{_TAG}{name}" for name in ("bool", "int", "float", "null", "str")})
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,99})")
_OTHER_INTEGER = re.compile(r"[-+]?0(?:[bB][01_]{1,99}|[xX][0-9a-fA-F_]{1,99}|[oO]?[0-7_]{1,99})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """The text between separators, each with the line on which it begins."""
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text) if match.start())]
    line = 1
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _document(chunk: str, line: int) -> Document:
    try:
        if chunk.startswith("---") and not _CLEAN_SEPARATOR.match(chunk):
            message = "a line begins with `---` and goes on: readers disagree about what it means"
            raise _Refused(message, line, 1)
        if chunk.lstrip()[:1] == "{":
            found = _json(chunk, line)
            if found is not None:
                return found
        return _Builder(line).document(chunk)
    except _Refused as refused:
        return Document(None, refused.place, refused.message)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (line + mark.line, mark.column + 1) if mark else (line, 1)
        return Document(None, at, f"this is not YAML: {(error.problem or 'unreadable')[:200]}")
    except (yaml.YAMLError, UnicodeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else "unreadable"
        return Document(None, (line, 1), f"this is not YAML: {reason}")


def _json(chunk: str, line: int) -> Document | None:
    """JSON is read as such; `None` when it is not JSON, since a YAML document may begin the same."""
    found = decode(chunk.rstrip("\r\n\t "), frozenset({"items"}))
    if isinstance(found, Fault):
        return None
    lines = Lines(chunk)

    def place(offset: int) -> Place:
        below, column = lines.at(offset)
        return line + below - 1, column

    if found.ambiguous:
        return Document(None, place(found.ambiguous.offset), found.ambiguous.message)
    start = place(len(chunk) - len(chunk.lstrip()))
    places: dict[int, dict[str | int, Place]] = {
        id(found.value): {key: place(offset) for key, offset in found.keys.items()}
    }
    for key, parts in found.parts.items():
        places[id(found.value[key])] = {
            index: place(part.offset) for index, part in enumerate(parts)
        }
    return Document(found.value, start, None, places)


_Built = tuple[Any, int, int]
"""A value, how many nodes it has with all that its aliases repeat, and its height."""


@dataclass(slots=True)
class _Open:
    """A mapping or a sequence that has begun and not ended."""

    value: Any
    anchor: str | None
    place: Place
    nodes: int = 1
    height: int = 1
    key: str | None = None
    merged: list[Any] = field(default_factory=list)


class _Builder:
    """One document from the events of the parser."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.open: list[_Open] = []
        self.anchors: dict[str, _Built] = {}
        self.places: dict[int, dict[str | int, Place]] = {}
        self.root: list[Any] = []
        self.start: Place = (line, 1)

    def document(self, text: str) -> Document:
        if match := _OTHER_LINE_ENDS.search(text):
            line = self.line + text.count("\n", 0, match.start())
            raise _Refused("a line ends in a way that readers disagree about", line, 1)
        begun = False
        for event in yaml.parse(text, Loader=_LOADER):
            match event:
                case yaml.DocumentStartEvent():
                    if begun:
                        message = "a second document begins here: some readers stop before it"
                        raise self.refused(message, event)
                    begun = True
                case yaml.ScalarEvent():
                    self.scalar(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self.begin(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self.end(event)
                case yaml.AliasEvent():
                    if event.anchor not in self.anchors:
                        raise self.refused("an alias stands inside what it repeats", event)
                    self.add(self.anchors[event.anchor], self.place(event))
                case _:
                    pass
        return Document(self.root[0] if self.root else None, self.start, None, self.places)

    def scalar(self, event: Any) -> None:
        tag = event.tag
        if tag is not None and tag != "!" and tag not in _PLAIN_TAGS:
            raise self.refused(f"the tag `{tag[:80]}` has no meaning here", event)
        plain = event.implicit[0] if tag is None else tag not in ("!", f"{_TAG}str")
        if self.open and isinstance(self.open[-1].value, dict) and self.open[-1].key is None:
            self.key(event, event.value)
            return
        value = _plain_value(event.value) if plain else event.value
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 1)
        self.add((value, 1, 1), self.place(event))

    def key(self, event: Any, key: str) -> None:
        frame = self.open[-1]
        if event.anchor:
            self.anchors[event.anchor] = (key, 1, 1)
        if key in self.places[id(frame.value)]:
            message = f"the key `{key[:80]}` stands twice: readers disagree about which counts"
            raise self.refused(message, event)
        frame.key = key
        self.places[id(frame.value)][key] = self.place(event)

    def begin(self, event: Any) -> None:
        if event.tag is not None and event.tag not in (f"{_TAG}map", f"{_TAG}seq", "!"):
            raise self.refused(f"the tag `{event.tag[:80]}` has no meaning here", event)
        if len(self.open) >= MAX_DEPTH:
            raise self.refused(f"the document is nested more than {MAX_DEPTH} levels deep", event)
        frame = self.open[-1] if self.open else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            raise self.refused("a key is not a word", event)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.places[id(value)] = {}
        if not self.open:
            self.start = self.place(event)
        self.open.append(_Open(value, event.anchor, self.place(event)))

    def end(self, event: Any) -> None:
        frame = self.open.pop()
        for merged in frame.merged:
            for each in merged if isinstance(merged, list) else [merged]:
                if not isinstance(each, dict):
                    raise self.refused("`<<` takes mappings only", event)
                for key, value in each.items():
                    frame.value.setdefault(key, value)
        built = (frame.value, frame.nodes, frame.height)
        if frame.anchor:
            self.anchors[frame.anchor] = built
        self.add(built, frame.place)

    def add(self, built: _Built, place: Place) -> None:
        value, nodes, height = built
        if not self.open:
            self.root.append(value)
            return
        frame = self.open[-1]
        frame.nodes += nodes
        frame.height = max(frame.height, height + 1)
        if frame.nodes > MAX_NODES:
            raise _Refused(f"the document has more than {MAX_NODES} nodes", *place)
        if len(self.open) + height > MAX_DEPTH + 1:
            message = f"the document is nested more than {MAX_DEPTH} levels deep"
            raise _Refused(message, *place)
        if isinstance(frame.value, list):
            self.places[id(frame.value)][len(frame.value)] = place
            frame.value.append(value)
        elif frame.key is None:
            raise _Refused("a key is not a word", *place)
        elif frame.key == "<<":
            frame.merged.append(value)
            frame.key = None
        else:
            frame.value[frame.key] = value
            frame.key = None

    def place(self, event: Any) -> Place:
        return self.line + event.start_mark.line, event.start_mark.column + 1

    def refused(self, message: str, event: Any) -> _Refused:
        return _Refused(message, *self.place(event))


def _plain_value(text: str) -> Any:
    """A scalar without quotes, as Kubernetes' reader takes it: dates and `1:30` are text."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _OTHER_INTEGER.fullmatch(text):
        digits = text.replace("_", "").lower()
        if re.fullmatch(r"[-+]?0[0-7]+", digits):
            digits = digits.replace("0", "0o", 1)
        try:
            return int(digits, 0)
        except ValueError:
            return text
    return float(text) if _FLOAT.fullmatch(text) and len(text) < 100 else text
