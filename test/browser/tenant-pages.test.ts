/** The local tenant's own pages in a real browser: how they look, and that a person needs to type nothing. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { localRequest } from "../../local/caller/local-request.ts";
import { TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import { CLIENT_IDS, USER_IDS } from "../support/callers.ts";
import { checkPage, watchedPage } from "./support/page-checks.ts";
import { newLink } from "./support/scene.ts";
import { useBrowser } from "./support/use-browser.ts";

const { scene, inBrowser } = useBrowser();
const watched = (context: Parameters<typeof watchedPage>[0]) => watchedPage(context, scene.stack.tenant.url);

describe("the pages of the local tenant", () => {
  inBrowser("from the account to the consent, with the password filled in", async (context) => {
    const { page, browserErrors } = await watched(context);
    await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS.carol }));
    await page.getByRole("heading", { name: "Pick an account" }).waitFor();
    await checkPage(page, "tenant-accounts");
    await page.click("#account-carol");
    expect(await page.inputValue("#password")).toBe(scene.stack.tenant.state.directory.user("carol")?.password);
    await checkPage(page, "tenant-password");
    await page.click("#sign-in");
    await page.getByText("Read your mail").waitFor();
    await checkPage(page, "tenant-consent");
    expect(browserErrors).toEqual([]);
    await page.click("#accept");
    await page.waitForURL(/\/signin\/confirm/);
  });

  inBrowser("the second factor, denied and approved", async (context) => {
    const { page, browserErrors } = await watched(context);
    scene.stack.tenant.state.requireClaims({ user: "bob" });
    await page.goto(await newLink(scene, { api: "graph", expectedUser: USER_IDS.bob }));
    await page.click("#account-bob");
    await page.click("#sign-in");
    await page.getByRole("heading", { name: "Approve sign in request" }).waitFor();
    await checkPage(page, "tenant-second-factor");
    await page.click("#deny");
    await page.getByRole("alert").waitFor();
    await checkPage(page, "tenant-denied");
    expect(browserErrors).toEqual([]);
    await page.click("#approve");
    await page.waitForURL(/\/signin\/confirm/);
  });

  inBrowser("the code of a device, wrong and right", async (context) => {
    const { page, browserErrors } = await watched(context);
    const { tenant, environment } = scene.stack;
    const started = await localRequest(`${tenant.url}/${TENANT_ID}/oauth2/v2.0/devicecode`, {
      form: { client_id: CLIENT_IDS.cli, scope: `${environment.service.audience}/access_as_user` },
      ca: readFileSync(environment.caCertPath, "utf8"),
    });
    await page.goto(String(started.json()["verification_uri"]));
    await page.fill("#user-code", "wrong");
    await page.click("#next");
    await page.getByRole("alert").waitFor();
    await checkPage(page, "tenant-device-code");
    await page.fill("#user-code", String(started.json()["user_code"]));
    await page.click("#next");
    await page.click("#account-alice");
    await page.click("#sign-in");
    await page.locator("#continue").waitFor();
    await checkPage(page, "tenant-device");
    await page.click("#continue");
    await page.locator("#device-approved").waitFor();
    await checkPage(page, "tenant-approved");
    expect(browserErrors).toEqual([]);
  });

  inBrowser("the error page", async (context) => {
    const { page } = await watched(context);
    await page.goto(`${scene.stack.tenant.url}/${TENANT_ID}/oauth2/v2.0/authorize?client_id=${USER_IDS.alice}`);
    await page.getByText("AADSTS700016").first().waitFor();
    await checkPage(page, "tenant-error");
  });

  inBrowser("another account, by its name", async (context) => {
    const { page } = await watched(context);
    await page.goto(await newLink(scene));
    await page.getByText("Use another account").click();
    await page.fill("#username", "nobody@contoso.local");
    await page.click("#next");
    await page.getByRole("alert").waitFor();
    await checkPage(page, "tenant-unknown-account");
  });
});
