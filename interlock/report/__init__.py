"""A blast radius as one HTML page: it works offline, without scripts, in print and from the keyboard."""

from .page import render

__all__ = ["render"]
