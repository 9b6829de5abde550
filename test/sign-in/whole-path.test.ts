/** Complete sign-ins through the real handlers, MSAL, jose and the local tenant. Only Entra's page is skipped. */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, claimsOf, USER_IDS, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";
import { hiddenFields, newBrowser, pathOf } from "./support/browser.ts";
import {
  authorizePath,
  CALLBACK,
  codeForClient,
  codeForm,
  entraRequest,
  newPkce,
  push,
  REDIRECT_URI,
  redeem,
  requestLink,
  signInByLink,
} from "./support/sign-in.ts";

const { service } = useWorld();

describe("an application's sign-in (RFC 9126, RFC 6749 section 4.1, RFC 7636, RFC 9207)", () => {
  test("returns a token of the person who signed in", async () => {
    const pkce = newPkce();
    const browser = newBrowser(service);

    const departure = await browser.open(authorizePath(await push(service, pkce)));
    expect(departure.status).toBe(303);
    expect(service.lastEvent()).toMatchObject({ route: "authorize", outcome: "answered", policyEntry: "web-backend" });
    const request = entraRequest(departure);
    expect(request).toMatchObject({
      client_id: CLIENT_IDS.service,
      redirect_uri: CALLBACK,
      response_type: "code",
      response_mode: "query",
      code_challenge_method: "S256",
    });
    expect(request["scope"]?.split(" ")).toEqual(
      expect.arrayContaining(["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"]),
    );
    expect(request["code_challenge"]).not.toBe(pkce.challenge);
    expect(departure.cookies).toEqual([
      expect.objectContaining({ secure: true, httpOnly: true, sameSite: "Lax", path: "/", maxAge: 600 }),
    ]);
    expect(departure.cookies[0]?.name).toMatch(/^__Host-gte-signin-/);

    const { answer, location, code } = await codeForClient(service, newBrowser(service), { pkce });
    expect(answer.status).toBe(303);
    expect(location.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      iss: "http://localhost:7071",
      state: "the-client's own state",
    });

    const tokens = await redeem(service, codeForm(code, pkce));
    expect(tokens.status).toBe(200);
    expect(tokens.json()).toMatchObject({ token_type: "Bearer", scope: expect.stringContaining("User.Read") });
    expect(tokens.json()).not.toHaveProperty("refresh_token");
    expect(claimsOf(String(tokens.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
    expect(service.lastEvent()).toMatchObject({
      route: "token",
      flow: "authorization-code",
      outcome: "issued",
      subjectObjectId: USER_IDS.alice,
      cache: "bypass",
    });
  });

  test("returns a grant of the application with offline_access", async () => {
    const pkce = newPkce();
    const changes = { scope: "User.Read offline_access" };
    const { code } = await codeForClient(service, newBrowser(service), { pkce, changes });
    const tokens = await redeem(service, codeForm(code, pkce));
    expect(tokens.json()["refresh_token"]).toMatch(/^gte_/);

    const again = await redeem(service, {
      grant_type: "refresh_token",
      refresh_token: String(tokens.json()["refresh_token"]),
    });
    expect(again.status).toBe(200);
    expect(claimsOf(String(again.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
  });

  test("returns a code that can be redeemed once: Entra refuses the second time", async () => {
    const pkce = newPkce();
    const { code } = await codeForClient(service, newBrowser(service), { pkce });
    expect((await redeem(service, codeForm(code, pkce))).status).toBe(200);
    const replay = await redeem(service, codeForm(code, pkce));
    expect(replay.status).toBe(400);
    expect(replay.json()).toMatchObject({ error: "invalid_grant", error_codes: [54005] });
  });
});

describe("a person creates a grant for an application that is not present", () => {
  test("with link, sign-in and approval, and the handle works for the application", async () => {
    const browser = newBrowser(service);
    const { link, handle } = await requestLink(service);
    const departure = await browser.open(link);
    expect(entraRequest(departure)).toMatchObject({ prompt: "select_account" });

    const back = await signInByLink(service, browser, { link });
    expect(back.status).toBe(303);
    const location = back.headers.get("location") ?? "";
    expect(location).toMatch(/^\/signin\/confirm\?transaction=[\w-]{29}$/);
    expect(service.lastEvent()).toMatchObject({ route: "callback", outcome: "answered" });

    const page = await browser.open(location);
    expect(page.status).toBe(200);
    const shownFacts = ["Contoso Nightly Job", CLIENT_IDS.daemon, "Alice Archer", "alice@contoso.local", "Mail.Read"];
    for (const shown of [...shownFacts, "<dd>Microsoft Graph<br>"]) {
      expect(page.text).toContain(shown);
    }
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
    expect(done.status).toBe(200);
    expect(done.text).not.toContain("gte_");
    expect([...browser.jar.keys()].filter((name) => name.includes("confirm"))).toEqual([]);
    expect(service.lastEvent()).toMatchObject({ route: "signin-confirm", outcome: "answered", grantMade: true });

    const header = await service.call("/AuthorizationHeader/graph", {
      json: { grant: handle },
      headers: bearer(appToken(service, { client: "daemon" })),
    });
    expect(header.status).toBe(200);
    expect(claimsOf(String(header.json()["authorizationHeader"]).slice(7))).toMatchObject({ oid: USER_IDS.alice });

    const twice = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
    expect(twice.status).toBe(400);
    expect(twice.text).toContain("No confirmation is pending");
  });

  test("with a link that a person with Grant.Create requested", async () => {
    const token = userToken(service, { claims: { roles: ["Grant.Create"] } } as never);
    const made = await service.call("/signin/links", {
      json: { api: "graph", caller: "daemon", expectedUser: USER_IDS.alice },
      headers: bearer(token),
    });
    expect(made.status).toBe(201);
    const back = await signInByLink(service, newBrowser(service), { link: pathOf(String(made.json()["url"])) });
    expect(back.headers.get("location")).toContain("/signin/confirm");
  });
});
