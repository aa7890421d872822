"""The incident specs say both sides, and what they found in the sources stays mended."""

import re
from pathlib import Path

import pytest
import yaml
from test_shell_gate import decided

import interlock
from interlock.cli.artifacts import read_plan
from interlock.compiler.decision import Outcome
from interlock.gate.gate import gate
from interlock.plans.model import Change, Identity
from interlock.plans.sources import Options, source_named
from interlock.plans.taxonomy.mcp import shipped
from interlock.plans.taxonomy.tables import taxonomies
from interlock.policies import Policies

SPECS = sorted((Path(__file__).parent / "specs" / "incidents").glob("*.md"))
GATED = re.compile(r"^```gate[^\n]*\n(\w+)\n", re.M)


@pytest.fixture(scope="module")
def policies() -> Policies:
    return interlock.load("production_guardrails", cache=False)


def changes(kind: str, text: str, table: str | None = None) -> tuple[Change, ...]:
    source = source_named(kind)
    assert source is not None
    own, problems = taxonomies([(f"{kind}.yaml", table)] if table else [])
    assert not problems
    return source.read(f"a.{kind}", text, Options(taxonomies=own)).changes


def test_there_is_a_spec_for_every_incident() -> None:
    assert [int(path.name[:2]) for path in SPECS] == list(range(1, 26))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_incident_is_stopped_and_has_a_sibling_that_passes(path: Path) -> None:
    outcomes = GATED.findall(path.read_text(encoding="utf-8"))
    assert "deny" in outcomes
    assert "permit" in outcomes


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gcloud compute images delete a b --quiet", {"a", "b"}),
        ("gcloud storage rm gs://a/x gs://b/y", {"a", "b"}),
        ("gsutil -m rm -r gs://a gs://b", {"a", "b"}),
        ("gsutil rb gs://a gs://b", {"a", "b"}),
        ("az snapshot delete --ids /subscriptions/s/a /subscriptions/s/b", {"a", "b"}),
        ("aws ec2 terminate-instances --instance-ids i-1 i-2", {"i-1", "i-2"}),
    ],
)
def test_a_command_about_several_things_is_a_change_of_each(line: str, names: set[str]) -> None:
    assert {re.split(r"[/:]", change.resource.id)[-1] for change in changes("shell", line)} == names


def test_a_legal_hold_is_shown_for_every_image_or_none_goes(policies: Policies) -> None:
    verdict = decided(policies, "shell", "gcloud compute images delete a b --quiet")
    assert [str(result.decision.outcome) for result in verdict.results[1:]] == ["deny", "deny"]


TABLE = """
servers:
- servers: [github]
  source: https://example.com/ours
  tools:
  - {names: [delete_repository], effect: read%s}
  - {names: [create_issue], effect: execute}
"""


def call(server: str, tool: str) -> str:
    return f'{{"server": "{server}", "calls": [{{"name": "{tool}", "arguments": {{}}}}]}}'


def effects(tool: str, table: str | None) -> set[str]:
    return {str(change.effect) for change in changes("mcp", call("github", tool), table)}


def test_a_users_row_for_a_known_tool_only_tightens() -> None:
    assert "delete_data" in effects("delete_repository", TABLE % "")
    assert effects("create_issue", TABLE % "") == {"create", "execute"}


def test_a_users_row_that_overrides_may_loosen() -> None:
    assert effects("delete_repository", TABLE % ", override: true") == {"read"}


def test_a_users_row_of_read_acquits_no_known_tool() -> None:
    """Whatever is shipped counts as it did without the user's table."""
    known = sorted(shipped().tools)
    by_server: dict[str, set[str]] = {}
    for server, tool in known:
        by_server.setdefault(server, set()).add(tool)
    rows = [
        {
            "servers": [server],
            "source": "https://example.com/ours",
            "tools": [{"names": sorted(tools), "effect": "read"}],
        }
        for server, tools in by_server.items()
    ]
    table = yaml.safe_dump({"servers": rows})
    own, problems = taxonomies([("mcp.yaml", table)])
    assert not problems
    source = source_named("mcp")
    assert source is not None
    for server, tool in known:
        text = call(server, tool)
        before = source.read("a.mcp", text, Options()).changes
        after = source.read("a.mcp", text, Options(taxonomies=own)).changes
        assert {(each.effect, each.opaque) for each in before} <= {
            (each.effect, each.opaque) for each in after
        }, (server, tool)


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("hostname", "shell.read"),
        ("hostname -f", "shell.read"),
        ("hostname other", "shell.disarm"),
        ("hostname -F /etc/hostname", "shell.disarm"),
        ("hostname $NAME", "shell.disarm"),
    ],
)
def test_hostname_reads_unless_it_is_given_a_name(line: str, action: str) -> None:
    assert [change.action for change in changes("shell", line)] == [action]


def test_a_folder_stands_for_its_scripts_too(tmp_path: Path, policies: Policies) -> None:
    (tmp_path / "deploy.sh").write_text("terraform destroy -auto-approve\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("terraform destroy\n", encoding="utf-8")
    author = Identity(type="Agent", id="bot")
    plan = read_plan([str(tmp_path)], None, Options(), author, "production")
    assert [artifact.kind for artifact in plan.artifacts] == ["shell"]
    assert gate(policies, plan).outcome is Outcome.DENY
