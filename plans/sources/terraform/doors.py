"""What a change opens to the network: a door is open when everyone may come through to more than the public ports."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.terraform import Door, Facts, Taxonomy
from ..verdicts import Verdict
from .values import Values, is_marked, leaves, text


def opened(taxonomy: Taxonomy, facts: Facts, values: Values) -> list[Verdict]:
    """A verdict when a door is open afterwards that is not open now."""
    words = taxonomy.patterns
    found = [
        note
        for door in facts.doors
        if not _is_left_to_the_provider(door, values)
        for note in _openings(door, values.after, values.unknown, words)
    ]
    known = {note for door in facts.doors for note in _openings(door, values.before, None, words)}
    notes = tuple(note for note in dict.fromkeys(found) if note not in known)
    if not notes:
        return []
    return [Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, notes)]


_EVERY_PORT = frozenset({"-1", "all"})
"""Protocols with which ports mean nothing."""
_ALL_PORTS = frozenset({"*", "any", "all", "0-0", "0-65535", "1-65535", "-1--1"})
_WITHOUT_PORTS = frozenset({"icmp", "icmpv6", "1", "58"})
_WIDE = {4: 8, 6: 16}
"""A shorter prefix than this is a large part of all there is, so two or more of them are everyone."""
_OWN = re.compile(r"f[cd][0-9a-f]{2}:")
"""Addresses of version 6 that no one outside reaches; those of version 4 fill no such large block."""
_PORTS = re.compile(r"(\d{1,5})(?:\s*(?:-|:|to)\s*(\d{1,5}))?")

_Words = Mapping[str, tuple[str, ...]]
"""The tables' lists: how everyone is called, and which ports are for everyone."""

_Block = tuple[Mapping[str, Any], Any]
"""A block and the mirror that marks what in it is not known yet."""


def _is_left_to_the_provider(door: Door, values: Values) -> bool:
    """Whether the provider fills in the door, which opens nothing."""
    head = door.at.partition(".")[0]
    mirror = values.unknown.get(head) if isinstance(values.unknown, dict) and head else None
    return mirror is True and (values.configured is None or head not in values.configured)


def _openings(door: Door, value: Any, unknown: Any, words: _Words) -> Iterator[str]:
    blocks: list[_Block] = [(value, unknown)] if isinstance(value, dict) else []
    for step in door.at.split(".") if door.at else ():
        if any(_marks(mirror, step) for _, mirror in blocks):
            yield f"whom `{door.at}` lets in is known only after apply"
        blocks = [each for block in blocks for each in _inside(block, step)]
    for block in blocks:
        if not all(_holds(block, path, wanted) for path, wanted in door.when.items()):
            continue
        who = _who(door, block, words)
        if who is None:
            continue
        ways = _inside(block, door.through) if door.through else [block]
        for way in ways:
            what = _ports(door, way, words)
            if what is not None:
                yield f"opens {what} to {who}"


def _marks(mirror: Any, step: str) -> bool:
    return mirror is True or (isinstance(mirror, dict) and mirror.get(step) is True)


def _inside(block: _Block, step: str) -> list[_Block]:
    """The blocks under a name, each with its own part of the mirror."""
    value, mirror = block
    below = value.get(step)
    marks = mirror.get(step) if isinstance(mirror, dict) else mirror
    elements = below if isinstance(below, list) else [below]
    return [
        (each, marks[index] if isinstance(marks, list) and index < len(marks) else marks)
        for index, each in enumerate(elements)
        if isinstance(each, dict)
    ]


def _holds(block: _Block, path: str, wanted: tuple[str, ...]) -> bool:
    value, mirror = block
    found = {text(each) for each in leaves(value, path)} or {""}
    return is_marked(mirror, path) or any(each.casefold() in found for each in wanted)


def _who(door: Door, block: _Block, words: _Words) -> str | None:
    """Everyone, or whoever is known only after apply; `None` when a few are let in."""
    value, mirror = block
    for path in door.sources:
        everyone = next((each for each in leaves(value, path) if _is_everyone(each, words)), None)
        if everyone is not None:
            return f"everyone (`{everyone}`)"
    if door.between is not None:
        first, last = (leaves(value, path) for path in door.between)
        if first and last and _is_wide(first[0], last[0]):
            return f"everyone (`{first[0]}` to `{last[0]}`)"
    sources = (*door.sources, *(door.between or ()))
    if any(is_marked(mirror, path) for path in sources):
        return "whom is known only after apply"
    return None


def _is_everyone(source: Any, words: _Words) -> bool:
    if not isinstance(source, str):
        return False
    if source.strip().casefold() in words.get("everyone", ()):
        return True
    try:
        network = ip_network(source.strip(), strict=False)
    except ValueError:
        # A name of a group or a tag is not everyone.
        return False
    return network.prefixlen < _WIDE[network.version] and not _OWN.match(str(network))


def _is_wide(first: Any, last: Any) -> bool:
    try:
        low, high = ip_address(str(first).strip()), ip_address(str(last).strip())
    except ValueError:
        return False
    # Azure takes 0.0.0.0 to 0.0.0.0 for every machine of all its customers.
    return int(low) == int(high) == 0 or int(high) - int(low) >= 2**24


def _ports(door: Door, block: _Block, words: _Words) -> str | None:
    """The ports that are open, unless all of them are public ones."""
    value, mirror = block
    protocol = _protocol(door, value)
    if protocol in _WITHOUT_PORTS:
        return None
    if any(is_marked(mirror, path) for path in (*door.ports, *(door.span or ()))):
        return "ports that are known only after apply"
    ranges = [str(each) for path in door.ports for each in leaves(value, path)]
    if door.span is not None:
        ends = [leaves(value, path) for path in door.span]
        ranges += ["-".join(str(end[0]) if end else "" for end in ends)] if any(ends) else []
    if not ranges or protocol in _EVERY_PORT or any(each in _ALL_PORTS for each in ranges):
        return "every port"
    public = words.get("public_ports", ())
    found = [each for each in ranges if not _is_public(each, public)]
    if not found:
        return None
    return f"port {', '.join(dict.fromkeys(_short(each) for each in found[:5]))}"


def _protocol(door: Door, value: Mapping[str, Any]) -> str:
    found = leaves(value, door.protocol) if door.protocol else []
    return text(found[0]) if found else ""


def _is_public(ports: str, public: tuple[str, ...]) -> bool:
    match = _PORTS.fullmatch(ports.strip())
    if match is None:
        return False
    return match[1] in public and (match[2] or match[1]) == match[1]


def _short(ports: str) -> str:
    first, _, last = ports.partition("-")
    return first if first == last else ports[:20]
