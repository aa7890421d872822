"""How verdicts are printed: one file for each format, `<format>_report.py`, and one name each in `FORMATS`."""

from collections.abc import Callable
from importlib import import_module

from .report import Report

__all__ = ["FORMATS", "Report", "render"]

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown")


def render(format: str, report: Report) -> str:
    """The report in one of the formats; only the file of that format is loaded."""
    write: Callable[[Report], str] = import_module(f".{format}_report", __package__).render
    return write(report)
