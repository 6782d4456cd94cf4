// Drives the reviewers' page as a person would. Arguments: address, password, browser, folder for
// screenshots. Needs playwright-core and @axe-core/playwright in NODE_PATH's folder or above.
import { createRequire } from "node:module";
import assert from "node:assert/strict";
const require = createRequire(process.env.NODE_MODULES ?? import.meta.url);
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

const [url, password, executablePath, shots] = process.argv.slice(2);
const args = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args, chromiumSandbox: false });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "zh-CN" });
const page = await context.newPage();
const strangers = [];
page.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("data:")) strangers.push(request.url()); });
const faults = [];
page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
page.on("pageerror", (error) => faults.push(String(error)));

async function look(name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  const told = violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.html).join(" | ")}`);
  assert.deepEqual(told, [], `axe on ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
  assert.equal(wide, false, `${name} scrolls sideways`);
}
const told = (words) => page.getByRole("status").filter({ hasText: words }).waitFor();
const step = (name) => console.log(`· ${name}`);

step("sign in");
await page.goto(`${url}/`);
await look("1-sign-in");
await page.getByLabel("用户名").fill("lead");
await page.getByLabel("密码").fill(password);
await page.keyboard.press("Enter");
await page.getByRole("heading", { name: "待核查" }).waitFor();
await look("2-inbox");

step("filter");
await page.locator("form.filters select[name=sign]").selectOption("photo-search");
await page.getByRole("button", { name: "应用筛选" }).click();
await page.waitForURL(/sign=photo-search/);
const before = await page.locator(".inbox tbody tr").count();
assert.ok(before >= 3, `${before} rows`);
await look("3-filtered");

step("open and decide, with keys only");
await page.keyboard.press("j");
assert.ok(await page.locator(".inbox tr.at").isVisible());
await page.keyboard.press("Enter");
await page.waitForURL(/\/app\//);
await look("4-app");
await page.keyboard.press("d");
assert.equal(await page.evaluate(() => document.activeElement.name), "reason");
await page.keyboard.press("ArrowDown");
await look("5-deciding");
await page.keyboard.press("Tab");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
await told(/已保存 1 条结论/);
await look("6-decided");

step("undo");
await page.getByRole("button", { name: "撤销上一结论" }).first().click();
await told(/已撤销/);

step("confirm, with a day to mend by");
await page.keyboard.press("c");
const confirming = page.locator(".ruling form.decide", { has: page.locator("input[value=confirmed]:checked") });
await confirming.locator("select[name=reason]").selectOption("seen-in-listing");
await confirming.getByRole("button", { name: "保存结论" }).click();
await told(/已保存 1 条结论/);

step("bulk");
await page.goto(`${url}/?sign=photo-search`);
const left = await page.locator(".inbox tbody tr").count();
assert.equal(left, before - 1);
await page.keyboard.press("j");
await page.keyboard.press("x");
await page.keyboard.press("j");
await page.keyboard.press("x");
assert.equal(await page.locator("input[name=app]:checked").count(), 2);
await page.locator("#several select[name=verdict]").selectOption("dismissed");
await page.locator("#several select[name=reason]").selectOption("negated");
await look("7-bulk");
await page.getByRole("button", { name: "处理所选应用" }).click();
await told(/已保存 2 条结论/);
assert.equal(await page.locator(".inbox tbody tr").count(), left - 2);

step("the other pages");
for (const [name, path] of [["8-mending", "/mending"], ["9-results", "/results"], ["10-people", "/people"], ["11-log", "/log"], ["12-me", "/me"], ["15-letters", "/letters"], ["20-dead", "/dead"], ["13-nowhere", "/nowhere"], ["14-empty", "/?search=zzzz"]]) {
  await page.goto(url + path);
  await look(name);
}

step("in English");
await page.goto(`${url}/?tray=all`);
await page.getByRole("link", { name: "English" }).click();
await page.getByRole("heading", { name: "Inbox" }).waitFor();
assert.match(page.url(), /tray=all/);
await look("15-english");
await page.locator("a.open").first().click();
await look("16-english-app");

step("on paper");
await page.getByRole("link", { name: "Printable dossier" }).click();
await look("17-dossier");
await page.getByRole("link", { name: "中文" }).click();

step("on a phone");
await page.setViewportSize({ width: 390, height: 844 });
await page.goto(`${url}/?tray=all`);
await look("18-phone-inbox");
await page.locator("a.open").first().click();
await look("19-phone-app");
await page.goto(`${url}/dead`);
await look("21-phone-dead");

step("sign out");
await page.getByRole("button", { name: "退出" }).click();
await page.waitForURL(/sign-in/);
await page.goto(`${url}/?tray=all`);
await page.waitForURL(/sign-in/);

assert.deepEqual(strangers, [], "asks no other server");
assert.deepEqual(faults.filter((fault) => !/404/.test(fault)), [], "no fault in the console");
await browser.close();
console.log("ok");
