/**
 * An application's sign-in with `offline_access`. Entra's consent is for this service, so the service asks the person
 * to confirm this application before it returns the code (confused deputy, consent phishing).
 */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, USER_IDS } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { type Browser, hiddenFields, leadsTo, newBrowser } from "./support/browser.ts";
import {
  answerConfirmation,
  authorizePath,
  callbackPath,
  codeForm,
  entraCode,
  entraRequest,
  newPkce,
  push,
  REDIRECT_URI,
  redeem,
  requestLink,
  signInByLink,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();
afterEach(() => {
  world.tenant.state.withdrawConsent({ scopes: ["Files.Read"] });
});

const OFFLINE = { scope: "User.Read offline_access" };

/** From the pushed request through Entra: the response of the callback. */
async function back(browser: Browser, { pkce = newPkce(), changes = OFFLINE, at = service } = {}) {
  const request = entraRequest(await browser.open(authorizePath(await push(at, pkce, changes))));
  const answer = await browser.open(callbackPath({ code: entraCode(at, request), state: request["state"] ?? "" }));
  return { answer, pkce };
}

const listed = async (at = service) =>
  (await at.call("/grants", { headers: bearer(appToken(at)) })).json()["grants"] as Record<string, unknown>[];

describe("a sign-in with offline_access", () => {
  test("shows the application, the scopes and the end before any code is returned", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const location = answer.headers.get("location") ?? "";
    expect(location).toMatch(/^\/signin\/confirm\?transaction=[\w-]{29}$/);
    expect(answer.text ?? "").not.toContain("code=");
    const page = await browser.open(location);
    expect(page.status).toBe(200);
    for (const shown of [
      "web application&#39;s backend",
      CLIENT_IDS.web,
      "Mail.Read",
      "User.Read",
      "when you are not signed in",
    ]) {
      expect(page.text).toContain(shown);
    }
    expect(page.text).not.toContain(REDIRECT_URI);
    expect(JSON.stringify(service.lastEvent())).not.toContain("alice");
  });

  test("returns the code after approval; it can be redeemed once, for a grant with the scopes that the page showed", async () => {
    const browser = newBrowser(service);
    const { answer, pkce } = await back(browser);
    const allowed = await answerConfirmation(browser, answer);
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get("location")).toBeNull();
    const returned = new URL(leadsTo(allowed.text));
    expect(returned.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(Object.fromEntries(returned.searchParams)).toMatchObject({
      iss: "http://localhost:7071",
      state: "the-client's own state",
    });
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({
      route: "signin-confirm",
      outcome: "answered",
      policyEntry: "web-backend",
    });

    const form = codeForm(returned.searchParams.get("code") ?? "", pkce);
    const tokens = await redeem(service, form);
    expect(tokens.json()["refresh_token"]).toMatch(/^gte_/);
    expect((await listed())[0]).toMatchObject({ apis: { graph: ["Mail.Read", "User.Read"] } });
    expect((await redeem(service, form)).json()).toMatchObject({ error: "invalid_grant", error_codes: [54005] });
  });

  test("returns access_denied without a code and issues no grant after denial", async () => {
    const before = (await listed()).length;
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const denied = await answerConfirmation(browser, answer, "deny");
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "signin_declined" });
    const returned = new URL(leadsTo(denied.text));
    expect(returned.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(Object.fromEntries(returned.searchParams)).toMatchObject({
      error: "access_denied",
      state: "the-client's own state",
      iss: "http://localhost:7071",
    });
    expect(returned.searchParams.has("code")).toBe(false);
    expect(browser.jar.size).toBe(0);
    expect((await listed()).length).toBe(before);
  });

  test("differs from one without offline_access, which has no confirmation page", async () => {
    const { answer } = await back(newBrowser(service), { changes: { scope: "User.Read" } });
    expect(answer.headers.get("location")).toMatch(new RegExp(`^${REDIRECT_URI}\\?code=`));
  });

  test("returns a code that is valid for a minute after approval, even if the page was open longer", async () => {
    const browser = newBrowser(service);
    const { answer, pkce } = await back(browser);
    clock.advance(5 * MINUTE);
    const allowed = await answerConfirmation(browser, answer);
    const form = codeForm(new URL(leadsTo(allowed.text)).searchParams.get("code") ?? "", pkce);
    // The clock continues between the steps, and a busy machine must not use up the minute.
    clock.advance(40_000);
    expect((await redeem(service, form)).status).toBe(200);
    clock.advance(21_000);
    expect((await redeem(service, form)).json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
  });

  test("has a page that is valid for ten minutes and in its own browser only", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const location = answer.headers.get("location") ?? "";
    expect((await newBrowser(service).open(location)).text).toContain("No confirmation is pending");
    clock.advance(10 * MINUTE + 1_000);
    expect((await browser.open(location)).text).toContain("That took too long");
  });

  test.each([
    ["from another site", {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["without its token", { token: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with another token", { token: "x".repeat(43) }, { "sec-fetch-site": "same-origin", origin: "null" }],
  ] as [string, Record<string, string>, Record<string, string>][])(
    "refuses a form %s",
    async (_name, changes, headers) => {
      const browser = newBrowser(service);
      const { answer } = await back(browser);
      const page = await browser.open(answer.headers.get("location") ?? "");
      const form = { ...hiddenFields(page.text), decision: "allow", ...changes };
      const forged = await browser.submit("/signin/confirm", form, headers);
      expect(forged.status).toBe(403);
      expect(forged.text).toContain("This form was not sent from the confirmation page");
      expect(leadsTo(forged.text)).toBe("none:");
    },
  );

  test("refuses the form token of a link's page", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const page = await browser.open(answer.headers.get("location") ?? "");
    const link = await browser.open((await signInByLink(service, browser)).headers.get("location") ?? "");
    const token = hiddenFields(link.text)["token"] ?? "";
    const mixed = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), token, decision: "allow" });
    expect(mixed.status).toBe(403);
  });

  test("is refused if policy changed while the page was open", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    for (const change of [{ offlineAccess: false }, { redirectUris: ["https://elsewhere.example/callback"] }]) {
      const changed = world.serve({ settings: { POLICY: policyWithEntries({ "web-backend": change }) } });
      const page = await changed.call(answer.headers.get("location") ?? "", { headers: { cookie } });
      expect(page.text).toContain("This is not possible");
    }
  });

  test("announces further scopes on the page if the entry accepts surplus", async () => {
    const POLICY = policyWithEntries({ "web-backend": { acceptSurplus: true } });
    const at = world.serve({ settings: { POLICY } });
    const browser = newBrowser(at);
    const { answer } = await back(browser, { at });
    const page = await browser.open(answer.headers.get("location") ?? "");
    expect(page.text).toContain("all other permissions that were consented to");
  });
});

describe("a grant by link has the scopes that the page showed", () => {
  const daemon = () => bearer(appToken(service, { client: "daemon" }));

  async function grantByLink(at: ServiceUnderTest) {
    const made = await at.call("/signin/links", {
      json: { api: "graph", scopes: ["User.Read"], expectedUser: USER_IDS.alice },
      headers: daemon(),
    });
    const browser = newBrowser(at);
    const arrived = await signInByLink(at, browser, { link: new URL(String(made.json()["url"])).pathname });
    const page = await browser.open(arrived.headers.get("location") ?? "");
    await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
    const handle = String(made.json()["grant"]);
    const shown = [...page.text.matchAll(/<li>(?:[^<]* )?<code[^>]*>([^<]*)<\/code>/g)].map(([, scope]) => scope);
    const id = createHash("sha256").update(handle).digest("hex");
    const all = (await at.call("/grants", { headers: daemon() })).json()["grants"] as Record<string, unknown>[];
    const grant = all.find((one) => one["id"] === id);
    const use = () =>
      at.call("/AuthorizationHeader/graph", { json: { grant: handle, forceRefresh: true }, headers: daemon() });
    return { shown, recorded: (grant?.["apis"] as Record<string, string[]> | undefined)?.["graph"], use };
  }

  test("even if Entra returned more than the link requested", async () => {
    const { shown, recorded, use } = await grantByLink(service);
    expect(shown).toEqual(recorded);
    const used = await use();
    expect(used.status).toBe(200);
    expect([...(used.json()["scopes"] as string[])].sort()).toEqual([...(shown as string[])].sort());
  });

  test("even if the entry accepts surplus and more is consented later", async () => {
    const POLICY = policyWithEntries({ daemon: { acceptSurplus: true } });
    const at = world.serve({ settings: { POLICY } });
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const { shown, recorded, use } = await grantByLink(at);
    expect(shown).toContain("Files.Read");
    expect(shown).toEqual(recorded);
    expect((await use()).status).toBe(200);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Mail.Send"] });
    const wider = await use();
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Mail.Send"] });
    expect(wider.json()).toMatchObject({ code: "scope_surplus" });
  });

  test("and its application still gets a link to renew it with surplus", async () => {
    const POLICY = policyWithEntries({ daemon: { acceptSurplus: true } });
    const at = world.serve({ settings: { POLICY } });
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const { use } = await grantByLink(at);
    world.tenant.state.order({ endpoint: "token", aadsts: 50173 });
    expect((await use()).json()).toMatchObject({ code: "grant_dead", signin_url: expect.stringContaining("/signin/") });
  });

  test("and is not issued if policy lists less at the time of approval", async () => {
    const browser = newBrowser(service);
    const arrived = await signInByLink(service, browser);
    const page = await browser.open(arrived.headers.get("location") ?? "");
    const POLICY = policyWithEntries({ daemon: { apis: { graph: ["User.Read"] } } });
    const narrower = world.serve({ settings: { POLICY } });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(page.text), decision: "allow" };
    const answer = await narrower.call("/signin/confirm", {
      form,
      headers: { cookie, "sec-fetch-site": "same-origin" },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain("gte_");
  });
});

test("a revoked grant is not issued again if its form is sent again", async () => {
  const browser = newBrowser(service);
  const { link, handle } = await requestLink(service);
  const arrived = await signInByLink(service, browser, { link });
  const page = await browser.open(arrived.headers.get("location") ?? "");
  const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const form = { ...hiddenFields(page.text), decision: "allow" };
  const send = () => service.call("/signin/confirm", { form, headers: { cookie, "sec-fetch-site": "same-origin" } });
  expect((await send()).status).toBe(200);
  const headers = bearer(appToken(service, { client: "daemon" }));
  const revoked = await service.call("/oauth2/revoke", { form: { token: handle }, headers });
  expect(revoked.json()).toMatchObject({ revoked: true });
  const again = await send();
  expect(again.text).toContain("This access has been ended");
  expect(again.text).not.toContain("gte_");
  const used = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
  expect(used.json()).toMatchObject({ code: "grant_invalid" });
  const twice = await service.call("/oauth2/revoke", { form: { token: handle }, headers });
  expect(twice.json()).toMatchObject({ revoked: false });
});
