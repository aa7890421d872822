"""Collects Markdown specs beside the Python tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from markdown_specs import SpecFile

ROOT = Path(__file__).parent

settings.register_profile(
    "quick", deadline=None, max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.register_profile(
    # What lands is judged on the same examples every time; `make fuzz` looks for new ones.
    "default",
    deadline=None,
    max_examples=100,
    derandomize=bool(os.environ.get("CI")),
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
