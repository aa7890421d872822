"""The HTML report in a real browser: clicked through, from the keyboard, in the dark, on paper, and measured."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report_radius import HOSTILE, hostile, report, verdict

from interlock.report import render

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 60_000

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("no chromium on this machine", allow_module_level=True)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports that are opened below, by name."""
    folder = tmp_path_factory.mktemp("reports")
    radii = {str(size): report(size) for size in (10, 300, 3000)} | {"hostile": hostile()}
    found = {}
    for name, radius in radii.items():
        decided = radius["verdict"] or verdict(radius)
        title = HOSTILE[0] if name == "hostile" else "Blast radius of migrate.sql"
        found[name] = folder / f"{name}.html"
        found[name].write_text(render(radius, title, verdict=decided), encoding="utf-8")
    return found


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens a report, and fails if it says anything on the console or asks anybody for anything."""
    problems: list[str] = []
    contexts: list[Any] = []

    def open_report(name: str, **options: Any) -> Any:
        def asked(url: str) -> None:
            if url != pages[name].as_uri() and not url.startswith("data:"):
                problems.append(f"request: {url}")

        context = browser.new_context(viewport={"width": 1360, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked(request.url))
        page.goto(pages[name].as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert problems == []


def look(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("interlockReport.look()")
    return found


def until(page: Any, expression: str) -> None:
    """Waits from outside: the page may not evaluate text."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        time.sleep(0.05)


def visible_rows(page: Any) -> int:
    return int(page.locator("#tree tbody tr:visible").count())


def row_of(page: Any, name: str) -> Any:
    return page.locator(f"#tree tbody tr:has(.name:text-is('{name}'))")


def place_of(page: Any, node: str) -> tuple[float, float]:
    """Where a node of the picture is on the screen."""
    page.locator("#graph").scroll_into_view_if_needed()
    box = page.locator("#graph").bounding_box()
    at = page.evaluate("id => interlockReport.at(id)", node)
    return box["x"] + at["x"], box["y"] + at["y"]


def test_it_opens_with_everything_in_view(opened: Open) -> None:
    page = opened("10")
    assert page.title() == "Blast radius of migrate.sql"
    assert visible_rows(page) == 10
    assert look(page)["drawn"] == 10
    assert page.locator("#graph canvas").count() > 0


def test_filters_leave_what_is_asked_for(opened: Open) -> None:
    page = opened("300")
    lost = page.evaluate("document.querySelectorAll('#tree .fate.lost').length")
    for box in page.locator("#filters [name=fate]:not([value=lost])").all():
        box.dispatch_event("click")
    assert visible_rows(page) == lost
    assert page.locator("#tree tbody tr:visible .fate:not(.lost)").count() == 0
    assert page.locator("#count").inner_text().replace("\u202f", "") == f"{lost} of 300 assets"
    page.locator("#filters [type=reset]").click()
    page.locator("#kind").select_option("v1.Service")
    kinds = set(page.locator("#tree tbody tr:visible .name + .kind").all_inner_texts())
    assert "v1.Service" in kinds and "postgres.table" not in kinds
    page.locator("#find").fill("asset_29")
    until(page, "document.getElementById('status').textContent.includes(' of ')")
    page.locator("#filters [type=reset]").click()
    until(page, "document.getElementById('count').textContent === '300 assets'")


def test_a_change_shows_what_it_reaches(opened: Open) -> None:
    page = opened("300")
    page.locator("[data-change]").first.click()
    assert page.locator("#change").input_value() == "1"
    assert page.evaluate("document.activeElement.id") == "everything"
    assert 0 < visible_rows(page) < 300


def test_what_is_chosen_shows_its_path(opened: Open) -> None:
    page = opened("10")
    row_of(page, "asset_6").locator(".name").click()
    steps = page.locator("#detail .path").first.locator("li")
    names = [each.split("\n")[0] for each in steps.all_inner_texts()]
    assert names[0] == "asset_0" and names[-1] == "asset_6"
    assert "migrate.sql:3" in steps.first.inner_text()
    assert (
        len(look(page)["path"])
        == len(names)
        == page.locator("#detail .path").first.locator("li").count()
    )
    assert row_of(page, "asset_6").get_attribute("aria-selected") == "true"
    page.locator("#detail .path button").first.click()
    assert page.locator("#detail h3").inner_text() == "asset_0"


def test_the_picture_answers_the_mouse(opened: Open) -> None:
    page = opened("10")
    row = row_of(page, "asset_7").get_attribute("id").removeprefix("a")
    page.mouse.move(*place_of(page, f"n{row}"))
    until(page, "interlockReport.look().path.length > 1")
    assert page.locator("#caption").inner_text().startswith("asset_0 → ")
    assert page.locator("#detail h3").count() == 0
    page.mouse.move(0, 0)
    until(page, "interlockReport.look().path.length === 0")
    page.mouse.click(*place_of(page, f"n{row}"))
    page.wait_for_selector("#detail h3")
    assert page.locator("#detail h3").inner_text() == "asset_7"
    assert row_of(page, "asset_7").get_attribute("aria-selected") == "true"


def test_the_table_is_a_tree_from_the_keyboard(opened: Open) -> None:
    page = opened("10")
    assert page.locator("#tree").get_attribute("role") == "treegrid"
    assert page.locator("#tree [tabindex='0']").count() == 1
    first = page.locator("#tree tbody tr").first
    first.focus()
    assert first.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowLeft")
    assert first.get_attribute("aria-expanded") == "false"
    assert visible_rows(page) < 10
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-level')") == "2"
    page.keyboard.press("Enter")
    assert page.evaluate("interlockReport.chosen()") == 1
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.id") == "a9"
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.id") == "a0"
    page.keyboard.press("Escape")
    assert page.evaluate("interlockReport.chosen()") is None


def test_the_picture_answers_the_keyboard(opened: Open) -> None:
    page = opened("10")
    page.locator("#graph").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert len(look(page)["path"]) == 2
    here = page.evaluate("interlockReport.chosen()")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("interlockReport.chosen()") != here
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("interlockReport.chosen()") == 0
    zoom = look(page)["zoom"]
    page.keyboard.press("-")
    assert look(page)["zoom"] < zoom
    assert "asset_0" in page.locator("#status").inner_text()


def test_tab_reaches_every_control_in_order(opened: Open) -> None:
    page = opened("10")
    order = []
    for _ in range(60):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if order[-1] == "a0":
            break
    wanted = ["theme", "find", "kind", "change", "bare", "zoom-in", "fit", "graph", "a0"]
    assert [each for each in order if each in wanted] == wanted


def test_dark_and_light_by_system_and_by_hand(opened: Open) -> None:
    def ground(page: Any) -> int:
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color[4:-1].split(","))

    page = opened("10", color_scheme="dark")
    assert ground(page) < 150
    page.locator("#theme").click()
    assert ground(page) > 600
    assert page.locator("#theme").get_attribute("aria-pressed") == "false"
    page.locator("#theme").click()
    assert ground(page) < 150
    assert ground(opened("10", color_scheme="light")) > 600


def test_paper_has_every_row_and_a_picture(opened: Open) -> None:
    page = opened("300", color_scheme="dark")
    page.locator("#kind").select_option("v1.Service")
    assert visible_rows(page) < 300
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    until(page, "document.getElementById('graph-print').complete")
    assert visible_rows(page) == 300
    assert page.locator("#graph-print").is_visible()
    assert page.evaluate("document.getElementById('graph-print').naturalWidth") > 200
    for hidden in ("#filters", "#graph", "#theme", "#detail"):
        assert not page.locator(hidden).is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 32, 36)"
    for article in page.locator("details article").all():
        assert article.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen", color_scheme="dark")
    assert visible_rows(page) < 300
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_scripts_everything_is_there(opened: Open) -> None:
    page = opened("300", java_script_enabled=False)
    assert visible_rows(page) == 300
    for hidden in ("#filters", "#graph-box", "#theme", "#detail"):
        assert not page.locator(hidden).is_visible()
    assert page.locator("[data-plain]").is_visible()


def test_three_thousand_assets_stay_readable(opened: Open) -> None:
    page = opened("3000")
    first = look(page)
    assert first["nodes"] <= 60 and first["zoom"] >= 0.7
    assert visible_rows(page) <= 160
    assert "closed branches" in page.locator("#caption").inner_text()
    page.locator("#more").click()
    assert first["nodes"] < look(page)["nodes"] <= 900
    pile = look(page)["piles"][0]
    before = look(page)["drawn"]
    page.mouse.click(*place_of(page, pile))
    until(page, f"interlockReport.look().drawn > {before}")
    # The last asset is deep inside; choosing it opens what leads there.
    page.locator("#find").fill("asset_2998")
    until(page, "document.getElementById('status').textContent.includes(' of ')")
    row_of(page, "asset_2998").locator(".name").click()
    assert len(look(page)["path"]) == page.evaluate("interlockReport.steps()")
    assert look(page)["nodes"] <= 900


def test_hostile_names_are_only_shown(opened: Open) -> None:
    page = opened("hostile")
    assert page.evaluate("document.querySelectorAll('img').length") == 1
    for row in range(len(HOSTILE)):
        page.evaluate(f"document.querySelector('#a{row} .name').click()")
        assert page.locator("#detail h3").inner_text().strip() != ""
    page.locator("#find").fill("</script>")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelectorAll('img').length") == 1


def test_the_policy_stops_what_is_not_of_the_page(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["10"].as_uri())
    page.wait_for_selector("html[data-ready]")
    found = page.evaluate(
        """() => {
          const script = document.createElement("script");
          let refused = 0;
          try { script.textContent = "window.ran = true"; } catch { refused += 1; }
          document.body.append(script);
          try { document.body.innerHTML += "<img src=x onerror='window.ran = true'>"; } catch { refused += 1; }
          return { ran: window.ran === true, refused };
        }"""
    )
    page.close()
    assert found == {"ran": False, "refused": 2}


def test_what_a_report_costs(browser: Any, pages: dict[str, Path]) -> None:
    """Printed with `-s`: size, time until the page answers, and how long a choice takes."""
    print("\n  assets      size   ready after   processor time   a choice")
    for name in ("10", "300", "3000"):
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.set_default_timeout(PATIENCE)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(pages[name].as_uri())
        page.wait_for_selector("html[data-ready]")
        ready = page.evaluate("performance.getEntriesByName('ready')[0].startTime")
        metrics = session.send("Performance.getMetrics")["metrics"]
        busy = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
        started = time.perf_counter()
        page.evaluate(
            "document.querySelector('#tree tbody tr:not([hidden]):last-child, #a9').click()"
        )
        choice = time.perf_counter() - started
        size = pages[name].stat().st_size
        print(
            f"  {name:>6}  {size / 1e6:5.2f} MB  {ready / 1000:9.2f} s  {busy:13.2f} s"
            f"  {choice * 1000:6.0f} ms"
        )
        page.close()
        assert size < 1_000_000 + 1_200 * int(name)
