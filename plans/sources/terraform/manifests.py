"""A Kubernetes object inside a Terraform resource is read as one: what the change does to it says what it does."""

import json
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.terraform import Step
from .. import Options
from ..kubernetes.source import compare
from ..verdicts import Verdict, worst
from .values import Values, is_marked


def manifest_verdict(attribute: str, step: Step, values: Values, options: Options) -> Verdict:
    """What the change does to the object; one that is not shown may be anything."""
    before = _text(values.before, attribute)
    after = None if step is Step.DELETE else _text(values.after, attribute)
    unknown = values.unknown.get(attribute) if isinstance(values.unknown, dict) else None
    needed = (
        [before] if step is Step.DELETE else [after] if step is Step.CREATE else [before, after]
    )
    if None in needed or (unknown is True and step is not Step.DELETE):
        return _opaque(f"the object in `{attribute}` is not shown")
    old = [("manifest", before)] if before is not None else []
    new = [("manifest", after)] if after is not None else []
    if step is Step.REPLACE:
        # The object is deleted and made again, whatever of it stays the same.
        readings = (*compare(old, (), options), *compare((), new, options))
    else:
        readings = compare(old, new, options)
    changes = [change for reading in readings for change in reading.changes]
    if not changes or any(reading.problems for reading in readings):
        return _opaque(f"the object in `{attribute}` could not be read")
    hidden = any(
        is_marked(mirror, attribute) for mirror in (values.sensitive_before, values.sensitive_after)
    )
    return worst(
        [
            Verdict(
                each.effect,
                each.selector,
                each.reversibility,
                () if hidden else (each.summary,),
                each.opaque and f"the object in `{attribute}` could not be read in full",
            )
            for each in changes
        ]
    )


def _text(value: Any, attribute: str) -> str | None:
    held = value.get(attribute) if isinstance(value, dict) else None
    if isinstance(held, str):
        return held if held.strip() else None
    return json.dumps(held) if isinstance(held, dict) and held else None


def _opaque(reason: str) -> Verdict:
    return Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)
