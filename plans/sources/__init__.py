"""The sources: one folder and one row each. A source reads an artifact into changes and never raises on bad input."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import PurePath

from ..model import Reading

MAX_ARTIFACT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """What a source may be told beside the artifact itself."""

    dialect: str = "postgres"
    facts: Mapping[str, object] = field(default_factory=dict)
    taxonomies: Mapping[str, object] = field(default_factory=dict)
    """By kind of artifact: the shipped taxonomy with a user's tables on top."""


Reader = Callable[[str, str, Options], Reading]
"""`(file, text, options) → Reading`."""


@dataclass(frozen=True, slots=True)
class Source:
    """`kind` names the source on the command line; `looks_like` says whether a file is one of its own."""

    kind: str
    summary: str
    module: str
    looks_like: Callable[[str, str], bool]
    compares: bool = False
    """Its files explain each other, and may be read as the step from one state to the next."""

    def actions(self) -> frozenset[str]:
        """The names of every action the source can give a change."""
        names: frozenset[str] = import_module(f".{self.module}", __package__).ACTION_NAMES
        return names

    def read(self, file: str, text: str, options: Options) -> Reading:
        reader: Reader = import_module(f".{self.module}", __package__).read
        return reader(file, text, options)

    def read_together(
        self,
        files: Sequence[tuple[str, str]],
        options: Options,
        before: Sequence[tuple[str, str]] | None = None,
    ) -> tuple[Reading, ...]:
        """Files read as one: applied to what nobody knows, or to the state that `before` shows."""
        module = import_module(f".{self.module}", __package__)
        found: tuple[Reading, ...] = (
            module.read_all(files, options)
            if before is None
            else module.compare(before, files, options)
        )
        return found


def _is_sql(file: str, text: str) -> bool:
    return file.endswith(".sql")


_OBJECT = re.compile(r"^(?:- )?(?:apiVersion|kind)[ \t]*:", re.M)
_PLAN_KEYS = ("resource_changes", "planned_values", "plan_format_version", "terraform_version")


def _is_kubernetes(file: str, text: str) -> bool:
    """Whether it has objects: their keys at the top, in JSON or in YAML; a script may quote some."""
    if _is_shell(file, text):
        return False
    if text.lstrip("\ufeff \t\r\n")[:1] == "{":
        keys = _json_keys(text)
        if keys is not None:
            return {"apiVersion", "kind"} <= keys
        if any(f'"{key}"' in text for key in _PLAN_KEYS):
            return False
        return '"apiVersion"' in text and '"kind"' in text
    found = {match.group().strip("- \t:") for match in _OBJECT.finditer(text)}
    return found == {"apiVersion", "kind"}


def _is_terraform(file: str, text: str) -> bool:
    """Whether it has the keys of a plan, or a name that says so where its text cannot be read."""
    name = PurePath(file).name
    if name.endswith((".tfplan", ".tfplan.json")) or name in ("plan.json", "tfplan.json"):
        return True
    return "{" in text[:4096] and any(f'"{key}"' in text for key in _PLAN_KEYS)


def _json_keys(text: str) -> frozenset[str] | None:
    """The keys of a JSON object; `None` when the text is not one."""
    try:
        value = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return frozenset(value) if isinstance(value, dict) else None


_SHEBANG = re.compile(r"#!\s*(?:/usr/bin/env\s+(?:-\S+\s+)*)?(?:/\S*/)?(?:ba|da|z|k)?sh\b")
_CALL_KEYS = ('"tools/call"', '"jsonrpc"')


def _is_shell(file: str, text: str) -> bool:
    return file.endswith((".sh", ".bash", ".zsh", ".ksh")) or bool(_SHEBANG.match(text))


def _is_mcp(file: str, text: str) -> bool:
    """Whether it has messages of the protocol, or `tools` and `calls`."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start not in ("{", "[") or not text:
        return False
    return any(key in text for key in _CALL_KEYS) or ('"calls"' in text and '"arguments"' in text)


_PROVIDER = re.compile(r'"/?microsoft\.\w+/', re.I)


def _starts_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def _is_aws(file: str, text: str) -> bool:
    """Whether it has CloudTrail records, or calls by service and operation."""
    return _starts_json(text) and any(
        all(f'"{key}"' in text for key in keys)
        for keys in (("eventSource", "eventName"), ("service", "operation"), ("api", "parameters"))
    )


def _is_google(file: str, text: str) -> bool:
    """Whether it has entries of Cloud Audit Logs, or calls by method."""
    if not _starts_json(text):
        return False
    named = '"method"' in text and any(f'"{key}"' in text for key in ("parameters", "body"))
    return '"protoPayload"' in text or '"methodName"' in text or named


def _is_azure(file: str, text: str) -> bool:
    """Whether it has events of the Activity Log, or operations of a provider."""
    if not _starts_json(text):
        return False
    return '"operationName"' in text or ('"operation"' in text and bool(_PROVIDER.search(text)))


SOURCES: tuple[Source, ...] = (
    Source("sql", "SQL scripts and migrations", "sql.source", _is_sql),
    Source(
        "kubernetes",
        "Kubernetes manifests and admission reviews",
        "kubernetes.source",
        _is_kubernetes,
        compares=True,
    ),
    Source(
        "terraform",
        "`terraform show -json` and `tofu show -json` plans",
        "terraform.source",
        _is_terraform,
    ),
    Source("mcp", "calls of MCP tools, with or without the list of tools", "mcp.source", _is_mcp),
    Source("shell", "shell lines and scripts", "shell.source", _is_shell),
    Source("google", "Google Cloud calls and audit log entries", "cloud.google", _is_google),
    Source("azure", "Azure operations and Activity Log events", "cloud.azure", _is_azure),
    Source("aws", "AWS API calls and CloudTrail records", "cloud.aws", _is_aws),
)


def source_named(kind: str) -> Source | None:
    return next((source for source in SOURCES if source.kind == kind), None)


def detect(file: str, text: str) -> Source | None:
    """The first source that takes the file for one of its own."""
    return next((source for source in SOURCES if source.looks_like(file, text)), None)
