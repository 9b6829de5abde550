/** `GET /oauth2/authorize` and `GET /oauth2/callback`: everything that may go wrong in a browser (RF-1 to RF-3, SEC-8). */
import { describe, expect, test } from "vitest";
import { CLIENT_IDS } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { newBrowser } from "./support/browser.ts";
import {
  askedOfEntra,
  authorizePath,
  callbackPath,
  codeForClient,
  createLink,
  entraCode,
  newPkce,
  push,
  REDIRECT_URI,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();

function expectPage(answer: Answer, status: number, title: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(answer.headers.get("location")).toBeNull();
  expect(answer.headers.get("www-authenticate")).toBeNull();
  expect(answer.text).toContain(`<h1>${title}</h1>`);
}

/** A sign-in under way: what Entra was asked. */
async function underWay(browser = newBrowser(service), pkce = newPkce()) {
  const departure = await browser.open(authorizePath(await push(service, pkce)));
  return { browser, pkce, asked: askedOfEntra(departure) };
}

describe("authorize", () => {
  test("nothing but a pushed request is accepted (RFC 9126 section 4)", async () => {
    const query = { response_type: "code", client_id: CLIENT_IDS.web, redirect_uri: REDIRECT_URI, scope: "User.Read" };
    const answer = await service.call(`/oauth2/authorize?${new URLSearchParams(query)}`);
    expectPage(answer, 400, "This address is not complete");
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "signin_request_invalid" });
  });

  test("what stands beside the reference does not count (RFC 9101 section 5)", async () => {
    const path = `${authorizePath(await push(service, newPkce()))}&redirect_uri=https://evil.example&scope=Files.Read`;
    const asked = askedOfEntra(await newBrowser(service).open(path));
    expect(asked["scope"]).not.toContain("Files.Read");
    expect(JSON.stringify(asked)).not.toContain("evil.example");
  });

  test("another client's reference", async () => {
    const path = authorizePath(await push(service, newPkce()), CLIENT_IDS.daemon);
    expectPage(await service.call(path), 400, "This address is not complete");
  });

  test.each([
    ["forged", (uri: string) => `${uri.slice(0, -2)}${uri.endsWith("AA") ? "QQ" : "AA"}`],
    ["of another kind", () => "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"],
    ["an address", () => "https://evil.example/request"],
    ["empty", () => ""],
  ])("a reference that is %s", async (_name, change) => {
    const path = authorizePath(change(await push(service, newPkce())));
    expectPage(await service.call(path), 400, "This address is not complete");
  });

  test("a reference that comes after a minute", async () => {
    const path = authorizePath(await push(service, newPkce()));
    clock.advance(61_000);
    expectPage(await service.call(path), 400, "That took too long");
  });

  test("client_id twice", async () => {
    const path = `${authorizePath(await push(service, newPkce()))}&client_id=${CLIENT_IDS.web}`;
    expect((await service.call(path)).status).toBe(400);
  });

  test("another method: 405", async () => {
    const answer = await service.call("/oauth2/authorize", { form: {} });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("GET");
  });

  test("hints reach Entra, and the scopes carry their resource", async () => {
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
    const hints = { prompt: "login", login_hint: "alice@contoso.local", domain_hint: "contoso.local", claims };
    const path = authorizePath(await push(service, newPkce(), hints));
    const asked = askedOfEntra(await newBrowser(service).open(path));
    expect(asked).toMatchObject({ prompt: "login", login_hint: "alice@contoso.local", domain_hint: "contoso.local" });
    expect(JSON.parse(asked["claims"] ?? "")).toMatchObject({ access_token: { acrs: { value: "c1" } } });
  });

  test("a credential that cannot be read is met before anybody signs in", async () => {
    const other = world.serve({ settings: { CLIENT_SECRET_NAME: "missing" } });
    const answer = await other.call(authorizePath(await push(service, newPkce())));
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.text).toContain("<h1>This did not work</h1>");
  });

  test("never more than five sign-ins under way: the oldest goes", async () => {
    const browser = newBrowser(service);
    for (let round = 0; round < 8; round++) {
      await browser.open(await createLink(service));
      clock.advance(1_000);
    }
    expect(browser.jar.size).toBe(5);
  });
});

describe("callback", () => {
  test("without parameters, with half of them, with both", async () => {
    const { browser, asked } = await underWay();
    const state = asked["state"] ?? "";
    for (const query of [{}, { state }, { code: "x" }, { state, code: "x", error: "access_denied" }]) {
      const answer = await browser.open(callbackPath(query as Record<string, string>));
      expectPage(answer, 400, "Nothing to finish here");
    }
  });

  test("a code twice, or one far too long", async () => {
    const { browser, asked } = await underWay();
    const state = asked["state"] ?? "";
    expectPage(await browser.open(`${callbackPath({ code: "x", state })}&code=y`), 400, "Nothing to finish here");
    const long = callbackPath({ code: "x".repeat(4_097), state });
    expectPage(await browser.open(long), 400, "Nothing to finish here");
  });

  test("in another browser (SEC-8): nothing is sent anywhere", async () => {
    const { asked } = await underWay();
    const path = callbackPath({ code: entraCode(service, asked), state: asked["state"] ?? "" });
    expectPage(await newBrowser(service).open(path), 400, "This sign-in is not under way in this browser");
    expect(service.lastEvent()).toMatchObject({ route: "callback", code: "signin_not_begun_here" });
  });

  test("with a state that differs in its secret part", async () => {
    const { browser, asked } = await underWay();
    const state = asked["state"] ?? "";
    const wrong = state.slice(0, -1) + (state.endsWith("A") ? "B" : "A");
    const answer = await browser.open(callbackPath({ code: "x", state: wrong }));
    expectPage(answer, 400, "This answer belongs to another sign-in");
  });

  test("with the cookie of another sign-in under this one's name", async () => {
    const [one, other] = [await underWay(), await underWay()];
    const [name = ""] = one.browser.jar.keys();
    one.browser.jar.set(name, [...other.browser.jar.values()][0] ?? "");
    const answer = await one.browser.open(callbackPath({ code: "x", state: one.asked["state"] ?? "" }));
    expectPage(answer, 400, "This answer belongs to another sign-in");
  });

  test("with a cookie that was changed", async () => {
    const { browser, asked } = await underWay();
    const [[name, value] = ["", ""]] = browser.jar;
    browser.jar.set(name, `${value.slice(0, -2)}${value.endsWith("AA") ? "QQ" : "AA"}`);
    const answer = await browser.open(callbackPath({ code: "x", state: asked["state"] ?? "" }));
    expectPage(answer, 400, "This sign-in is not under way in this browser");
  });

  test("after ten minutes, though the browser kept the cookie", async () => {
    const { browser, asked } = await underWay();
    clock.advance(10 * MINUTE + 1_000);
    const answer = await browser.open(callbackPath({ code: "x", state: asked["state"] ?? "" }));
    expectPage(answer, 400, "The sign-in took too long");
  });

  test("twice: the cookie went with the first", async () => {
    const { browser, asked } = await underWay();
    const path = callbackPath({ code: entraCode(service, asked), state: asked["state"] ?? "" });
    const first = await browser.open(path);
    expect(first.status).toBe(303);
    expect(first.cookies).toEqual([expect.objectContaining({ value: "", maxAge: 0, path: "/", secure: true })]);
    expectPage(await browser.open(path), 400, "This sign-in is not under way in this browser");
  });

  const errors: [string, Record<string, string>, string, number | undefined][] = [
    [
      "declined consent",
      { error: "access_denied", error_subcode: "cancel", error_description: "AADSTS65004: User declined …" },
      "access_denied",
      65004,
    ],
    ["nobody consented", { error: "consent_required", error_description: "AADSTS65001: x" }, "consent_required", 65001],
    ["prompt=none", { error: "login_required", error_description: "AADSTS50058: x" }, "login_required", 50058],
    ["prompt=none, several accounts", { error: "account_selection_required" }, "account_selection_required", undefined],
    ["a demand", { error: "interaction_required", error_description: "AADSTS50076: x" }, "interaction_required", 50076],
    ["Entra is busy", { error: "temporarily_unavailable" }, "temporarily_unavailable", undefined],
    ["Entra failed", { error: "server_error" }, "temporarily_unavailable", undefined],
    [
      "our registration",
      { error: "unauthorized_client", error_description: "AADSTS700016: x" },
      "server_error",
      700016,
    ],
    ["a word of nobody's", { error: "<script>" }, "server_error", undefined],
  ];
  test.each(errors)("Entra's refusal goes to the client: %s", async (_name, refusal, error, number) => {
    const { browser, asked } = await underWay();
    const answer = await browser.open(callbackPath({ ...refusal, state: asked["state"] ?? "" }));
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get("location") ?? "");
    expect(location.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    const told = Object.fromEntries(location.searchParams);
    expect(told).toMatchObject({ error, state: "the-client's own state", iss: "http://localhost:7071" });
    expect(told["error_description"]).not.toMatch(/AADSTS|script/);
    expect(service.lastEvent()).toMatchObject({
      route: "callback",
      outcome: error === "server_error" || error === "temporarily_unavailable" ? "failed" : "refused",
      policyEntry: "web-backend",
      ...(number === undefined ? {} : { aadsts: [number] }),
    });
  });

  test("a redirect is a 303, uncached, without a referrer (RFC 9700 section 4.12)", async () => {
    const { answer } = await codeForClient(service, newBrowser(service), { pkce: newPkce() });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("the correlation id stays the same from the first redirect to the end", async () => {
    const { asked, browser } = await underWay();
    const begun = service.lastEvent()["correlationId"];
    await browser.open(callbackPath({ code: entraCode(service, asked), state: asked["state"] ?? "" }));
    expect(service.lastEvent()["correlationId"]).toBe(begun);
  });
});
