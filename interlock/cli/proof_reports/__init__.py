"""How verdicts are printed: one file for each format, one row each in `REPORTS`."""

from collections.abc import Callable, Mapping

from . import (
    github_report,
    json_report,
    junit_report,
    markdown_report,
    sarif_report,
    text_report,
)
from .report import Report

__all__ = ["REPORTS", "Report"]

REPORTS: Mapping[str, Callable[[Report], str]] = {
    "text": text_report.render,
    "json": json_report.render,
    "sarif": sarif_report.render,
    "junit": junit_report.render,
    "github": github_report.render,
    "markdown": markdown_report.render,
}
