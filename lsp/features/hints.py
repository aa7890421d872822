"""What the text leaves out: the types of elements, and which whole name a short one stands for."""

from lsprotocol.types import InlayHint, InlayHintKind, Range

from ...lang import syntax
from ...lang.lookups import Seen
from ...lang.syntax import walk
from ..members import joined
from ..occurrences import occurrences
from ..symbols import Kind
from ..view import View

MAX_TYPE = 40


def inlay_hints(view: View, range: Range) -> list[InlayHint]:
    start, end = view.span_of(range)
    found: list[InlayHint] = []
    for part in view.document.parts:
        begin = part.fragment.offset
        if begin > end or begin + len(part.fragment.text) < start:
            continue
        entry = view.analysis.entry_of(part.declaration)
        if entry is None:
            continue
        for offset, label, kind, tooltip in _hints(view, part.declaration, entry.module):
            if start <= begin + offset <= end:
                found.append(InlayHint(view.position(begin + offset), label, kind, tooltip=tooltip))
        for one in occurrences(view.analysis, entry):
            symbol = one.symbols[0]
            is_short = symbol.kind is Kind.ACTION and one.span.text != symbol.name
            if is_short and not one.declares and start <= begin + one.span.start <= end:
                before = symbol.name.removesuffix(one.span.text)
                place = view.position(begin + one.span.start)
                found.append(InlayHint(place, before, tooltip=f"the action `{symbol.name}`"))
    return found


def _hints(
    view: View, item: syntax.Declaration, module: str
) -> list[tuple[int, str, InlayHintKind, str]]:
    lambdas = [node for node in walk(item) if isinstance(node, syntax.Lambda)]
    if not lambdas:
        return []
    seen: list[Seen] = []
    view.analysis.check_alone(item, module, seen.append)
    found = []
    for node in lambdas:
        types = [
            one.variables[node.parameter]
            for one in seen
            if one.node is node.body and node.parameter in one.variables
        ]
        type = joined(types)
        if type is not None and str(type) != "?":
            text = str(type)
            short = text if len(text) <= MAX_TYPE else text[: MAX_TYPE - 2] + "…}"
            found.append((node.name_span.end, f": {short}", InlayHintKind.Type, text))
    return found
