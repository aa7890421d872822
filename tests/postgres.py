"""A real PostgreSQL server for the tests, in a temporary folder and on a Unix socket only."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_server() -> Iterator[str | None]:
    """The connection string of a fresh server, or `None` where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    # PostgreSQL does not run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="interlock-postgres-"))
    if user is not None:
        shutil.chown(folder, user)
    data = str(folder / "data")
    # A linguistic collation as the default, under which only exact comparisons stay exact.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en"]
    control = [str(programs / "pg_ctl"), "--pgdata", data, "--wait", "--silent"]
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
    log = ["--log", str(folder / "log"), "--options", settings]
    try:
        _run([str(programs / "initdb"), "--auth=trust", *locale, "--pgdata", data], user, folder)
        _run([*control, *log, "start"], user, folder)
        try:
            yield f"host={folder} dbname=postgres user={user or _own_name()}"
        finally:
            _run([*control, "--mode=immediate", "stop"], user, folder)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """The folder of the server programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _run(command: list[str], user: str | None, folder: Path) -> None:
    subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _own_name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
