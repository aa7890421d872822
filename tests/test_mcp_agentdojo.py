"""AgentDojo: every tool and every call of its tasks becomes a plan; `-s` prints how the effects were classified."""

import json
from collections import Counter
from typing import Any

import pytest

from interlock.plans.model import Effect
from interlock.plans.sources import Options
from interlock.plans.sources.mcp.source import read
from interlock.plans.taxonomy.mcp import Taxonomy, read_table, shipped

suites = pytest.importorskip(
    "agentdojo.task_suite.load_suites", reason="the package agentdojo is not installed"
)

VERSION = "v1.2.2"
READING = [
    "get_day_calendar_events",
    "search_calendar_events",
    "get_current_day",
    "get_unread_emails",
    "get_sent_emails",
    "get_received_emails",
    "get_draft_emails",
    "search_emails",
    "search_contacts_by_name",
    "search_contacts_by_email",
    "list_files",
    "get_file_by_id",
    "search_files",
    "search_files_by_filename",
    "get_balance",
    "get_iban",
    "get_most_recent_transactions",
    "get_scheduled_transactions",
    "get_user_info",
    "read_file",
    "get_channels",
    "read_channel_messages",
    "read_inbox",
    "get_users_in_channel",
    "get_webpage",
    "get_user_information",
]
USER_TABLE = f"""
servers:
- servers: [agentdojo]
  source: https://github.com/ethz-spylab/agentdojo
  tools:
  - {{names: [{", ".join(READING)}], effect: read}}
  - {{names: [create_calendar_event, append_to_file, create_file, add_calendar_event_participants], effect: create}}
"""


def tools_and_calls() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    tools: dict[str, dict[str, Any]] = {}
    calls: list[dict[str, Any]] = []
    for suite in suites.get_suites(VERSION).values():
        for tool in suite.tools:
            schema = tool.parameters.model_json_schema()
            tools[tool.name] = {
                "name": tool.name,
                "description": tool.description,
                "inputSchema": schema,
            }
        environment = suite.load_and_inject_default_environment({})
        for task in (*suite.user_tasks.values(), *suite.injection_tasks.values()):
            for one in task.ground_truth(environment.model_copy(deep=True)):
                calls.append({"name": one.function, "arguments": dict(one.args)})
    return list(tools.values()), calls


def effects(document: dict[str, Any], taxonomy: Taxonomy) -> Counter[tuple[str, bool]]:
    found = read(
        "calls.json", json.dumps(document, default=str), Options(taxonomies={"mcp": taxonomy})
    )
    assert not found.problems
    return Counter((str(change.effect), change.opaque is not None) for change in found.changes)


def test_every_tool_and_every_call_becomes_a_plan() -> None:
    tools, calls = tools_and_calls()
    assert len(tools) >= 69 and len(calls) >= 380
    table, problems = read_table("mcp.yaml", USER_TABLE)
    assert table is not None and not problems
    taxonomies = {
        "shipped": shipped(),
        "with a user's table": Taxonomy(shipped().shipped, (table,)),
    }
    each_tool = [{"name": tool["name"], "arguments": {}} for tool in tools]
    for title, taxonomy in taxonomies.items():
        for what, asked in (("tools", each_tool), ("calls", calls)):
            found = effects({"server": "agentdojo", "tools": tools, "calls": asked}, taxonomy)
            assert sum(found.values()) >= len(asked)
            print(f"\n{what}, {title}: {len(asked)}")
            for (effect, is_opaque), number in sorted(found.items()):
                print(f"  {effect:<16}{'opaque' if is_opaque else 'read in full':<14}{number:>5}")
            if title == "shipped":
                # AgentDojo is no server that a table knows, so that nothing of it is acquitted.
                assert all(is_opaque for _, is_opaque in found)
            else:
                assert found[str(Effect.READ), False] > 0
    dangerous = {
        name
        for name in (tool["name"] for tool in tools)
        if name.startswith(("delete", "remove", "cancel"))
    }
    assert dangerous
    for name in dangerous:
        found = effects(
            {"server": "agentdojo", "tools": tools, "calls": [{"name": name, "arguments": {}}]},
            shipped(),
        )
        assert set(found) == {("delete_data", True)}, name
