"""What `interlock prove --save-tests` writes: tests that load beside the policies, and pass today."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interlock.cli import cli

TYPES = """
enum Stage { staging, production }
entity Agent
entity Environment { stage: Stage }
entity Table { environment: Environment, rows: Int }
action drop, read { principal Agent resource Table }
"""
RULES = """
permit reads { action read }
permit small_tables { action drop when resource.rows < 1000 }
forbid production_tables {
  action drop
  when resource.environment.stage == Stage.production and resource.rows > 10
}
"""
CLAIM = """
prove production_stays {
  action drop
  when resource.environment.stage == Stage.production
  never permitted
}
"""
LAYOUTS = {
    "one module": {"policies.ilk": "module policies\n" + TYPES + RULES + CLAIM},
    "a module named otherwise than its file": {"a.ilk": "module b.c\n" + TYPES + RULES + CLAIM},
    "several modules": {
        "policies/types.ilk": "module types\n" + TYPES,
        "policies/rules.ilk": "module rules\nuse types\n" + RULES,
        "policies/claims.ilk": "module claims\nuse types\n" + CLAIM,
    },
    "modules in folders": {
        "policies/company/types.ilk": "module company.types\n" + TYPES,
        "policies/team/rules.ilk": "module team.rules\nuse company.types\n" + RULES + CLAIM,
    },
    "rules without a module": {
        "policies/types.ilk": "module types\n" + TYPES,
        "policies/rules.ilk": "use types\n" + RULES + CLAIM,
    },
    "rules and claims without a module": {
        "policies/types.ilk": "module types\n" + TYPES,
        "policies/rules.ilk": "use types\n" + RULES,
        "policies/claims.ilk": "use types\n" + CLAIM,
    },
    "a bundled pack": {
        "claims.ilk": """module claims
use production_guardrails
permit drops { action sql.drop }
prove production_stays { action sql.drop never permitted }
"""
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def write(files: dict[str, str]) -> str:
    """Writes the files, and gives the one path that holds them all."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    return next(iter(files)).partition("/")[0]


def save(files: dict[str, str]) -> str:
    path = write(files)
    result = run("prove", path, "--claim", "production_stays", "--save-tests", "saved")
    assert result.exit_code == 5, result.output
    assert list(Path("saved").iterdir())
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_saved_test_loads_beside_its_policies_and_passes(folder: Path, layout: str) -> None:
    path = save(LAYOUTS[layout])
    result = run("test", path, "saved")
    assert result.exit_code == 0, result.output
    assert "ok  counterexample_to_production_stays" in result.output
    # Both together are policies like others.
    assert run("check", path, "saved").exit_code == 0


@pytest.mark.parametrize("layout", ["one module", "a bundled pack"])
def test_a_saved_test_finds_what_it_uses_where_modules_are_looked_for(
    folder: Path, layout: str
) -> None:
    save(LAYOUTS[layout])
    assert run("test", "saved").exit_code == 0


def test_a_type_of_a_file_without_a_module_can_be_named_by_no_saved_test(folder: Path) -> None:
    path = write({"policy.ilk": TYPES + RULES + CLAIM})
    result = run("prove", path, "--save-tests", "saved")
    assert result.exit_code == 2
    assert "refuted" in result.stdout
    assert "policy.ilk has no `module` line" in result.stderr
    Path(path).write_text("module policies\n" + TYPES + RULES + CLAIM)
    assert run("prove", path, "--save-tests", "saved").exit_code == 5
    assert run("test", path, "saved").exit_code == 0


def test_the_name_of_a_file_ends_no_comment_of_a_saved_test(folder: Path) -> None:
    name = "a\npermit everything {}\n`b`.ilk"
    Path(name).write_text("module a\n" + TYPES + RULES + CLAIM)
    assert run("prove", name, "--save-tests", "saved").exit_code == 5
    (saved,) = Path("saved").iterdir()
    assert "\npermit" not in saved.read_text()
    assert run("test", name, "saved").exit_code == 0


VALUES = """module values
enum Level ordered { low, high }
entity User { level: Level }
entity Team
entity File in Folder { size: Decimal, name: String?, owner: User, tags: Set<String>, levels: Set<Level> }
entity Folder in Folder
action read {
  principal User
  resource File
  context { at: Instant, wait: Duration, ip: IpRange, deep: { one: { two: Int, three: Bool }, who: Team } }
}
"""


@pytest.mark.parametrize(
    ("condition", "claim"),
    [
        ('resource in Folder::"a\\"b" and principal.level > low', "never permitted"),
        ('resource.size == -0.5 and resource.name ?? "" == "{x}\\n"', "never permitted"),
        ('resource.tags == {"a", "b"} and resource.levels == {high, low}', "never permitted"),
        ('context.at == instant("2026-01-01T00:00:00.5Z") and context.wait < -3d', "never permitted"),
        ('context.ip in ip("2001:db8::/32")', "never permitted"),
        ('context.deep.one.two == -7 and context.deep.who == Team::"t"', "never permitted"),
        ("not context.deep.one.three and resource.owner.level == high", "never permitted"),
        ("resource.owner == principal", "always permitted"),
        ("resource.owner == principal", "always denied"),
        ("principal.level == low", "held unless resource.size > 0.0"),
        ("principal.level == low", "denied by never"),
    ],
)  # fmt: skip
def test_every_kind_of_value_is_saved_as_it_was_found(
    folder: Path, condition: str, claim: str
) -> None:
    rules = f"permit some {{ when {condition} }}\nforbid never {{ when resource.size > 9.0 }}\n"
    where = "" if claim == "always permitted" else f"when {condition}"
    if claim == "held unless resource.size > 0.0":
        rules += 'require a_look { need resource.size > 1.0 "it is large" }\n'
        claim = "held unless resource.size > 5.0"
    path = save({"values.ilk": f"{VALUES}{rules}prove production_stays {{ {where} {claim} }}\n"})
    result = run("test", path, "saved")
    assert result.exit_code == 0, result.output
    assert "1 test, 0 failed" in result.output
