"""Interlock: policy as code that stops automation from destroying production."""

__version__ = "0.1.0"
