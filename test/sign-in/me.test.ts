/** `/me`: a person sees what acts on their behalf and ends it. Who may see what, and what a stranger can make it do. */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, USER_IDS } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { type Browser, hiddenFields, newBrowser, pathOf } from "./support/browser.ts";
import {
  answerConfirmation,
  answerLink,
  callbackPath,
  createLink,
  entraCode,
  entraRequest,
  requestLink,
  type Signed,
  signInByLink,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();

/** Entra's answer to the sign-in that `/me` began. */
async function visit(browser: Browser, signed: Signed = {}, at: ServiceUnderTest = service): Promise<Answer> {
  const request = entraRequest(await browser.open("/me"));
  return browser.open(callbackPath({ code: entraCode(at, request, signed), state: request["state"] ?? "" }));
}

/** A browser with a session, and its page. */
async function signedIn(user = "alice", at: ServiceUnderTest = service) {
  const browser = newBrowser(at);
  const back = await visit(browser, { user }, at);
  expect([back.status, back.headers.get("location")]).toEqual([303, "/me"]);
  return { browser, page: await browser.open("/me") };
}

/** The scheduled flow gets a grant of a person. The handle, and the id that the page has. */
async function newGrant(user: "alice" | "bob" = "alice"): Promise<{ readonly handle: string; readonly id: string }> {
  const { link, handle } = await requestLink(service, { api: "graph", expectedUser: USER_IDS[user] });
  await answerLink(service, link, { signed: { user } });
  return { handle, id: String(service.lastEvent()["grantId"]) };
}

const redeem = (grant: string) =>
  service.call("/AuthorizationHeader/graph", {
    json: { grant },
    headers: bearer(appToken(service, { client: "daemon" })),
  });
const tokenOf = ({ text }: Answer) => hiddenFields(text)["token"] ?? "";
const end = (browser: Browser, page: Answer, grant: string, headers?: Record<string, string>) =>
  browser.submit("/me", { token: tokenOf(page), grant, action: "end" }, headers);

function expectRefusal(answer: Answer, status: number, code: string, title: string): void {
  expect([answer.status, service.lastEvent()["code"]]).toEqual([status, code]);
  expect(answer.text).toContain(`<h1>${title}</h1>`);
}

const FORGED = "This form was not sent from the page /me";
const GONE = "You are no longer signed in here";

describe("the sign-in", () => {
  test("asks Entra who the person is, and for nothing else", async () => {
    const browser = newBrowser(service);
    const departure = await browser.open("/me");
    expect(departure.status).toBe(303);
    const request = entraRequest(departure);
    expect(request["scope"]?.split(" ").toSorted()).toEqual(["openid", "profile"]);
    expect(request).toMatchObject({ prompt: "select_account", code_challenge_method: "S256", response_type: "code" });
    await browser.open(callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" }));
    const [sent] = world.tenant.state.requests({ endpoint: "token", grantType: "authorization_code" });
    expect(sent?.form?.["scope"]?.split(" ").toSorted()).toEqual(["openid", "profile"]);
  });

  test("leaves one sealed cookie, which no script can read, and no token in it or in a log", async () => {
    const browser = newBrowser(service);
    const back = await visit(browser);
    expect([...browser.jar.keys()]).toEqual([expect.stringMatching(/^__Host-gte-me-[\w-]{29}\.0$/)]);
    for (const cookie of back.cookies) {
      expect(cookie).toMatchObject({ path: "/", secure: true, httpOnly: true, sameSite: "Lax" });
    }
    expect(service.lastEvent()).toMatchObject({
      route: "callback",
      outcome: "answered",
      subjectObjectId: USER_IDS.alice,
    });
  });

  test("begins a new session each time: what was in the browser before is deleted", async () => {
    const { browser, page } = await signedIn();
    const [before] = browser.jar.keys();
    await visitAgain(browser);
    const [after, ...others] = browser.jar.keys();
    expect(others).toEqual([]);
    expect(after).not.toBe(before);
    expect(tokenOf(await browser.open("/me"))).not.toBe(tokenOf(page));
  });

  test.each<[string, (browser: Browser, request: Record<string, string>) => Record<string, string>, string]>([
    [
      "in a browser that did not begin it",
      (browser, { state = "" }) => {
        browser.jar.clear();
        return { state };
      },
      "signin_not_begun_here",
    ],
    [
      "with another state",
      (_browser, { state = "" }) => ({ state: `${state.slice(0, -4)}AAAA` }),
      "signin_state_mismatch",
    ],
  ])("is refused %s", async (_name, change, code) => {
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open("/me"));
    const answer = await browser.open(callbackPath({ code: entraCode(service, request), ...change(browser, request) }));
    expect([answer.status, service.lastEvent()["code"]]).toEqual([400, code]);
    expect((await browser.open("/me")).status).toBe(303);
  });

  test("is refused with the nonce of another sign-in, and with a code that was used", async () => {
    const browser = newBrowser(service);
    expect((await visit(browser, { nonce: "other" })).status).toBe(502);
    const request = entraRequest(await browser.open("/me"));
    const parameters = { code: entraCode(service, request), state: request["state"] ?? "" };
    const saved = new Map(browser.jar);
    expect((await browser.open(callbackPath(parameters))).status).toBe(303);
    for (const [name, value] of saved) browser.jar.set(name, value);
    expect((await browser.open(callbackPath(parameters))).status).toBe(400);
    expect(service.lastEvent()["code"]).toBe("code_refused");
  });

  test("of a guest is refused where guests are not allowed, and works where they are", async () => {
    const browser = newBrowser(service);
    expectRefusal(await visit(browser, { user: "dave" }), 403, "signin_guest", "Guests cannot use this service");
    expect(browser.jar.size).toBe(0);
    const open = service.another({ settings: { ALLOW_GUESTS: "true" } });
    const { page } = await signedIn("dave", open);
    expect(page.status).toBe(200);
  });

  test("of a user of another tenant is refused", async () => {
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open("/me"));
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      tid: "0774e400-0000-4000-8000-000000000000",
      oid: USER_IDS.alice,
      name: "A",
      nonce: request["nonce"],
    };
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      scope: "openid profile",
      access_token: "a",
      id_token: `${encode({ alg: "none" })}.${encode(claims)}.x`,
    };
    world.tenant.state.order({ endpoint: "token", status: 200, body });
    const parameters = { code: entraCode(service, request), state: request["state"] ?? "" };
    expectRefusal(await browser.open(callbackPath(parameters)), 403, "signin_guest", "Guests cannot use this service");
  });

  test("that a person cancels at Entra leaves no session", async () => {
    const browser = newBrowser(service);
    const { state = "" } = entraRequest(await browser.open("/me"));
    const answer = await browser.open(callbackPath({ error: "access_denied", state }));
    expect(answer.text).toContain("<h1>No access was granted</h1>");
    expect(browser.jar.size).toBe(0);
  });

  test("cannot become a grant, and a sign-in for a grant cannot become a session", async () => {
    const browser = newBrowser(service);
    await browser.open(await createLink(service));
    const [[name = "", value = ""] = []] = browser.jar;
    browser.jar.clear();
    browser.jar.set(name.replace("-signin-", "-me-"), value);
    expect((await browser.open("/me")).status).toBe(303);
    const { browser: other } = await signedIn();
    const [[session = "", sealed = ""] = []] = other.jar;
    other.jar.clear();
    const confirm = session.replace("-me-", "-confirm-");
    other.jar.set(confirm, sealed);
    const id = /-confirm-([\w-]+)\./.exec(confirm)?.[1] ?? "";
    await other.open(`/signin/confirm?transaction=${id}`);
    expect(service.lastEvent()["code"]).toBe("confirmation_missing");
  });
});

describe("the page", () => {
  test("shows each application, its purpose, the permissions in words, and the days", async () => {
    const { handle } = await newGrant();
    const { page } = await signedIn();
    expect(page.status).toBe(200);
    const text = page.text.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
    for (const shown of [
      "Signed in as Alice",
      "Contoso Nightly Job",
      CLIENT_IDS.daemon,
      "Files the invoices that arrive in your mailbox, each night.",
      "Read your mail Mail.Read",
      "Sign you in and read your profile User.Read",
      "API: Microsoft Graph",
      "Last used not yet",
    ]) {
      expect(text).toContain(shown);
    }
    expect(page.text.match(/<time datetime="\d{4}-\d\d-\d\d">\d+ \w+ \d{4}<\/time>/g)?.length).toBeGreaterThan(1);
    expect(page.text).not.toContain(handle);
    expect(page.text).not.toMatch(/gte_|eyJ/);
  });

  test("is in the language of the browser, with its dates", async () => {
    await newGrant();
    const { browser } = await signedIn();
    const { text } = await browser.open("/me", { headers: { "accept-language": "de-CH, en;q=0.5" } });
    expect(text).toContain('<html lang="de">');
    expect(text).toContain("<h1>Was in Ihrem Namen handelt</h1>");
    expect(text).toContain("Ihre E-Mails lesen");
    expect(text).toMatch(/>\d+\. \p{L}+ \d{4}<\/time>/u);
    expect(text).not.toMatch(/Read your|Since|Until|Sign out/);
  });

  test("shows when an application used the access, and no grant that has expired", async () => {
    const { handle, id } = await newGrant();
    await redeem(handle);
    const { page } = await signedIn();
    const section = page.text.slice(0, page.text.indexOf(id));
    expect(section.slice(section.lastIndexOf("<h2"))).not.toContain("not yet");
    clock.advance(31 * DAY);
    expect((await signedIn()).page.text).toContain("No application acts on your behalf.");
  });

  test("is never cached, never framed, and loads nothing", async () => {
    const { page } = await signedIn();
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "cache-control": "no-store",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
    });
    const departure = await newBrowser(service).open("/me");
    expect(departure.headers.get("cache-control")).toBe("no-store");
  });

  test("works for ten minutes, and then asks for a sign-in", async () => {
    const { browser, page } = await signedIn();
    clock.advance(9 * MINUTE);
    expect((await browser.open("/me")).status).toBe(200);
    clock.advance(2 * MINUTE);
    expectRefusal(await end(browser, page, "0".repeat(64)), 400, "session_ended", GONE);
    expect((await browser.open("/me")).status).toBe(303);
  });

  test("shows the grants of every registration", async () => {
    const narrow = { registration: "narrow", apis: { graph: ["User.Read"] } };
    const at = service.another({ settings: { POLICY: policyWithEntries({ daemon: narrow }) } });
    const token = appToken(service, { client: "daemon", resource: "narrow", claims: { roles: ["Exchange.Call"] } });
    const made = await at.call("/signin/links", {
      json: { api: "graph", expectedUser: USER_IDS.alice },
      headers: bearer(token),
    });
    const browser = newBrowser(at);
    const back = await signInByLink(at, browser, { link: pathOf(String(made.json()["url"])) });
    await answerConfirmation(browser, back);
    const id = String(at.lastEvent()["grantId"]);
    const { browser: person, page } = await signedIn("alice", at);
    expect(page.text).toContain(id);
    expect((await end(person, page, id)).text).toContain("The access has ended.");
  });

  test("refuses a cursor that the service did not make", async () => {
    const { browser } = await signedIn();
    expect((await browser.open("/me?after=zzz")).status).toBe(400);
  });

  test("says so without a grant store, to anyone, and without a sign-in", async () => {
    const POLICY = policyWith(({ callers }) => {
      for (const entry of callers) {
        const flows = (entry["flows"] as string[]).filter((flow) => flow !== "refresh-token");
        Object.assign(entry, { offlineAccess: false, unattended: false, flows });
      }
      callers.splice(0, callers.length, ...callers.filter(({ flows }) => (flows as string[]).length > 0));
    });
    const without = world.serve({ settings: { POLICY, GRANT_STORE_URL: undefined } });
    const answer = await without.call("/me");
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("This service stores no access to your account");
    const german = await without.call("/me", { headers: { "accept-language": "de" } });
    expect(german.text).toContain("Dieser Dienst speichert keinen Zugriff");
  });
});

describe("a form", () => {
  test("ends the access: the application's next request is refused, and the audit event says who did it", async () => {
    const { handle, id } = await newGrant();
    expect((await redeem(handle)).status).toBe(200);
    const { browser, page } = await signedIn();
    const ended = await end(browser, page, id);
    expect(ended.status).toBe(200);
    expect(ended.text).toContain('role="status">The access has ended.');
    expect(ended.text).not.toContain(id);
    expect(service.lastEvent()).toMatchObject({
      route: "me",
      grantId: id,
      grantRevoked: true,
      grantClientId: CLIENT_IDS.daemon,
      subjectObjectId: USER_IDS.alice,
    });
    expect((await redeem(handle)).json()).toMatchObject({ code: "grant_invalid" });
    expect((await end(browser, page, id)).text).toContain("This access had ended before.");
  });

  test("with another person's grant ends nothing, and says the same as for one that does not exist", async () => {
    const { handle, id } = await newGrant("bob");
    const { browser, page } = await signedIn("alice");
    expect(page.text).not.toContain(id);
    const answers = [
      await end(browser, page, id),
      await end(browser, page, "0".repeat(64)),
      await end(browser, page, "x"),
    ];
    for (const { text } of answers) expect(text).toContain("This access had ended before.");
    expect((await redeem(handle)).status).toBe(200);
  });

  test("signs out of the page, and clears the cookie", async () => {
    const { browser, page } = await signedIn();
    const left = await browser.submit("/me", { token: tokenOf(page), action: "leave" });
    expect(left.text).toContain("<h1>You have signed out of this page</h1>");
    expect(browser.jar.size).toBe(0);
    expect((await browser.open("/me")).status).toBe(303);
  });

  const SAME = { "sec-fetch-site": "same-origin", origin: "null" };
  test.each<[string, Record<string, string | undefined>, Record<string, string>]>([
    ["without its token", { token: undefined }, SAME],
    ["with another token", { token: "x".repeat(43) }, SAME],
    ["with an unknown action", { action: "keep" }, SAME],
    ["without a grant", { grant: undefined }, SAME],
    ["of another site", {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["of a sibling site", {}, { "sec-fetch-site": "same-site", origin: "null" }],
    ["of an old browser on another site", {}, { origin: "https://evil.example" }],
    ["without a trace of its sender", {}, {}],
  ])("%s ends nothing", async (_name, changes, headers) => {
    const { handle, id } = await newGrant();
    const { browser, page } = await signedIn();
    const fields = Object.entries({ token: tokenOf(page), grant: id, action: "end", ...changes });
    const form = Object.fromEntries(fields.filter((field): field is [string, string] => field[1] !== undefined));
    expectRefusal(await browser.submit("/me", form, headers), 403, "session_form_forged", FORGED);
    expect((await redeem(handle)).status).toBe(200);
  });

  test("with the token of another session ends nothing", async () => {
    const { handle, id } = await newGrant();
    const { page: attackers } = await signedIn("bob");
    const { browser } = await signedIn("alice");
    expectRefusal(await end(browser, attackers, id), 403, "session_form_forged", FORGED);
    expect((await redeem(handle)).status).toBe(200);
  });

  test("without a session, or with a session under another id, ends nothing", async () => {
    const { handle, id } = await newGrant();
    const { browser, page } = await signedIn();
    const [[name = "", value = ""] = []] = browser.jar;
    browser.jar.clear();
    expectRefusal(await end(browser, page, id), 400, "session_ended", GONE);
    browser.jar.set(name.replace(/[\w-]{4}\.0$/, "AAAA.0"), value);
    expectRefusal(await end(browser, page, id), 400, "session_ended", GONE);
    expect((await redeem(handle)).status).toBe(200);
  });
});

async function visitAgain(browser: Browser): Promise<void> {
  const [[name = "", value = ""] = []] = browser.jar;
  browser.jar.delete(name);
  const request = entraRequest(await browser.open("/me"));
  browser.jar.set(name, value);
  await browser.open(callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" }));
}

describe("the organisation (TENANT_DISPLAY_NAME)", () => {
  const HOSTILE = 'Contoso & <b>"Söhne"';
  const ESCAPED = "<strong>Contoso &amp; &lt;b&gt;&quot;Söhne&quot;</strong>";
  const named = () => world.serve({ settings: { TENANT_DISPLAY_NAME: HOSTILE } });
  const unnamed = () => world.serve({ settings: { TENANT_DISPLAY_NAME: undefined } });

  async function pagesOf(at: ServiceUnderTest): Promise<string[]> {
    const browser = newBrowser(at);
    const confirmation = await browser.open(pathOf((await signInByLink(at, browser)).headers.get("location") ?? ""));
    const { page } = await signedIn("alice", at);
    return [confirmation.text, (await answerLink(at, await createLink(at))).text, page.text];
  }

  test("is on the confirmation page, the page after it and /me, as text", async () => {
    for (const text of await pagesOf(named())) {
      expect(text).toContain(`<header>Your organisation: ${ESCAPED}</header>`);
      expect(text).not.toContain("<b>");
    }
  });

  test("has its words in German too", async () => {
    const { browser } = await signedIn("alice", named());
    const { text } = await browser.open("/me", { headers: { "accept-language": "de" } });
    expect(text).toContain(`<header>Ihre Organisation: ${ESCAPED}</header>`);
  });

  test("is on no page that a stranger can open", async () => {
    const stranger = newBrowser(named());
    for (const path of ["/", "/signin/x", "/signin/confirm?transaction=x"]) {
      expect((await stranger.open(path)).text).not.toContain("Contoso");
    }
  });

  test("is nowhere without the setting", async () => {
    for (const text of await pagesOf(unnamed())) expect(text).not.toContain("<header>");
  });
});
