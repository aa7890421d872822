"""States and plans to a graph: what the cloud deletes along with what, and where it meets a database."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphs import NOW, change, plan

from interlock.plans.blast import Radius, radius
from interlock.plans.blast_score import Fate
from interlock.plans.graph import Fragment, Graph, build
from interlock.plans.graph_builders import assets, ddl, terraform
from interlock.plans.model import Asset, Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.sql.source import read as read_sql
from interlock.plans.sources.terraform.source import read as read_terraform
from interlock.plans.taxonomy.graph_terraform import table

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "terraform"
PROVIDER = "registry.terraform.io/hashicorp/aws"


def entry(address: str, depends_on: list[str] | None = None, /, **values: Any) -> dict[str, Any]:
    kind = address.rpartition("module.")[2].split(".")[-2]
    found = {"address": address, "mode": "managed", "type": kind, "provider_name": PROVIDER}
    return {**found, "values": values, "depends_on": depends_on or []}


def state(*resources: dict[str, Any]) -> str:
    return json.dumps(
        {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
    )


def graph_of(*texts: str, others: list[Fragment] | None = None) -> Graph:
    files = [(f"{number}.json", text) for number, text in enumerate(texts)]
    found = build([terraform.build(files), *(others or [])], NOW)
    assert found.problems == ()
    return found


def deleted(some: Graph, address: str) -> Radius:
    asset = Asset(type="TerraformResource", id=address, name=address, kind="x", stateful=True)
    found = radius(plan(change(address, resource=asset)), some, NOW)
    assert found.unmapped == ()
    return found


def outcomes(found: Radius) -> dict[str, tuple[str, str]]:
    return {each.resource.id: (str(each.harm), str(each.fate)) for each in found.reached}


DATABASE = entry(
    "aws_db_instance.d", id="orders", arn="arn:d", identifier="orders", address="D.example"
)


def test_a_manual_snapshot_stays_and_brings_its_instance_back() -> None:
    snapshot = entry("aws_db_snapshot.s", id="s", db_instance_identifier="orders")
    found = deleted(graph_of(state(DATABASE, snapshot)), "aws_db_instance.d")
    assert outcomes(found) == {"aws_db_instance.d": ("destroyed", "returns")}
    assert [edge.why for edge, _ in found.stopped] == [
        "manual snapshots stay when their instance is deleted"
    ]


def test_automated_backups_go_with_their_instance() -> None:
    kept = {**DATABASE, "values": {**DATABASE["values"], "backup_retention_period": 7}}
    found = deleted(graph_of(state(kept)), "aws_db_instance.d")
    assert outcomes(found) == {
        "aws_db_instance.d": ("destroyed", "lost"),
        "aws_db_instance.d#automated backups": ("destroyed", "lost"),
    }
    assert [each.resource.id for each in found.recovery] == ["aws_db_instance.d"]


def test_automated_backups_that_are_kept_bring_it_back() -> None:
    values = {**DATABASE["values"], "backup_retention_period": 7, "delete_automated_backups": False}
    found = deleted(graph_of(state({**DATABASE, "values": values})), "aws_db_instance.d")
    assert outcomes(found) == {"aws_db_instance.d": ("destroyed", "returns")}


def test_no_retention_is_no_backup() -> None:
    values = {**DATABASE["values"], "backup_retention_period": 0}
    found = deleted(graph_of(state({**DATABASE, "values": values})), "aws_db_instance.d")
    assert outcomes(found) == {"aws_db_instance.d": ("destroyed", "lost")}
    assert found.recovery == ()


def test_the_versions_of_a_bucket_are_in_it() -> None:
    bucket = entry("aws_s3_bucket.b", id="b", bucket="b")
    versions = entry("aws_s3_bucket_versioning.v", id="b2", bucket="b")
    found = outcomes(deleted(graph_of(state(bucket, versions)), "aws_s3_bucket.b"))
    assert found["aws_s3_bucket_versioning.v"][0] == "destroyed"


def test_data_cannot_be_read_without_its_key() -> None:
    key = entry("aws_kms_key.k", id="k", arn="arn:k")
    volume = entry("aws_ebs_volume.v", id="vol-1", kms_key_id="arn:k")
    found = outcomes(deleted(graph_of(state(key, volume)), "aws_kms_key.k"))
    assert found["aws_ebs_volume.v"] == ("destroyed", "lost")


def test_what_refers_to_it_may_be_disabled() -> None:
    service = entry("aws_ecs_service.web", ["aws_db_instance.d"], name="web")
    found = deleted(graph_of(state(DATABASE, service)), "aws_db_instance.d")
    assert outcomes(found)["aws_ecs_service.web"] == ("disabled", "kept")
    assert not found.by_key["terraform:terraform:aws_ecs_service.web"].is_certain


def test_the_file_of_a_state_is_read_too() -> None:
    document = {
        "version": 4,
        "terraform_version": "1.9.0",
        "lineage": "x",
        "resources": [
            {
                "mode": "managed",
                "type": "aws_ebs_volume",
                "name": "v",
                "module": "module.m",
                "provider": f'provider["{PROVIDER}"]',
                "instances": [{"index_key": "a", "attributes": {"id": "vol-1", "size": 8}}],
            }
        ],
    }
    found = graph_of(json.dumps(document))
    (volume,) = found.resources.values()
    assert volume.id == 'module.m.aws_ebs_volume.v["a"]'
    assert volume.bytes == 8 * 1024**3
    assert volume.offers == ("volume:vol-1",)


def test_a_plan_knows_what_exists_and_what_names_it() -> None:
    document = {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": address,
                "mode": "managed",
                "type": address.split(".")[0],
                "change": {"actions": ["delete"], "before": before, "after": None},
            }
            for address, before in (
                ("aws_ebs_volume.v", {"id": "vol-1"}),
                ("aws_instance.i", {"id": "i-1"}),
                ("aws_instance.new", None),
            )
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_instance.i",
                        "expressions": {"disk": {"references": ["aws_ebs_volume.v.id"]}},
                    }
                ]
            }
        },
    }
    some = graph_of(json.dumps(document))
    assert {each.id for each in some.resources.values()} == {"aws_ebs_volume.v", "aws_instance.i"}
    assert "aws_instance.i" in outcomes(deleted(some, "aws_ebs_volume.v"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '"x"', '{"values": {"root_module": 3}}']
)
def test_reading_never_raises(text: str) -> None:
    terraform.build([("a.json", text)])


def test_every_relation_names_its_source() -> None:
    found = table()
    sources = [each.source for each in found.relations]
    sources += [each.source for each in found.kept_inside]
    sources += [each.source for each in found.identifiers]
    assert len(sources) > 40
    assert all(source.startswith("https://") for source in sources)
    pairs = [(row.type, row.attribute, row.of) for row in found.relations]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpora are not beside the checkout")
def test_real_plans_become_graphs() -> None:
    resources = edges = 0
    for path in sorted(CORPUS.glob("*.json"))[:150]:
        some = build([terraform.build([(path.name, path.read_text(encoding="utf-8"))])], NOW)
        resources += len(some.resources)
        edges += len(some.edges())
    print(f"\n{resources} resources, {edges} edges")
    assert resources > 50 and edges > 50


# Where Terraform and SQL meet

SCHEMA = """
CREATE TABLE customer (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customer ON DELETE CASCADE);
"""
REPLACED = {
    "format_version": "1.2",
    "resource_changes": [
        {
            "address": "aws_db_instance.d",
            "mode": "managed",
            "type": "aws_db_instance",
            "provider_name": PROVIDER,
            "change": {
                "actions": ["delete", "create"],
                "before": {"identifier": "orders"},
                "after": {"identifier": "orders"},
                "after_unknown": {},
            },
        }
    ],
}
JOIN = "joins: [{asset: 'Database::orders', inside: 'TerraformResource::aws_db_instance.d'}]"


def both(*scripts: str) -> Plan:
    readings = [read_sql("m.sql", each, Options()) for each in scripts]
    readings.append(read_terraform("plan.json", json.dumps(REPLACED), Options()))
    return Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=tuple(each.artifact for each in readings),
        changes=numbered(one for each in readings for one in each.changes),
    )


def joined() -> Graph:
    parts = [
        terraform.build([("s.json", state(DATABASE))]),
        ddl.build("orders", [("s.sql", SCHEMA)]),
    ]
    parts.append(assets.build("assets.yaml", JOIN, parts))
    found = build(parts, NOW)
    assert found.problems == ()
    return found


def test_a_plan_and_a_script_that_meet_in_a_database_have_one_radius() -> None:
    found = radius(both("DELETE FROM customer;"), joined(), NOW)
    orders = found.by_key["database:orders:table:public.orders"]
    assert found.by_key["database:orders:table:public.customer"].is_root
    assert [each.why for each in orders.path] == [
        "foreign key `orders_customer_id_fkey` ON DELETE CASCADE"
    ]
    alone = radius(both("SELECT 1;"), joined(), NOW).by_key["database:orders:table:public.orders"]
    stops = [each.source for each in alone.path]
    assert stops == [
        "terraform:terraform:aws_db_instance.d",
        "database:orders:database:orders",
        "database:orders:schema:public",
    ]
    assert orders.fate is alone.fate is Fate.LOST


def test_a_backup_in_the_instance_is_no_way_back_when_both_go() -> None:
    values = {**DATABASE["values"], "backup_retention_period": 7}
    parts = [
        terraform.build([("s.json", state({**DATABASE, "values": values}))]),
        ddl.build("orders", [("s.sql", SCHEMA)]),
    ]
    parts.append(assets.build("assets.yaml", JOIN, parts))
    some = build(parts, NOW)
    script = read_sql("m.sql", "DELETE FROM orders;", Options())
    alone = Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(script.artifact,),
        changes=script.changes,
    )
    key = "database:orders:table:public.orders"
    assert radius(alone, some, NOW).by_key[key].fate is Fate.RETURNS
    together = radius(both("DELETE FROM orders;"), some, NOW)
    assert together.by_key[key].fate is Fate.LOST
    assert "public.orders" in {each.resource.id for each in together.recovery}


def test_a_live_database_meets_terraform_by_its_host() -> None:
    from interlock.plans.graph import Link

    database = ddl.build("orders", [("s.sql", SCHEMA)])
    key = database.resources[0].key
    database.links.append(Link(key, "host:d.example", "the database runs on it"))
    found = deleted(graph_of(state(DATABASE), others=[database]), "aws_db_instance.d")
    assert "public.orders" in {each.resource.id for each in found.reached}
