/** `GET /oauth2/authorize` and `GET /oauth2/callback`: everything that can go wrong in a browser (RF-1 to RF-3, SEC-8). */
import { describe, expect, test } from "vitest";
import { CLIENT_IDS } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { newBrowser } from "./support/browser.ts";
import {
  authorizePath,
  callbackPath,
  codeForClient,
  createLink,
  entraCode,
  entraRequest,
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

/** Begins a sign-in. Returns the browser and the parameters of the request to Entra. */
async function beginSignIn(browser = newBrowser(service), pkce = newPkce()) {
  const departure = await browser.open(authorizePath(await push(service, pkce)));
  return { browser, pkce, request: entraRequest(departure) };
}

describe("GET /oauth2/authorize", () => {
  test("accepts only a pushed request (RFC 9126 section 4)", async () => {
    const query = { response_type: "code", client_id: CLIENT_IDS.web, redirect_uri: REDIRECT_URI, scope: "User.Read" };
    const answer = await service.call(`/oauth2/authorize?${new URLSearchParams(query)}`);
    expectPage(answer, 400, "This address is incomplete");
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "signin_request_invalid" });
  });

  test("ignores parameters next to request_uri (RFC 9101 section 5)", async () => {
    const path = `${authorizePath(await push(service, newPkce()))}&redirect_uri=https://evil.example&scope=Files.Read`;
    const request = entraRequest(await newBrowser(service).open(path));
    expect(request["scope"]).not.toContain("Files.Read");
    expect(JSON.stringify(request)).not.toContain("evil.example");
  });

  test("refuses the request_uri of another client", async () => {
    const path = authorizePath(await push(service, newPkce()), CLIENT_IDS.daemon);
    expectPage(await service.call(path), 400, "This address is incomplete");
  });

  test.each([
    ["forged", (uri: string) => `${uri.slice(0, -2)}${uri.endsWith("AA") ? "QQ" : "AA"}`],
    ["of another form", () => "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"],
    ["a URL", () => "https://evil.example/request"],
    ["empty", () => ""],
  ])("refuses a request_uri that is %s", async (_name, change) => {
    const path = authorizePath(change(await push(service, newPkce())));
    expectPage(await service.call(path), 400, "This address is incomplete");
  });

  test("refuses a request_uri after more than a minute", async () => {
    const path = authorizePath(await push(service, newPkce()));
    clock.advance(61_000);
    expectPage(await service.call(path), 400, "That took too long");
  });

  test("refuses client_id twice", async () => {
    const path = `${authorizePath(await push(service, newPkce()))}&client_id=${CLIENT_IDS.web}`;
    expect((await service.call(path)).status).toBe(400);
  });

  test("answers another method with 405", async () => {
    const answer = await service.call("/oauth2/authorize", { form: {} });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("GET");
  });

  test("passes the hints to Entra", async () => {
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
    const hints = { prompt: "login", login_hint: "alice@contoso.local", domain_hint: "contoso.local", claims };
    const path = authorizePath(await push(service, newPkce(), hints));
    const request = entraRequest(await newBrowser(service).open(path));
    expect(request).toMatchObject({ prompt: "login", login_hint: "alice@contoso.local", domain_hint: "contoso.local" });
    expect(JSON.parse(request["claims"] ?? "")).toMatchObject({ access_token: { acrs: { value: "c1" } } });
  });

  test("fails before the sign-in if the credential cannot be read", async () => {
    const other = world.serve({ settings: { CLIENT_SECRET_NAME: "missing" } });
    const answer = await other.call(authorizePath(await push(service, newPkce())));
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.text).toContain("<h1>This did not work</h1>");
  });

  test("keeps at most five sign-ins per browser and removes the oldest", async () => {
    const browser = newBrowser(service);
    for (let round = 0; round < 8; round++) {
      await browser.open(await createLink(service));
      clock.advance(1_000);
    }
    expect(browser.jar.size).toBe(5);
  });
});

describe("GET /oauth2/callback", () => {
  test("refuses missing parameters, and code together with error", async () => {
    const { browser, request } = await beginSignIn();
    const state = request["state"] ?? "";
    for (const query of [{}, { state }, { code: "x" }, { state, code: "x", error: "access_denied" }]) {
      const answer = await browser.open(callbackPath(query as Record<string, string>));
      expectPage(answer, 400, "No sign-in to complete");
    }
  });

  test("refuses code twice, and a code that is too long", async () => {
    const { browser, request } = await beginSignIn();
    const state = request["state"] ?? "";
    expectPage(await browser.open(`${callbackPath({ code: "x", state })}&code=y`), 400, "No sign-in to complete");
    const long = callbackPath({ code: "x".repeat(4_097), state });
    expectPage(await browser.open(long), 400, "No sign-in to complete");
  });

  test("in another browser shows a page and does not redirect (SEC-8)", async () => {
    const { request } = await beginSignIn();
    const path = callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" });
    expectPage(await newBrowser(service).open(path), 400, "This sign-in is not in progress in this browser");
    expect(service.lastEvent()).toMatchObject({ route: "callback", code: "signin_not_begun_here" });
  });

  test("refuses a state that differs in its secret part", async () => {
    const { browser, request } = await beginSignIn();
    const state = request["state"] ?? "";
    const wrong = state.slice(0, -1) + (state.endsWith("A") ? "B" : "A");
    const answer = await browser.open(callbackPath({ code: "x", state: wrong }));
    expectPage(answer, 400, "This response belongs to another sign-in");
  });

  test("refuses the cookie of another sign-in under the name of this one", async () => {
    const [one, other] = [await beginSignIn(), await beginSignIn()];
    const [name = ""] = one.browser.jar.keys();
    one.browser.jar.set(name, [...other.browser.jar.values()][0] ?? "");
    const answer = await one.browser.open(callbackPath({ code: "x", state: one.request["state"] ?? "" }));
    expectPage(answer, 400, "This response belongs to another sign-in");
  });

  test("refuses a cookie that was changed", async () => {
    const { browser, request } = await beginSignIn();
    const [[name, value] = ["", ""]] = browser.jar;
    browser.jar.set(name, `${value.slice(0, -2)}${value.endsWith("AA") ? "QQ" : "AA"}`);
    const answer = await browser.open(callbackPath({ code: "x", state: request["state"] ?? "" }));
    expectPage(answer, 400, "This sign-in is not in progress in this browser");
  });

  test("refuses a sign-in after ten minutes, even if the browser still has the cookie", async () => {
    const { browser, request } = await beginSignIn();
    clock.advance(10 * MINUTE + 1_000);
    const answer = await browser.open(callbackPath({ code: "x", state: request["state"] ?? "" }));
    expectPage(answer, 400, "The sign-in took too long");
  });

  test("refuses a repetition, because the first response deleted the cookie", async () => {
    const { browser, request } = await beginSignIn();
    const path = callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" });
    const first = await browser.open(path);
    expect(first.status).toBe(303);
    expect(first.cookies).toEqual([expect.objectContaining({ value: "", maxAge: 0, path: "/", secure: true })]);
    expectPage(await browser.open(path), 400, "This sign-in is not in progress in this browser");
  });

  const errors: [string, Record<string, string>, string, number | undefined][] = [
    [
      "declined consent",
      { error: "access_denied", error_subcode: "cancel", error_description: "AADSTS65004: User declined …" },
      "access_denied",
      65004,
    ],
    ["consent missing", { error: "consent_required", error_description: "AADSTS65001: x" }, "consent_required", 65001],
    ["prompt=none", { error: "login_required", error_description: "AADSTS50058: x" }, "login_required", 50058],
    ["prompt=none, several accounts", { error: "account_selection_required" }, "account_selection_required", undefined],
    [
      "a claims challenge",
      { error: "interaction_required", error_description: "AADSTS50076: x" },
      "interaction_required",
      50076,
    ],
    ["Entra is busy", { error: "temporarily_unavailable" }, "temporarily_unavailable", undefined],
    ["Entra failed", { error: "server_error" }, "temporarily_unavailable", undefined],
    [
      "an error of the service's registration",
      { error: "unauthorized_client", error_description: "AADSTS700016: x" },
      "server_error",
      700016,
    ],
    ["an unknown error", { error: "<script>" }, "server_error", undefined],
  ];
  test.each(errors)("sends Entra's refusal to the client: %s", async (_name, refusal, error, number) => {
    const { browser, request } = await beginSignIn();
    const answer = await browser.open(callbackPath({ ...refusal, state: request["state"] ?? "" }));
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get("location") ?? "");
    expect(location.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    const sent = Object.fromEntries(location.searchParams);
    expect(sent).toMatchObject({ error, state: "the-client's own state", iss: "http://localhost:7071" });
    expect(sent["error_description"]).not.toMatch(/AADSTS\d+:|User declined|script/);
    expect(sent["error_description"]?.endsWith(` (AADSTS${number}).`)).toBe(number !== undefined);
    expect(service.lastEvent()).toMatchObject({
      route: "callback",
      outcome: error === "server_error" || error === "temporarily_unavailable" ? "failed" : "refused",
      policyEntry: "web-backend",
      ...(number === undefined ? {} : { aadsts: [number] }),
    });
  });

  test("redirects with 303, no-store and no-referrer (RFC 9700 section 4.12)", async () => {
    const { answer } = await codeForClient(service, newBrowser(service), { pkce: newPkce() });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("has the correlation id of the first redirect", async () => {
    const { request, browser } = await beginSignIn();
    const begun = service.lastEvent()["correlationId"];
    await browser.open(callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" }));
    expect(service.lastEvent()["correlationId"]).toBe(begun);
  });
});
