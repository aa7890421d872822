"""What is installed is what the repository holds, and its versions agree."""

import tomllib
from pathlib import Path

import interlock

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = SETTINGS["tool"]["setuptools"]
FOLDERS = {name.removeprefix("interlock.") for name in SETUPTOOLS["package-dir"]} - {"interlock"}


def test_every_package_is_shipped() -> None:
    on_disk = {
        "interlock." + ".".join(init.parent.relative_to(ROOT).parts)
        for folder in FOLDERS
        for init in (ROOT / folder).rglob("__init__.py")
    }
    # The links to the rooms are not followed.
    on_disk |= {
        ".".join(init.parent.relative_to(ROOT).parts)
        for init in (ROOT / "interlock").rglob("__init__.py")
        if not any(folder.is_symlink() for folder in init.parents)
    }
    # What reports carry is a package without Python.
    assert sorted(SETUPTOOLS["packages"]) == sorted({*on_disk, "interlock.report.vendor"})


def test_every_room_has_its_import_name() -> None:
    for folder in FOLDERS:
        assert (ROOT / "interlock" / folder).samefile(ROOT / folder)


def test_the_version_is_said_once() -> None:
    assert SETTINGS["project"]["version"] == interlock.__version__


def test_every_source_file_opens_with_one_sentence() -> None:
    for folder in [*FOLDERS, "interlock/cli"]:
        for path in (ROOT / folder).rglob("*.py"):
            first = path.read_text().split("\n", 1)[0]
            assert first.startswith('"""'), path
