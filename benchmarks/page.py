"""`docs/performance.md` and its plot, from what `evaluator.py --json` measured; a rerun of both refreshes every number.

python benchmarks/page.py [benchmarks/results/evaluator.json]
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plot

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "evaluator.json"
TEMPLATE = ROOT / "benchmarks" / "page.md"
"""The page without its numbers."""
PAGE = ROOT / "docs" / "performance.md"
FIGURE = ROOT / "docs" / "growth.svg"
BASE, ALLOWS, CEDAR, REGORUS = "Interlock", "Interlock, yes/no", "Cedar (cedarpy)", "Regorus RVM"
APPLICATIONS = ("gdrive", "github", "tinytodo")

Json = Any


def main() -> None:
    results = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else RESULTS).read_text())
    panels = results.get("growth", {}).get("facts", {}).get("panels")
    if panels:
        FIGURE.write_text(plot.log_log(panels, "rules", "microseconds for a decision (median)"))
    PAGE.write_text(page(results, bool(panels)))


def page(results: Json, has_figure: bool) -> str:
    parts = []
    for name, title in SECTIONS.items():
        if name not in results:
            parts.append(f"## {title}\n\nNot measured.\n")
            continue
        found = results[name]
        parts.append(f"## {title}\n\n{setting(found)}\n")
        if name == "growth" and has_figure:
            parts.append(f"![Microseconds for a decision by the number of rules]({FIGURE.name})\n")
        parts += [markdown(table) for table in found["tables"]]
    template = TEMPLATE.read_text()
    return template.replace("REACH\n", reach(results)).replace("SECTIONS\n", "\n".join(parts))


def setting(found: Json) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found["engines"].items())
    absent = "".join(f" {name} is not installed: {why}." for name, why in found["absent"].items())
    rough = " A quick run, so numbers are rough." if found["quick"] else ""
    busy = f" Other work kept {found['busy']} processors busy." if found["busy"] >= 1 else ""
    return (
        f"Python {found['python']} on {found['machine']}; {versions}. "
        f"Took {found['seconds'] / 60:.1f} minutes.{absent}{rough}{busy}"
    )


def markdown(table: Json) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    columns = table["columns"]
    rule = "|---|" + ("---:|" if table["numbers"] else "---|") * (len(columns) - 1)
    rows = "\n".join(map(line, table["rows"]))
    note = f"\n{table['note']}\n" if table["note"] else ""
    return f"### {table['title']}\n\n{line(columns)}\n{rule}\n{rows}\n{note}"


# What was to be reached


def reach(results: Json) -> str:
    """Each goal beside what this run measured."""
    rows = [
        *_applications(results.get("applications", {}).get("facts", {})),
        *_growth(results.get("growth", {}).get("facts", {})),
        *_stores(results.get("entities", {}).get("facts", {})),
    ]
    lines = ["| goal | measured | reached |", "|---|---|---|"]
    lines += [f"| {goal} | {measured} | {'yes' if met else 'no'} |" for goal, measured, met in rows]
    return "\n".join(lines) + "\n"


Row = tuple[str, str, bool]


def _applications(facts: Json) -> Iterator[Row]:
    found = {name: facts[key] for name in APPLICATIONS if (key := f"{name}, N = 50") in facts}
    for name, engines in found.items():
        base = engines[BASE]["median"]
        for other, times in ((CEDAR, 10), (REGORUS, 1), ("Regorus", 1)):
            if other in engines:
                ratio = engines[other]["median"] / base
                goal = f"{name}, N = 50, with rules and reasons: {times} x faster than {other}"
                measured = f"{base:.2f} µs to {engines[other]['median']:.2f} µs: {ratio:.1f} x"
                yield goal.replace("1 x faster", "faster"), measured, ratio >= times
    if found:
        medians = {name: engines[ALLOWS]["median"] for name, engines in found.items()}
        measured = ", ".join(f"{name} {median:.2f} µs" for name, median in medians.items())
        met = sum(median < 1 for median in medians.values()) >= 2
        yield "yes or no: below 1 µs on two of the three", measured, met


def _growth(facts: Json) -> Iterator[Row]:
    for shape in ("resource guards", "context guards"):
        found = facts.get(f"growth, {shape}", {}).get(BASE)
        if found:
            few, many = found["medians"]["10"], found["medians"][str(found["rules"])]
            goal = f"{shape}: {found['rules']:,} rules cost at most twice what 10 cost"
            yield goal, f"{few:.2f} µs to {many:.2f} µs: {many / few:.2f} x", many <= 2 * few
    for key, engines in facts.items():
        found = engines.get(BASE) if key.startswith("growth, ") else None
        if found:
            shape = key.removeprefix("growth, ")
            goal = f"{shape}: {found['rules']:,} rules compile within 6 s"
            yield goal, f"{found['compile']:.1f} s", found["compile"] < 6
            goal = f"{shape}: {found['rules']:,} rules load from the cache within 0.5 s"
            if found.get("load") is not None:
                yield goal, f"{found['load']:.2f} s", found["load"] < 0.5
            if found["bytes"] is not None:
                each = found["bytes"] / found["rules"] / 1024
                yield f"{shape}: below 2 KB of memory a rule", f"{each:.2f} KB", each < 2


def _stores(facts: Json) -> Iterator[Row]:
    sizes = {int(size): found for size, found in facts.get(BASE, {}).items()}
    if len(sizes) > 1:
        least, most = min(sizes), max(sizes)
        beyond = (sizes[most]["bytes"] - sizes[most]["json"]) / most
        goal = f"{most:,} entities: below 1 KB each beyond their own data"
        yield goal, f"{beyond:,.0f} bytes", beyond < 1024
        few, many = sizes[least]["median"], sizes[most]["median"]
        goal = f"a decision over {most:,} entities costs what it costs over {least:,}"
        yield goal, f"{few:.2f} µs to {many:.2f} µs", many < 1.5 * few


SECTIONS = {
    "applications": "The three applications of the Cedar paper",
    "destructive": "Destructive operations",
    "growth": "From 10 to 10,000 rules",
    "entities": "From 1,000 to 1,000,000 entities",
    "bytes": "JSON in, JSON out",
}

if __name__ == "__main__":
    main()
