"""VS Code itself with the built extension, in a headless browser: what `make editors` runs, and where the pictures come from.

The workbench is code-server from npm, which takes minutes to install, so these tests run only where they are asked for.
"""

import functools
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
from pathlib import Path
from typing import Any

import pytest
from editor_tools import VSCODE, build_vsix, installed, need

DRIVER = VSCODE / "e2e"
SETTINGS = {
    "interlock.command": [sys.executable, "-m", "interlock"],
    "security.workspace.trust.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "extensions.autoCheckUpdates": False,
    "editor.minimap.enabled": False,
    "telemetry.telemetryLevel": "off",
    "files.autoSave": "off",
    "testing.automaticallyOpenPeekView": "never",
    "testing.automaticallyOpenTestResults": "neverOpen",
}

pytestmark = pytest.mark.skipif(
    not os.environ.get("INTERLOCK_EDITORS"), reason="VS Code takes minutes to install: make editors"
)


@functools.cache
def pictures() -> Path:
    """Where the pictures go: a folder that the caller names, or a temporary one that is printed."""
    given = os.environ.get("INTERLOCK_PICTURES", "build/pictures")
    folder = Path(given).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chromium = need("chromium")
    packages = installed(DRIVER, environment=_node_headers, scripts=True)
    driver = installed(VSCODE.parent / "tests")
    folder = tmp_path_factory.mktemp("vscode")
    workspace = folder / "workspace"
    shutil.copytree(DRIVER / "workspace", workspace)
    vsix = build_vsix(folder)
    out = folder / "seen.json"
    with_server = _code_server(packages, folder, vsix, workspace)
    address = next(with_server)
    try:
        result = subprocess.run(
            [need("node"), str(DRIVER / "drive.mjs")],
            env={
                **os.environ,
                "ADDRESS": address,
                "CHROMIUM": chromium,
                "PACKAGES": str(driver),
                "WORKSPACE": str(workspace),
                "PICTURES": str(pictures()),
                "OUT": str(out),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )
    finally:
        next(with_server, None)
    assert out.exists(), result.stdout + result.stderr
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found
