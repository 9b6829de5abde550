/**
 * Links with handles. A handle is made with its link, and the application has it before anyone allows it. So each test
 * presents, opens or answers something that does not belong together, or too early, too late or twice.
 */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { type Browser, cookiesOf, hiddenFields, newBrowser, pathOf } from "../sign-in/support/browser.ts";
import {
  allowedHandle,
  answerLink,
  callbackPath,
  entraCode,
  entraRequest,
  newPkce,
  requestLink,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const LINKS = { daemon: { linkMinutes: 60 } };
const { world, clock, service } = useWorld({
  newServiceForEachTest: true,
  settings: { POLICY: policyWithEntries(LINKS) },
});
afterEach(() => world.tenant.state.clearOrders());

const daemon = () => bearer(appToken(world, { client: "daemon" }));
const backend = () => bearer(appToken(world));
const SESSION_ENDED = { endpoint: "token", grantType: "refresh_token", aadsts: 50173 } as const;

function redeem(grant: string, more: Record<string, unknown> = {}, at: ServiceUnderTest = service): Promise<Answer> {
  return at.call("/AuthorizationHeader/graph", { json: { grant, forceRefresh: true, ...more }, headers: daemon() });
}

async function outcome(answer: Promise<Answer>): Promise<unknown> {
  const { status, json } = await answer;
  return status === 200 ? 200 : json()["code"];
}

async function listed(): Promise<Record<string, unknown>[]> {
  return (await service.call("/grants", { headers: daemon() })).json()["grants"] as Record<string, unknown>[];
}

const idOf = (handle: string) => createHash("sha256").update(handle).digest("hex");

/** As `GET /grants` lists it. */
async function listedAs(handle: string): Promise<Record<string, unknown> | undefined> {
  return (await listed()).find(({ id }) => id === idOf(handle));
}

const revoke = (token: string) => service.call("/oauth2/revoke", { form: { token }, headers: daemon() });

/** The link in the refusal of a grant whose session has ended. */
async function healingLink(handle: string): Promise<string> {
  world.tenant.state.order({ ...SESSION_ENDED, times: 1 });
  const refused = await redeem(handle);
  expect(refused.json()).toMatchObject({ code: "grant_dead", action: "sign_in" });
  return pathOf(String(refused.json()["signin_url"]));
}

interface OpenPage {
  readonly browser: Browser;
  readonly fields: Record<string, string>;
  readonly cookie: string;
}

async function openPage(link: string): Promise<OpenPage> {
  const browser = newBrowser(service);
  const back = await signInByLink(service, browser, { link });
  const page = await browser.open(back.headers.get("location") ?? "");
  return { browser, fields: hiddenFields(page.text), cookie: cookiesOf(browser) };
}

function submit({ fields, cookie }: Omit<OpenPage, "browser">, decision: "allow" | "deny", at = service) {
  const headers = { "sec-fetch-site": "same-origin", origin: "null", cookie };
  return at.call("/signin/confirm", { form: { ...fields, decision }, headers });
}

describe("a handle that no one has allowed", () => {
  test("is refused to its application with a link for the same handle, and works after one answer", async () => {
    const { handle } = await requestLink(service);
    const early = await redeem(handle);
    expect(early.status).toBe(403);
    expect(early.json()).toMatchObject({ error: "invalid_grant", code: "grant_pending", action: "sign_in" });
    expect(service.lastEvent()).toMatchObject({
      code: "grant_pending",
      reason: "pending",
      grantId: expect.any(String),
    });
    const form = { grant_type: "refresh_token", refresh_token: handle };
    const byToken = await service.call("/oauth2/token", { form, headers: daemon() });
    expect(byToken.status).toBe(400);
    expect(byToken.json()).toMatchObject({ error: "invalid_grant", code: "grant_pending" });
    expect((await answerLink(service, pathOf(String(byToken.json()["signin_url"])))).status).toBe(200);
    expect(await outcome(redeem(handle))).toBe(200);
    expect(world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" }).length).toBe(1);
  });

  test("gets a new link after the first one has expired, and the new one works", async () => {
    const { handle, link } = await requestLink(service);
    clock.advance(61 * MINUTE);
    expect((await newBrowser(service).open(link)).text).toContain("This link has expired");
    const fresh = pathOf(String((await redeem(handle)).json()["signin_url"]));
    expect((await answerLink(service, fresh)).status).toBe(200);
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("is in no list, and tells another caller nothing", async () => {
    const before = (await listed()).length;
    const { handle } = await requestLink(service);
    expect((await listed()).length).toBe(before);
    for (const headers of [backend(), bearer(userToken(world))]) {
      const answer = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
      expect(answer.json()).toMatchObject({ code: "grant_invalid" });
      expect(answer.json()).not.toHaveProperty("signin_url");
      expect(service.lastEvent()).toMatchObject({ reason: "not_bound" });
      const ended = await service.call("/oauth2/revoke", { form: { token: handle }, headers });
      expect(ended.json()).toEqual({ revoked: false });
    }
    expect(await outcome(redeem(handle))).toBe("grant_pending");
  });

  test("that was guessed is unknown", async () => {
    expect(await outcome(redeem(`gte_${"B".repeat(42)}A`))).toBe("grant_invalid");
  });

  test("is ended by its application, and its link then leads nowhere", async () => {
    const { handle, link } = await requestLink(service);
    const page = await openPage(link);
    expect((await revoke(handle)).json()).toEqual({ revoked: true });
    expect((await newBrowser(service).open(link)).text).toContain("This link is no longer valid");
    expect((await submit(page, "allow")).text).toContain("This access has been ended");
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });

  test("is forgotten after fourteen days", async () => {
    const { handle } = await requestLink(service);
    clock.advance(14 * DAY + MINUTE);
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });
});

describe("a link", () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    ["opened by another person", {}, "bob", "This link is for another account"],
    ["opened by a guest", { expectedUser: USER_IDS.dave }, "dave", "Guests cannot use this service"],
  ])("%s grants nothing, and its own person can still answer it", async (_name, body, user, title) => {
    const { handle, link } = await requestLink(service, { api: "graph", ...body });
    expect((await answerLink(service, link, { signed: { user } })).text).toContain(`<h1>${title}</h1>`);
    expect(await outcome(redeem(handle))).toBe("grant_pending");
  });

  test("opened by the right object id of another tenant grants nothing", async () => {
    const { handle, link } = await requestLink(service);
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open(link));
    const info = { uid: USER_IDS.alice, utid: "99999999-9999-4999-8999-999999999999" };
    const claims = { nonce: request["nonce"], tid: info.utid };
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      scope: "https://graph.microsoft.com/User.Read",
      access_token: "access",
      refresh_token: "refresh",
      client_info: Buffer.from(JSON.stringify(info)).toString("base64url"),
      id_token: world.tenant.state.mintIdToken({ user: "alice", client: "service", claims }),
    };
    world.tenant.state.order({ endpoint: "token", status: 200, body, times: 1 });
    const back = await browser.open(callbackPath({ code: "x", state: request["state"] ?? "" }));
    expect(back.status).toBeGreaterThanOrEqual(400);
    expect(await outcome(redeem(handle))).toBe("grant_pending");
  });

  test("without a person is refused, unless the entry admits any person or the application binds its session", async () => {
    const json = { api: "graph" };
    const refused = await service.call("/signin/links", { json, headers: daemon() });
    expect(refused.json()).toMatchObject({ status: 400, code: "parameter_missing" });
    expect(refused.json()["detail"] ?? refused.json()["error_description"]).toContain("expectedUser");
    const POLICY = policyWithEntries({ daemon: { anyPersonMayAllow: true } });
    const open = await service.another({ settings: { POLICY } }).call("/signin/links", { json, headers: daemon() });
    expect(open.status).toBe(201);
  });

  test("is not consumed by HEAD, which sets no cookie, or by repeated GET", async () => {
    const { handle, link } = await requestLink(service);
    for (let times = 0; times < 3; times += 1) {
      const head = await service.call(link, { method: "HEAD" });
      expect([head.status, head.cookies, head.headers.get("location")]).toEqual([200, [], null]);
      expect((await newBrowser(service).open(link)).status).toBe(303);
    }
    expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
    expect((await answerLink(service, link)).status).toBe(200);
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("that was changed, or is a link of another purpose, leads nowhere", async () => {
    const { link } = await requestLink(service);
    const tampered = `${link.slice(0, -2)}${link.endsWith("AA") ? "QQ" : "AA"}`;
    expect((await newBrowser(service).open(tampered)).text).toContain("This link is not valid");
  });

  test("answered twice counts once: the second answer gets nothing and the first grant is unchanged", async () => {
    const POLICY = policyWithEntries({ daemon: { anyPersonMayAllow: true } });
    const at = service.another({ settings: { POLICY } });
    const { handle, link } = await requestLink(at, { api: "graph", expectedUser: undefined });
    const [alices, bobs] = [newBrowser(at), newBrowser(at)];
    const atAlices = await signInByLink(at, alices, { link });
    const atBobs = await signInByLink(at, bobs, { link, signed: { user: "bob" } });
    const [alicesPage, bobsPage] = [
      await alices.open(atAlices.headers.get("location") ?? ""),
      await bobs.open(atBobs.headers.get("location") ?? ""),
    ];
    const send = (browser: Browser, page: Answer, decision: string) =>
      at.call("/signin/confirm", {
        form: { ...hiddenFields(page.text), decision },
        headers: { "sec-fetch-site": "same-origin", cookie: cookiesOf(browser) },
      });
    expect((await send(alices, alicesPage, "allow")).status).toBe(200);
    const mine = await listedAs(handle);
    for (const decision of ["allow", "deny", "allow"]) {
      const second = await send(bobs, bobsPage, decision);
      expect(second.text).toContain(decision === "deny" ? "No access was granted" : "This link is no longer valid");
    }
    expect(await listedAs(handle)).toEqual(mine);
    expect(mine).toMatchObject({ userObjectId: USER_IDS.alice });
    expect(await outcome(redeem(handle, {}, at))).toBe(200);
    expect((await newBrowser(at).open(link)).text).toContain("This link is no longer valid");
  });

  test("answered at two instances at the same time makes one grant", async () => {
    const { handle, link } = await requestLink(service);
    const pages = [await openPage(link), await openPage(link)] as const;
    const other = service.another();
    const before = (await listed()).length;
    const answers = await Promise.all([submit(pages[0], "allow"), submit(pages[1], "allow", other)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    expect((await listed()).length).toBe(before + 1);
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("does not make a revoked handle live again", async () => {
    const { handle, link } = await requestLink(service);
    const page = await openPage(link);
    expect((await submit(page, "allow")).status).toBe(200);
    await revoke(handle);
    expect((await submit(page, "allow")).text).toContain("This access has been ended");
    expect((await newBrowser(service).open(link)).text).toContain("This link is no longer valid");
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });

  test("that the person declined cannot be answered again", async () => {
    const { handle, link } = await requestLink(service);
    expect((await answerLink(service, link, { decision: "deny" })).text).toContain("No access was granted");
    expect((await newBrowser(service).open(link)).text).toContain("This link is no longer valid");
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });

  test("of an entry that the policy removed leads nowhere, and its open page neither", async () => {
    const { handle, link } = await requestLink(service);
    const page = await openPage(link);
    const POLICY = policyWith((policy) => {
      policy.callers = policy.callers.filter(({ name }) => name !== "daemon");
    });
    const without = service.another({ settings: { POLICY } });
    expect((await newBrowser(without).open(link)).status).toBe(403);
    expect((await submit(page, "allow", without)).status).toBe(403);
    expect(await outcome(redeem(handle, {}, without))).not.toBe(200);
    expect(await outcome(redeem(handle))).toBe("grant_pending");
  });

  test("of one link the cookie is not accepted with the form of another", async () => {
    const [one, two] = [await requestLink(service), await requestLink(service)];
    const [first, second] = [await openPage(one.link), await openPage(two.link)];
    const mixed = await submit({ fields: first.fields, cookie: second.cookie }, "allow");
    expect(mixed.text).toContain("No confirmation is pending");
    const token = second.fields["token"] ?? "";
    const forged = await submit({ fields: { ...first.fields, token }, cookie: first.cookie }, "allow");
    expect(forged.status).toBe(403);
    expect(await outcome(redeem(one.handle))).toBe("grant_pending");
    expect(await outcome(redeem(two.handle))).toBe("grant_pending");
  });

  test("of one browser cannot be answered in another", async () => {
    const { handle, link } = await requestLink(service);
    const page = await openPage(link);
    expect((await submit({ ...page, cookie: "" }, "allow")).text).toContain("No confirmation is pending");
    expect(await outcome(redeem(handle))).toBe("grant_pending");
  });
});

describe("a handle that is bound to a session", () => {
  async function bound() {
    const pkce = newPkce();
    const body = { api: "graph", codeChallenge: pkce.challenge };
    const { handle, link } = await requestLink(service, body);
    expect(await outcome(redeem(handle, { codeVerifier: pkce.verifier }))).toBe("grant_pending");
    expect((await answerLink(service, link)).status).toBe(200);
    return { handle, codeVerifier: pkce.verifier };
  }

  test("is not live without the verifier or with another, and is live once the right one was presented", async () => {
    const { handle, codeVerifier } = await bound();
    world.tenant.state.clearLog();
    expect(await outcome(redeem(handle))).toBe("grant_verifier_required");
    expect(await outcome(redeem(handle, { codeVerifier: newPkce().verifier }))).toBe("grant_verifier_wrong");
    expect(await outcome(redeem(handle, { codeVerifier: "short" }))).toBe("parameter_invalid");
    expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
    expect(await outcome(redeem(handle, { codeVerifier }))).toBe(200);
    expect(await outcome(redeem(handle))).toBe(200);
    expect(await outcome(redeem(handle, { codeVerifier }))).toBe(200);
    expect(await outcome(redeem(handle, { codeVerifier: newPkce().verifier }))).toBe("grant_verifier_wrong");
  });

  test("takes the verifier as a form parameter too", async () => {
    const { handle, codeVerifier } = await bound();
    const form = { grant_type: "refresh_token", refresh_token: handle, code_verifier: codeVerifier };
    expect((await service.call("/oauth2/token", { form, headers: daemon() })).status).toBe(200);
  });

  test("takes the verifier as a header of the relay too", async () => {
    const { handle, codeVerifier } = await bound();
    const call = (headers: Record<string, string>) =>
      service.call("/DownstreamApi/graph/v1.0/me", { headers: { ...daemon(), "X-Grant": handle, ...headers } });
    const refused = [await call({}), await call({ "X-Grant-Verifier": "short" })];
    expect(refused.map(({ json }) => json()["code"])).toEqual(["grant_verifier_required", "parameter_invalid"]);
    const early = await call({ "X-Grant-Verifier": codeVerifier });
    expect(early.status === 200 || !String(early.json()["code"]).startsWith("grant_")).toBe(true);
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("is not opened by the verifier of another handle", async () => {
    const [one, two] = [await bound(), await bound()];
    expect(await outcome(redeem(one.handle, { codeVerifier: two.codeVerifier }))).toBe("grant_verifier_wrong");
  });

  test("tells another caller with the right verifier nothing", async () => {
    const { handle, codeVerifier } = await bound();
    const json = { grant: handle, codeVerifier };
    const answer = await service.call("/AuthorizationHeader/graph", { json, headers: backend() });
    expect(answer.json()).toMatchObject({ code: "grant_invalid" });
  });
});

describe("a grant that ended", () => {
  test.each<[string, (handle: string) => Promise<string>]>([
    ["because Entra ended the session", healingLink],
    [
      "because Conditional Access demands more",
      async (handle) => {
        const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
        world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts: 50076, claims, times: 1 });
        const refused = await redeem(handle);
        expect(refused.json()).toMatchObject({ code: "interaction_required" });
        return pathOf(String(refused.json()["signin_url"]));
      },
    ],
    [
      "because it expired",
      async (handle) => {
        clock.advance(30 * DAY + MINUTE);
        const refused = await redeem(handle);
        expect(refused.json()).toMatchObject({ code: "grant_expired" });
        return pathOf(String(refused.json()["signin_url"]));
      },
    ],
  ])("%s is live again under the same handle after one answer", async (_name, end) => {
    const handle = await allowedHandle(service);
    const before = await listedAs(handle);
    const link = await end(handle);
    clock.advance(MINUTE);
    const done = await answerLink(service, link);
    expect(done.text).toContain("may now act on your behalf");
    expect(service.lastEvent()).toMatchObject({ grantHealed: true, grantId: idOf(handle) });
    expect(service.lastEvent()).not.toHaveProperty("grantMade");
    expect(await outcome(redeem(handle))).toBe(200);
    const same = (await listed()).filter(({ id }) => id === idOf(handle));
    expect(same).toMatchObject([{ createdOn: before?.["createdOn"] }]);
    expect(Date.parse(String(same[0]?.["expiresOn"]))).toBeGreaterThan(Date.parse(String(before?.["expiresOn"])));
  });

  test("works in the same second, and without a token or a refusal that was cached before", async () => {
    const handle = await allowedHandle(service);
    const link = await healingLink(handle);
    expect((await answerLink(service, link)).status).toBe(200);
    const answer = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    expect(answer.status).toBe(200);
  });

  test("is not made live by another person", async () => {
    const handle = await allowedHandle(service);
    const link = await healingLink(handle);
    const done = await answerLink(service, link, { signed: { user: "bob" } });
    expect(done.text).toContain("This link is for another account");
    expect(await listedAs(handle)).toMatchObject({ userObjectId: USER_IDS.alice });
  });

  test("gives another caller no link", async () => {
    const handle = await allowedHandle(service);
    world.tenant.state.order({ ...SESSION_ENDED, times: 1 });
    const json = { grant: handle };
    const answer = await service.call("/AuthorizationHeader/graph", { json, headers: backend() });
    expect(answer.json()).toMatchObject({ code: "grant_invalid" });
    expect(answer.json()).not.toHaveProperty("signin_url");
  });

  test("is not moved to another registration: its link leads nowhere after the entry moved", async () => {
    const handle = await allowedHandle(service);
    const link = await healingLink(handle);
    const moved = service.another({
      settings: { POLICY: policyWithEntries({ daemon: { registration: "narrow", apis: { graph: ["User.Read"] } } }) },
    });
    expect((await newBrowser(moved).open(link)).text).toContain("This sign-in is no longer valid");
  });

  test("stays ended if it was revoked, whatever link or form of it is left", async () => {
    const handle = await allowedHandle(service);
    const link = await healingLink(handle);
    const page = await openPage(link);
    await revoke(handle);
    expect((await submit(page, "allow")).text).toContain("This access has been ended");
    expect((await newBrowser(service).open(link)).text).toContain("This link is no longer valid");
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });

  test("is unchanged if the person declines, and the declined page cannot be allowed afterwards", async () => {
    const handle = await allowedHandle(service);
    const page = await openPage(await healingLink(handle));
    const before = await listedAs(handle);
    expect((await submit(page, "deny")).text).toContain("No access was granted");
    expect(await listedAs(handle)).toEqual(before);
    expect((await submit(page, "allow")).text).toContain("This link is no longer valid");
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("and was allowed again is ended by a denial of the same page", async () => {
    const handle = await allowedHandle(service);
    const page = await openPage(await healingLink(handle));
    expect((await submit(page, "allow")).status).toBe(200);
    expect((await submit(page, "deny")).text).toContain("No access was granted");
    expect(await outcome(redeem(handle))).toBe("grant_invalid");
  });

  test("is allowed again once by a form that is sent twice, also at another instance", async () => {
    const handle = await allowedHandle(service);
    const page = await openPage(await healingLink(handle));
    const answers = await Promise.all([submit(page, "allow"), submit(page, "allow", service.another())]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const healed = service.events().filter(({ grantHealed }) => grantHealed === true).length;
    expect(healed).toBeLessThanOrEqual(1);
    expect(await outcome(redeem(handle))).toBe(200);
  });

  test("is not taken back by an older page that is allowed later", async () => {
    const handle = await allowedHandle(service);
    const link = await healingLink(handle);
    const older = await openPage(link);
    clock.advance(MINUTE);
    expect((await answerLink(service, link)).status).toBe(200);
    const renewed = await listedAs(handle);
    expect((await submit(older, "allow")).text).toContain("This link is no longer valid");
    expect(await listedAs(handle)).toEqual(renewed);
  });
});

test("no page, redirect, cookie or log of a link contains the handle", async () => {
  const { handle, link } = await requestLink(service);
  const browser = newBrowser(service);
  const departure = await browser.open(link);
  const request = entraRequest(departure);
  const back = await browser.open(callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" }));
  const page = await browser.open(back.headers.get("location") ?? "");
  const seen = JSON.stringify([departure.headers.get("location"), back.headers.get("location"), [...browser.jar]]);
  const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
  for (const text of [link, seen, page.text, done.text, service.logs.join("\n")]) expect(text).not.toContain(handle);
  expect(page.text).toContain(CLIENT_IDS.daemon);
});

test("an application gets 60 links in a minute from an instance, and its rows do not fill the table", async () => {
  const json = { api: "graph", expectedUser: USER_IDS.alice };
  const ask = () => service.call("/signin/links", { json, headers: daemon() });
  const answers = [];
  for (let links = 0; links < 61; links++) answers.push(await ask());
  const last = answers.pop();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(last?.status).toBe(429);
  expect(last?.json()).toMatchObject({ code: "too_many_requests", action: "retry" });
  expect(last?.headers.get("ratelimit-policy")).toBe('"links";q=60;w=60');
  clock.advance(MINUTE + 1_000);
  expect((await ask()).status).toBe(201);
});
