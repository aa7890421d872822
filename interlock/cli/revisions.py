"""Policy files as a git revision has them, in a folder of their own; git is asked for names and contents only."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..lang.loader import SUFFIX
from .common import Exit, plural, stop

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024**2
TIMEOUT = 60
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-][^\x00-\x1f\x7f]{0,249}")


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository around the working directory, as it was named and as it is."""

    name: str
    commit: str

    def __str__(self) -> str:
        short = self.commit[:12]
        return short if self.commit == self.name.rstrip(".") else f"{self.name} ({short})"


def revision_named(name: str) -> Revision:
    """The commit of a name, or the end of the run. A name is never read as an option of git."""
    if not _NAME.fullmatch(name):
        stop(Exit.USAGE, f"{name!r} is not the name of a revision")
    _git("rev-parse", "--git-dir", problem="this is not a git repository")
    problem = f"`{name}` is neither a path, nor a bundled pack, nor a revision of this repository"
    help_line = "a shallow clone lacks older ones"
    found = _git(
        "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", problem=f"{problem}; {help_line}"
    )
    return Revision(name, found.decode("ascii").strip())


def merge_base(one: Revision, other: Revision) -> Revision:
    """The commit from which both come."""
    problem = f"{one} and {other} have no commit in common; a shallow clone lacks older ones"
    found = _git("merge-base", one.commit, other.commit, problem=problem)
    return Revision(f"{one.name}...", found.decode("ascii").strip())


@contextmanager
def checked_out(revision: Revision) -> Iterator[Path]:
    """A folder with the policy files of a revision, laid out as in the repository, while it is needed."""
    with tempfile.TemporaryDirectory(prefix="interlock-") as outside:
        # Deep, since modules are looked for in the folders above too.
        folder = Path(outside, "git", "revision", "of", "policies")
        folder.mkdir(parents=True)
        names, hashes = _policy_files(revision)
        for name, content in zip(names, _contents(hashes), strict=True):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield folder


def inside_repository(path: str) -> Path:
    """A path of the working directory as the repository names it, or the end of the run."""
    top = _git("rev-parse", "--show-toplevel", problem="this repository has no working tree")
    root = Path(os.fsdecode(top.removesuffix(b"\n")))
    whole = Path(os.path.normpath(Path(os.path.realpath(Path.cwd()), path)))
    if not whole.is_relative_to(root):
        stop(Exit.USAGE, f"`{path}` is outside the repository {root}")
    return whole.relative_to(root)


def _policy_files(revision: Revision) -> tuple[list[str], list[str]]:
    """The names of the policy files, and the hashes of their contents."""
    listed = _git(
        "ls-tree",
        "-r",
        "-z",
        "-l",
        "--full-tree",
        revision.commit,
        problem=f"{revision} cannot be listed",
    )
    names: list[str] = []
    hashes: list[str] = []
    total = 0
    for entry in listed.split(b"\0"):
        about, _, raw = entry.partition(b"\t")
        name = os.fsdecode(raw)
        if not name.endswith(SUFFIX):
            continue
        mode, kind, content, size = about.decode("ascii").split()
        if kind != "blob" or mode == "120000":
            stop(Exit.USAGE, f"{revision}: `{name}` is a link, which is not followed in a revision")
        if ".." in Path(name).parts or Path(name).is_absolute():
            stop(Exit.USAGE, f"{revision}: `{name}` is not the name of a file")
        names.append(name)
        hashes.append(content)
        total += int(size)
    if len(names) > MAX_FILES or total > MAX_BYTES:
        told = f"{plural(len(names), 'policy file')} with {plural(total, 'byte')}"
        limits = f"{MAX_FILES:,} files and {MAX_BYTES:,} bytes"
        stop(Exit.USAGE, f"{revision} has {told}, and the limits are {limits}")
    return names, hashes


def _contents(hashes: list[str]) -> Iterator[bytes]:
    asked = "".join(f"{content}\n" for content in hashes).encode("ascii")
    answer = _git("cat-file", "--batch", problem="the files cannot be read", asked=asked)
    place = 0
    for content in hashes:
        end = answer.index(b"\n", place)
        name, kind, size = answer[place:end].decode("ascii").split()
        assert (name, kind) == (content, "blob")
        place = end + 1 + int(size) + 1
        yield answer[end + 1 : place - 1]


def _git(*words: str, problem: str, asked: bytes = b"") -> bytes:
    """What git prints, or the end of the run with the problem."""
    program = shutil.which("git")
    if program is None:
        stop(Exit.USAGE, "git is not installed, so that revisions cannot be compared")
    quiet = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        result = subprocess.run(  # noqa: S603  # words are literals, hashes, or names that `_NAME` accepts
            [program, *words],
            input=asked,
            capture_output=True,
            timeout=TIMEOUT,
            env={**os.environ, **quiet, "GIT_TERMINAL_PROMPT": "0"},
        )
    except subprocess.TimeoutExpired:
        stop(Exit.USAGE, f"git did not answer within {TIMEOUT} s")
    if result.returncode != 0:
        said = os.fsdecode(result.stderr).strip().splitlines()
        reason = f": {said[-1]}" if said and "not a git repository" not in said[-1] else ""
        stop(Exit.USAGE, f"{problem}{reason}")
    return result.stdout
