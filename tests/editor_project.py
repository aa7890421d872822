"""The policies that every real editor opens, how one is run on them, and what it must have seen."""

import os
import subprocess
import sys
from pathlib import Path

from editor_tools import EDITORS
from lsp_fixtures import SCHEMA

from interlock.lsp.proofs import can_prove

DRIVERS = Path(__file__).parent / "editors"
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


def write_project(folder: Path) -> Path:
    (folder / ".git").mkdir()
    (folder / "world.ilk").write_text(WORLD, encoding="utf-8")
    (folder / "rules.ilk").write_text(RULES, encoding="utf-8")
    return folder


def run_editor(project: Path, command: list[str], **more: str) -> dict[str, str]:
    """What a driver in an editor saw, by name."""
    out = project / "seen.txt"
    environment = {
        **os.environ,
        "FILE": str(project / "rules.ilk"),
        "OUT": str(out),
        **more,
        "SERVER": SERVER,
        "EDITORS": str(EDITORS),
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


def check_seen(
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


def in_neovim(program: str) -> list[str]:
    script = DRIVERS / "neovim.lua"
    return [program, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {script}"]


def in_emacs(program: str) -> list[str]:
    return [program, "-Q", "--batch", "-l", str(DRIVERS / "emacs.el")]
