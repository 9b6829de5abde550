/** `grant_type=authorization_code`: RFC 6749 section 4.1.3, RFC 7636 section 4.6, RF-2, SEC-7, SEC-8. */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";
import { newBrowser } from "./support/browser.ts";
import {
  codeForClient,
  codeForm,
  createLink,
  newPkce,
  type Pkce,
  push,
  redeem,
  type Signed,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();

async function newCode(pkce: Pkce, changes: Record<string, string> = {}, signed: Signed = {}): Promise<string> {
  return (await codeForClient(service, newBrowser(service), { pkce, changes, signed })).code;
}

describe("refused before Entra is asked", () => {
  const refused: [string, Record<string, string | undefined>, string, string][] = [
    ["no code", { code: undefined }, "invalid_request", "parameter_missing"],
    ["no redirect_uri", { redirect_uri: undefined }, "invalid_request", "parameter_missing"],
    [
      "no verifier: the challenge cannot be dropped",
      { code_verifier: undefined },
      "invalid_request",
      "parameter_missing",
    ],
    ["a verifier of 42 characters", { code_verifier: "v".repeat(42) }, "invalid_request", "parameter_invalid"],
    ["a verifier of 129 characters", { code_verifier: "v".repeat(129) }, "invalid_request", "parameter_invalid"],
    ["a verifier with a space", { code_verifier: `${"v".repeat(42)} v` }, "invalid_request", "parameter_invalid"],
    ["another verifier", { code_verifier: "v".repeat(43) }, "invalid_grant", "code_refused"],
    ["another redirect_uri", { redirect_uri: "http://localhost:9999/callback/" }, "invalid_grant", "code_refused"],
    ["a code of nobody's", { code: "x" }, "invalid_grant", "code_refused"],
    ["another API", { audience: "orders" }, "invalid_target", "api_ambiguous"],
    ["a wider scope", { scope: "Files.Read" }, "invalid_scope", "scope_not_allowed"],
  ];
  test.each(refused)("%s", async (_name, changes, error, code) => {
    const pkce = newPkce();
    const issued = await newCode(pkce);
    world.tenant.state.clearLog();
    const form = changes["audience"] === "orders" ? { ...changes, audience: "orders" } : changes;
    const answer = await redeem(service, codeForm(issued, pkce, form));
    expect(answer.status).toBe(400);
    expect(answer.json()["error"]).toBe(error);
    if (error !== "invalid_target") {
      expect(answer.json()["code"]).toBe(code);
    }
    expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
  });

  test("the challenge itself is no verifier", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce, { code_verifier: pkce.challenge }));
    expect(answer.json()).toMatchObject({ error: "invalid_grant" });
  });

  test("another client, though it has the verifier", async () => {
    const pkce = newPkce();
    const token = appToken(service, { client: "daemon" });
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce), token);
    expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
    expect(service.lastEvent()).toMatchObject({ reason: "wrong_client", callerClientId: CLIENT_IDS.daemon });
  });

  test("a user of the same client", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce), userToken(service));
    expect(answer.json()).toMatchObject({ error: "unauthorized_client" });
  });

  test("nobody", async () => {
    const pkce = newPkce();
    const answer = await service.call("/oauth2/token", { form: codeForm(await newCode(pkce), pkce) });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: "invalid_client" });
  });

  test("after a minute", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    clock.advance(61_000);
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ error: "invalid_grant", action: "sign_in" });
    expect(service.lastEvent()).toMatchObject({ reason: "expired" });
  });

  test("policy changed meanwhile", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    const POLICY = policyWithEntries({ "web-backend": { redirectUris: ["https://elsewhere.example/callback"] } });
    const changed = world.serve({ settings: { POLICY } });
    const answer = await redeem(changed, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ code: "redirect_uri_not_allowed" });
  });

  test("a pushed request or a link is no code", async () => {
    const pkce = newPkce();
    const pushed = (await push(service, pkce)).replace("urn:ietf:params:oauth:request_uri:", "");
    const link = (await createLink(service)).replace("/signin/", "");
    for (const code of [pushed, link]) {
      expect((await redeem(service, codeForm(code, pkce))).json()).toMatchObject({ error: "invalid_grant" });
    }
  });
});

describe("Entra's word on it", () => {
  test("another nonce than ours: a code that was slipped in", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce, {}, { nonce: "another" }), pkce));
    expect(answer.status).toBe(502);
    expect(answer.json()).not.toHaveProperty("access_token");
  });

  test("a guest, where guests may not come, and where they may", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce, {}, { user: "dave" });
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "signin_guest", action: "ask_admin" });
    const open = world.serve({ settings: { ALLOW_GUESTS: "true" } });
    const again = newPkce();
    const { code: other } = await codeForClient(open, newBrowser(open), { pkce: again, signed: { user: "dave" } });
    expect((await redeem(open, codeForm(other, again))).status).toBe(200);
  });

  test("a code that Entra has forgotten", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    world.tenant.state.order({ endpoint: "token", aadsts: 70008 });
    expect((await redeem(service, codeForm(code, pkce))).json()).toMatchObject({ error: "invalid_grant" });
  });

  test("more than the caller may have is not released", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Files.Read"] });
  });

  test("one person's throttle is not another's", async () => {
    const [one, two] = [newPkce(), newPkce()];
    const [first, second] = [await newCode(one), await newCode(two)];
    world.tenant.state.order({ endpoint: "token", throttleSeconds: 7 });
    expect((await redeem(service, codeForm(first, one))).status).toBe(429);
    expect((await redeem(service, codeForm(second, two))).status).toBe(200);
  });

  test("a narrower scope may be asked for (RFC 8707)", async () => {
    const pkce = newPkce();
    const answer = await redeem(
      service,
      codeForm(await newCode(pkce), pkce, { scope: "User.Read", audience: "graph" }),
    );
    expect(answer.status).toBe(200);
  });

  test("many people sign in to one application in a minute", async () => {
    for (let person = 0; person < 14; person++) {
      const pkce = newPkce();
      const code = await newCode(pkce);
      const answer = await service.call("/oauth2/token", {
        form: codeForm(code, pkce),
        headers: bearer(appToken(service)),
      });
      expect(answer.status).toBe(200);
    }
  });
});
