"""Real editors against the real server: Neovim, Emacs with eglot, and CodeMirror in a headless browser.

Each opens a file, shows a diagnostic at its place, hovers, completes, applies a quick fix and renames.
Where a program is not installed the test is skipped and says so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lsp_fixtures import SCHEMA

from interlock.lsp.proofs import can_prove

EDITORS = Path(__file__).parent / "editors"
SERVER = f"{sys.executable} -m interlock lsp"
WORLD = SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule world\n\n", 1)
RULES = """\
// 𝄞
module rules

use world

/// 𝄞
permit grown_ups {
  action    enter
  when      "𝄞" == "𝄞" and grown(principal, 18)
  when      "𝄞" != "x" and principal.aeg > 1
}

prove nobody_over_sixty {
  action    enter
  when      "𝄞" == "𝄞" and principal.age > 60
  never permitted
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "world.ilk").write_text(WORLD, encoding="utf-8")
    (tmp_path / "rules.ilk").write_text(RULES, encoding="utf-8")
    return tmp_path


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def run(project: Path, command: list[str], **more: str) -> dict[str, str]:
    """What the editor saw, by name."""
    out = project / "seen.txt"
    environment = {
        **os.environ,
        "FILE": str(project / "rules.ilk"),
        "OUT": str(out),
        **more,
        "SERVER": SERVER,
        "PROVES": "yes" if can_prove() else "no",
        "HOME": str(project),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }
    result = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=300
    )
    seen = out.read_text(encoding="utf-8") if out.exists() else ""
    lines = dict(line.split("\t", 1) for line in seen.splitlines() if "\t" in line)
    assert "DONE" in lines, f"{seen}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
    return lines


def check(
    seen: dict[str, str],
    renamed: str = 'when      "𝄞" == "𝄞" and is_adult(principal, 18)',
    rule: str = "grown_ups",
) -> None:
    assert seen["diagnostic_place"] == "true"
    assert "has no attribute `aeg`" in seen["diagnostic"]
    assert "did you mean `age`?" in seen["diagnostic"]
    assert "define grown(user: User, limit: Int) -> Bool" in seen["hover"]
    assert "age" in seen["completion"] and "boss" in seen["completion"]
    assert seen["fixed"].strip() == 'when      "𝄞" != "x" and principal.age > 1'
    assert seen["renamed"].strip() == renamed
    if can_prove():
        assert "`nobody_over_sixty` is refuted" in seen["counterexample"]
        assert f"decision  permit by {rule}" in seen["counterexample"]


def test_neovim(project: Path) -> None:
    script = EDITORS / "neovim.lua"
    seen = run(
        project,
        [need("nvim"), "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {script}"],
    )
    check(seen)


def test_emacs_with_eglot(project: Path) -> None:
    emacs = need("emacs")
    probe = subprocess.run(
        [emacs, "-Q", "--batch", "--eval",
         "(progn (let ((default-directory \"/usr/share/emacs/site-lisp/elpa/\")) (when (file-directory-p"
         " default-directory) (normal-top-level-add-subdirs-to-load-path))) (require 'eglot))"],
        capture_output=True, text=True,
    )  # fmt: skip
    if probe.returncode:
        pytest.skip(f"emacs has no eglot: {probe.stderr.strip()[-200:]}")
    check(run(project, [emacs, "-Q", "--batch", "-l", str(EDITORS / "emacs.el")]))


def test_codemirror_in_a_browser(project: Path) -> None:
    chromium, node, npm = need("chromium"), need("node"), need("npm")
    packages = installed(npm)
    bundle = project / "page.js"
    # Both find their packages beside them.
    for script in ("page.js", "drive.mjs"):
        shutil.copy(EDITORS / "codemirror" / script, packages / script)
    build = subprocess.run(
        [str(packages / "node_modules/.bin/esbuild"), "page.js", "--bundle", "--format=esm",
         f"--outfile={bundle}", "--log-level=error"],
        cwd=packages, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    server = subprocess.Popen(
        [sys.executable, "-m", "interlock", "lsp", "--websocket", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().rpartition(":")[2].strip()
        seen = run(
            project,
            [node, str(packages / "drive.mjs")],
            CHROMIUM=chromium,
            PORT=port,
            PROJECT=str(project),
            BUNDLE=str(bundle),
        )
    finally:
        server.kill()
        server.communicate()
    check(seen, renamed="permit adults {", rule="adults")


def installed(npm: str) -> Path:
    """A folder with the packages of the page, kept between runs; without a network the test is skipped."""
    manifest = (EDITORS / "codemirror" / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")))
    folder = cache / "interlock-tests" / hashlib.sha256(manifest).hexdigest()[:16]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(manifest)
        result = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund"],
            cwd=folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if result.returncode:
            pytest.skip(f"npm cannot install the packages of the page: {result.stderr[-200:]}")
        (folder / "installed").touch()
    return folder
