/**
 * A policy in a blob, read through the real identity SDK and sockets: the first read, a change on two instances, and what
 * a removed right still reaches (nothing). The clocks are frozen; the tests move them.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InvocationContext, type Timer } from "@azure/functions";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { realSurroundings } from "../../functions/composition/compose.ts";
import { composeFoundation } from "../../functions/composition/foundation.ts";
import { composeVersions } from "../../functions/composition/start.ts";
import { createVersion } from "../../functions/register.ts";
import { configurationFrom } from "../../shared/config/environment.ts";
import { hiddenFields, newBrowser } from "../sign-in/support/browser.ts";
import {
  authorizePath,
  callbackPath,
  codeForClient,
  codeForm,
  createLink,
  entraCode,
  entraRequest,
  newPkce,
  push,
  redeem,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, userToken } from "../support/callers.ts";
import { policyWith, policyWithEntries, type TestPolicy } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld();

const PATH = "policy/policy.json";
const BOUND_MS = 60_001;
const put = (content: string) => world.tenant.state.putBlob({ path: PATH, content }).url;
const url = () => `${world.tenant.url}/devstoreaccount1/${PATH}`;
const serve = (settings: Record<string, string | undefined> = {}): ServiceUnderTest =>
  world.serve({ settings: { POLICY: undefined, POLICY_URL: url(), ...settings } });
const exchange = (at: ServiceUnderTest, scope = "User.Read", token = userToken(world)) =>
  at.call("/oauth2/token", { form: exchangeForm(token, { scope }) });
const detailsOf = async (at: ServiceUnderTest) => {
  const headers = bearer(userToken(world, { user: "erin" }));
  return (await at.call("/ready", { headers })).json()["checks"] as { policy: Record<string, unknown> };
};
const events = (at: ServiceUnderTest) =>
  at.logs.filter((line) => line.includes('"event":"policy"')).map((line) => JSON.parse(line));
const without = (...names: string[]) =>
  policyWith((policy: TestPolicy) => {
    policy.callers = policy.callers.filter(({ name }) => !names.includes(name));
  });
const NOTHING_NEW = policyWith(() => undefined);

beforeEach(() => {
  put(NOTHING_NEW);
  world.tenant.state.setBlobReader({ reads: true });
});

describe("before the first policy", () => {
  test("only the routes that need none answer; the others are 503 policy_unavailable with Retry-After", async () => {
    world.tenant.state.deleteBlob({ path: PATH });
    const at = serve();
    const answer = await exchange(at);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.json()).toMatchObject({ code: "policy_unavailable", action: "retry" });
    expect(at.lastEvent()).toMatchObject({ outcome: "failed", code: "policy_unavailable" });
    expect(at.lastEvent()).not.toHaveProperty("policy");
    for (const path of ["/signin/confirm", "/signin/x", "/grants", "/.well-known/oauth-authorization-server"]) {
      expect([path, (await at.call(path)).status]).toEqual([path, 503]);
    }
    expect((await at.call("/healthz")).status).toBe(200);
    expect((await at.call("/.well-known/oauth-protected-resource")).status).toBe(200);
    expect((await at.call("/ready")).status).toBe(503);
    expect(events(at)).toMatchObject([{ name: "unavailable", reason: "not_found" }]);
    put(NOTHING_NEW);
    clock.advance(5_000);
    expect((await exchange(at)).status).toBe(200);
    expect((await at.call("/ready")).status).toBe(200);
  });

  test("the first request waits for the read that the start began", async () => {
    const at = serve();
    expect((await exchange(at)).status).toBe(200);
    expect(world.tenant.state.requestCounts()["blob"]).toBe(1);
    expect(events(at)).toMatchObject([{ name: "loaded", policy: at.service.config.policyHash }]);
  });
});

test("GET /healthz answers while the first read is running, and GET /ready says that no policy is loaded", async () => {
  const order = world.tenant.state.order({ endpoint: "blob", hold: true });
  const at = serve();
  expect((await at.call("/healthz")).text).toBe("Healthy");
  expect((await at.call("/ready")).status).toBe(503);
  world.tenant.state.releaseOrder({ id: order });
  expect((await exchange(at)).status).toBe(200);
});

async function collectAll(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  await new Promise(setImmediate);
  collectGarbage();
}

describe("the version in use", () => {
  test("is the member policy of each audit event, hash of /ready, and the name in the event of the timer", async () => {
    const at = serve();
    await exchange(at);
    const hash = at.service.config.policyHash;
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(at.lastEvent()).toMatchObject({ policy: hash });
    expect((await detailsOf(at)).policy).toEqual({ state: "ok", hash });
    expect((await at.call("/ready")).json()).toEqual({ status: "ready", version: "development" });
  });

  test("has the same hash as the same text in the setting", async () => {
    const inSetting = world.serve({ settings: { POLICY: NOTHING_NEW } });
    const inBlob = serve();
    await exchange(inBlob);
    await exchange(inSetting);
    expect(inSetting.lastEvent()["policy"]).toBe(inBlob.lastEvent()["policy"]);
    expect((await detailsOf(inSetting)).policy).toEqual({ state: "ok", hash: inBlob.service.config.policyHash });
  });
});

describe("a change of the blob", () => {
  test("is in effect on two instances within a minute, and the audit event says which version decided", async () => {
    const instances = [serve(), serve()];
    for (const at of instances) expect((await exchange(at)).status).toBe(200);
    const before = instances.map((at) => at.lastEvent()["policy"]);
    put(without("web-users"));
    clock.advance(BOUND_MS);
    for (const at of instances) expect((await exchange(at)).json()).toMatchObject({ code: "caller_not_listed" });
    const after = instances.map((at) => at.lastEvent()["policy"]);
    expect(new Set(before).size).toBe(1);
    expect(new Set(after).size).toBe(1);
    expect(after).not.toEqual(before);
    put(NOTHING_NEW);
    clock.advance(BOUND_MS);
    for (const at of instances) expect((await exchange(at)).status).toBe(200);
  });

  test("costs one conditional request in 30 seconds, and an unchanged policy is not transferred", async () => {
    const at = serve();
    await exchange(at);
    for (let second = 0; second < 120; second += 10) {
      clock.advance(10_000);
      await exchange(at);
    }
    await exchange(at);
    const reads = world.tenant.state.requests().filter(({ endpoint }) => endpoint === "blob");
    expect(reads.map(({ status }) => status)).toEqual([200, 304, 304, 304, 304]);
  });

  test("keeps the memory of one version: replaced ones are freed", async () => {
    const at = serve();
    await exchange(at);
    const replaced = new WeakRef(at.service.config.policy);
    put(without("reports"));
    clock.advance(BOUND_MS);
    await exchange(at);
    await collectAll();
    expect(replaced.deref()).toBeUndefined();
  });

  test("frees the registrations and key sets that neither it nor the version before it names", async () => {
    const at = serve();
    await exchange(at);
    const dropped = new WeakRef(at.service.registrations.all.find(({ name }) => name !== "default") ?? {});
    expect(dropped.deref()).toHaveProperty("clientId");
    put(without("intranet-users"));
    clock.advance(BOUND_MS);
    await exchange(at);
    put(without("intranet-users", "reports"));
    clock.advance(BOUND_MS);
    await exchange(at);
    await collectAll();
    expect(dropped.deref()).toBeUndefined();
  });

  test("registers no function: a route is 404 without a body until a policy uses it", async () => {
    put(without("daemon", "web-backend"));
    const at = serve();
    const answer = await at.call("/signin/links", { json: { api: "graph" } });
    expect({ status: answer.status, text: answer.text, type: answer.headers.get("content-type") }).toEqual({
      status: 404,
      text: "",
      type: null,
    });
    put(NOTHING_NEW);
    clock.advance(BOUND_MS);
    expect((await at.call("/signin/links", { json: { api: "graph" } })).status).toBe(401);
  });
});

describe("a right that the new policy removes is refused with the next request", () => {
  /** The policies in which each right is removed. */
  const narrower = policyWith((policy) => {
    (policy.apis["graph"] ?? {})["scopes"] = ["User.Read", ".default"];
    // It would have no scope left.
    policy.callers = policy.callers.filter(({ name }) => name !== "assistant-users");
    for (const entry of policy.callers) {
      const lists = entry["apis"] as Record<string, string[]>;
      entry["apis"] = { ...lists, graph: (lists["graph"] ?? []).filter((scope) => scope !== "Mail.Read") };
    }
  });

  test("a scope, although the token with it is in the cache", async () => {
    const at = serve();
    const token = userToken(world);
    expect((await exchange(at, "Mail.Read", token)).status).toBe(200);
    expect((await exchange(at, "User.Read", token)).status).toBe(200);
    expect((await exchange(at, "Mail.Read", token)).status).toBe(200);
    expect(at.lastEvent()).toMatchObject({ cache: "hit" });
    put(narrower);
    clock.advance(BOUND_MS);
    expect((await exchange(at, "Mail.Read", token)).json()).toMatchObject({ code: "scope_not_allowed" });
    // The cached token carries the removed scope, so it is no answer any more, and neither is Entra's new one.
    expect((await exchange(at, "User.Read", token)).json()).toMatchObject({ code: "scope_surplus" });
    expect(at.lastEvent()).toMatchObject({ cache: "miss" });
  });

  test("a caller and a flow, although their tokens are in the cache", async () => {
    const at = serve();
    const own = () =>
      at.call("/AuthorizationHeaderUnauthenticated/graph", {
        headers: bearer(appToken(world, { client: "reports" })),
      });
    expect((await own()).status).toBe(200);
    expect((await exchange(at)).status).toBe(200);
    put(policyWithEntries({ reports: { flows: ["on-behalf-of"], apis: { graph: ["User.Read"] } } }));
    clock.advance(BOUND_MS);
    expect((await own()).json()).toMatchObject({ code: "flow_not_allowed" });
    put(without("reports", "web-users"));
    clock.advance(BOUND_MS);
    expect((await own()).json()).toMatchObject({ code: "caller_not_listed" });
    expect((await exchange(at)).json()).toMatchObject({ code: "caller_not_listed" });
  });

  test("an open link, and a confirmation page that is open in a browser", async () => {
    const at = serve();
    const link = await createLink(at);
    const browser = newBrowser(at);
    const back = await signInByLink(at, browser);
    expect(back.headers.get("location")).toContain("/signin/confirm");
    put(without("daemon"));
    clock.advance(BOUND_MS);
    const opened = await newBrowser(at).open(link);
    expect(opened.status).toBe(403);
    const page = await browser.open(back.headers.get("location") ?? "");
    expect(page.status).toBe(403);
    expect(at.lastEvent()).toMatchObject({ route: "signin-confirm", code: "caller_not_listed" });
  });

  test("a form that was open when the policy changed", async () => {
    const at = serve();
    const browser = newBrowser(at);
    const back = await signInByLink(at, browser);
    const page = await browser.open(back.headers.get("location") ?? "");
    expect(page.status).toBe(200);
    put(policyWithEntries({ daemon: { unattended: false, offlineAccess: false } }));
    clock.advance(BOUND_MS);
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
    expect([done.status, at.lastEvent()["code"]]).toEqual([403, "unattended_not_allowed"]);
    expect(at.lastEvent()).not.toHaveProperty("grantMade");
  });

  test("a code under way, a pushed request, a sign-in at Entra, and the redirect URI of a removed client", async () => {
    const at = serve();
    const pkce = newPkce();
    const { code } = await codeForClient(at, newBrowser(at), { pkce });
    const pushed = await push(at, pkce);
    const browser = newBrowser(at);
    const request = entraRequest(await browser.open(authorizePath(await push(at, pkce))));
    const { policyHash } = at.service.config;
    put(policyWithEntries({ "web-backend": { redirectUris: ["http://localhost:9999/other"] } }));
    // A code lives for a minute. The version is read in the background before that.
    clock.advance(31_000);
    await exchange(at);
    await vi.waitFor(() => expect(at.service.config.policyHash).not.toBe(policyHash));
    expect((await redeem(at, codeForm(code, pkce))).json()).toMatchObject({ code: "redirect_uri_not_allowed" });
    expect((await newBrowser(at).open(authorizePath(pushed))).status).toBe(403);
    const back = await browser.open(callbackPath({ code: entraCode(at, request), state: request["state"] ?? "" }));
    expect([back.status, back.headers.get("location")]).toEqual([403, null]);
    expect(at.lastEvent()).toMatchObject({ route: "callback", code: "redirect_uri_not_allowed" });
  });

  test("a registration and its caller, although the token was verified before; and it returns with the policy", async () => {
    const at = serve();
    const token = userToken(world, { client: "intranet", resource: "narrow" });
    const call = () => at.call("/AuthorizationHeader/graph", { headers: bearer(token) });
    expect((await call()).status).toBe(200);
    // `policyWith` leaves out a registration that no entry names.
    put(without("intranet-users"));
    clock.advance(BOUND_MS);
    const refused = await call();
    expect([refused.status, refused.json()["code"]]).toEqual([401, "token_for_other_api"]);
    put(NOTHING_NEW);
    clock.advance(BOUND_MS);
    expect((await call()).status).toBe(200);
  });

  test("a live grant: its application is removed, and later its scope", async () => {
    const at = serve();
    const made = await at.call("/oauth2/token", {
      form: exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" }),
    });
    const form = { grant_type: "refresh_token", refresh_token: String(made.json()["refresh_token"]) };
    const refresh = () => redeem(at, form, userToken(world));
    expect((await refresh()).status).toBe(200);
    expect((await refresh()).status).toBe(200);
    expect(at.lastEvent()).toMatchObject({ cache: "hit" });
    put(narrower);
    clock.advance(BOUND_MS);
    expect((await redeem(at, { ...form, scope: "Mail.Read" }, userToken(world))).json()).toMatchObject({
      code: "scope_not_allowed",
    });
    put(without("web-users"));
    clock.advance(BOUND_MS);
    expect((await refresh()).json()).toMatchObject({ code: "caller_not_listed" });
  });
});

describe("the last good version stays in use", () => {
  test.each([
    ["invalid JSON", "{", "POLICY is not JSON"],
    [
      "an unknown member",
      policyWithEntries({ "web-users": { colour: "red" } }),
      "POLICY callers.0 has an unknown member: colour",
    ],
    [
      "a contradiction with a setting",
      policyWithEntries({ "web-users": { clientId: "5e471ce0-0000-4000-8000-000000000001" } }),
      "POLICY must not list CLIENT_ID as a caller",
    ],
  ])("if the newest one has %s", async (_title, content, problem) => {
    const at = serve();
    await exchange(at);
    const { policyHash } = at.service.config;
    put(content);
    clock.advance(BOUND_MS);
    expect((await exchange(at)).status).toBe(200);
    expect(at.lastEvent()).toMatchObject({ policy: policyHash });
    expect(events(at).at(-1)).toMatchObject({
      name: "refused",
      policy: policyHash,
      problems: expect.stringContaining(problem),
    });
    expect((await detailsOf(at)).policy).toMatchObject({ state: "refused", hash: policyHash });
    expect((await at.call("/ready")).json()).toEqual({ status: "ready", version: "development" });
  });

  test.each([
    ["is deleted", () => world.tenant.state.deleteBlob({ path: PATH }), "not_found"],
    ["may not be read any more", () => world.tenant.state.setBlobReader({ reads: false }), "forbidden"],
    ["is larger than 1 MiB", () => put(`${" ".repeat(1024 * 1024)}{}`), "too_large"],
    ["is throttled", () => world.tenant.state.order({ endpoint: "blob", status: 503, times: 0 }), "throttled"],
    [
      "has a storage account that drops connections",
      () => world.tenant.state.order({ endpoint: "blob", drop: true, times: 0 }),
      "network",
    ],
  ] as [string, () => unknown, string][])("if the blob %s", async (_title, change, reason) => {
    const at = serve();
    await exchange(at);
    change();
    clock.advance(BOUND_MS);
    const answer = await exchange(at);
    expect(answer.status).toBe(200);
    expect(events(at).at(-1)).toMatchObject({ name: "unavailable", reason });
    expect((await detailsOf(at)).policy).toMatchObject({ state: "unavailable", reason });
    expect((await at.call("/ready")).status).toBe(200);
  });

  test("an instance whose managed identity gets no token loads no policy", async () => {
    world.tenant.state.order({ endpoint: "msi", status: 400, times: 0 });
    // The SDK keeps the tokens of an identity for the whole process, so this test uses the other identity.
    const at = serve({ MANAGED_IDENTITY_CLIENT_ID: CLIENT_IDS.userIdentity });
    expect((await exchange(at)).json()).toMatchObject({ code: "policy_unavailable" });
    expect(events(at)).toMatchObject([{ name: "unavailable", reason: "identity_unavailable" }]);
  });

  test("an instance that starts with an invalid policy is not ready, and says why", async () => {
    put("{");
    const at = serve();
    expect((await exchange(at)).status).toBe(503);
    expect((await at.call("/ready")).status).toBe(503);
    expect((await detailsOf(at)).policy).toEqual({ state: "refused", problems: ["POLICY is not JSON"] });
  });
});

test("the watch timer reads the policy of an idle instance and logs its version", async () => {
  const { settings } = serve();
  const { fixed, policy } = configurationFrom(settings);
  if (policy.kind !== "blob") throw new Error("the policy is not in a blob");
  const versions = composeVersions(composeFoundation(fixed, realSurroundings()), policy, createVersion);
  const lines: string[] = [];
  const logHandler = (_level: string, ...args: unknown[]) => void lines.push(args.map(String).join(" "));
  const context = new InvocationContext({ functionName: "watch", invocationId: "watch", logHandler });
  await (await versions.forRequest()).watch({ isPastDue: false } as Timer, context);
  const { policyHash } = versions.latest().service.config;
  expect(lines.map((line) => JSON.parse(line))[0]).toMatchObject({
    event: "ready",
    state: "ready",
    policy: policyHash,
    policyState: "ok",
  });
});
