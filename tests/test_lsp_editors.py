"""Real editors against the real server: Neovim, Emacs with eglot, and CodeMirror in a headless browser.

Each opens a file, shows a diagnostic at its place, hovers, completes, applies a quick fix and renames.
Where a program is not installed the test is skipped and says so.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from editor_project import DRIVERS, check_seen, in_emacs, in_neovim, run_editor, write_project
from editor_tools import installed, need


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def test_neovim(project: Path) -> None:
    check_seen(run_editor(project, in_neovim(need("nvim"))))


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
    check_seen(run_editor(project, in_emacs(emacs)))


def test_codemirror_in_a_browser(project: Path) -> None:
    chromium, node = need("chromium"), need("node")
    packages = installed(DRIVERS / "codemirror")
    bundle = project / "page.js"
    # Both find their packages beside them.
    for script in ("page.js", "drive.mjs"):
        shutil.copy(DRIVERS / "codemirror" / script, packages / script)
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
        seen = run_editor(
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
    check_seen(seen, renamed="permit adults {", rule="adults")
