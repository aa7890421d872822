"""How verdicts are printed: one file for each format, one row each in `REPORTS`."""

from collections.abc import Callable, Mapping

from . import json_report, text_report
from .report import Report

__all__ = ["REPORTS", "Report"]

REPORTS: Mapping[str, Callable[[Report], str]] = {
    "text": text_report.render,
    "json": json_report.render,
}
