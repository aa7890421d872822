"""Makes pgrubic run where Python is too old for it: a newer Python from a later Debian, unpacked beside the system.

    python benchmarks/pgrubic_prefix.py FOLDER

Nothing is installed: FOLDER holds apt's own lists, the packages, pgrubic's wheels and the program `pgrubic`, for
`benchmarks/sql_statements.py --pgrubic FOLDER/pgrubic`.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

RELEASE = "trixie"
PYTHON = "3.13"
PACKAGES = (
    f"python{PYTHON}-minimal libpython{PYTHON}-minimal libpython{PYTHON}-stdlib libc6 libexpat1 zlib1g "
    "libssl3t64 libffi8 libbz2-1.0 liblzma5 libsqlite3-0 libuuid1 libgcc-s1 libstdc++6 libzstd1"
).split()
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    unpack_debian(folder)
    unpack_wheels(folder)
    print(written_program(folder))


def unpack_debian(folder: Path) -> None:
    """The packages of the later release, by apt's own client with lists of its own."""
    for name in ("lists/partial", "cache/archives/partial", "packages", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYS}] {debian_mirror()} {RELEASE} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *PACKAGES], check=True, cwd=folder / "packages")
    for package in sorted((folder / "packages").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)


def debian_mirror() -> str:
    """Where this system gets its own packages from."""
    for file in sorted(Path("/etc/apt").rglob("*.sources")) + sorted(
        Path("/etc/apt").rglob("*.list")
    ):
        found = re.search(r"https?://\S+/debian(?=/?\s)", file.read_text(encoding="utf-8") + "\n")
        if found is not None:
            return found[0]
    raise SystemExit("this system says nowhere where Debian's packages are")


def unpack_wheels(folder: Path) -> None:
    wheels = folder / "wheels"
    version = ["--python-version", PYTHON, "--only-binary=:all:"]
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        *version,
        "-d",
        str(wheels),
        "pgrubic",
    ]
    subprocess.run(download, check=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with ZipFile(wheel) as archive:
            archive.extractall(folder / "site")


def written_program(folder: Path) -> Path:
    """A program that runs pgrubic with the newer Python, which brings its own C library."""
    libraries = folder / "root/usr/lib/x86_64-linux-gnu"
    program = folder / "pgrubic"
    program.write_text(
        "#!/bin/sh\n"
        f"PYTHONHOME='{folder}/root/usr' PYTHONPATH='{folder}/site' exec \\\n"
        f"  '{libraries}/ld-linux-x86-64.so.2' --library-path '{libraries}' '{folder}/root/usr/bin/python{PYTHON}' \\\n"
        """  -c 'import sys; sys.argv[0] = "pgrubic"; from pgrubic.__main__ import cli; cli()' "$@"\n""",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    main()
