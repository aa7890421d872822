"""The vocabulary policies are written in and the model plans are read into say the same, name by name."""

from enum import StrEnum

import pytest

from interlock.lang.loader import bundled, load
from interlock.lang.schema import Schema
from interlock.lang.typesystem import RecordOf
from interlock.plans import model
from interlock.plans.model import NARROW_ROWS
from interlock.plans.sources import SOURCES


def schema() -> Schema:
    checked, _ = load(sorted(name for name in bundled() if name.startswith("std.")))
    return checked.schema


SCHEMA = schema()


@pytest.mark.parametrize(
    "enum", [model.Effect, model.Selector, model.Reversibility, model.Risk, model.RowBasis]
)
def test_enums_are_equal(enum: type[StrEnum]) -> None:
    assert SCHEMA.enums[enum.__name__].members == tuple(member.value for member in enum)


def record(entity: str, attribute: str) -> RecordOf:
    type = SCHEMA.entities[entity].attributes[attribute].type
    element = getattr(type, "element", type)
    assert isinstance(element, RecordOf)
    return element


@pytest.mark.parametrize(
    ("attribute", "model_class", "said_elsewhere"),
    [
        ("changes", model.Change, {"action", "resource", "source"}),
        ("credential", model.Credential, set()),
        ("approvals", model.Approval, set()),
        ("rollback", model.Rollback, set()),
        ("blast", model.Blast, set()),
    ],
)
def test_records_are_equal(
    attribute: str, model_class: type[model.Model], said_elsewhere: set[str]
) -> None:
    names = {field.name for field in record("Plan", attribute).fields}
    assert names == set(model_class.model_fields) - said_elsewhere


def test_the_parts_of_a_blast_radius_are_equal() -> None:
    of_asset = {field.name for field in record("Asset", "blast").fields}
    assert of_asset == set(model.AssetBlast.model_fields)
    lost = next(field.type for field in record("Plan", "blast").fields if field.name == "lost")
    element = getattr(lost, "element", None)
    assert isinstance(element, RecordOf)
    assert {field.name for field in element.fields} == set(model.Lost.model_fields)


def test_what_is_optional_in_the_model_is_optional_in_the_vocabulary() -> None:
    for field in record("Plan", "changes").fields:
        default = model.Change.model_fields[field.name]
        assert field.optional == (default.default is None), field.name


def test_assets_are_equal() -> None:
    attributes = set(SCHEMA.entities["Asset"].attributes) - {"legal_hold"}
    assert attributes == set(model.Asset.model_fields) - {"type", "id"}


def test_evidence_is_in_the_plan() -> None:
    plan = set(SCHEMA.entities["Plan"].attributes)
    assert set(model.Evidence.model_fields) - {"legal_holds"} <= plan


def test_every_source_has_its_actions_in_the_vocabulary() -> None:
    """Each source lists its actions in a table; the vocabulary declares exactly these."""
    for source in SOURCES:
        declared = {name for name in SCHEMA.actions if name.startswith(f"{source.kind}.")}
        assert declared == source.actions(), source.kind


def test_every_action_of_a_source_takes_what_could_not_be_read() -> None:
    for name, action in SCHEMA.actions.items():
        if name != "apply":
            assert "Unread" in action.resources, name
            assert "change" in action.groups, name


def test_narrow_means_the_same_number() -> None:
    from importlib import resources

    text = (resources.files("interlock.stdlib_policies") / "std" / "change.ilk").read_text()
    assert f"(change.rows ?? 1_000_000) <= {NARROW_ROWS}" in text
