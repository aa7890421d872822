"""A policy file of any length, over the bundled vocabulary, as tests and benchmarks of the editor need it."""

_BLOCKS = (
    """\
forbid reaches_all_{n} {{
  principal Agent | Service
  action    destroy
  resource  Table in Environment::"prod-{n}"
  when      context.change.selector == all and (context.change.rows ?? 1) > {n}
  unless    resource has legal_hold and resource.legal_hold.checked
  because   "{{action}} of {{resource.name}} 𝄞 {n}"
  instead   "wait"
}}
""",
    """\
permit small_{n} {{
  principal Agent
  action    sql.drop | sql.delete
  resource  Table
  when      context.plan.changes.any(c => (c.rows ?? 0) > {n}) and context.plan.risk < high
  when      resource.name starts_with "tmp-" and not resource.protected
}}
""",
    """\
require two_people_{n} {{
  action    write
  resource  Table
  when      context.plan.risk == critical and is_large_{n}(context.change, {n})
  need      context.plan.approvals.distinct(a => a.approver).size >= 2
            "two people must approve {n}"
}}
""",
    """\
test drops_everything_{n} {{
  given     Environment::"prod-{n}"
  principal Agent::"bot"
  action    sql.drop
  resource  Table::"orders" in Environment::"prod-{n}" {{ name: "orders" }}
  context   {{ change: {{ selector: all, rows: 100_000, effect: delete_data }} }}
  expect    deny
}}
""",
    """\
/// More than so many rows are lost. 𝄞
define is_large_{n}(change: Change, limit: Int) -> Bool =
  (change.rows ?? {n}) > limit and change.effect == delete_data
  and change.selector >= some
""",
)


def policy_text(lines: int, library: str = "std") -> str:
    """A file of at least so many lines, with rules, definitions and tests in turn; nothing in it is wrong."""
    parts = [f"// 𝄞\nmodule large\n\nuse {library}.change\nuse {library}.sql\n"]
    count, number = 5, 0
    while count < lines:
        for block in _BLOCKS:
            parts.append(block.format(n=number))
            count += parts[-1].count("\n") + 1
        number += 1
    return "\n".join(parts)
