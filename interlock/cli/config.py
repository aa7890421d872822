"""Settings of a project: `.interlock/config.yaml`, or `[tool.interlock]` in `pyproject.toml`, of the nearest folder.

A flag comes before an environment variable (`INTERLOCK_GATE_POLICY`), and that before the file.
"""

import tomllib
from pathlib import Path
from typing import Any

import click

SETTINGS = {
    "policy": ("gate", "eval", "filter"),
    "author": ("gate",),
    "environment": ("gate",),
    "evidence": ("gate",),
    "dialect": ("gate", "plan"),
    "graph": ("blast", "gate"),
    "format": ("check", "eval", "gate", "plan", "test"),
}
"""Setting → the commands that have it as a flag."""


def default_map() -> dict[str, Any]:
    """The settings as the defaults of each command; a file that cannot be read ends the run."""
    found = find_config(Path.cwd())
    if found is None:
        return {}
    path, settings = found
    result: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        if name not in SETTINGS:
            known = ", ".join(f"`{known}`" for known in SETTINGS)
            raise click.UsageError(f"{path}: there is no setting `{name}`; there is {known}")
        for command in SETTINGS[name]:
            result.setdefault(command, {})[name] = _resolve(path, name, value)
    return result


def _resolve(path: Path, name: str, value: Any) -> Any:
    """Paths in a config file count from the folder that the file configures."""
    folder = path.parent.parent if path.name == "config.yaml" else path.parent

    def one(item: str) -> str:
        return str(folder / item) if (folder / item).exists() else item

    if name == "policy":
        return [one(item) for item in ([value] if isinstance(value, str) else value)]
    return one(value) if name in ("evidence", "graph") else value


def find_config(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The nearest file with settings, from a folder upwards, and what it says."""
    for place in (folder, *folder.parents):
        path = place / ".interlock" / "config.yaml"
        if path.is_file():
            return path, _checked(path, _read_yaml(path))
        path = place / "pyproject.toml"
        if path.is_file():
            settings = _read_toml(path).get("tool", {}).get("interlock")
            if settings is not None:
                return path, _checked(path, settings)
    return None


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.UsageError(f"{path}: cannot be read: {error}") from error


def _read_toml(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.UsageError(f"{path}: cannot be read: {error}") from error


def _checked(path: Path, settings: Any) -> dict[str, Any]:
    if not isinstance(settings, dict):
        raise click.UsageError(f"{path}: settings are names and values")
    return settings
