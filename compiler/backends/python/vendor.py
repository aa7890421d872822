"""A policy set as one Python file without dependencies: the runtime, the generated functions, and a command line."""

import re
from pathlib import Path

from ....lang import scalars, spelling
from ....lang.source import Span
from ... import documents, ir
from . import runtime, vendored_main
from .literals import python_literal
from .program import Module

_CARRIED = (scalars, spelling, documents, runtime)
"""Files that go into the module whole, in the order in which they build on each other."""
_PROJECT_IMPORT = re.compile(r"^from \.[\w.]* import (?:\([^)]*\)|[^\n(]*)\n", re.M)
_DOCSTRING = re.compile(r'\A""".*?"""\n', re.S)


def vendor(policies: ir.PolicySet, module: Module) -> str:
    """The source of the file. It decides and explains as the policy set does."""
    parts = [
        '"""Decides requests by the policies it was made from; made by `interlock compile`, not to be edited.\n\n'
        f"Policy set {policies.digest}.\n"
        '`python FILE [ENTITIES.json] < request.json` prints the decision as JSON.\n"""\n'
    ]
    parts += [_body(Path(str(item.__file__))) for item in _CARRIED]
    parts += ["\n# The policies\n\n", module.source, _tables(module, policies.digest)]
    parts.append(_body(Path(str(vendored_main.__file__))))
    return "\n".join(parts)


def _body(path: Path) -> str:
    text = _DOCSTRING.sub("", path.read_text(encoding="utf-8"))
    return _PROJECT_IMPORT.sub("", text).strip("\n") + "\n"


def _tables(module: Module, digest: str) -> str:
    rules = tuple((rule.id, str(rule.effect), _place(rule.span)) for rule in module.rules)
    needs = tuple((number, _place(need.span)) for number, need in module.needs)
    sites = tuple(_place(span) for span in module.sites)
    return (
        f"RULES = {python_literal(rules)}\nNEEDS = {python_literal(needs)}\n"
        f"SITES = {python_literal(sites)}\nPOLICY_DIGEST = {python_literal(digest)}\n"
    )


def _place(span: Span) -> tuple[str, int, int]:
    return span.file, span.line, span.column
