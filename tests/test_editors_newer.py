"""The newer editors of Debian 13 against the real server: Neovim, Emacs and Helix, with what `editors/` has for them.

They are put into a folder of their own, which takes a minute, so this runs only where it is asked for.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_project import RULES, check_seen, in_emacs, in_neovim, run_editor, write_project
from editor_terminal import terminal
from editor_tools import EDITORS, PICTURES, VSCODE, newer_editors

from interlock.lsp.proofs import can_prove

pytestmark = pytest.mark.skipif(
    not os.environ.get("INTERLOCK_EDITORS"), reason="newer editors are downloaded: make editors"
)


@pytest.fixture(scope="module")
def programs() -> Path:
    return newer_editors()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def test_neovim(programs: Path, project: Path) -> None:
    seen = run_editor(project, in_neovim(str(programs / "nvim")))
    check_seen(seen)
    assert seen["coloured_as"] == "property"
    assert "define is_adult(user: User, limit: Int) -> Bool" in seen["floating"]
    assert "Evaluate request.json" in seen["lenses"]
    if can_prove():
        assert seen["pulled"] == "1 pulled 0 pushed"
        assert "✗ refuted" in seen["hints"]
        assert "Show counterexample" in seen["lenses"]


def test_emacs_with_its_own_eglot(programs: Path, project: Path) -> None:
    check_seen(run_editor(project, in_emacs(str(programs / "emacs"))))


def test_helix(programs: Path, project: Path) -> None:
    environment = helix_home(programs, project)
    # Helix 25.01 can tell of a change in a file that a rename opens before it tells that the file is open.
    command = [str(programs / "hx"), "rules.ilk", "world.ilk"]
    with terminal(str(programs / "tmux"), command, project, environment) as helix:
        helix.wait_for("permit grown_ups", "● 1")
        helix.press("]", "d")
        helix.wait_for("`User` has no attribute `aeg`", "help: did you mean `age`?", "10:40")

        helix.press("Space", "a")
        helix.wait_for("Change to `age`")
        helix.press("Enter")
        helix.wait_until_gone("has no attribute `aeg`")
        assert '"𝄞" != "x" and principal.age > 1' in helix.screen()

        helix.press("/")
        helix.type("grown\\(")
        helix.press("Enter", "Space", "k")
        helix.wait_for(
            "define grown(user: User, limit: Int) -> Bool", "Whether somebody is grown up."
        )
        helix.press("Escape")

        helix.press("A")
        helix.type(" and principal.")
        helix.wait_for("boss")
        helix.press("Escape", "u")
        helix.wait_until_gone("and principal.\n")

        helix.press("/")
        helix.type("grown\\(")
        helix.press("Enter", "Space", "r", "C-u")
        helix.type("is_adult")
        helix.press("Enter")
        helix.wait_for('"𝄞" == "𝄞" and is_adult(principal, 18)')

        if can_prove():
            helix.press("/")
            helix.type("nobody")
            helix.press("Enter")
            helix.wait_for("`nobody_over_sixty` is refuted", "age: 61", "permit by grown_ups")
        helix.type(":write-quit-all")
        helix.press("Enter")
        helix.wait_for_end()
    saved = (project / "rules.ilk").read_text(encoding="utf-8")
    assert saved == RULES.replace("aeg", "age").replace("grown(", "is_adult(")
    assert "define is_adult(user: User" in (project / "world.ilk").read_text(encoding="utf-8")


@pytest.fixture
def shop() -> Iterator[Path]:
    """The policies of which the documentation has pictures, in a folder whose name can be shown."""
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        shutil.copytree(VSCODE / "e2e" / "workspace", folder, dirs_exist_ok=True)
        (Path(folder) / ".interlock").mkdir()
        yield Path(folder)


@pytest.mark.skipif(not can_prove(), reason="claims cannot be proved")
def test_helix_shows_a_counterexample(programs: Path, shop: Path) -> None:
    environment = helix_home(programs, shop)
    command = [str(programs / "hx"), "refunds.ilk"]
    with terminal(str(programs / "tmux"), command, shop, environment) as helix:
        helix.wait_for("● 1")
        helix.press("/")
        helix.type("nothing_is")
        helix.press("Enter", "z", "z")
        helix.wait_for("is refuted", "permit by large_refund", "does not apply because")
        helix.picture(PICTURES / "helix-counterexample.png")


@pytest.mark.skipif(not can_prove(), reason="claims cannot be proved")
def test_neovim_shows_a_counterexample(programs: Path, shop: Path) -> None:
    nvim, command = str(programs / "nvim"), [sys.executable, "-m", "interlock", "lsp"]
    setup, socket = shop / "init.lua", str(shop / "nvim.socket")
    setup.write_text(
        f"""
        vim.opt.runtimepath:prepend({json.dumps(str(EDITORS / "neovim"))})
        vim.opt.termguicolors, vim.opt.number, vim.opt.signcolumn = true, true, "yes"
        require("interlock").setup({{ cmd = vim.json.decode({json.dumps(json.dumps(command))}) }})
        """,
        encoding="utf-8",
    )
    environment = {**os.environ, "HOME": str(shop)}
    # A Neovim in a terminal starts another, which its loader does not let it do here.
    server = subprocess.Popen(
        [nvim, "-u", str(setup), "-i", "NONE", "-n", "--headless", "--listen", socket, "refunds.ilk"],
        cwd=shop, env=environment,
    )  # fmt: skip
    try:
        wait_for_file(Path(socket))
        command = [nvim, "--server", socket, "--remote-ui"]
        with terminal(str(programs / "tmux"), command, shop, environment) as neovim:
            neovim.wait_for("permit small_refund")
            neovim.press("3", "3", "G", "z", "z")
            neovim.wait_for(
                "`nobody_on_leave_refunds` is proved", "`nothing_is_refunded_twice` is refuted"
            )
            # Neovim 0.10 draws no hint that comes later in a line that it has drawn.
            enable = [
                nvim,
                "--server",
                socket,
                "--remote-expr",
                "luaeval('vim.lsp.inlay_hint.enable()')",
            ]
            subprocess.run(enable, env=environment, check=True, timeout=30)
            neovim.wait_for("✗ refuted", "✓ proved")
            neovim.press("C-w", "d")
            neovim.wait_for("permit by large_refund", "does not apply because")
            neovim.picture(PICTURES / "neovim-counterexample.png")
    finally:
        server.kill()
        server.wait()


def wait_for_file(file: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file} does not appear"
        time.sleep(0.05)


def helix_home(programs: Path, folder: Path) -> dict[str, str]:
    """The environment of somebody who set Helix up as the documentation says."""
    grammar = EDITORS / "tree-sitter-ilk"
    config = folder / "config" / "helix"
    (config / "runtime" / "grammars").mkdir(parents=True)
    shutil.copytree(grammar / "queries", config / "runtime" / "queries" / "ilk")
    text = (EDITORS / "helix" / "languages.toml").read_text(encoding="utf-8")
    for told, meant in (
        ('command = "interlock"', f'command = "{sys.executable}"'),
        ('args = ["lsp"]', 'args = ["-m", "interlock", "lsp"]'),
        ("/path/to/interlock/editors/tree-sitter-ilk", str(grammar)),
    ):
        assert told in text
        text = text.replace(told, meant)
    # Otherwise every other grammar that Helix knows of is asked for, which nobody has fetched.
    (config / "languages.toml").write_text('use-grammars = { only = ["ilk"] }\n' + text, "utf-8")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    built = subprocess.run(
        [str(programs / "hx"), "--grammar", "build"],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return environment
