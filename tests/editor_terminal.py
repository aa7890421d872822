"""An editor in a terminal, driven by its keys and read from its screen; the terminal is tmux."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from editor_picture import LINE_HEIGHT, as_page

COLUMNS, ROWS = 112, 30
PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Terminal:
    tmux: tuple[str, ...]

    def press(self, *keys: str) -> None:
        """Presses keys by their names, such as `Escape`, `C-u` or `a`."""
        for key in keys:
            self._run("send-keys", key)
            time.sleep(PAUSE_SECONDS)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)
        time.sleep(PAUSE_SECONDS)

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait_for(self, *texts: str, seconds: float = 30) -> str:
        """The screen as soon as it has all of these."""
        return self._wait(lambda screen: all(text in screen for text in texts), texts, seconds)

    def wait_until_gone(self, text: str, seconds: float = 30) -> str:
        return self._wait(lambda screen: text not in screen, f"no {text}", seconds)

    def wait_for_end(self, seconds: float = 30) -> None:
        """Until what runs in the terminal has ended."""
        end = time.monotonic() + seconds
        while subprocess.run([*self.tmux, "has-session"], capture_output=True).returncode == 0:
            assert time.monotonic() < end, f"it does not end:\n{self.screen()}"
            time.sleep(PAUSE_SECONDS)

    def picture(self, file: Path) -> None:
        """The screen as a PNG file, drawn by a browser, where there is one."""
        browser = shutil.which("chromium")
        if browser is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        page = file.with_suffix(".html")
        page.write_text(as_page(self._run("capture-pane", "-p", "-e", "-N")), encoding="utf-8")
        try:
            subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 f"--window-size={COLUMNS * 9 + 32},{ROWS * LINE_HEIGHT + 24}", f"--screenshot={file}", page.as_uri()],
                check=True, capture_output=True, timeout=60,
            )  # fmt: skip
        finally:
            page.unlink()

    def _wait(self, is_ready: Callable[[str], bool], what: object, seconds: float) -> str:
        end = time.monotonic() + seconds
        while not is_ready(screen := self.screen()):
            assert time.monotonic() < end, f"waited for {what}:\n{screen}"
            time.sleep(PAUSE_SECONDS)
        return screen

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [*self.tmux, *arguments], capture_output=True, text=True, check=True, timeout=30
        ).stdout


@contextmanager
def terminal(
    tmux: str, command: list[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """A terminal in which a command runs; it ends with the block."""
    settings = folder / "tmux.conf"
    settings.write_text("set -g default-terminal screen-256color\nset -g status off\n", "utf-8")
    base = (tmux, "-S", str(folder / "tmux.socket"), "-f", str(settings), "-u")
    subprocess.run(
        [*base, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), *command],
        env={**environment, "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"},
        cwd=folder, check=True, timeout=30,
    )  # fmt: skip
    try:
        yield Terminal(base)
    finally:
        subprocess.run([*base, "kill-server"], check=False, capture_output=True, timeout=30)
