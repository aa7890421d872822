"""Collects Markdown specs beside the Python tests, and says how many examples property tests draw."""

import os
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from hypothesis import HealthCheck, Phase, settings
from markdown_specs import SpecFile

import interlock

ROOT = Path(__file__).parent
IS_LANDING = bool(os.environ.get("CI"))
"""What lands is judged on the same examples every time; `make fuzz` looks for new ones."""

if IS_LANDING:
    # Draws may take up constants of the modules that happen to be loaded, so all of them are.
    for module in walk_packages(interlock.__path__, "interlock."):
        if not module.name.endswith("__main__"):
            import_module(module.name)

settings.register_profile(
    "quick", deadline=None, max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.register_profile(
    "default",
    deadline=None,
    max_examples=100,
    derandomize=IS_LANDING,
)
settings.register_profile(
    "long", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("INTERLOCK_TESTS", "default"))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    if file_path.suffix == ".md" and (
        file_path == ROOT / "README.md"
        or ROOT / "docs" in file_path.parents
        or ROOT / "tests" / "specs" in file_path.parents
    ):
        return SpecFile.from_parent(parent, path=file_path)
    return None
