"""The one way a value of a policy reaches Python source: as a literal that evaluates to exactly that value."""

from ipaddress import IPv4Network, IPv6Network


def python_literal(value: object) -> str:
    """Source text that evaluates to the value; texts are plain ASCII whatever they hold.

    Takes `None`, `bool`, `int`, `str`, tuples, frozensets, dicts and address ranges; anything else is a bug.
    """
    match value:
        case None | bool():
            return repr(value)
        case int():
            # Beyond this many digits Python itself refuses decimal text.
            return repr(value) if abs(value) < 10**1000 else hex(value)
        case str():
            return ascii(str(value))
        case tuple():
            inside = ", ".join(map(python_literal, value))
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case frozenset():
            if not value:
                return "frozenset()"
            return "frozenset({" + ", ".join(sorted(map(python_literal, value))) + "})"
        case dict():
            pairs = (f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
        case IPv4Network() | IPv6Network():
            return f"ip_network({python_literal(str(value))})"
        case _:
            raise AssertionError(f"{type(value).__name__} has no literal")
