"""Every code has its page and is produced by a test; spans are exact; no text makes the checker raise or run away."""

import re
from pathlib import Path

import pytest

from interlock.compiler import compile_policies
from interlock.compiler.testing import run_tests
from interlock.lang.diagnostics import Code, Diagnostic
from interlock.lang.limits import (
    MAX_FILE_CHARACTERS,
    MAX_NUMBER_DIGITS,
    MAX_SET_ELEMENTS,
    MAX_STRING_CHARACTERS,
)
from interlock.lang.loader import load, load_texts

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "diagnostics"
SPECS = ROOT / "tests" / "specs"

SCHEMA = """
enum Env { dev, staging, production }
enum Risk ordered { low, medium, high }
entity Team
entity Environment
entity Agent in Team { name: String }
type Hold = { active: Bool, until: Instant? }
entity Table in Environment {
  name: String, env: Env, risk: Risk, rows: Int?, hold: Hold?, tags: Set<String>
}
action group destroy
action drop, truncate in destroy { principal Agent  resource Table  context { now: Instant } }
"""


def problems_of(text: str) -> list[Diagnostic]:
    checked, problems = load_texts({"policy.ilk": text})
    _, more = compile_policies(checked)
    return problems + more


def codes_of(text: str) -> list[Code]:
    return [problem.code for problem in problems_of(text)]


def permit_when(condition: str) -> str:
    return f"{SCHEMA}\npermit a_rule {{ when {condition}\n}}\n"


# Pages


@pytest.mark.parametrize("code", Code)
def test_a_code_has_a_page_that_shows_the_mistake_and_the_mended_policy(code: Code) -> None:
    headings = re.findall(r"^#+ .*$", _without_blocks(PAGES / f"{code}.md"), re.M)
    assert headings == [f"# {code}", "## Avoid", "## Prefer", "## Why"]


def test_each_page_belongs_to_a_code() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
    assert pages == set(map(str, Code))


def test_the_table_lists_the_codes_in_order() -> None:
    table = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.md\) \| (\w+) \| (.+) \|$", table, re.M)
    assert [row[:3] for row in rows] == [(code, code, code.severity) for code in Code]
    for code, _, _, sentence in rows:
        assert sentence in (PAGES / f"{code}.md").read_text(encoding="utf-8")


def _without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def test_each_code_is_produced_by_a_test() -> None:
    texts = [
        page.read_text(encoding="utf-8")
        for folder in (ROOT / "docs", SPECS)
        for page in folder.rglob("*.md")
    ]
    named = {
        code
        for text in texts
        for code in re.findall(r"(?:// )?(?:error|warning)(?:: )?\[([\w-]+)\]", text)
    }
    assert {*named, *map(str, LIMITS)} == set(map(str, Code))


# Limits

_RULE = "permit a_rule {{ when {} }}"
_DOUBLING = "define f0(x: Int) -> Int = x\n" + "".join(
    f"define f{number}(x: Int) -> Int = f{number - 1}(x) + f{number - 1}(x)\n"
    for number in range(1, 40)
)

LIMITS = {
    Code.STRING_TOO_LONG: _RULE.format(f'resource.name == "{"a" * (MAX_STRING_CHARACTERS + 1)}"'),
    Code.SET_TOO_LARGE: _RULE.format(
        f"1 in {{{', '.join(map(str, range(MAX_SET_ELEMENTS + 1)))}}}"
    ),
    Code.NUMBER_TOO_LONG: _RULE.format(f"1 < {'9' * (MAX_NUMBER_DIGITS + 1)}"),
    Code.EXPANSION_TOO_LARGE: _DOUBLING + _RULE.format("f39(1) == 1"),
    Code.NESTING_TOO_DEEP: _RULE.format("(" * 10_000 + "true" + ")" * 10_000),
    Code.FILE_TOO_LARGE: "// " + "a" * MAX_FILE_CHARACTERS,
}


@pytest.mark.parametrize("code", LIMITS)
def test_a_text_beyond_a_limit_is_one_problem_with_its_name(code: Code) -> None:
    assert codes_of(SCHEMA + LIMITS[code]) == [code]


def _chain(body: str, count: int) -> str:
    """Definitions that each are made of the one before: `f` stands for its name."""
    return "define f0(x: Int?) -> Int = x ?? 0\n" + "".join(
        f"define f{number}(x: Int?) -> Int = {body.replace('f(', f'f{number - 1}(')}\n"
        for number in range(1, count)
    )


_ALIASES = range(1, 2_000)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (_chain("f(x) + 1", 1_000) + _RULE.format("f999(1) == 1"), Code.EXPANSION_TOO_LARGE),
        (_chain("f(x)" + " + 1" * 50, 10) + _RULE.format("f9(1) == 1"), Code.EXPANSION_TOO_LARGE),
        (
            _chain("f((x ?? 1) + (x ?? 1))", 40) + _RULE.format("f39(1) == 1"),
            Code.EXPANSION_TOO_LARGE,
        ),
        (_chain("f(x) + f(x)", 40) + _RULE.format("f39(1) == 1"), Code.EXPANSION_TOO_LARGE),
        (
            "type A0 = Int\n" + "".join(f"type A{n} = Set<A{n - 1}>\n" for n in range(1, 100)),
            Code.NESTING_TOO_DEEP,
        ),
        (
            "type A0 = Int\n"
            + "".join(f"type A{n} = {{ a: A{n - 1}, b: A{n - 1} }}\n" for n in range(1, 24)),
            Code.EXPANSION_TOO_LARGE,
        ),
        (
            "".join(f"abstract entity E{n} extends E{n + 1}\n" for n in range(1_500))
            + "abstract entity E1500",
            Code.NESTING_TOO_DEEP,
        ),
        (_RULE.format("resource has " + ".".join(["a"] * 10_000)), Code.NESTING_TOO_DEEP),
        ("use " + "a" * 300, Code.UNKNOWN_MODULE),
    ],
    ids=["deep", "chain", "arguments", "doubling", "set", "record", "extends", "has", "use"],
)
def test_what_is_written_out_has_a_limit(text: str, code: Code) -> None:
    assert codes_of(f"{SCHEMA}\npermit first {{ }}\n{text}\n") == [code]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"type A{n} = A{n - 1}\n" for n in reversed(_ALIASES)) + "type A0 = Int\n",
        _chain("x ?? 1", 2) + _RULE.format("f1(" * 30 + "1" + ")" * 30 + " == 1"),
        _chain("f(x)", 60) + _RULE.format("f59(1) == 1"),
    ],
    ids=["aliases", "calls", "chain"],
)
def test_what_is_written_out_within_its_limit_passes(text: str) -> None:
    assert codes_of(SCHEMA + text) in ([], [Code.NO_RULES])


def test_a_rule_at_the_limit_of_depth_is_decided() -> None:
    text = _chain("f(x) + 1", 62) + _RULE.format("f61(1) == 62")
    test = 'test t { principal Agent::"a" action drop resource Table::"t" expect permit }'
    checked, problems = load_texts({"policy.ilk": SCHEMA + text + test})
    policies, more = compile_policies(checked)
    assert problems + more == []
    assert [result.failure for result in run_tests(checked, policies)] == [None]


def test_texts_at_a_limit_pass() -> None:
    text = "a" * MAX_STRING_CHARACTERS
    elements = ", ".join(map(str, range(MAX_SET_ELEMENTS)))
    digits = "9" * MAX_NUMBER_DIGITS
    condition = f'resource.name != "{text}" or (1 in {{{elements}}} and 1 < {digits})'
    assert codes_of(permit_when(condition)) == []


@pytest.mark.parametrize(
    "text",
    [
        _RULE.format("(" * 10_000 + "true" + ")" * 10_000),
        _RULE.format("not " * 10_000 + "true"),
        _RULE.format("1 + " * 10_000 + "1 == 2"),
        _RULE.format("1 * " * 10_000 + "1 == 2"),
        _RULE.format("- " * 10_000 + "1 == 2"),
        _RULE.format("1 == 1 ?? " * 10_000 + "1"),
        _RULE.format("if true then true else " * 10_000 + "true"),
        _RULE.format("true or true and (" * 10_000 + "true" + ")" * 10_000),
        _RULE.format("resource" + ".name" * 10_000 + ' == ""'),
        _RULE.format("resource.tags" + ".where(t => true)" * 10_000 + " == {}"),
        _RULE.format("resource.tags.any(t => " * 10_000 + "true" + ")" * 10_000),
        _RULE.format("{" * 10_000 + "1" + "}" * 10_000 + " == {1}"),
        'permit a_rule { because "{' + "not " * 2_000 + 'true}" }',
        "entity Deep { a: " + "Set<" * 10_000 + "Int" + ">" * 10_000 + " }",
        "entity Deep { a: " + "{ a: " * 10_000 + "Int" + " }" * 10_000 + " }",
        "define f(x: " + "Set<" * 10_000 + "Int" + ">" * 10_000 + ") -> Bool = true",
    ],
    ids=lambda text: text[:40],
)
def test_a_text_10000_deep_is_a_diagnostic(text: str) -> None:
    found = codes_of(SCHEMA + text)
    assert found and set(found) <= {Code.NESTING_TOO_DEEP, Code.SYNTAX_ERROR}


@pytest.mark.parametrize(
    "text",
    [
        _RULE.format(" and ".join(["true"] * 10_000)),
        _RULE.format(" or ".join(["false"] * 9_999 + ["true"])),
        "permit a_rule { " + "when true " * 10_000 + "}",
        "".join(f"permit rule_{number} {{ }}\n" for number in range(10_000)),
    ],
    ids=["and", "or", "when", "rules"],
)
def test_a_text_10000_wide_is_no_problem(text: str) -> None:
    assert codes_of(SCHEMA + text) == []


def test_a_file_of_50_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.ilk"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    _, problems = load([path])
    assert [problem.code for problem in problems] == [Code.FILE_TOO_LARGE]


def test_a_folder_with_a_broken_file_still_checks_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.ilk").write_bytes(b"\xff\xfe")
    (tmp_path / "good.ilk").write_text(permit_when("resource.nme == 1"))
    _, problems = load([tmp_path])
    assert [problem.code for problem in problems] == [Code.NOT_TEXT, Code.UNKNOWN_ATTRIBUTE]


# Recovery

BROKEN = {
    7: "permit rule_7 { when true",
    23: 'permit rule_23 { when resource.name == "orders }',
    42: "permit rule_42 { when true && true }",
    68: "permti rule_68 { when true }",
    99: "permit rule_99 {",
}


def _hundred(conditions: dict[int, str]) -> str:
    lines = [
        BROKEN.get(number) or f"permit rule_{number} {{ when {conditions.get(number, 'true')} }}"
        for number in range(100)
    ]
    return SCHEMA + "\n".join(lines)


def test_five_broken_declarations_are_five_problems() -> None:
    checked, problems = load_texts({"policy.ilk": _hundred({})})
    assert [problem.code for problem in problems] == [Code.SYNTAX_ERROR] * 5
    first = SCHEMA.count("\n") + 1
    assert {problem.span.line for problem in problems} == {first + number for number in BROKEN}
    assert len(checked.names.rules) == 95


@pytest.mark.parametrize("number", [0, 6, 8, 24, 43, 69, 98])
def test_the_declarations_beside_a_broken_one_are_checked(number: int) -> None:
    _, problems = load_texts({"policy.ilk": _hundred({number: "resource.nme == 1"})})
    codes = sorted(problem.code for problem in problems)
    assert codes == [Code.SYNTAX_ERROR] * 5 + [Code.UNKNOWN_ATTRIBUTE]


def test_an_invalid_policy_set_decides_with_no_rule_at_all() -> None:
    checked, _ = load_texts({"policy.ilk": permit_when("true") + "forbid broken { when && }"})
    policies, _ = compile_policies(checked)
    assert policies.rules == ()


# Help


def help_of(text: str) -> str | None:
    (problem,) = problems_of(text)
    return problem.help


@pytest.mark.parametrize(
    ("condition", "help_line"),
    [
        ("resource.nme == 1", "did you mean `name`?"),
        ("context.nwo == context.now", "did you mean `now`?"),
        ("resource has hold.actve", "did you mean `active`?"),
        ("resource.risk == hgh", "did you mean `high`?"),
        ("resource.env == Env.prodution", "did you mean `production`?"),
        ("resource.env == qa", "its members are `dev`, `staging`, `production`"),
        ("action == trunkate", "did you mean `truncate`?"),
        ("action in destory", "did you mean `destroy`?"),
        ("resource.tags.non(t => true)", "did you mean `none`?"),
        ("resource.tags.size() == 1", "write `.size` without parentheses"),
        ("is_smal(resource)", "did you mean `is_small`?"),
        ('instnt("2026-01-01T00:00:00Z") < context.now', "did you mean `instant`?"),
        ("resource is Tabel", "did you mean `Table`?"),
        ('resource in Enviroment::"prod"', "did you mean `Environment`?"),
        ("resuorce.name == 1", "did you mean `resource`?"),
        ("production == dev", "write `Env.production`"),
        ("1 == 1.0", "write the integer with a decimal point, such as `100.0`"),
        ("resource.name == 'orders'", 'strings stand in double quotes: `"…"`'),
        ("true && true", "write `and`"),
        ("true || true", "write `or`"),
        ("!true", "write `not`"),
        ('resource.name = "orders"', "compare with `==`"),
        ('resource.tags == ["pii"]', "sets are written `{a, b}`"),
        ("10 / 2 == 5", "there is no division"),
        ("true;", "no `;` is needed"),
        (
            r'resource.name == "a\d"',
            r"the escapes are `\"`, `\\`, `\n`, `\t`, `\{` and `\u{1F512}`",
        ),
    ],
)
def test_a_help_line_says_what_mends_it(condition: str, help_line: str) -> None:
    define = "define is_small(table: Table) -> Bool = true\n"
    assert help_of(define + permit_when(condition)) == help_line


@pytest.mark.parametrize(
    ("declaration", "help_line"),
    [
        ("permti p { }", "did you mean `permit`?"),
        ("frobid p { }", "did you mean `forbid`?"),
        ("entitiy New", "did you mean `entity`?"),
        ("forbid p { principle Agent }", "did you mean `principal`?"),
        ("forbid p { wehn true }", "did you mean `when`?"),
        ("forbid p { principal Agnet }", "did you mean `Agent`?"),
        ("forbid p { action dorp }", "did you mean `drop`?"),
        ("prove c { denied by frist }", "did you mean `first`?"),
        ("use std.chnage", "did you mean `std.change`?"),
        ("entity New in Enviroment", "did you mean `Environment`?"),
        ("action group new in destory", "did you mean `destroy`?"),
        ("action scale in drop { principal Agent resource Table }",
            "`drop` is an action; declare it with `action group`"),
        ("define f(x: Instnat) -> Int = 1", "did you mean `Instant`?"),
    ],
)  # fmt: skip
def test_a_help_line_of_a_declaration_says_what_mends_it(declaration: str, help_line: str) -> None:
    assert help_of(f"{SCHEMA}forbid first {{ }}\n{declaration}\n") == help_line


@pytest.mark.parametrize(
    "declaration",
    [
        "permit p { when tabel.name == resource.name }",  # a type is no value
        "permit p { when Is_smal == 1 }",  # nor is a function
        "define f(x: IS_smal) -> Int = 1",
        "permit p { principal Strin }",
        "permit p { principal Hol }",
        "define f(x: Int) -> Bool = Tble(x)",
        "define f(x: Int) -> Bool = principl == x",
        "forbid f { }\nprove c { denied by frst }",
        'test t { principal Agent::"a"  action destry  resource Table::"t"  expect deny }',
        'test t { principal Agent::"a"  action drop  resource Table::"t"  expect hold by frst }',
    ],
)
def test_what_cannot_stand_there_is_not_suggested(declaration: str) -> None:
    define = "define is_small(table: Table) -> Bool = true\n"
    found = problems_of(f"{SCHEMA}{define}permit first {{ }}\n{declaration}\n")
    assert found and not any("did you mean" in (problem.help or "") for problem in found)


def test_an_enum_is_suggested_before_the_dot_of_a_member() -> None:
    assert help_of(permit_when("Rsk.high == resource.risk")) == "did you mean `Risk`?"


@pytest.mark.parametrize(
    ("declaration", "help_line"),
    [
        ("type Rows = Size", "add `use shared (Size)`"),
        ("define f(x: Int) -> Int = double(x)", "add `use shared (double)`"),
        ("use shared (Sise)", "did you mean `Size`?"),
        ("use shred", "did you mean `shared`?"),
    ],
)
def test_a_name_of_another_module_is_found_there(declaration: str, help_line: str) -> None:
    shared = "module shared\ntype Size = Int\ndefine double(x: Int) -> Int = x * 2\n"
    policy = f"{SCHEMA}permit p {{ }}\n{declaration}\n"
    _, (problem,) = load_texts({"shared.ilk": shared, "policy.ilk": policy})
    assert problem.help == help_line


# Spans


def check_span(text: str, code: Code) -> None:
    """The text with `«` and `»` around what the only problem must point at."""
    start, end = text.index("«"), text.index("»") - 1
    text = text.replace("«", "").replace("»", "")
    (problem,) = problems_of(text)
    assert problem.code is code, problem
    span = problem.span
    assert span.text == text[start:end]
    line_start = text.rfind("\n", 0, start) + 1
    assert span.line == text.count("\n", 0, start) + 1
    assert (span.column, span.end_column) == (start - line_start + 1, end - line_start + 1)


CONDITIONS = [
    ("«foo»", Code.UNKNOWN_NAME),
    ("«nobody».name == 1", Code.UNKNOWN_NAME),
    ("resource.«nme» == 1", Code.UNKNOWN_ATTRIBUTE),
    ("resource.name.«size» == 1", Code.UNKNOWN_ATTRIBUTE),
    ("context.«nwo» == 1", Code.UNKNOWN_ATTRIBUTE),
    ("resource.env == «prod»", Code.UNKNOWN_MEMBER),
    ("resource.env == Env.«prod»", Code.UNKNOWN_MEMBER),
    ("resource.env in {dev, «prod»}", Code.UNKNOWN_MEMBER),
    ("«frobnicate»(1)", Code.UNKNOWN_FUNCTION),
    ("resource.tags.«exists»(t => true)", Code.UNKNOWN_FUNCTION),
    ("action == «dorp»", Code.UNKNOWN_ACTION),
    ("action in {drop, «dorp»}", Code.UNKNOWN_ACTION),
    ("«resource.rows» > 1", Code.UNGUARDED_OPTIONAL),
    ("«resource.hold».active", Code.UNGUARDED_OPTIONAL),
    ("«resource has name»", Code.USELESS_GUARD),
    ("«resource.env < production»", Code.UNORDERED_TYPE),
    ("1.0 == «1.23456»", Code.BAD_LITERAL),
    ('«resource.name == 1» or "x" == "y"', Code.TYPE_MISMATCH),
    ("not «resource.name»", Code.TYPE_MISMATCH),
    ("«resource.tags.any(1)»", Code.WRONG_ARGUMENTS),
    ('ip(«"10.0.0.300"») == ip("10.0.0.1")', Code.BAD_LITERAL),
    ("«resource in principal»", Code.IMPOSSIBLE_PARENT),
    ("resource has «rowz»", Code.UNKNOWN_ATTRIBUTE),
    ("resource has hold.«untl»", Code.UNKNOWN_ATTRIBUTE),
    ("resource is «Tabel»", Code.UNKNOWN_TYPE),
    ('resource in «Enviroment»::"x"', Code.UNKNOWN_TYPE),
    ("resource.tags.any(t => resource.tags.any(«t» => true))", Code.DUPLICATE_NAME),
    ("{a: 1, «a»: 2} == {a: 1}", Code.DUPLICATE_NAME),
    ("«5minutes» < 1h", Code.SYNTAX_ERROR),
    ("«1in» {1}", Code.SYNTAX_ERROR),
    ("true «whenfalse»", Code.SYNTAX_ERROR),
    ("true «&»& false", Code.SYNTAX_ERROR),
    ('resource.name == «"orders }»', Code.SYNTAX_ERROR),  # To the end of the line.
]


@pytest.mark.parametrize(("condition", "code"), CONDITIONS)
def test_a_span_is_exactly_the_mistake(condition: str, code: Code) -> None:
    check_span(permit_when(f'resource.name != "𝄞𝄞" and {condition}'), code)


DECLARATIONS = [
    ("permit p { principal «Agnet» }", Code.UNKNOWN_TYPE),
    ("permit p { action «dorp» }", Code.UNKNOWN_ACTION),
    ('permit p { resource «Table» in Team::"𝄞" }', Code.IMPOSSIBLE_PARENT),
    ("permit «p» { principal Team }", Code.NEVER_APPLIES),
    ("permit p { principal Agent | «Team» }", Code.IMPOSSIBLE_SCOPE),
    ("permit p { } permit «p» { }", Code.DUPLICATE_NAME),
    ("permit p { } prove q { denied by «no_rule» }", Code.UNKNOWN_RULE),
    ("permit p { } entity New { name: Int, a: «Sting» }", Code.UNKNOWN_TYPE),
    ("permit p { } entity New { a: Set<«Sting»> }", Code.UNKNOWN_TYPE),
    ("permit p { } entity New extends «Table»", Code.ABSTRACT_ENTITY),
    ("permit p { } define f(x: «Sting») -> Int = 1", Code.UNKNOWN_TYPE),
    ("permit p { } define «f»(x: Int) -> Int = f(x)", Code.CYCLIC_DEFINITION),
    ("permit p { } use «std.chnage»", Code.UNKNOWN_MODULE),
    ("«permti» p { }", Code.SYNTAX_ERROR),
    ("permit p { «need true» }", Code.MISPLACED_CLAUSE),
    ('permit p { because "a" «because "b"» }', Code.REPEATED_CLAUSE),
    ("permit p { } require «r» { when true }", Code.MISSING_CLAUSE),
    ('permit p { because "𝄞 {resource.«nme»}" }', Code.UNKNOWN_ATTRIBUTE),
    ("permit p { } define f(«principal»: Int) -> Bool = true", Code.DUPLICATE_NAME),
    ("permit p { when " + "not (" * 61 + "not «(1)»" + ")" * 61 + " }", Code.NESTING_TOO_DEEP),
    (
        'permit p { } test t { principal Agent::"a" «principal Agent::"b"» action drop'
        ' resource Table::"t" expect permit }',
        Code.REPEATED_CLAUSE,
    ),
    ("permit p { } // «\u202e»", Code.HIDDEN_CHARACTER),
    ('permit p { when resource.name == "«\u2028»" }', Code.HIDDEN_CHARACTER),
]


@pytest.mark.parametrize(("declaration", "code"), DECLARATIONS)
def test_a_span_in_a_declaration_is_exactly_the_mistake(declaration: str, code: Code) -> None:
    check_span(f'{SCHEMA}@owner("𝄞") permit first {{ }} {declaration}', code)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_however_they_end(line_end: str) -> None:
    text = permit_when("resource.nme == 1").replace("\n", line_end)
    (problem,) = problems_of(text)
    assert problem.span.line == SCHEMA.count("\n") + 2
    assert problem.span.text == "nme"


# Files


def test_a_rule_after_a_comment_is_read_however_lines_end() -> None:
    text = (SCHEMA + "permit all_of_it { } // note\nforbid everything { }").replace("\n", "\r")
    checked, problems = load_texts({"policy.ilk": text})
    assert problems == []
    assert set(checked.names.rules) == {"all_of_it", "everything"}


def test_a_byte_order_mark_is_no_part_of_a_policy(tmp_path: Path) -> None:
    (tmp_path / "a.ilk").write_text(permit_when("true"), encoding="utf-8-sig")
    assert load([tmp_path])[1] == []


def test_a_path_that_no_system_has_is_not_found() -> None:
    for path in ("a" * 300, "a\0b"):
        assert [problem.code for problem in load([path])[1]] == [Code.FILE_NOT_FOUND]


def test_a_file_is_read_once_and_a_folder_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.ilk").mkdir()
    (tmp_path / "a.ilk").write_text(permit_when("true"))
    monkeypatch.chdir(tmp_path)
    assert load(["a.ilk", tmp_path / "a.ilk", tmp_path])[1] == []


def test_a_file_that_is_another_module_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.ilk").write_text("module a\nuse b\n" + permit_when("true"))
    (tmp_path / "b.ilk").write_text("module c\nentity Other\n")
    (problem,) = load([tmp_path / "a.ilk"])[1]
    assert problem.message == f"`{tmp_path / 'b.ilk'}` is not the module `b`"


def test_no_rules_is_said_of_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "a.ilk").write_text("use std.terraform\nuse std.sql\n")
    (problem,) = load([tmp_path / "a.ilk"])[1]
    assert (problem.code, problem.span.file) == (Code.NO_RULES, str(tmp_path / "a.ilk"))


def test_text_that_is_no_text_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.ilk").write_bytes(b"// ok\n// \xff\n")
    (problem,) = load([tmp_path / "a.ilk"])[1]
    assert (problem.code, problem.span.line, problem.span.column) == (Code.NOT_TEXT, 2, 4)
