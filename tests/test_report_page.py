"""The HTML report as text: complete without scripts, closed to the outside, and no text of others becomes markup."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from report_radius import HOSTILE, hostile, report, verdict

import interlock.report
from interlock.cli import cli
from interlock.report import render
from interlock.report.forest import forest
from interlock.report.quoting import html, json_block, plain, prose

ROOM = Path(interlock.report.__file__).parent
VENDORED = {
    "cytoscape-3.34.4.min.js": "081591ab735b2b6a3b31a3c60f8f3a3e2fee8c92939e0c7820ad1208571b6cd8",
    "cytoscape-LICENSE.txt": "eb319c6e6f233607f71e8e2f450391751883cfc0eeb3ca7ef574c13d1d9c2203",
}


class Page(HTMLParser):
    """The elements of a page, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.blocks.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style") and self.cdata_elem:
            tag, attributes, before = self.blocks[-1]
            self.blocks[-1] = (tag, attributes, before + data)
        else:
            self.words.append(data)

    @property
    def rows(self) -> list[str]:
        return [str(found["id"]) for tag, found in self.elements if tag == "tr" and "id" in found]

    @property
    def policy(self) -> str:
        return next(
            str(found["content"])
            for tag, found in self.elements
            if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
        )


# What it says


def test_every_asset_has_a_row_without_scripts() -> None:
    radius = report(300)
    page = Page(render(radius, "title"))
    assert page.rows == [f"a{number}" for number in range(300)]
    said = "".join(page.words)
    for asset in radius["assets"]:
        assert asset["name"] in said
        if asset["path"]:
            assert radius["edges"][asset["path"][-1]]["why"] in said


def test_a_decision_stands_with_its_line_and_its_rule() -> None:
    radius = report(10)
    text = render(radius, "title", verdict=verdict(radius))
    assert "This plan is denied." in text
    assert "<bdi>migrate.sql</bdi>:3:1" in text
    assert '<span class="line">3</span> DROP TABLE t0;' in text
    assert "it reaches too much" in text
    assert "<code>wide</code> <bdi>pack.ilk</bdi>:7" in text


def test_open_needs_are_said_once() -> None:
    radius = report(10)
    decided = verdict(radius)
    decided["results"][1]["needs"] = decided["results"][0]["needs"]
    found = re.search(r'<ul class="needs">(.*?)</ul>', render(radius, "t", verdict=decided))
    assert found is not None
    assert found[1].count("two people approve") == 1
    assert "the plan as a whole, " in found[1]


def test_a_radius_without_a_verdict_says_that_nothing_was_decided() -> None:
    assert "Nothing was decided" in render(report(10), "title")


def test_a_report_of_nothing_is_still_a_report() -> None:
    radius = report(10)
    radius |= {"assets": [], "edges": [], "changes": []}
    radius["summary"] = dict.fromkeys(radius["summary"], 0) | {"back_within": None}
    text = render(radius, "title")
    assert "Nothing that is known is reached." in text
    assert Page(text).rows == []


def test_the_same_radius_gives_the_same_page() -> None:
    assert render(report(50), "title") == render(report(50), "title")


def test_a_path_that_is_not_the_parent_s_is_told_whole() -> None:
    radius = report(300)
    rows = forest(radius)
    others = [row for row in rows if row.own_path is not None]
    assert others
    text = render(radius, "title")
    for row in others:
        assert row.own_path == row.asset["path"]
        names = [
            radius["edges"][each]["source"].replace("t", "asset_") for each in row.asset["path"]
        ]
        assert f"(the way here: {' → '.join(names)})" in text
    for row in rows:
        if row.own_path is None and row.parent is not None:
            assert row.asset["path"] == [*rows[row.parent].asset["path"], row.edge]


# The order of the table


def test_a_row_stands_below_what_it_is_reached_from() -> None:
    rows = forest(report(200))
    assert len(rows) == 200
    for number, row in enumerate(rows):
        assert row.last == number + row.below
        if row.parent is not None:
            above = rows[row.parent]
            assert row.parent < number <= above.last
            assert row.level == above.level + 1


def test_heavy_branches_come_first() -> None:
    rows = forest(report(200))
    tops = [row.weight for row in rows if row.parent is None]
    assert tops == sorted(tops, reverse=True)


def test_paths_in_a_circle_end_nowhere_and_lose_nobody() -> None:
    radius = report(4)
    first, second = radius["assets"][0], radius["assets"][1]
    radius["edges"] = [
        {
            "source": first["key"],
            "target": second["key"],
            "does": "destroys",
            "why": "",
            "certain": True,
        },
        {
            "source": second["key"],
            "target": first["key"],
            "does": "destroys",
            "why": "",
            "certain": True,
        },
    ]
    for asset in radius["assets"]:
        asset |= {"path": [], "via": None}
    first["via"], second["via"] = 1, 0
    rows = forest(radius)
    assert sorted(row.asset["key"] for row in rows) == sorted(a["key"] for a in radius["assets"])


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=31), st.integers(1, 40))
def test_any_paths_make_a_forest_of_the_heaviest(parents: list[int], limit: int) -> None:
    count = len(parents)
    edges = [{"source": str(max(0, each) % count)} for each in parents]
    assets: list[dict[str, Any]] = [
        {"key": str(at), "path": [], "via": None if parent < 0 else at, "score": {"points": 1.0}}
        for at, parent in enumerate(parents)
    ]
    rows = forest({"assets": assets, "edges": edges}, limit)
    found = [row.asset["key"] for row in rows]
    assert len(set(found)) == len(found) <= limit
    assert len(found) == count or limit < count
    for row in rows:
        if row.parent is not None and row.edge is not None:
            assert rows[row.parent].asset["key"] == edges[row.edge]["source"]


def test_a_radius_that_is_too_large_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.report.page.forest", lambda radius: forest(radius, 40))
    text = render(report(200), "title")
    assert "The 40 heaviest of 200 assets are here" in text
    assert len(Page(text).rows) == 40


# Text of others


def test_hostile_text_becomes_no_element() -> None:
    calm = {tag for tag, _ in Page(render(report(20), "t", verdict=verdict(report(20)))).elements}
    page = Page(render(hostile(), HOSTILE[0]))
    assert {tag for tag, _ in page.elements} <= calm
    assert [tag for tag, _, _ in page.blocks].count("script") == 3
    names = {name for _, found in page.elements for name in found}
    assert not {name for name in names if name.startswith("on")} and "style" not in names
    assert not [
        found for _, found in page.elements if (found.get("href") or "").startswith("javascript")
    ]


def test_what_steers_text_is_shown_as_an_escape() -> None:
    # The library has such characters of its own.
    text = render(hostile(), "title").replace(
        (ROOM / "vendor" / next(iter(VENDORED))).read_text(), ""
    )
    for character in "\u202e\u202c\u2028\u2029\u200b\x00\x1b":
        assert character not in text
    assert r"right\u{202e}to left" in text


def test_data_for_the_script_can_be_read_back() -> None:
    page = Page(render(hostile(), "title"))
    block = next(text for tag, found, text in page.blocks if found.get("id") == "radius")
    assert not set("<>&") & set(block) and block.isascii()
    assert {row[0] for row in json.loads(block)["assets"]} == {plain(text) for text in HOSTILE}


@given(st.text() | st.sampled_from(HOSTILE))
def test_quoted_text_is_only_text(text: str) -> None:
    for quoted in (html(text), prose(text)):
        seen = Page(f'<p title="{html(text)}">{quoted}</p>')
        assert {tag for tag, _ in seen.elements} <= {"p", "code", "bdi"}
        assert seen.elements[0][1]["title"] == plain(text)
    assert "".join(Page(f"<p>{html(text)}</p>").words) == plain(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
    )
)
def test_a_block_is_the_same_value_without_markup(value: Any) -> None:
    block = json_block(value)
    assert block.isascii() and not set("<>&") & set(block)
    assert json.loads(block) == json.loads(json_block(json.loads(block)))


# Nothing from outside


def test_only_what_the_page_was_made_with_runs() -> None:
    page = Page(render(hostile(), "title"))
    assert page.policy.startswith("default-src 'none'")
    assert "unsafe" not in page.policy
    for tag, attributes, text in page.blocks:
        if attributes.get("type") != "application/json":
            digest = b64encode(sha256(text.encode()).digest()).decode()
            directive = next(d for d in page.policy.split("; ") if d.startswith(f"{tag}-src"))
            assert f"'sha256-{digest}'" in directive


def test_nothing_is_fetched() -> None:
    for tag, attributes in Page(render(report(50), "title")).elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,", (tag, value)


def test_the_vendored_library_is_what_was_published() -> None:
    found = {path.name for path in (ROOM / "vendor").iterdir()} - {"README.md"}
    assert found == set(VENDORED)
    for name, digest in VENDORED.items():
        assert sha256((ROOM / "vendor" / name).read_bytes()).hexdigest() == digest
    assert "Permission is hereby granted" in render(report(10), "title")


def test_inline_files_end_no_block() -> None:
    for path in [*ROOM.glob("*.js"), *ROOM.glob("*.css"), *(ROOM / "vendor").glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert "\r" not in text
        assert not re.search(r"</(script|style)|<!--", text, re.IGNORECASE)


# Colours

FATES = ("lost", "undecided", "returns", "recreated", "kept")
PALETTE = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", (ROOM / "report.css").read_text()
    )
}


def _linear(color: str) -> list[float]:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _luminance(color: str) -> float:
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(left: str, right: str) -> float:
    dark, light = sorted((_luminance(left), _luminance(right)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(theme: int) -> None:
    pairs = [(f"{fate}-ink", f"{fate}-ground") for fate in FATES]
    pairs += [
        (name, ground) for name in ("ink", "soft", "accent") for ground in ("paper", "raised")
    ]
    pairs += [("ink", "wash"), ("soft", "wash")]
    for text, ground in pairs:
        ratio = _contrast(PALETTE[text][theme], PALETTE[ground][theme])
        assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_an_outline_stands_out_from_the_paper(theme: int) -> None:
    for fate in FATES:
        assert _contrast(PALETTE[fate][theme], PALETTE["raised"][theme]) >= 3, fate


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_loss_stands_out_without_hue(theme: int) -> None:
    for other in FATES[1:]:
        ratio = _contrast(PALETTE["lost-ground"][theme], PALETTE[f"{other}-ground"][theme])
        assert ratio >= 3, f"{other}: {ratio:.2f}"


def test_every_fate_has_its_own_mark() -> None:
    from interlock.report.words import FATES as WORDS

    assert set(WORDS) == set(FATES)
    assert len({word.mark for word in WORDS.values()}) == len(WORDS)


# From the command line


def test_a_gated_script_becomes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("schema.sql").write_text(
        "CREATE TABLE customer (id int PRIMARY KEY);\n"
        "CREATE TABLE orders (id int, c int REFERENCES customer ON DELETE CASCADE);\n"
    )
    Path("m.sql").write_text("SELECT 1;\nDELETE FROM customer;\n")
    runner = CliRunner()
    runner.invoke(cli, ["graph", "build", "--ddl", "shop=schema.sql", "--output", "g.json"])
    for command in ("gate", "blast"):
        arguments = [command, "m.sql", "--graph", "g.json", "--html", "out.html"]
        arguments += ["--policy", "production_guardrails"] if command == "gate" else []
        result = runner.invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 1, result.output
        text = Path("out.html").read_text(encoding="utf-8")
        assert "Blast radius of m.sql" in text
        assert '<span class="line">2</span> DELETE FROM customer' in text
        assert len(Page(text).rows) == 2
        assert ("This plan is denied." in text) is (command == "gate")
