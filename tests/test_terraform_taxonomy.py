"""The Terraform tables: every row is complete and sourced, and a user's table can only tighten them."""

from collections import Counter

import pytest
import yaml
from pydantic import ValidationError

from interlock.plans.model import Risk
from interlock.plans.taxonomy.terraform import (
    Class,
    Facts,
    Step,
    Table,
    Taxonomy,
    read_table,
    shipped,
    shipped_tables,
)


def facts(resource_type: str, taxonomy: Taxonomy | None = None) -> Facts:
    found = (taxonomy or shipped()).facts(resource_type, None)
    assert found is not None
    return found


def table(text: str) -> Table:
    found, problems = read_table("own.yaml", text)
    assert problems == ()
    assert found is not None
    return found


ROW = "{types: [acme_thing], is_a: stateful, criticality: high, source: acme.example}"


def test_every_class_says_what_every_step_does() -> None:
    for each in Class:
        assert set(shipped().outcomes[each]) == set(Step)


def test_every_row_and_every_guard_for_all_types_has_a_source() -> None:
    for name, each in shipped_tables():
        sources = [row.source for row in (*each.resources, *each.executing_data)]
        sources += [row.source for row in each.invocations]
        assert all(source.startswith("https://") for source in sources), name
        for guard in each.everywhere:
            assert guard.source, (name, guard.attribute)


def test_no_type_stands_in_two_rows() -> None:
    counted = Counter(
        resource_type
        for _, each in shipped_tables()
        for row in each.resources
        for resource_type in row.types
    )
    assert [resource_type for resource_type, number in counted.items() if number > 1] == []


def test_what_keeps_a_way_back_is_a_guard_of_the_row() -> None:
    for name, each in shipped_tables():
        for row in each.resources:
            assert set(row.kept_when) <= {guard.attribute for guard in row.guards}, (
                name,
                row.types,
            )


def test_every_table_of_a_provider_names_it() -> None:
    for name, each in shipped_tables():
        assert each.providers or not each.resources, name


@pytest.mark.parametrize(
    "mistake",
    [
        ROW.replace("stateful", "immortal"),
        ROW.replace("high", "enormous"),
        ROW.replace(", source: acme.example", ""),
        ROW.replace("[acme_thing]", "[]"),
        ROW.replace("[acme_thing]", "['*']"),
        ROW.replace("source:", "sauce:"),
        ROW.replace("}", ", guards: [{attribute: a, lost_when: eaten}]}"),
        ROW.replace("}", ", guards: [{attribute: a, lost_when: becomes}]}"),
        ROW.replace("}", ", guards: [{attribute: a, lost_when: lowered, values: [x]}]}"),
        ROW.replace("}", ", guards: [{attribute: 'a b', lost_when: lowered}]}"),
        ROW.replace("}", ", doors: [{at: ingress}]}"),
        ROW.replace("}", ", doors: [{sources: [a], through_the: window}]}"),
    ],
)
def test_a_mistake_in_a_row_is_refused(mistake: str) -> None:
    content = yaml.safe_load(f"resources: [{mistake}]")
    with pytest.raises(ValidationError):
        Table.model_validate(content)
    found, problems = read_table("own.yaml", f"resources: [{mistake}]")
    assert found is None
    assert problems


def test_a_users_file_that_is_not_yaml_is_a_problem_at_its_place() -> None:
    found, (problem,) = read_table("own.yaml", "resources:\n  - ]\n")
    assert found is None
    assert problem.line == 2


def test_a_user_may_not_redefine_the_classes() -> None:
    outcome = "{effect: read, selector: none, reversibility: reversible}"
    found, problems = read_table("own.yaml", f"classes: {{stateful: {{delete: {outcome}}}}}")
    assert found is None
    assert problems[0].message == "only the shipped tables may have `classes`"


def test_an_exact_name_goes_before_a_pattern() -> None:
    assert facts("aws_wafv2_web_acl").is_a is Class.PROTECTION
    assert facts("aws_wafv2_api_key").is_a is Class.STATELESS
    assert facts("aws_wafv2_web_acl_logging_configuration").is_a is Class.AUDIT


def test_a_longer_pattern_goes_before_a_shorter_one() -> None:
    assert facts("google_pubsub_topic_iam_policy").is_a is Class.ACCESS
    assert facts("google_project_iam_audit_config").is_a is Class.AUDIT


def test_a_user_may_add_a_type() -> None:
    added = Taxonomy(shipped().shipped, (table(f"resources: [{ROW}]"),))
    assert facts("acme_thing", added).is_a is Class.STATEFUL
    assert shipped().facts("acme_thing", None) is None


def test_a_user_may_tighten_a_shipped_type() -> None:
    row = ROW.replace("acme_thing", "aws_subnet").replace("high", "critical")
    added = Taxonomy(shipped().shipped, (table(f"resources: [{row}]"),))
    assert facts("aws_subnet", added).is_a is Class.STATEFUL
    assert facts("aws_subnet", added).criticality is Risk.CRITICAL


def test_a_user_may_not_loosen_a_shipped_type() -> None:
    row = "{types: ['aws_*'], is_a: stateless, criticality: low, source: acme.example}"
    added = Taxonomy(shipped().shipped, (table(f"resources: [{row}]"),))
    for resource_type in ("aws_db_instance", "aws_ebs_snapshot", "aws_cloudtrail"):
        assert facts(resource_type, added) == facts(resource_type)
