"""VS Code itself with the built extension, in a headless browser; the pictures of the documentation come from here.

The workbench is code-server from npm, which takes minutes to install, so this runs only where it is asked for.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from editor_tools import EDITORS, VSCODE, build_vsix, installed, need

DRIVER = VSCODE / "e2e"
SETTINGS = {
    "interlock.command": [sys.executable, "-m", "interlock"],
    "security.workspace.trust.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "extensions.autoCheckUpdates": False,
    "editor.minimap.enabled": False,
    "telemetry.telemetryLevel": "off",
    "files.autoSave": "off",
    "testing.automaticallyOpenTestResults": "neverOpen",
}
START_SECONDS = 60

pytestmark = pytest.mark.skipif(
    not os.environ.get("INTERLOCK_EDITORS"), reason="VS Code takes minutes to install: make editors"
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the driver saw, and pictures of it in `build/pictures`."""
    chromium, node = need("chromium"), need("node")
    server, driver = code_server(), installed(EDITORS / "tests")
    folder = tmp_path_factory.mktemp("vscode")
    workspace, out = folder / "workspace", folder / "seen.json"
    pictures = EDITORS.parent / "build" / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DRIVER / "workspace", workspace)
    with serving(server, folder, build_vsix(folder), workspace) as address:
        result = subprocess.run(
            [node, str(DRIVER / "drive.mjs")],
            env={**os.environ, "ADDRESS": address, "CHROMIUM": chromium, "PACKAGES": str(driver),
                 "WORKSPACE": str(workspace), "PICTURES": str(pictures), "OUT": str(out)},
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip
    assert out.exists(), result.stdout + result.stderr
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert found.get("done"), found.get("problem")
    return found


def code_server() -> list[str]:
    """The command of code-server, which needs a newer Node than Debian has; npm has that too.

    Its native modules are compiled: libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev are needed.
    """
    node = installed(DRIVER / "node") / "node_modules" / "node"
    runtime = next(iter(node.glob("node_modules/node-linux-*")), node)
    packages = installed(
        DRIVER,
        environment={
            "PATH": f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "npm_config_nodedir": str(runtime),
        },
    )
    entry = packages / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    return [str(node / "bin" / "node"), str(entry)]


@contextmanager
def serving(command: list[str], folder: Path, vsix: Path, workspace: Path) -> Iterator[str]:
    data = folder / "data"
    (data / "User").mkdir(parents=True)
    (data / "User" / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    base = [*command, "--config", str(folder / "config.yaml"),
            "--user-data-dir", str(data), "--extensions-dir", str(folder / "extensions")]  # fmt: skip
    environment = {**os.environ, "HOME": str(folder)}
    subprocess.run(
        [*base, "--install-extension", str(vsix)], env=environment, check=True, timeout=120
    )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*base, "--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry",
         "--disable-update-check", "--disable-workspace-trust", str(workspace)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(f"{address}/healthz")
        yield address
    finally:
        # Its children outlive it otherwise.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(address: str) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, f"{address} does not answer"
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_claims_say_what_is_proved_in_every_place(seen: dict[str, Any]) -> None:
    assert any(title.startswith("✓ proved in ") for title in seen["lenses"])
    assert any(title.startswith("✗ refuted: ") for title in seen["lenses"])
    assert "✗ refuted" in seen["hint"].replace("\u00a0", " ")
    assert seen["status"].strip() == "Interlock: 1 refuted"


def test_a_counterexample_opens_as_a_test(seen: dict[str, Any]) -> None:
    assert "test counterexample_to_nothing_is_refunded_twice {" in seen["counterexample"]
    assert "`refund_while_on_leave` does not apply because" in seen["counterexample"]
    assert all(len(line) <= 62 for line in seen["counterexample"].splitlines() if "//" in line)
    assert seen["toasts"] == []


def test_a_mistake_is_shown_and_mended(seen: dict[str, Any]) -> None:
    assert "did you mean `grade`?" in seen["diagnostic"]
    assert seen["statusWhileWrong"].strip() == "Interlock: 2 stale"
    assert seen["mended"] == [
        "when      principal.gade >= manager",
        "when      principal.grade >= manager",
    ]


def test_hover_and_completion(seen: dict[str, Any]) -> None:
    assert "define is_large(order: Order) -> Bool" in seen["hover"]
    assert "somebody senior looks at it" in seen["hover"]
    assert {"grade", "on_leave"} <= set(seen["completion"])


def test_a_rename_reaches_what_names_the_rule(seen: dict[str, Any]) -> None:
    assert seen["renamed"] == "expect    permit by little_refund"


def test_the_test_panel_runs_tests_and_claims(seen: dict[str, Any]) -> None:
    assert seen["tests"] == {
        "refunds.ilk": "failed",
        "nobody_on_leave_refunds": "passed",
        "nothing_is_refunded_twice": "failed",
        "clerks_refund_what_is_small": "passed",
        "clerks_refund_what_is_large": "failed",
    }


def test_a_file_is_gated(seen: dict[str, Any]) -> None:
    assert "DENIED" in seen["gate"]
    assert "wildcard_write" in seen["gate"]


def test_policies_in_markdown_are_coloured(seen: dict[str, Any]) -> None:
    colours = dict(seen["markdown"])
    assert len({colours["unless"], colours["is_large"], colours["("]}) == 3
