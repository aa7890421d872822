"""Draws schemas, policies, requests and entities that fit each other."""

from .common import DECIMALS, DURATIONS, IDS, PATTERNS, STRINGS, Json
from .documents import broken, json_values, partial_stores, requests, stores
from .policies import Sample, check_text, compile_text, policy_sets, rules
from .worlds import World, errors, worlds

__all__ = [
    "DECIMALS",
    "DURATIONS",
    "IDS",
    "PATTERNS",
    "STRINGS",
    "Json",
    "Sample",
    "World",
    "broken",
    "check_text",
    "compile_text",
    "errors",
    "json_values",
    "partial_stores",
    "policy_sets",
    "requests",
    "rules",
    "stores",
    "worlds",
]
