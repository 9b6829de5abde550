/** `/me` and the pages around it in a real browser: how they look, who can reach them, and that nothing is wrong with them. */
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { USER_IDS } from "../support/callers.ts";
import { checkPage } from "./support/page-checks.ts";
import { newLink, signIn } from "./support/scene.ts";
import { useBrowser } from "./support/use-browser.ts";

const { scene, browser, inBrowser, newPage } = useBrowser();
const me = () => `${scene.stack.service.url}/me`;
const TITLE = "What acts on your behalf";

/** The person allows the scheduled flow. */
async function allow(page: Page, name: "alice" | "erin"): Promise<void> {
  await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS[name] }));
  await signIn(page, scene, name);
  await page.waitForURL(/\/signin\/confirm/);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByRole("link", { name: TITLE }).waitFor();
}

async function openMe(page: Page, name: string): Promise<void> {
  await page.goto(me());
  await page.click(`#account-${name}`);
  const password = page.locator("#password");
  if (await password.isVisible()) {
    await password.fill(scene.stack.tenant.state.directory.user(name)?.password ?? "");
    await page.click("#sign-in");
  }
  await page.waitForURL(/\/me$/);
}

describe("a person at /me", () => {
  inBrowser("reaches it from the page after Allow, sees what acts on their behalf, and ends it", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await allow(page, "alice");
    await page.getByRole("link", { name: TITLE }).click();
    await page.click("#account-alice");
    await page.getByRole("heading", { name: TITLE }).waitFor();
    await page.getByText("Read your mail").waitFor();
    await checkPage(page, "me");
    await page.getByRole("button", { name: "End this access: Contoso Nightly Job" }).click();
    await page.getByRole("status").getByText("The access has ended.").waitFor();
    await page.getByText("No application acts on your behalf.").waitFor();
    await checkPage(page, "me-ended");
    expect(browserErrors).toEqual([]);
  });

  inBrowser("signs out of it, and back does not show it again", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await openMe(page, "bob");
    await page.getByRole("button", { name: "Sign out of this page" }).click();
    await page.getByRole("heading", { name: "You have signed out of this page" }).waitFor();
    await checkPage(page, "me-left");
    expect((await context.cookies()).filter((cookie) => cookie.name.startsWith("__Host-gte"))).toEqual([]);
    await page.goBack();
    await page.waitForURL(/\/authorize/);
    expect(await page.textContent("body")).not.toContain(TITLE);
    expect(browserErrors).toEqual([]);
  });

  inBrowser("sees only their own: another person in another browser sees nothing", async (context) => {
    const { page } = await newPage(context);
    await allow(page, "alice");
    const other = await browser()?.newContext({ ignoreHTTPSErrors: true });
    const stranger = await other?.newPage();
    if (stranger === undefined) throw new Error("no browser");
    await openMe(stranger, "bob");
    await stranger.getByText("No application acts on your behalf.").waitFor();
    await other?.close();
  });

  inBrowser("uses it with the keyboard only", async (context) => {
    const { page } = await newPage(context);
    await allow(page, "erin");
    await openMe(page, "erin");
    const focused = () => page.evaluate("document.activeElement.textContent");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Sign out of this page");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("End this access");
    await page.keyboard.press("Enter");
    await page.getByRole("status").waitFor();
  });
});

describe("another site", () => {
  inBrowser("can neither frame /me nor send its form", async (context) => {
    const { page } = await newPage(context);
    await allow(page, "alice");
    await openMe(page, "alice");
    const token = await page.locator("input[name=token]").first().getAttribute("value");
    const grant = await page.locator("input[name=grant]").first().getAttribute("value");
    const evil = await context.newPage();
    await evil.route("http://127.0.0.1:1/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<iframe src="${me()}"></iframe><form method="post" action="${me()}"><input name="token" value="${token}"><input name="grant" value="${grant}"><button name="action" value="end">x</button></form>`,
      }),
    );
    await evil.goto("http://127.0.0.1:1/");
    expect(await evil.frames().at(-1)?.content()).not.toContain(TITLE);
    await evil.click("button");
    await evil.getByRole("heading", { name: "This form was not sent from the page /me" }).waitFor();
    await checkPage(evil, "refusal");
    await page.goto(me());
    await page
      .getByRole("button", { name: /End this access/ })
      .first()
      .waitFor();
  });
});

describe("in German", () => {
  inBrowser("every page from the link to the end of the access", async () => {
    const german = await browser()?.newContext({ ignoreHTTPSErrors: true, locale: "de-DE" });
    if (german === undefined) throw new Error("no browser");
    const { page, browserErrors } = await newPage(german);
    await page.goto(scene.stack.service.url);
    await page.getByRole("heading", { name: "Graph Token Exchange" }).waitFor();
    await checkPage(page, "de-home");
    await page.goto(await newLink(scene));
    await signIn(page, scene, "alice");
    await page.waitForURL(/\/signin\/confirm/);
    await page.getByText("Ihre E-Mails lesen").waitFor();
    await checkPage(page, "de-confirmation");
    await page.getByRole("button", { name: "Nicht erlauben" }).click();
    await page.getByRole("heading", { name: "Kein Zugriff wurde gewährt" }).waitFor();
    await checkPage(page, "de-declined");
    await page.goto(await newLink(scene));
    await page.click("#account-alice");
    await page.waitForURL(/\/signin\/confirm/);
    await page.getByRole("button", { name: "Erlauben", exact: true }).click();
    await page.goto(me());
    await page.click("#account-alice");
    await page.getByRole("heading", { name: "Was in Ihrem Namen handelt" }).waitFor();
    await page.getByRole("banner").getByText("Ihre Organisation: Contoso").waitFor();
    await checkPage(page, "de-me");
    await page.getByRole("button", { name: "Zugriff beenden: Contoso Nightly Job" }).first().click();
    await page.getByRole("status").getByText("Der Zugriff ist beendet.").waitFor();
    // The page after a denial is 403, which the browser reports.
    expect(browserErrors.filter((text) => !text.includes("status of 403"))).toEqual([]);
    await german.close();
  });
});

describe("the other pages have no finding of axe-core", () => {
  inBrowser("the page at the root, which leads to /me", async (context) => {
    const { page, browserErrors } = await newPage(context);
    const response = await page.goto(scene.stack.service.url);
    expect(response?.status()).toBe(200);
    await checkPage(page, "home");
    await page.getByRole("link", { name: TITLE }).click();
    await page.waitForURL(/\/authorize/);
    expect(browserErrors).toEqual([]);
  });

  inBrowser("the confirmation page and the page after it", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS.alice }));
    await signIn(page, scene, "alice");
    await page.waitForURL(/\/signin\/confirm/);
    await page.getByText("Files the invoices that arrive in your mailbox, each night.").waitFor();
    await page.getByRole("banner").getByText("Your organisation: Contoso").waitFor();
    await checkPage(page, "confirmation");
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("link", { name: TITLE }).waitFor();
    await checkPage(page, "allowed");
    expect(browserErrors).toEqual([]);
  });
});
