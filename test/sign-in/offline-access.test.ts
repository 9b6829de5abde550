/**
 * An application's sign-in that asks for `offline_access`: Entra's consent is to this service, so a page of ours asks for
 * this application before its code goes out (confused deputy, consent phishing).
 */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { type Browser, hiddenFields, leadsTo, newBrowser } from "./support/browser.ts";
import {
  answerQuestion,
  askedOfEntra,
  authorizePath,
  callbackPath,
  codeForm,
  entraCode,
  newPkce,
  push,
  REDIRECT_URI,
  redeem,
  signInByLink,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();
afterEach(() => {
  world.tenant.state.withdrawConsent({ scopes: ["Files.Read"] });
});

const OFFLINE = { scope: "User.Read offline_access" };

/** Signed in at Entra, and back: the answer of the callback. */
async function back(browser: Browser, { pkce = newPkce(), changes = OFFLINE, at = service } = {}) {
  const asked = askedOfEntra(await browser.open(authorizePath(await push(at, pkce, changes))));
  const answer = await browser.open(callbackPath({ code: entraCode(at, asked), state: asked["state"] ?? "" }));
  return { answer, pkce };
}

const listed = async (at = service) =>
  (await at.call("/grants", { headers: bearer(appToken(at)) })).json()["grants"] as Record<string, unknown>[];

describe("before the code goes out", () => {
  test("a page of ours says which application, which scopes, until when; no code has left", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const location = answer.headers.get("location") ?? "";
    expect(location).toMatch(/^\/signin\/confirm\?transaction=[\w-]{29}$/);
    expect(answer.text ?? "").not.toContain("code=");
    const question = await browser.open(location);
    expect(question.status).toBe(200);
    for (const shown of [
      "web application&#39;s backend",
      CLIENT_IDS.web,
      "Mail.Read",
      "User.Read",
      "while you are away",
    ]) {
      expect(question.text).toContain(shown);
    }
    expect(question.text).not.toContain(REDIRECT_URI);
    expect(JSON.stringify(service.lastEvent())).not.toContain("alice");
  });

  test("yes: the code goes to the redirect URI, is redeemed once, and the grant has what the page showed at most", async () => {
    const browser = newBrowser(service);
    const { answer, pkce } = await back(browser);
    const allowed = await answerQuestion(browser, answer);
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

  test("no: access_denied at the redirect URI, no code, nothing kept", async () => {
    const before = (await listed()).length;
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const denied = await answerQuestion(browser, answer, "deny");
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

  test("without offline_access there is no page", async () => {
    const { answer } = await back(newBrowser(service), { changes: { scope: "User.Read" } });
    expect(answer.headers.get("location")).toMatch(new RegExp(`^${REDIRECT_URI}\\?code=`));
  });

  test("our code lives a minute from the yes, however long the page waited", async () => {
    const browser = newBrowser(service);
    const { answer, pkce } = await back(browser);
    clock.advance(5 * MINUTE);
    const allowed = await answerQuestion(browser, answer);
    const form = codeForm(new URL(leadsTo(allowed.text)).searchParams.get("code") ?? "", pkce);
    // The clock runs on between the steps: a busy machine must not use up the minute.
    clock.advance(40_000);
    expect((await redeem(service, form)).status).toBe(200);
    clock.advance(21_000);
    expect((await redeem(service, form)).json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
  });

  test("the page waits ten minutes, and in one browser", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const location = answer.headers.get("location") ?? "";
    expect((await newBrowser(service).open(location)).text).toContain("There is nothing to confirm");
    clock.advance(10 * MINUTE + 1_000);
    expect((await browser.open(location)).text).toContain("That took too long");
  });

  test.each([
    ["from another site", {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["without its token", { token: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with another token", { token: "x".repeat(43) }, { "sec-fetch-site": "same-origin", origin: "null" }],
  ] as [string, Record<string, string>, Record<string, string>][])("a form %s", async (_name, changes, headers) => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const question = await browser.open(answer.headers.get("location") ?? "");
    const form = { ...hiddenFields(question.text), decision: "allow", ...changes };
    const forged = await browser.submit("/signin/confirm", form, headers);
    expect(forged.status).toBe(403);
    expect(forged.text).toContain("This form was not sent from our page");
    expect(leadsTo(forged.text)).toBe("none:");
  });

  test("the token of a link's page is none for a sign-in's", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const question = await browser.open(answer.headers.get("location") ?? "");
    const link = await browser.open((await signInByLink(service, browser)).headers.get("location") ?? "");
    const token = hiddenFields(link.text)["token"] ?? "";
    const mixed = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), token, decision: "allow" });
    expect(mixed.status).toBe(403);
  });

  test("policy changed while the page waited", async () => {
    const browser = newBrowser(service);
    const { answer } = await back(browser);
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    for (const change of [{ offlineAccess: false }, { redirectUris: ["https://elsewhere.example/callback"] }]) {
      const changed = world.serve({ settings: { POLICY: policyWithEntries({ "web-backend": change }) } });
      const page = await changed.call(answer.headers.get("location") ?? "", { headers: { cookie } });
      expect(page.text).toContain("This is not possible");
    }
  });

  test("where surplus is accepted, the page says that there may be more", async () => {
    const POLICY = policyWithEntries({ "web-backend": { acceptSurplus: true } });
    const at = world.serve({ settings: { POLICY } });
    const browser = newBrowser(at);
    const { answer } = await back(browser, { at });
    const question = await browser.open(answer.headers.get("location") ?? "");
    expect(question.text).toContain("everything else that was consented to");
  });
});

describe("the scopes of a grant are the ones that were shown", () => {
  const daemon = () => bearer(appToken(service, { client: "daemon" }));

  async function grantByLink(at: ServiceUnderTest) {
    const made = await at.call("/signin/links", { json: { api: "graph", scopes: ["User.Read"] }, headers: daemon() });
    const browser = newBrowser(at);
    const arrived = await signInByLink(at, browser, { link: new URL(String(made.json()["url"])).pathname });
    const question = await browser.open(arrived.headers.get("location") ?? "");
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
    const handle = /gte_[\w-]{43}/.exec(done.text)?.[0] ?? "";
    const shown = [...question.text.matchAll(/<li><code>([^<]*)<\/code>/g)].map(([, scope]) => scope);
    const id = createHash("sha256").update(handle).digest("hex");
    const all = (await at.call("/grants", { headers: daemon() })).json()["grants"] as Record<string, unknown>[];
    const grant = all.find((one) => one["id"] === id);
    const use = () =>
      at.call("/AuthorizationHeader/graph", { json: { grant: handle, forceRefresh: true }, headers: daemon() });
    return { shown, recorded: (grant?.["apis"] as Record<string, string[]> | undefined)?.["graph"], use };
  }

  test("also where the link asked for less than Entra gave", async () => {
    const { shown, recorded, use } = await grantByLink(service);
    expect(shown).toEqual(recorded);
    const used = await use();
    expect(used.status).toBe(200);
    expect([...(used.json()["scopes"] as string[])].sort()).toEqual([...(shown as string[])].sort());
  });

  test("also where surplus is accepted: all true scopes are shown, and no later one comes in", async () => {
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

  test("a grant with surplus still gets its link when Entra ends it", async () => {
    const POLICY = policyWithEntries({ daemon: { acceptSurplus: true } });
    const at = world.serve({ settings: { POLICY } });
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const { use } = await grantByLink(at);
    world.tenant.state.order({ endpoint: "token", aadsts: 50173 });
    expect((await use()).json()).toMatchObject({ code: "grant_dead", signin_url: expect.stringContaining("/signin/") });
  });

  test("policy that lists less by the time of the yes: nothing is made", async () => {
    const browser = newBrowser(service);
    const arrived = await signInByLink(service, browser);
    const question = await browser.open(arrived.headers.get("location") ?? "");
    const POLICY = policyWithEntries({ daemon: { apis: { graph: ["User.Read"] } } });
    const narrower = world.serve({ settings: { POLICY } });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(question.text), decision: "allow" };
    const answer = await narrower.call("/signin/confirm", {
      form,
      headers: { cookie, "sec-fetch-site": "same-origin" },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain("gte_");
  });
});

test("a grant that was revoked does not come back when its form is sent again", async () => {
  const browser = newBrowser(service);
  const arrived = await signInByLink(service, browser);
  const question = await browser.open(arrived.headers.get("location") ?? "");
  const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const form = { ...hiddenFields(question.text), decision: "allow" };
  const send = () => service.call("/signin/confirm", { form, headers: { cookie, "sec-fetch-site": "same-origin" } });
  const handle = /gte_[\w-]{43}/.exec((await send()).text)?.[0] ?? "";
  const headers = bearer(appToken(service, { client: "daemon" }));
  const revoked = await service.call("/oauth2/revoke", { form: { token: handle }, headers });
  expect(revoked.json()).toMatchObject({ revoked: true });
  const again = await send();
  expect(again.text).toContain("You allowed this, and it was ended since");
  expect(again.text).not.toContain("gte_");
  const used = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
  expect(used.json()).toMatchObject({ code: "grant_invalid" });
  const twice = await service.call("/oauth2/revoke", { form: { token: handle }, headers });
  expect(twice.json()).toMatchObject({ revoked: false });
});
