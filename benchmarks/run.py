"""What things cost on this machine: medians of several runs, each beside something familiar in the same run."""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from interlock.compiler import compile_policies
from interlock.lang.loader import load_texts

ROOT = Path(__file__).parent.parent
RUNS = 7


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, median of {RUNS} runs\n")
    start = median_of(lambda: run(sys.executable, "-c", "pass"))
    rows = [
        ("python -c pass", start, 1.0),
        ("interlock --version", median_of(lambda: interlock("--version")), None),
        (
            "interlock check, 4 files",
            median_of(lambda: interlock("check", "production_guardrails")),
            None,
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder, "plan.json")
        plan.write_text(json.dumps(large_plan(2_500_000)))
        gate = ["gate", str(plan), "--policy", "production_guardrails", "--author", 'Human::"dana"']
        title = f"gate a plan of {plan.stat().st_size / 1e6:.1f} MB from the shell"
        rows.append((title, median_of(lambda: interlock(*gate)), None))
        parse = median_of(
            lambda: run(sys.executable, "-c", f"import json; json.load(open({str(plan)!r}))")
        )
        rows.append(("  of it, json.load in a fresh Python", parse, None))
    print(f"{'from the shell':<45}{'seconds':>10}{'x python':>10}")
    for name, seconds, _ in rows:
        print(f"{name:<45}{seconds:>10.3f}{seconds / start:>10.1f}")

    print(f"\n{'in process':<45}{'seconds':>10}{'lines/s':>12}")
    for rules in (10, 100, 1_000):
        text = policies(rules)
        lines = text.count("\n")
        checked = median_of(lambda text=text: load_texts({"big.ilk": text}))  # type: ignore[misc]
        print(
            f"{f'parse and check {rules:,} rules, {lines:,} lines':<45}{checked:>10.3f}{lines / checked:>12,.0f}"
        )
    result, problems = load_texts({"big.ilk": policies(1_000)})
    assert not problems, problems
    lowered = median_of(lambda: compile_policies(result))
    print(f"{'lower and fold 1,000 rules':<45}{lowered:>10.3f}")


def median_of(action: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        before = time.perf_counter()
        action()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def interlock(*arguments: str) -> None:
    run(sys.executable, "-m", "interlock", *arguments)


def run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode in (0, 1, 4), result.stderr


def large_plan(size: int) -> dict[str, object]:
    """The example plan with its resources repeated under other addresses until it is `size` bytes."""
    plan: dict[str, object] = json.loads((ROOT / "examples" / "orders.tfplan.json").read_text())
    resources = plan["resource_changes"]
    assert isinstance(resources, list)
    unit = len(json.dumps(resources))
    plan["resource_changes"] = [
        {**resource, "address": f"module.m[{number}].{resource['address']}"}
        for number in range(size // unit + 1)
        for resource in resources
    ]
    return plan


def policies(rules: int) -> str:
    """A policy set with guards, globs, optional values, hierarchy and messages."""
    declared = "module big\nuse std.change\nuse std.sql\n"
    return declared + "".join(
        f"""
/// Rule {number}.
forbid rule_{number} {{
  principal Agent
  action    destroy | write
  resource  Table in Environment::"production"
  when      context.change.selector >= all and (context.change.rows ?? {number}) > {number}
  unless    resource.name like "tmp_{number}_*"
  because   "{{action}} reaches {{resource.name}} in production"
}}
"""
        for number in range(rules)
    )


if __name__ == "__main__":
    main()
