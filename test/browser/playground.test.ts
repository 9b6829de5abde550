/** The playground in a real browser: the flows, the switches, the life of a grant, the keyboard, and how it looks. */
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { checkPage } from "./support/page-checks.ts";
import { signIn } from "./support/scene.ts";
import { useBrowser } from "./support/use-browser.ts";

const { scene, inBrowser, newPage } = useBrowser({ playground: true });
const PICTURE = resolve(import.meta.dirname, "../../docs/playground.png");

/** The tests share one tenant: a switch that a failed test left on would fail the next one. */
afterEach(async () => {
  const { url } = scene.stack.service;
  for (const id of ["mfa", "throttle", "outage", "consent"]) {
    const headers = { origin: url, "content-type": "application/json" };
    const body = JSON.stringify({ id, on: false, person: "alice" });
    await fetch(`${url}/playground/switch`, { method: "POST", headers, body });
  }
});

async function open(page: Page): Promise<void> {
  await page.goto(scene.stack.service.url);
  await page.locator("#outcome").waitFor();
}

/** Presses a flow and waits for what it did. */
async function press(page: Page, flow: string): Promise<string> {
  const answered = page.waitForResponse((response) => response.url().endsWith("/playground/run"));
  await page.locator(`#flow-${flow}`).click();
  await answered;
  await page.locator("main:not([aria-busy])").waitFor();
  return (await page.textContent("#outcome")) ?? "";
}

async function turn(page: Page, id: string, on: boolean): Promise<void> {
  await page.locator(`#switch-${id}`).click();
  await page.locator(`#switch-${id}[aria-checked=${on}]`).waitFor();
}

describe("the playground at the root of the local stack", () => {
  inBrowser("shows a first exchange, its tokens, the decision and the call", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await open(page);
    expect(await page.textContent("#outcome")).toContain("Graph returned the profile of Alice Archer.");
    await page.getByRole("heading", { name: "Token for Graph (person)" }).waitFor();
    await page.getByText("by the entry web-users").waitFor();
    await page.getByRole("tab", { name: "Python" }).click();
    await page.getByText("urllib.request.urlopen").waitFor();
    await checkPage(page, "playground");
    expect(browserErrors).toEqual([]);
  });

  inBrowser("leads to the service’s own page and to /me", async (context) => {
    const { page } = await newPage(context);
    await open(page);
    await page.getByRole("link", { name: "The service’s own page" }).click();
    await page.getByRole("heading", { name: "Graph Token Exchange", exact: true }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "What acts on your behalf" }).click();
    await page.waitForURL(/\/authorize/);
  });

  inBrowser("shows why the answer is no", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await open(page);
    expect(await press(page, "relay-only")).toContain("relay_only");
    await page.getByText("Alice Archer through Contoso Assistant. Contoso Web cannot run this flow.").waitFor();
    expect(await page.locator("#caller-web").isChecked()).toBe(true);
    expect(await press(page, "relay")).toContain("The caller got Graph’s answer and no token.");
    expect(await press(page, "surplus")).toContain("scope_surplus");
    await checkPage(page, "playground-surplus");
    expect(await press(page, "challenge")).toContain("After Alice approved it, the same request succeeded.");
    await checkPage(page, "playground-challenge");
    await page.locator("#person-carol").check({ force: true });
    await page.getByText("Carol Clark has not consented.").waitFor();
    expect(await press(page, "header")).toContain("consent_required");
    await page.locator("#person-dave").check({ force: true });
    expect(await press(page, "header")).toContain("guest_not_allowed");
    await page.getByText("The policy would allow it. The refusal came earlier: the token is a guest’s.").waitFor();
    await checkPage(page, "playground-guest");
    expect(browserErrors).toEqual([]);
  });

  inBrowser("follows a grant from the link to its end, and heals it with one click", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await open(page);
    expect(await press(page, "grant-redeem")).toContain("first");
    expect(await press(page, "grant-link")).toContain("The link is ready.");
    expect(await press(page, "grant-redeem")).toContain("grant_pending");
    expect(await press(page, "grant-allow")).toContain("Alice allowed it.");
    expect(await press(page, "grant-redeem")).toContain("Graph returned the profile of Alice Archer.");
    expect(await press(page, "grant-kill")).toContain("grant_dead");
    await page.getByText("The grant is dead.").waitFor();
    expect(await press(page, "grant-redeem")).toContain("grant_dead");
    await page.getByText("The grant is dead.").waitFor();
    await checkPage(page, "playground-dead");
    expect(await press(page, "grant-heal")).toContain("The same handle works again.");
    expect(await press(page, "grant-revoke")).toContain("The grant has ended.");
    expect(await press(page, "grant-redeem")).toContain("The service refused");
    expect(browserErrors).toEqual([]);
  });

  inBrowser("lets a person open the link and answer the real pages", async (context) => {
    const { page } = await newPage(context);
    await open(page);
    await page.locator("#person-bob").check({ force: true });
    await page.getByText("Bob Baker has consented.").waitFor();
    await press(page, "grant-link");
    const opened = context.waitForEvent("page");
    await page.locator("#open-link").click();
    const tab = await opened;
    await signIn(tab, scene, "bob");
    await tab.getByRole("button", { name: "Allow", exact: true }).click();
    await tab.getByRole("heading", { name: "may now act on your behalf" }).waitFor();
    await page.getByText("If you have answered it yourself, press “Use it”.").waitFor();
    expect(await press(page, "grant-allow")).toBe("This link has been answered. Press “Use it”.");
    expect(await page.locator("#outcome").getAttribute("class")).toContain("good");
    expect(await press(page, "grant-redeem")).toContain("Graph returned the profile of Bob Baker.");
    expect(await page.locator("#open-link").count()).toBe(0);
    // The next flow is run by the caller that the person chose.
    expect(await press(page, "on-behalf-of")).toContain("Graph returned the profile of Bob Baker.");
    expect(await page.locator("#caller-web").isChecked()).toBe(true);
  });

  inBrowser("changes what happens at Entra, for every later flow, and back", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await open(page);
    for (const [id, refusal] of [
      ["mfa", "interaction_required"],
      ["outage", "The service refused"],
      ["consent", "consent_required"],
      // Last: the service remembers for some seconds that Entra throttles it.
      ["throttle", "throttled"],
    ] as const) {
      await turn(page, id, true);
      expect(await press(page, "header"), id).toContain(refusal);
      if (id === "throttle") await checkPage(page, "playground-throttled");
      await turn(page, id, false);
    }
    expect(browserErrors).toEqual([]);
  });

  inBrowser("works with the keyboard only", async (context) => {
    const { page } = await newPage(context);
    await open(page);
    await page.locator("#person-alice").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("Bob Baker has consented.").waitFor();
    await page.locator("#flow-header").focus();
    await page.keyboard.press("Enter");
    await page.getByText("Graph returned the profile of Bob Baker.").first().waitFor();
    await page.locator("summary.row").first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Request" }).first().waitFor();
    await page.getByRole("tab", { name: "curl" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("Invoke-RestMethod").waitFor();
  });

  inBrowser("has no whole token, handle or secret, and nothing in its address", async (context) => {
    const { page } = await newPage(context);
    const bodies: string[] = [];
    page.on("response", async (response) => {
      if (response.url().includes("/playground/run")) bodies.push(await response.text());
    });
    await open(page);
    for (const flow of ["grant-link", "grant-allow", "grant-redeem", "code", "device-code", "client-credentials"]) {
      await press(page, flow);
    }
    const { seed } = scene.stack.tenant.state;
    const { users, applications } = seed();
    const secrets = [...users.map(({ password }) => password), ...applications.flatMap(({ secret }) => secret ?? [])];
    const seen = [await page.content(), ...bodies].join("\n");
    // The sealed link, which the person opens, is no token.
    expect(/eyJ[\w-]+\.eyJ|gte_[\w-]{20}/.exec(seen)?.[0]).toBeUndefined();
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
    expect(page.url()).toBe(`${scene.stack.service.url}/`);
  });

  inBrowser("is on the picture of README.md, which this test draws with UPDATE_DOCS=1", async (context) => {
    if (process.env["UPDATE_DOCS"] !== "1") return;
    const { page } = await newPage(context);
    await page.setViewportSize({ width: 1_320, height: 740 });
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await open(page);
    await page.screenshot({ path: PICTURE });
  });
});

test("README.md shows a picture of the playground that is not large", () => {
  expect(statSync(PICTURE).size).toBeLessThan(150_000);
  expect(readFileSync(join(PICTURE, "../../README.md"), "utf8")).toContain("docs/playground.png");
});
