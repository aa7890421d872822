// Drives VS Code in a headless browser with the built extension, and writes down what it saw and pictures of it.
// ADDRESS, CHROMIUM, PACKAGES (a folder with playwright-core), WORKSPACE, PICTURES and OUT come from the environment.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const { ADDRESS, CHROMIUM, PACKAGES, WORKSPACE, PICTURES, OUT } = process.env;
const { chromium } = createRequire(join(PACKAGES, "package.json"))("playwright-core");
const seen = {};
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({
  viewport: { width: 1360, height: 820 },
  permissions: ["clipboard-read", "clipboard-write"],
});

try {
  await page.goto(`${ADDRESS}/?folder=${WORKSPACE}`);
  await page.waitForSelector(".monaco-workbench", { timeout: 90_000 });
  await aPolicyWithItsProofs();
  await aCounterexample();
  await aMistakeAndItsMending();
  await hoverAndCompletion();
  await aRename();
  await theTestPanel();
  await theGate();
  await coloursInMarkdown();
  seen.done = true;
} catch (problem) {
  seen.problem = String(problem.stack ?? problem);
  await picture("failure");
} finally {
  writeFileSync(OUT, JSON.stringify(seen, null, 1));
  await browser.close();
}

async function aPolicyWithItsProofs() {
  await open("refunds.ilk");
  await goTo("42:1");
  const refuted = lens("refuted");
  await refuted.waitFor({ timeout: 90_000 });
  seen.lenses = await page.locator(".codelens-decoration a").allInnerTexts();
  seen.status = await status("refuted");
  seen.hint = await page.locator(".view-line", { hasText: "prove nothing_is_refunded_twice" }).innerText();
  await picture("proofs");
}

async function aCounterexample() {
  await command("View: Toggle Primary Side Bar Visibility");
  await lens("Show counterexample").click();
  const document = page.locator(".editor-group-container").last().locator(".view-lines");
  await document.locator(".view-line", { hasText: "refunded: true" }).first().waitFor({ timeout: 20_000 });
  seen.counterexample = (await document.innerText()).replaceAll("\u00a0", " ");
  seen.toasts = await page.locator(".notification-toast").allInnerTexts();
  await picture("counterexample");
  await command("View: Close All Editors");
  await command("View: Toggle Primary Side Bar Visibility");
}

async function aMistakeAndItsMending() {
  await open("refunds.ilk");
  // `principal.grade >= manager` becomes `principal.gade >= manager`.
  await goTo("15:24");
  await page.keyboard.press("Delete");
  await page.waitForSelector(".squiggly-error", { timeout: 20_000 });
  const before = await lineWith("principal.gade");
  await goTo("15:25");
  await command("Show or Focus Hover");
  await page.locator(".monaco-hover:visible", { hasText: "did you mean" }).waitFor({ timeout: 20_000 });
  seen.statusWhileWrong = await status("stale");
  seen.diagnostic = await page.locator(".monaco-hover:visible").first().innerText();
  await picture("diagnostic");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+.");
  await page.locator(".action-widget .action", { hasText: "grade" }).first().waitFor({ timeout: 20_000 });
  await picture("quick-fix");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".squiggly-error", { state: "detached", timeout: 20_000 });
  seen.mended = [before, await lineWith("principal.grade >= manager")];
}

async function hoverAndCompletion() {
  await goTo("9:16");
  await command("Show or Focus Hover");
  await page.locator(".monaco-hover:visible", { hasText: "senior" }).waitFor({ timeout: 20_000 });
  seen.hover = await page.locator(".monaco-hover:visible").first().innerText();
  await picture("hover");
  await page.keyboard.press("Escape");
  await goTo("15:1");
  await page.keyboard.press("End");
  await page.keyboard.type(" and principal.");
  await page.locator(".suggest-widget.visible .monaco-list-row").first().waitFor({ timeout: 20_000 });
  await page.locator(".suggest-widget.visible .monaco-list-row", { hasText: "on_leave" }).waitFor({ timeout: 20_000 });
  seen.completion = await page.locator(".suggest-widget.visible .monaco-list-row .label-name").allInnerTexts();
  await picture("completion");
  await page.keyboard.press("Escape");
  await command("File: Revert File");
  await goTo("42:1");
  await lens("refuted").waitFor({ timeout: 60_000 });
}

async function aRename() {
  await goTo("7:10");
  await page.keyboard.press("F2");
  const box = page.locator(".rename-box input:focus");
  await box.waitFor({ timeout: 20_000 });
  await box.fill("little_refund");
  await page.keyboard.press("Enter");
  await page.locator(".view-line", { hasText: "permit little_refund" }).waitFor({ timeout: 20_000 });
  await goTo("43:1");
  seen.renamed = await lineWith("expect    permit by");
  await command("File: Revert File");
  await goTo("1:1");
  await goTo("37:1");
  await lens("refuted").waitFor({ timeout: 60_000 });
}

async function theTestPanel() {
  await command("Test: Run All Tests");
  await command("Testing: Focus on Test Explorer View");
  const rows = page.locator(".test-explorer .monaco-list-row");
  // The first row is the file; its tests and claims are below it.
  await rows.first().locator(".codicon-testing-failed-icon").waitFor({ timeout: 60_000 });
  await rows.first().locator(".monaco-tl-twistie").click();
  await rows.nth(4).waitFor({ timeout: 20_000 });
  seen.tests = {};
  for (const row of await rows.all()) {
    const name = await row.locator(".label").first().evaluate((label) => label.firstChild.textContent.trim());
    const icon = await row.locator("[class*='codicon-testing-']").first().getAttribute("class");
    seen.tests[name] = /codicon-testing-(\w+)-icon/.exec(icon)?.[1];
  }
  await sideBarTo(430);
  await picture("tests");
  await sideBarTo(350);
  await page.keyboard.press("Escape");
  await command("View: Close All Editors");
  await command("View: Show Explorer");
}

async function theGate() {
  await open("migration.sql");
  await command("Interlock: Gate This File");
  await page.locator(".terminal-wrapper .xterm").first().waitFor({ timeout: 30_000 });
  for (let tries = 0; tries < 40 && !seen.gate?.includes("radius"); tries++) {
    await page.waitForTimeout(1_000);
    await command("Terminal: Select All");
    await command("Terminal: Copy Selection");
    seen.gate = await page.evaluate(() => navigator.clipboard.readText());
  }
  await command("Terminal: Clear Selection");
  await command("View: Toggle Maximized Panel");
  await command("Terminal: Scroll to Top");
  await picture("gate");
  await command("View: Toggle Maximized Panel");
  await command("Terminal: Kill All Terminals");
  await command("View: Close All Editors");
}

async function coloursInMarkdown() {
  await open("notes.md");
  // The whole line is one piece until the grammar is there.
  const line = page.locator(".view-line", { hasText: "unless" }).locator("span span");
  await line.filter({ hasText: /^\s*unless\s*$/ }).first().waitFor({ timeout: 60_000 });
  seen.markdown = await line.evaluateAll((spans) =>
    spans.map((span) => [span.textContent.trim(), span.className]).filter(([text]) => text));
  await picture("markdown");
}

// What a user does

async function open(name) {
  await page.keyboard.press("Control+p");
  await page.locator(".quick-input-widget input").first().fill(name);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor({ timeout: 60_000 });
  await page.keyboard.press("Enter");
  await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor({ timeout: 30_000 });
  await page.locator(".editor-group-container.active .view-line").first().waitFor({ timeout: 30_000 });
}

async function command(title) {
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input").first();
  await input.fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor({ timeout: 30_000 });
  await page.keyboard.press("Enter");
  await page.waitForTimeout(300);
}

/** Puts the cursor at a line and column. */
async function goTo(place) {
  await page.keyboard.press("Control+g");
  await page.locator(".quick-input-widget input").first().fill(`:${place}`);
  await page.waitForTimeout(300);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(300);
}

/** Drags the edge of the side bar. */
async function sideBarTo(x) {
  const edge = await page.locator(".part.sidebar").boundingBox();
  await page.mouse.move(edge.x + edge.width, 500);
  await page.mouse.down();
  await page.mouse.move(x, 500, { steps: 5 });
  await page.mouse.up();
  // Away from the text, which would be hovered.
  await page.mouse.move(150, 650);
}

/** The text of the status item as soon as it has a word. */
async function status(word) {
  const item = page.locator("[id*='interlock.status']", { hasText: word });
  await item.waitFor({ timeout: 20_000 });
  return item.innerText();
}

function lens(text) {
  return page.locator(".codelens-decoration a", { hasText: text }).first();
}

async function lineWith(text) {
  return (await page.locator(".view-line", { hasText: text }).first().innerText()).replaceAll("\u00a0", " ").trim();
}

async function picture(name) {
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(PICTURES, `vscode-${name}.png`) });
}
