"""What the tests of `editors/` share: the programs and npm packages they find, and how the extension is built."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EDITORS = ROOT / "editors"
VSCODE = EDITORS / "vscode"
PICTURES = ROOT / "build" / "pictures"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "interlock-tests"
_BUILT_FROM = (
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "language-configuration.json",
    "README.md",
    ".vscodeignore",
    "src",
    "syntaxes",
    "snippets",
)


def need(program: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def keywords() -> set[str]:
    """Every word of the language, from its grammar."""
    grammar = (ROOT / "lang" / "grammar.lark").read_text(encoding="utf-8")
    without_comments = re.sub(r"^//.*$", "", grammar, flags=re.MULTILINE)
    return set(re.findall(r'"([a-z_]+)"', without_comments))


def installed(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Path:
    """A folder with the npm packages that another names, kept between runs.

    Where npm cannot install them, such as without a network, the test is skipped.
    """
    npm = need("npm")
    files = [folder / name for name in ("package.json", "package-lock.json")]
    content = {file.name: file.read_bytes() for file in files if file.exists()}
    # Only what decides which packages there are names the folder.
    names = json.loads(content["package.json"])
    deciding = [names.get("dependencies"), names.get("devDependencies"), arguments]
    digest = hashlib.sha256(json.dumps(deciding).encode() + content.get("package-lock.json", b""))
    place = _CACHE / digest.hexdigest()[:16]
    if not (place / "installed").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name, data in content.items():
            (place / name).write_bytes(data)
        verb = "ci" if "package-lock.json" in content else "install"
        result = subprocess.run(
            [npm, verb, "--no-audit", "--no-fund", *arguments],
            cwd=place, env={**os.environ, **(environment or {})},
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        if result.returncode:
            pytest.skip(f"npm cannot install what {folder.name} needs: {result.stderr[-300:]}")
        (place / "installed").touch()
    return place


def newer_editors() -> Path:
    """A folder with the editors of a newer Debian, kept between runs; the test is skipped where they cannot be had."""
    script = EDITORS / "tests" / "newer-editors.sh"
    place = _CACHE / f"newer-editors-{hashlib.sha256(script.read_bytes()).hexdigest()[:16]}"
    result = subprocess.run([str(script), str(place)], capture_output=True, text=True, timeout=900)
    if result.returncode:
        pytest.skip(f"the newer editors cannot be installed: {result.stderr[-300:]}")
    return place / "bin"


def build_vsix(folder: Path) -> Path:
    """The extension built in a folder of its own, as `make vsix` builds it."""
    packages = installed(VSCODE, "--ignore-scripts")
    place = folder / "extension"
    place.mkdir()
    for name in _BUILT_FROM:
        source = VSCODE / name
        if source.is_dir():
            shutil.copytree(source, place / name)
        else:
            shutil.copy(source, place / name)
    shutil.copy(ROOT / "LICENSE", place / "LICENSE")
    (place / "node_modules").symlink_to(packages / "node_modules")
    out = folder / "interlock.vsix"
    result = subprocess.run(
        [need("node"), str(packages / "node_modules/@vscode/vsce/vsce"), "package",
         "--no-dependencies", "--out", str(out)],
        cwd=place, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return out
