"""The tables of Google Cloud calls, and how a user's are read."""

from . import cloud
from .cloud import Taxonomy, read_table

__all__ = ["Taxonomy", "read_table", "shipped"]


def shipped() -> Taxonomy:
    """The tables of this package."""
    return cloud.shipped("google")
