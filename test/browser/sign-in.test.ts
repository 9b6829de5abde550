/**
 * Sign-in with a real browser against the whole stack: local host, local tenant, table service. These tests cover what
 * only a browser does: cookies on redirects, security policies, history, focus, colour schemes.
 */
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { codeForm } from "../sign-in/support/sign-in.ts";
import { claimsOf, USER_IDS } from "../support/callers.ts";
import { newAuthorizeUrl, newLink, newLinkWithHandle, post, signIn } from "./support/scene.ts";
import { useBrowser } from "./support/use-browser.ts";

const { scene, inBrowser, newPage } = useBrowser();

/** Saves a screenshot if SCREENSHOTS_DIR is set. */
async function takeScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS_DIR"];
  if (folder !== undefined) {
    await page.screenshot({ fullPage: true, path: join(folder, `${name}.png`) });
  }
}

/** Only the service's cookies: the local tenant has the same host, and cookies do not depend on the port. */
async function serviceCookies(context: BrowserContext): Promise<string[]> {
  return (await context.cookies()).map(({ name }) => name).filter((name) => name.startsWith("__Host-gte"));
}

/** The application redeems the grant without the user. Returns the claims of the token. */
async function redeem(grant: string): Promise<Record<string, unknown>> {
  const token = scene.stack.tenant.state.mintAppToken({ client: "daemon" });
  const answer = await fetch(`${scene.stack.service.url}/AuthorizationHeader/graph`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ grant }),
  });
  expect(answer.status).toBe(200);
  const { authorizationHeader } = (await answer.json()) as { authorizationHeader: string };
  return claimsOf(authorizationHeader.slice("Bearer ".length));
}

/** Returns the handle of the link. */
async function openQuestion(page: Page, name = "alice"): Promise<string> {
  const { url, grant } = await newLinkWithHandle(scene);
  await page.goto(url);
  await signIn(page, scene, name);
  await page.waitForURL(/\/signin\/confirm/);
  return grant;
}

const allowed = (page: Page) => page.getByRole("heading", { name: "may now act on your behalf" });

/** All tabs share the session at Entra, so Alice may already be signed in. */
async function chooseAlice(page: Page): Promise<void> {
  await page.click("#account-alice");
  if (await page.locator("#password").isVisible()) {
    await page.fill("#password", scene.stack.tenant.state.directory.user("alice")?.password ?? "");
    await page.click("#sign-in");
  }
}

describe.concurrent("a user approves a grant from a sign-in link", () => {
  inBrowser("sign-in and approval make the handle of the application live, and show none", async (context) => {
    const { page, browserErrors } = await newPage(context);
    const handle = await openQuestion(page);
    expect(new URL(page.url()).search).toMatch(/^\?transaction=[\w-]{29}$/);
    expect(await page.textContent("main")).toContain("Alice Archer");

    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await allowed(page).waitFor();
    expect(await page.content()).not.toContain("gte_");

    expect(browserErrors).toEqual([]);
    expect(await serviceCookies(context)).toEqual([]);

    expect(await redeem(handle)).toMatchObject({ oid: USER_IDS.alice });
  });

  inBrowser("a second factor that Entra demands, and no second demand at redemption", async (context) => {
    const { page } = await newPage(context);
    scene.stack.tenant.state.requireClaims({ user: "bob", authContext: "c1" });
    const { url, grant } = await newLinkWithHandle(scene, { api: "graph", expectedUser: USER_IDS.bob });
    await page.goto(url);
    await signIn(page, scene, "bob");
    await page.click("#approve");
    await page.waitForURL(/\/signin\/confirm/);
    expect(await page.textContent("main")).toContain("Bob Baker");
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    // The grant records that the demand was met, so Entra does not repeat it.
    await allowed(page).waitFor();
    expect(await redeem(grant)).toMatchObject({ oid: USER_IDS.bob });
  });

  inBrowser("back and forward do not show the page again", async (context) => {
    const { page } = await newPage(context);
    await openQuestion(page);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await allowed(page).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "No confirmation is pending" }).waitFor();
    // The browser asks before it sends the form again, so the navigation may fail.
    await page.goForward().catch(() => undefined);
    expect(await allowed(page).count()).toBe(0);
  });

  inBrowser("a denial creates no grant, removes the cookies, and the page says so", async (context) => {
    const { page } = await newPage(context);
    await openQuestion(page);
    await page.getByRole("button", { name: "Don’t allow" }).click();
    await page.getByRole("heading", { name: "No access was granted" }).waitFor();
    expect(await serviceCookies(context)).toEqual([]);
    await page.goBack();
    await page.getByRole("heading", { name: "No confirmation is pending" }).waitFor();
  });

  inBrowser("a consent declined at Entra ends with a page that says so", async (context) => {
    const { page } = await newPage(context);
    await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS.carol }));
    await signIn(page, scene, "carol");
    await page.click("#cancel");
    await page.getByRole("heading", { name: "No access was granted" }).waitFor();
    expect(await serviceCookies(context)).toEqual([]);
  });

  inBrowser("a link for another user is refused", async (context) => {
    const { page } = await newPage(context);
    await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS.bob }));
    await signIn(page, scene, "alice");
    await page.getByRole("heading", { name: "This link is for another account" }).waitFor();
  });

  inBrowser("a forged link is refused without a redirect to Entra", async (context) => {
    const { page } = await newPage(context);
    const link = await newLink(scene);
    const response = await page.goto(`${link.slice(0, -4)}AAAA`);
    expect(response?.status()).toBe(400);
    await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
    expect(page.url()).toContain(scene.stack.service.url);
  });

  inBrowser("two tabs sign in independently", async (context) => {
    const [first, second] = [await context.newPage(), await context.newPage()];
    await first.goto(await newLink(scene));
    await second.goto(await newLink(scene));
    await signIn(first, scene, "alice");
    await first.waitForURL(/confirm/);
    await chooseAlice(second);
    await second.waitForURL(/confirm/);
    for (const page of [first, second]) {
      await page.getByRole("button", { name: "Allow", exact: true }).click();
      await allowed(page).waitFor();
    }
  });

  inBrowser("the question can be answered with the keyboard only", async (context) => {
    const { page } = await newPage(context);
    await openQuestion(page);
    const focused = () => page.evaluate("document.activeElement.textContent");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Allow");
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth");
    expect(outline).toBe("3px");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Don’t allow");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await allowed(page).waitFor();
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("What acts on your behalf");
  });

  inBrowser("the pages follow the colour scheme and fit small screens", async (context) => {
    const { page } = await newPage(context);
    await openQuestion(page);
    const backgrounds: unknown[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      backgrounds.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      await takeScreenshot(page, `question-${colorScheme}`);
    }
    expect(backgrounds).toEqual(["rgb(243, 244, 247)", "rgb(18, 21, 27)"]);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await allowed(page).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    await takeScreenshot(page, "allowed-small");
    await page.setViewportSize({ width: 900, height: 900 });
    await takeScreenshot(page, "allowed-dark");
  });
});

describe.concurrent("a browser in an unexpected state", () => {
  inBrowser("without the sign-in cookie the callback is refused", async (context) => {
    const { page } = await newPage(context);
    await page.goto(await newLink(scene));
    await context.clearCookies({ name: /^__Host-gte/ });
    await signIn(page, scene);
    await page.getByRole("heading", { name: "This sign-in is not in progress in this browser" }).waitFor();
  });

  inBrowser("the callback opened twice is refused, with and without the cookie", async (context) => {
    const { page } = await newPage(context);
    await page.goto(await newLink(scene));
    const saved = await context.cookies();
    const back = page.waitForRequest(/\/oauth2\/callback/);
    await signIn(page, scene);
    const callback = (await back).url();
    await page.waitForURL(/\/signin\/confirm/);
    await page.goto(callback);
    await page.getByRole("heading", { name: "This sign-in is not in progress in this browser" }).waitFor();
    // Even with the cookie the callback fails, because Entra accepts a code once.
    await context.addCookies(saved);
    await page.goto(callback);
    await page.getByRole("heading", { name: "This sign-in was already used" }).waitFor();
  });

  inBrowser("a callback with another state and one without a sign-in are refused", async (context) => {
    const { page } = await newPage(context);
    await page.goto(await newLink(scene));
    const state = new URL(page.url()).searchParams.get("state") ?? "";
    const callback = `${scene.stack.service.url}/oauth2/callback?code=x`;
    const wrong = await page.goto(`${callback}&state=${state.slice(0, -1)}${state.endsWith("A") ? "B" : "A"}`);
    expect(wrong?.status()).toBe(400);
    await page.getByRole("heading", { name: "This response belongs to another sign-in" }).waitFor();
    await page.goto(callback);
    await page.getByRole("heading", { name: "No sign-in to complete" }).waitFor();
  });

  inBrowser("the pages cannot be framed, not even by the same origin", async (context) => {
    const { page, browserErrors } = await newPage(context);
    await page.route(`${scene.stack.service.url}/frame`, (route) =>
      route.fulfill({ contentType: "text/html", body: '<iframe src="/signin/confirm"></iframe>' }),
    );
    await page.goto(`${scene.stack.service.url}/frame`);
    await expect.poll(() => browserErrors.join(" ")).toMatch(/frame-ancestors|X-Frame-Options|Framing/);
    expect(await page.frames().at(-1)?.content()).not.toContain("No confirmation is pending");
  });

  inBrowser("another site cannot send the confirmation form", async (context) => {
    const { page } = await newPage(context);
    await openQuestion(page);
    const fields = await page.$$eval("input[type=hidden]", (inputs) =>
      inputs.map((input) => [input.getAttribute("name"), input.getAttribute("value")]),
    );
    const evil = await context.newPage();
    const inputs = fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join("");
    await evil.route("http://127.0.0.1:1/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<form method="post" action="${scene.stack.service.url}/signin/confirm">${inputs}<button name="decision" value="allow">x</button></form>`,
      }),
    );
    await evil.goto("http://127.0.0.1:1/");
    await evil.click("button");
    await evil.getByRole("heading", { name: "This form was not sent from the confirmation page" }).waitFor();
  });
});

describe.concurrent("a sign-in for an application (authorization code)", () => {
  inBrowser("returns to the application with a code that works once", async (context) => {
    const { page } = await newPage(context);
    const { url, pkce } = await newAuthorizeUrl(scene);
    await page.goto(url);
    await signIn(page, scene);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    const returned = new URL(page.url());
    expect(returned.searchParams.get("iss")).toBe(scene.stack.service.url);
    const code = returned.searchParams.get("code") ?? "";
    const form = codeForm(code, pkce, { redirect_uri: scene.redirectUri });
    expect(await post(scene.stack, "/oauth2/token", form)).toMatchObject({ token_type: "Bearer" });
    expect(await post(scene.stack, "/oauth2/token", form)).toMatchObject({ error: "invalid_grant" });
    expect(await serviceCookies(context)).toEqual([]);
  });

  const OFFLINE = { scope: "User.Read offline_access" };

  inBrowser("asks before it issues a grant, and an approval returns a code that includes one", async (context) => {
    const { page, browserErrors } = await newPage(context);
    const { url, pkce } = await newAuthorizeUrl(scene, OFFLINE);
    await page.goto(url);
    await signIn(page, scene);
    await page.waitForURL(/\/signin\/confirm/);
    expect(await page.textContent("main")).toContain("The web application's backend");
    await takeScreenshot(page, "offline-question");
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    const returned = new URL(page.url());
    expect(returned.href.startsWith(scene.redirectUri)).toBe(true);
    expect(returned.searchParams.get("iss")).toBe(scene.stack.service.url);
    const form = codeForm(returned.searchParams.get("code") ?? "", pkce, { redirect_uri: scene.redirectUri });
    expect(await post(scene.stack, "/oauth2/token", form)).toMatchObject({
      refresh_token: expect.stringMatching(/^gte_/),
    });
    expect(await post(scene.stack, "/oauth2/token", form)).toMatchObject({ error: "invalid_grant" });
    expect(await serviceCookies(context)).toEqual([]);
    expect(browserErrors).toEqual([]);
    await page.goBack();
    await page.getByRole("heading", { name: "No confirmation is pending" }).waitFor();
  });

  inBrowser("a denial returns access_denied", async (context) => {
    const { page, browserErrors } = await newPage(context);
    const { url } = await newAuthorizeUrl(scene, OFFLINE);
    await page.goto(url);
    await signIn(page, scene);
    await page.waitForURL(/\/signin\/confirm/);
    await page.getByRole("button", { name: "Don’t allow" }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    const returned = Object.fromEntries(new URL(page.url()).searchParams);
    expect(returned).toMatchObject({ error: "access_denied", iss: scene.stack.service.url });
    expect(returned).not.toHaveProperty("code");
    expect(browserErrors).toEqual([]);
    expect(await serviceCookies(context)).toEqual([]);
  });

  inBrowser("another site can neither frame nor answer the question", async (context) => {
    const { page } = await newPage(context);
    const { url } = await newAuthorizeUrl(scene, OFFLINE);
    await page.goto(url);
    await signIn(page, scene);
    await page.waitForURL(/\/signin\/confirm/);
    const transaction = new URL(page.url()).searchParams.get("transaction") ?? "";
    const evil = await context.newPage();
    await evil.route("http://127.0.0.1:1/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<iframe src="${page.url()}"></iframe><form method="post" action="${scene.stack.service.url}/signin/confirm"><input name="transaction" value="${transaction}"><input name="token" value="${"x".repeat(43)}"><button name="decision" value="allow">x</button></form>`,
      }),
    );
    await evil.goto("http://127.0.0.1:1/");
    expect(await evil.frames().at(-1)?.content()).not.toContain("Allow “");
    await evil.click("button");
    await evil.getByRole("heading", { name: "This form was not sent from the confirmation page" }).waitFor();
  });

  inBrowser("a refusal at Entra returns access_denied", async (context) => {
    const { page } = await newPage(context);
    const { url } = await newAuthorizeUrl(scene);
    await page.goto(url);
    await signIn(page, scene, "carol");
    await page.click("#cancel");
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    const returned = Object.fromEntries(new URL(page.url()).searchParams);
    expect(returned).toMatchObject({ error: "access_denied", iss: scene.stack.service.url });
    expect(returned).not.toHaveProperty("code");
  });
});

describe("sequential tests, which change the shared stack", () => {
  inBrowser("expired cookies that the browser still sends are refused", async (context) => {
    const [question, waiting] = [await context.newPage(), await context.newPage()];
    await openQuestion(question);
    await waiting.goto(await newLink(scene));
    await scene.moveClock();
    try {
      const saved = (await serviceCookies(context)).map((name) => /gte-(\w+?)-/.exec(name)?.[1]);
      expect(saved.sort()).toEqual(["confirm", "signin"]);
      await question.getByRole("button", { name: "Allow", exact: true }).click();
      await question.getByRole("heading", { name: "That took too long" }).waitFor();
      await chooseAlice(waiting);
      await waiting.getByRole("heading", { name: "The sign-in took too long" }).waitFor();
    } finally {
      await scene.moveClock();
    }
  });

  inBrowser("after a consent at Entra the service asks its own question", async (context) => {
    const { page } = await newPage(context);
    const { url, grant } = await newLinkWithHandle(scene, { api: "graph", expectedUser: USER_IDS.carol });
    await page.goto(url);
    await signIn(page, scene, "carol");
    await page.click("#accept");
    await page.waitForURL(/\/signin\/confirm/);
    expect(await page.textContent("main")).toContain("Carol Clark");
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await allowed(page).waitFor();
    expect(await redeem(grant)).toMatchObject({ oid: USER_IDS.carol });
  });
});
