"""Runs the steps of a composite action as a GitHub runner does: expressions, conditions, files of commands, bash."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Context = Mapping[str, Any]
Uses = Callable[[str, Mapping[str, str]], Mapping[str, str]]
"""What a step of another action does with its inputs, and the outputs it gives."""


@dataclass
class Ran:
    """What became of an action: its outputs, the steps by name, the summary of the run, the annotations."""

    succeeded: bool = True
    outputs: dict[str, str] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    """By name of each `run` step that was not skipped."""
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def annotations(self) -> list[str]:
        lines = [line for text in self.printed.values() for line in text.splitlines()]
        return [line for line in lines if re.match(r"::(error|warning|notice) ", line)]


def run_action(
    action: Path,
    workspace: Path,
    temporary: Path,
    *,
    inputs: Mapping[str, str],
    github: Mapping[str, Any],
    uses: Uses,
    environment: Mapping[str, str],
) -> Ran:
    """The action of a folder, used by a job whose checkout is `workspace`."""
    document: dict[str, Any] = yaml.safe_load((action / "action.yml").read_text())
    assert document["runs"]["using"] == "composite"
    steps: dict[str, Any] = {}
    context: dict[str, Any] = {"github": github, "steps": steps, "inputs": {}}
    assert inputs.keys() <= document["inputs"].keys()
    for name, declared in document["inputs"].items():
        given = inputs.get(name)
        # A default is an expression; what the caller gives is text.
        context["inputs"][name] = (
            filled(str(declared.get("default", "")), context) if given is None else given
        )
    ran = Ran()
    added: dict[str, str] = {}
    paths: list[str] = []
    for number, step in enumerate(document["runs"]["steps"]):
        context["succeeded"] = ran.succeeded
        if not condition(step.get("if", "success()"), context):
            steps.setdefault(step.get("id", f"__{number}"), {"outputs": {}})
            continue
        if "uses" in step:
            asked = {key: filled(shown(value), context) for key, value in step["with"].items()}
            ran.used.append((step["uses"], asked))
            outputs = dict(uses(step["uses"], asked))
        else:
            # An expression in a script would be text of the script, so that none may stand there.
            assert "${{" not in step["run"]
            assert step["shell"] == "bash"
            files = {
                name: temporary / f"{name.lower()}_{number}"
                for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
            }
            for file in files.values():
                file.write_text("")
            script = temporary / f"script_{number}.sh"
            script.write_text(step["run"])
            own = {key: filled(str(value), context) for key, value in step.get("env", {}).items()}
            whole = {
                **environment,
                **added,
                **own,
                **{key: str(path) for key, path in files.items()},
            }
            whole |= {
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(action),
                "GITHUB_WORKSPACE": str(workspace),
                "GITHUB_REPOSITORY": str(github["repository"]),
                "RUNNER_TEMP": str(temporary),
                "PATH": os.pathsep.join([*reversed(paths), environment["PATH"]]),
            }
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
                cwd=workspace, env=whole, capture_output=True, text=True, timeout=600,
            )  # fmt: skip
            ran.exit_codes[step["name"]] = done.returncode
            ran.printed[step["name"]] = done.stdout + done.stderr
            ran.succeeded &= done.returncode == 0
            outputs = dict(pairs(files["GITHUB_OUTPUT"].read_text()))
            added |= dict(pairs(files["GITHUB_ENV"].read_text()))
            paths += files["GITHUB_PATH"].read_text().split()
            ran.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        steps[step.get("id", f"__{number}")] = {"outputs": outputs}
    ran.outputs = {
        name: filled(item["value"], context) for name, item in document["outputs"].items()
    }
    return ran


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """`name=value` lines, and values between `name<<END` and `END`."""
    lines = iter(text.splitlines())
    for line in lines:
        if match := re.fullmatch(r"([^=<]+)<<(.+)", line):
            inside = []
            for other in lines:
                if other == match[2]:
                    break
                inside.append(other)
            else:
                raise ValueError(f"nothing ends the value of {match[1]}")
            yield match[1], "\n".join(inside)
        elif line:
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"this is no output: {line!r}")
            yield name, value


# Expressions


def filled(text: str, context: Context) -> str:
    """Text with each `${{ … }}` replaced by its value; what it is replaced by is not read again."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: shown(evaluate(match[1], context)), text)


def condition(text: str, context: Context) -> bool:
    """Whether a step runs: after a failure only if it asks for that itself."""
    inside = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", str(text))
    asks = re.search(r"\b(always|failure|cancelled|success)\(\)", inside)
    return truth(evaluate(inside, context)) and bool(asks or context["succeeded"])


def shown(value: Any) -> str:
    return {None: "", True: "true", False: "false"}.get(value, str(value))


def truth(value: Any) -> bool:
    return value not in (None, False, "", 0)


_TOKEN = re.compile(r"\s*(?:(&&|\|\||==|!=|!|\(|\))|'((?:[^']|'')*)'|([A-Za-z_][\w.-]*)(\(\))?)\s*")


def evaluate(text: str, context: Context) -> Any:
    """An expression of paths, strings, comparisons, `&&`, `||`, `!` and the functions on the status of the job."""
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()) or not tokens:
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"this is no expression: {text[place:]!r}")
        operator, string, name, call = match.groups()
        if operator:
            tokens.append(("operator", operator))
        elif name:
            tokens.append(("call" if call else "path", name))
        else:
            tokens.append(("string", string.replace("''", "'")))
        place = match.end()

    def accept(*operators: str) -> str:
        if tokens and tokens[0][0] == "operator" and tokens[0][1] in operators:
            return tokens.pop(0)[1]
        return ""

    def either() -> Any:
        value = both()
        while accept("||"):
            other = both()
            value = value if truth(value) else other
        return value

    def both() -> Any:
        value = equal()
        while accept("&&"):
            other = equal()
            value = other if truth(value) else value
        return value

    def equal() -> Any:
        value = one()
        while operator := accept("==", "!="):
            # Text is compared without case.
            same = shown(value).lower() == shown(one()).lower()
            value = same if operator == "==" else not same
        return value

    def one() -> Any:
        if accept("!"):
            return not truth(one())
        if accept("("):
            value = either()
            if not accept(")"):
                raise ValueError(f"a bracket stays open in {text!r}")
            return value
        kind, word = tokens.pop(0)
        match kind:
            case "string":
                return word
            case "call":
                return {
                    "always": True,
                    "success": context["succeeded"],
                    "failure": not context["succeeded"],
                }[word]
            case "path":
                found: Any = context
                for part in word.split("."):
                    found = found.get(part) if isinstance(found, Mapping) else None
                return found
            case _:
                raise ValueError(f"{word!r} stands alone in {text!r}")

    value = either()
    if tokens:
        raise ValueError(f"this is too much: {tokens} in {text!r}")
    return value
