// Drives the page in a headless browser as a person does; prints one line for each thing that was seen.
import fs from "node:fs";
import http from "node:http";
import { chromium } from "playwright-core";

const { CHROMIUM, PORT, PROJECT, BUNDLE, OUT, PROVES } = process.env;
const lines = [];
const say = (name, text) => lines.push(`${name}\t${String(text).replaceAll("\n", "\\n")}\n`);
const server = http
  .createServer((request, response) => {
    if (request.url === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end('<!doctype html><body><script type="module" src="/page.js"></script></body>');
    } else {
      const file = request.url === "/page.js" ? BUNDLE : `${PROJECT}/rules.ilk`;
      response.setHeader("content-type", request.url.endsWith(".js") ? "text/javascript" : "text/plain; charset=utf-8");
      response.end(fs.readFileSync(file));
    }
  })
  .listen(0, "127.0.0.1");
await new Promise((done) => server.on("listening", done));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
let code = 0;
try {
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
  page.on("pageerror", (problem) => say("pageerror", problem.message));
  const limit = { timeout: 120000 };
  await page.goto(`http://127.0.0.1:${server.address().port}/#port=${PORT}&root=${encodeURIComponent(`file://${PROJECT}`)}`);
  await page.waitForFunction(() => document.title === "ready", null, limit);

  const mark = page.locator(".cm-lintRange-error").first();
  await mark.waitFor(limit);
  say("diagnostic_place", (await mark.innerText()) === "aeg");
  await mark.hover();
  await page.locator(".cm-tooltip-lint").waitFor(limit);
  say("diagnostic", await page.locator(".cm-tooltip-lint").innerText());
  await page.mouse.move(5, 690);

  const at = (text, plus) => page.evaluate(([text, plus]) => window.view.state.doc.toString().indexOf(text) + plus, [text, plus ?? 0]);
  const box = async (position) => page.evaluate((position) => window.view.coordsAtPos(position), position);
  const word = await box(await at("grown(", 2));
  await page.mouse.move(word.left + 1, (word.top + word.bottom) / 2);
  await page.locator(".cm-lsp-hover-tooltip, .cm-tooltip-hover").first().waitFor(limit);
  say("hover", await page.locator(".cm-tooltip-hover").first().innerText());
  await page.mouse.move(5, 690);

  const select = (from, to) => page.evaluate(([from, to]) => { window.view.dispatch({ selection: { anchor: from, head: to } }); window.view.focus(); }, [from, to]);
  const start = await at("aeg");
  await select(start, start + 3);
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Control+Space");
  await page.locator(".cm-tooltip-autocomplete li").first().waitFor(limit);
  say("completion", (await page.locator(".cm-tooltip-autocomplete li").allInnerTexts()).join(" "));
  await page.keyboard.press("Escape");
  await page.keyboard.type("aeg");

  const again = await at("aeg");
  await page.evaluate(([from]) => window.applyFirstFix(from, from + 3), [again]);
  await page.waitForFunction(() => !document.querySelector(".cm-lintRange-error")?.innerText.includes("age"), null, limit);
  const line = (text) => page.evaluate((text) => window.view.state.doc.toString().split("\n").find((one) => one.includes(text)) ?? "", text);
  say("fixed", await line("principal.age > 1"));

  const name = await at("grown_ups", 2);
  await select(name, name);
  await page.keyboard.press("F2");
  await page.locator(".cm-panel input").first().waitFor(limit);
  await page.locator(".cm-panel input").first().fill("adults");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => window.view.state.doc.toString().includes("permit adults"), null, limit);
  say("renamed", await line("permit adults"));

  if (PROVES === "yes") {
    await page.waitForFunction(() => [...document.querySelectorAll(".cm-lintRange-error")].some((one) => one.innerText.includes("nobody_over_sixty")), null, limit);
    await page.locator(".cm-lintRange-error", { hasText: "nobody_over_sixty" }).hover();
    await page.locator(".cm-tooltip-lint").waitFor(limit);
    say("counterexample", await page.locator(".cm-tooltip-lint").innerText());
  }
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  say("DONE", "");
} catch (problem) {
  say("FAILED", problem.message);
  code = 1;
}
fs.writeFileSync(OUT, lines.join(""));
await browser.close();
server.close();
process.exit(code);
