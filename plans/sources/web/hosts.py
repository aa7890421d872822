"""Which addresses are those where a machine asks for its own credentials, however they are written."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from ...taxonomy.mcp import Hosts, shipped

_PART = re.compile(r"0[xX][0-9a-fA-F]{1,16}|\d{1,20}")


def metadata_of(address: str) -> Hosts | None:
    """The row of the host that the address names, if there is one."""
    # Browsers take a backslash for a slash, and `curl` takes it for a letter of the user's name.
    hosts = (host_of(address), host_of(address.replace("\\", "/")))
    return next(
        (row for row in shipped().metadata if any(_is_listed(row, host) for host in hosts)), None
    )


def host_of(address: str) -> str:
    """The host in small letters, without user, port, brackets and the dot of the root."""
    rest = re.sub(r"^\s*[A-Za-z][A-Za-z0-9+.-]*://|^\s*//", "", address).strip()
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0].partition("%")[0].casefold()
    return rest.partition(":")[0].rstrip(".").casefold()


def _is_listed(row: Hosts, host: str) -> bool:
    number = _number(host)
    return host in row.names or (
        number is not None and any(number in network for network in row.networks)
    )


def _number(host: str) -> IPv4Address | IPv6Address | None:
    """An address as clients read it: `0xA9FEA9FE`, `2852039166` and `[::ffff:169.254.169.254]` are one."""
    try:
        found = ip_address(host)
    except ValueError:
        return _of_parts(host.split("."))
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _of_parts(parts: list[str]) -> IPv4Address | None:
    """One to four numbers, of which the last fills what the others leave."""
    if len(parts) > 4 or not all(_PART.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [int(part, 16 if part[:2] in ("0x", "0X") else _base(part)) for part in parts]
    except ValueError:
        return None
    *first, last = numbers
    if any(each > 255 for each in first) or last >= 256 ** (4 - len(first)):
        return None
    value = last + sum(each << (24 - 8 * index) for index, each in enumerate(first))
    return IPv4Address(value)


def _base(part: str) -> int:
    return 8 if len(part) > 1 and part.startswith("0") else 10
