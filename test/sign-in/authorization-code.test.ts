/** `grant_type=authorization_code`: RFC 6749 section 4.1.3, RFC 7636 section 4.6, RF-2, SEC-7, SEC-8. */
import { setTimeout } from "node:timers/promises";
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

describe("two requests with the same code at the same time", () => {
  const redeemTwice = async (changes: Record<string, string>) => {
    const pkce = newPkce();
    const form = codeForm(await newCode(pkce, changes), pkce);
    world.tenant.state.clearLog();
    const order = world.tenant.state.order({ endpoint: "token", grantType: "authorization_code", hold: true });
    const both = [redeem(service, form), redeem(service, form)];
    await world.tenant.state.orders.hit(order);
    // The second request has no call to Entra that a test could wait for.
    await setTimeout(200);
    world.tenant.state.releaseOrder({ id: order });
    const answers = await Promise.all(both);
    expect(world.tenant.state.requestCounts()["token"]).toBe(1);
    // A later replay is refused: Entra redeems a code once.
    const replay = await redeem(service, form);
    expect(replay.json()).toMatchObject({ code: "code_refused", action: "sign_in", error_codes: [54005] });
    return answers.map(({ status }) => status);
  };

  test("share one redemption at Entra and get its token", async () => {
    expect(await redeemTwice({ scope: "User.Read" })).toEqual([200, 200]);
  });
});

describe("a code request that is refused without a call to Entra", () => {
  const refused: [string, Record<string, string | undefined>, string, string][] = [
    ["without code", { code: undefined }, "invalid_request", "parameter_missing"],
    ["without redirect_uri", { redirect_uri: undefined }, "invalid_request", "parameter_missing"],
    [
      "without code_verifier, because the challenge cannot be dropped",
      { code_verifier: undefined },
      "invalid_request",
      "parameter_missing",
    ],
    ["with a verifier of 42 characters", { code_verifier: "v".repeat(42) }, "invalid_request", "parameter_invalid"],
    ["with a verifier of 129 characters", { code_verifier: "v".repeat(129) }, "invalid_request", "parameter_invalid"],
    ["with a space in the verifier", { code_verifier: `${"v".repeat(42)} v` }, "invalid_request", "parameter_invalid"],
    ["with another verifier", { code_verifier: "v".repeat(43) }, "invalid_grant", "code_refused"],
    ["with another redirect_uri", { redirect_uri: "http://localhost:9999/callback/" }, "invalid_grant", "code_refused"],
    ["with a code that this service did not issue", { code: "x" }, "invalid_grant", "code_refused"],
    ["for another API", { audience: "orders" }, "invalid_target", "api_ambiguous"],
    ["with a scope outside the sign-in", { scope: "Files.Read" }, "invalid_scope", "scope_not_allowed"],
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

  test("with the challenge as verifier", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce, { code_verifier: pkce.challenge }));
    expect(answer.json()).toMatchObject({ error: "invalid_grant" });
  });

  test("from another client, even with the right verifier", async () => {
    const pkce = newPkce();
    const token = appToken(service, { client: "daemon" });
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce), token);
    expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
    expect(service.lastEvent()).toMatchObject({ reason: "wrong_client", callerClientId: CLIENT_IDS.daemon });
  });

  test("from a user of the same client", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce), pkce), userToken(service));
    expect(answer.json()).toMatchObject({ error: "unauthorized_client" });
  });

  test("without client authentication", async () => {
    const pkce = newPkce();
    const answer = await service.call("/oauth2/token", { form: codeForm(await newCode(pkce), pkce) });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: "invalid_client" });
  });

  test("after more than a minute", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    clock.advance(61_000);
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ error: "invalid_grant", action: "sign_in" });
    expect(service.lastEvent()).toMatchObject({ reason: "expired" });
  });

  test("after policy removed the redirect URI", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    const POLICY = policyWithEntries({ "web-backend": { redirectUris: ["https://elsewhere.example/callback"] } });
    const changed = world.serve({ settings: { POLICY } });
    const answer = await redeem(changed, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ code: "redirect_uri_not_allowed" });
  });

  test("with a pushed request or a link instead of a code", async () => {
    const pkce = newPkce();
    const pushed = (await push(service, pkce)).replace("urn:ietf:params:oauth:request_uri:", "");
    const link = (await createLink(service)).replace("/signin/", "");
    for (const code of [pushed, link]) {
      expect((await redeem(service, codeForm(code, pkce))).json()).toMatchObject({ error: "invalid_grant" });
    }
  });
});

describe("a code request that Entra answers", () => {
  test("is refused if the id token has another nonce (code injection)", async () => {
    const pkce = newPkce();
    const answer = await redeem(service, codeForm(await newCode(pkce, {}, { nonce: "another" }), pkce));
    expect(answer.status).toBe(502);
    expect(answer.json()).not.toHaveProperty("access_token");
  });

  test("of a guest is refused where guests are not allowed, and gets a token where they are", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce, {}, { user: "dave" });
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "signin_guest", action: "ask_admin" });
    const open = world.serve({ settings: { ALLOW_GUESTS: "true" } });
    const again = newPkce();
    const { code: other } = await codeForClient(open, newBrowser(open), { pkce: again, signed: { user: "dave" } });
    expect((await redeem(open, codeForm(other, again))).status).toBe(200);
  });

  test("is refused if Entra no longer accepts its code", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    world.tenant.state.order({ endpoint: "token", aadsts: 70008 });
    expect((await redeem(service, codeForm(code, pkce))).json()).toMatchObject({ error: "invalid_grant" });
  });

  test("is refused if Entra returns more scopes than the entry lists", async () => {
    const pkce = newPkce();
    const code = await newCode(pkce);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const answer = await redeem(service, codeForm(code, pkce));
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Files.Read"] });
  });

  test("of one person is not affected by Entra's throttling of another", async () => {
    const [one, two] = [newPkce(), newPkce()];
    const [first, second] = [await newCode(one), await newCode(two)];
    world.tenant.state.order({ endpoint: "token", throttleSeconds: 7 });
    expect((await redeem(service, codeForm(first, one))).status).toBe(429);
    expect((await redeem(service, codeForm(second, two))).status).toBe(200);
  });

  test("may name a narrower scope (RFC 8707)", async () => {
    const pkce = newPkce();
    const answer = await redeem(
      service,
      codeForm(await newCode(pkce), pkce, { scope: "User.Read", audience: "graph" }),
    );
    expect(answer.status).toBe(200);
  });

  test("succeeds for 14 people of one application in a minute", async () => {
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
