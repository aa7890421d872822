"""The parts of a report in reading order: what it comes to, what is open, every decision with its line."""

from typing import Any

from .quoting import html, prose, source_lines
from .table import change_link
from .words import DECISIONS, FATES, length, moment, number, plural, size

MAX_CHANGES = 2_000
MAX_LISTED = 500


def header(radius: dict[str, Any], verdict: dict[str, Any] | None, title: str) -> str:
    plan = radius["plan"]
    author = plan["author"]
    where = html(plan["environment"]) + ("" if plan["production"] else " (not production)")
    decision = "" if verdict is None else badge(verdict["decision"])
    return (
        f'<header><div class="actions" data-script hidden>'
        '<button type="button" id="theme" aria-pressed="false">Dark</button>'
        '<button type="button" id="print">Print</button></div>'
        f"<h1>{html(title)} {decision}</h1>"
        f'<p class="facts">Asked by <b><bdi>{html(author["type"])} {html(author["id"])}</bdi></b>'
        f" for <b><bdi>{where}</bdi></b> · {html(moment(radius['computed_at']))}"
        f" · plan <code>{html(plan['digest'][:12])}</code></p></header>"
    )


def badge(decision: str) -> str:
    word = DECISIONS[decision]
    return (
        f'<span class="badge {decision}"><i aria-hidden="true">{word.mark}</i> {word.short}</span>'
    )


# What it comes to


def summary(radius: dict[str, Any], verdict: dict[str, Any] | None) -> str:
    numbers = radius["summary"]
    said = "" if verdict is None else f"{DECISIONS[verdict['decision']].long} "
    assets = numbers["assets"]
    lost = numbers["lost_for_good"]
    reached = plural(assets, "asset") + (" is" if assets == 1 else " are")
    gone = f"<b>{number(lost)} of them lost for good</b>" if lost else "none of them lost for good"
    head = f"{reached} reached, {gone}." if assets else "Nothing that is known is reached."
    return (
        f'<section aria-labelledby="comes-to"><h2 id="comes-to">What it comes to</h2>'
        f'<p class="lede">{said}{head}</p>{_bar(numbers)}{_figures(numbers)}{_notes(radius)}</section>'
    )


_COUNTS = {
    "lost": "lost_for_good",
    "undecided": "undecided",
    "returns": "returning",
    "recreated": "recreated",
    "kept": "kept",
}


def _bar(numbers: dict[str, Any]) -> str:
    """Shares of the fates as one bar, and the numbers below, which say the same."""
    total = max(1, numbers["assets"])
    parts: list[str] = []
    at = 0.0
    for fate, key in _COUNTS.items():
        width = 1000 * numbers[key] / total
        if width:
            parts.append(
                f'<rect class="fill {fate}" x="{at:.2f}" y="0" width="{max(width - 2, 1):.2f}" '
                f'height="14"/>'
            )
        at += width
    legend = "".join(
        f'<li title="{word.long}"><span class="fate {fate}"><i aria-hidden="true">{word.mark}</i> '
        f"{word.short}</span> <b>{number(numbers[_COUNTS[fate]])}</b></li>"
        for fate, word in FATES.items()
    )
    return (
        '<svg class="bar" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">'
        f'{"".join(parts)}</svg><ul class="legend">{legend}</ul>'
    )


def _figures(numbers: dict[str, Any]) -> str:
    back = numbers["back_within"]
    unknown = numbers["rows_unknown"]
    figures = {
        "without recovery": (number(numbers["without_recovery"]), "data that nothing brings back"),
        "rows lost": (
            number(numbers["rows"]),
            f"and {plural(unknown, 'asset')} nobody counted" if unknown else "all counted",
        ),
        "size": (size(numbers["bytes"]), "of what is destroyed"),
        "back within": (
            length(back) if back is not None else "unknown" if numbers["returning"] else "none",
            "for what comes back" if numbers["returning"] else "nothing comes back",
        ),
        "at most": (
            plural(numbers["at_most"], "asset"),
            "with what is not mapped"
            if numbers["at_most"] > numbers["assets"]
            else "all of it is mapped",
        ),
        "score": (number(numbers["score"]), "sum of the parts below"),
    }
    items = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b> <span>{note}</span></dd></div>"
        for name, (value, note) in figures.items()
    )
    return f'<dl class="figures">{items}</dl>'


def _notes(radius: dict[str, Any]) -> str:
    notes = [prose(note) for note in radius["notes"][:MAX_LISTED]]
    if radius["graph"]["stale"] and not any("stale" in note for note in radius["notes"]):
        notes.insert(0, "the graph is stale")
    items = "".join(f"<li>{note}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


# What is open


def needs(radius: dict[str, Any], verdict: dict[str, Any] | None) -> str:
    """Each need once, with the changes that wait for it."""
    if verdict is None:
        return ""
    changes = {change["id"]: change for change in radius["changes"]}
    waiting: dict[tuple[str, str], tuple[dict[str, Any], list[str | None]]] = {}
    for result in verdict["results"]:
        for need in result["needs"]:
            name = (need["rule"], need["message"])
            waiting.setdefault(name, (need, []))[1].append(result["change"])
    if not waiting:
        return ""
    items = "".join(
        f'<li><span class="box" aria-hidden="true"></span><div>{prose(need["message"])}'
        f'<span class="why">{_rule(need)} · {_waiting(ids, changes)}</span></div></li>'
        for need, ids in list(waiting.values())[:MAX_LISTED]
    )
    return (
        f'<section aria-labelledby="open"><h2 id="open">Needs still open <span class="count">'
        f'{number(len(waiting))}</span></h2><ul class="needs">{items}</ul></section>'
    )


def _waiting(ids: list[str | None], changes: dict[str, dict[str, Any]]) -> str:
    places = [
        "the plan as a whole" if each is None else change_link(changes[each])
        for each in ids
        if each is None or each in changes
    ]
    more = f" and {number(len(places) - 3)} more" if len(places) > 3 else ""
    return f"for {', '.join(places[:3])}{more}"


def _rule(item: dict[str, Any]) -> str:
    source = item.get("source")
    rule = item.get("rule")
    words = [f"<code>{html(rule)}</code>"] if rule else []
    if source:
        words.append(f"<bdi>{html(source['file'])}</bdi>:{source['line']}")
    return " ".join(words)


# The plan


def decisions(radius: dict[str, Any], verdict: dict[str, Any] | None) -> str:
    """Every change with its line, what was decided about it and why; the worst first."""
    results = {} if verdict is None else {each["change"]: each for each in verdict["results"]}
    changes = sorted(radius["changes"], key=lambda change: _severity(change, results))
    heard = [each for each in changes if not _is_quiet(each, results)]
    quiet = [each for each in changes if _is_quiet(each, results)]
    parts = [_problems(verdict), _whole(results.get(None))]
    parts += [_change(each, results.get(each["id"])) for each in heard[:MAX_CHANGES]]
    if quiet:
        inner = "".join(_change(each, results.get(each["id"])) for each in quiet[:MAX_CHANGES])
        said = "reaching nothing" if verdict is None else "permitted, reaching nothing"
        count = plural(len(quiet), "change")
        parts.append(f"<details><summary>{count}: {said}</summary>{inner}</details>")
    hidden = max(0, len(heard) - MAX_CHANGES) + max(0, len(quiet) - MAX_CHANGES)
    if hidden:
        parts.append(
            f'<p class="limit">{plural(hidden, "change")} more; the JSON has them all.</p>'
        )
    hint = (
        '<p class="hint">Nothing was decided: <code>interlock gate --graph … --html …</code> '
        "asks the policies about each change.</p>"
        if verdict is None
        else ""
    )
    return (
        '<section aria-labelledby="plan"><h2 id="plan">The plan <span class="count">'
        f"{plural(len(radius['changes']), 'change')}</span></h2>{hint}{''.join(parts)}</section>"
    )


def _severity(change: dict[str, Any], results: dict[str | None, Any]) -> tuple[int, float]:
    result = results.get(change["id"])
    order = 2 if result is None else ["deny", "hold", "permit"].index(result["decision"])
    return order, 0.0 if results else -float(change["score"])


def _is_quiet(change: dict[str, Any], results: dict[str | None, Any]) -> bool:
    result = results.get(change["id"])
    permitted = result is None or (result["decision"] == "permit" and not result["problems"])
    return permitted and not change["assets"] and not change["derived"] and not change["opaque"]


def _problems(verdict: dict[str, Any] | None) -> str:
    problems = [] if verdict is None else verdict.get("problems", [])
    return "".join(
        f'<article class="change deny"><h3><span class="badge deny">cannot read</span> '
        f"<bdi>{html(each['file'])}</bdi>:{each['line']}</h3><p>{prose(each['message'])}</p></article>"
        for each in problems[:MAX_LISTED]
    )


def _whole(result: dict[str, Any] | None) -> str:
    if result is None:
        return ""
    return (
        f'<article class="change {result["decision"]}"><h3>{badge(result["decision"])} '
        f"The plan as a whole</h3>{_why(result)}</article>"
    )


def _change(change: dict[str, Any], result: dict[str, Any] | None) -> str:
    decision = "" if result is None else result["decision"]
    place = f"<bdi>{html(change['file'])}</bdi>:{change['line']}:{change['column']}"
    opaque = (
        f'<p class="reason"><span class="label">not read</span> {prose(change["opaque"])}</p>'
        if change["opaque"]
        else ""
    )
    derived = '<span class="mark">found by the recovery check</span>' if change["derived"] else ""
    return (
        f'<article class="change {decision}" id="change-{html(change["id"])}">'
        f"<h3>{badge(decision) if decision else ''} {prose(change['summary'])} {derived}</h3>"
        f'<p class="place">{place} · <code>{html(change["action"])}</code> · '
        f"{html(change['reversibility'])}{_reach(change)}</p>"
        f"{_source(change)}{opaque}{_why(result) if result else ''}</article>"
    )


def _reach(change: dict[str, Any]) -> str:
    if not change["assets"]:
        return " · reaches nothing" if not change["derived"] else ""
    words = f" · reaches {plural(change['assets'], 'asset')}, score {number(change['score'])}"
    return words + (
        f' <button type="button" class="link" data-script hidden data-change="{html(change["id"])}">'
        "show them</button>"
    )


def _source(change: dict[str, Any]) -> str:
    lines, more = source_lines(change["text"])
    if not lines:
        return ""
    numbered = "\n".join(
        f'<span class="line">{change["line"] + offset}</span> {line}'
        for offset, line in enumerate(lines)
    )
    rest = f'\n<span class="line">…</span> {plural(more, "line")} more' if more else ""
    return f'<pre tabindex="0" aria-label="the text of the change">{numbered}{rest}</pre>'


def _why(result: dict[str, Any]) -> str:
    said: list[str] = []
    for reason in result["reasons"]:
        because = prose(reason["because"]) if reason["because"] else ""
        said.append(
            f'<p class="reason"><span class="label">{html(reason["effect"])}</span> {because}'
            f'<span class="why">{_rule(reason)}</span></p>'
        )
        if reason["instead"]:
            said.append(
                f'<p class="reason"><span class="label">instead</span> {prose(reason["instead"])}</p>'
            )
    said += [
        f'<p class="reason"><span class="label">needs</span> {prose(need["message"])}'
        f'<span class="why">{_rule(need)}</span></p>'
        for need in result["needs"]
    ]
    said += [
        f'<p class="reason"><span class="label">fails</span> {prose(problem["message"])}'
        f'<span class="why">{_rule(problem)}</span></p>'
        for problem in result["problems"]
    ]
    if not said and result["decision"] == "deny":
        said.append('<p class="reason"><span class="label">deny</span> no rule permits it</p>')
    return "".join(said)


# What else was found


def findings(radius: dict[str, Any]) -> str:
    """What is not mapped, which ways back are lost, what the database refuses, what stops the harm."""
    names = {asset["key"]: asset["name"] for asset in radius["assets"]}
    names |= {key: each["name"] for key, each in radius["containers"].items()}
    changes = {change["id"]: change for change in radius["changes"]}

    def name(key: str) -> str:
        return f"<b><bdi>{html(names.get(key, key))}</bdi></b>"

    def by(number_of: str) -> str:
        return change_link(changes[number_of]) if number_of in changes else html(number_of)

    lists = {
        "No way back is left": [
            f"<b><bdi>{html(each['asset_name'])}</bdi></b>: "
            + ", ".join(f"<bdi>{html(way['name'])}</bdi>" for way in each["lost_ways"][:20])
            + f" {'goes' if len(each['lost_ways']) == 1 else 'go'} with it · {by(each['change'])}"
            for each in radius["recovery"]
        ],
        "Not in the graph": [
            f"<b><bdi>{html(each['type'])} {html(each['id'])}</bdi></b>: {prose(each['reason'])}; "
            f"may reach {plural(each['may_reach'], 'more asset')} · {by(each['change'])}"
            for each in radius["unmapped"]
        ],
        "The database refuses": [
            f"<b><bdi>{html(each['target_name'])}</bdi></b>: {'' if each['certain'] else 'maybe: '}"
            f"{prose(each['why'])} · {by(each['change'])}"
            for each in radius["refusals"]
        ],
        "Looked at, and stays": [
            f"<b><bdi>{html(each['target_name'])}</bdi></b>, beside {name(each['source'])}: "
            f"{prose(each['why'])}"
            for each in radius["stopped"]
        ],
    }
    found = "".join(_list(head, items) for head, items in lists.items() if items)
    if not found:
        return ""
    return (
        '<section aria-labelledby="found"><h2 id="found">What else was found</h2>'
        f'<div class="lists">{found}</div></section>'
    )


def _list(head: str, items: list[str]) -> str:
    shown = "".join(f"<li>{item}</li>" for item in items[:MAX_LISTED])
    more = f"<li>and {number(len(items) - MAX_LISTED)} more</li>" if len(items) > MAX_LISTED else ""
    return (
        f'<div><h3>{head} <span class="count">{number(len(items))}</span></h3>'
        f"<ul>{shown}{more}</ul></div>"
    )


def origin(radius: dict[str, Any], verdict: dict[str, Any] | None) -> str:
    """Where every answer on the page comes from."""
    graph, plan = radius["graph"], radius["plan"]
    age = "of unknown age" if graph["age"] is None else f"{length(graph['age'])} old"
    stale = " and stale" if graph["stale"] else ""
    sources = ", ".join(
        f"{html(each['kind'])} <bdi>{html(each['name'])}</bdi>" for each in graph["sources"]
    )
    artifacts = "".join(
        f"<li><bdi>{html(each['file'])}</bdi> ({html(each['kind'])}) <code>{html(each['sha256'])}</code></li>"
        for each in plan["artifacts"][:MAX_LISTED]
    )
    policies = (
        ""
        if verdict is None
        else f"<li>policies <code>{html(verdict['policy_digest'])}</code>, decided "
        f"{html(moment(verdict['decided_at']))}</li>"
    )
    return (
        '<footer><h2>Where this comes from</h2><ul class="origin">'
        f"<li>resource graph of {plural(graph['assets'], 'asset')} and "
        f"{plural(graph['edges'], 'edge')}, {age}{stale}, built {html(moment(graph['built_at']))}"
        f"{': ' if sources else ''}{sources}</li>{artifacts}"
        f"<li>plan <code>{html(plan['digest'])}</code></li>{policies}</ul></footer>"
    )
