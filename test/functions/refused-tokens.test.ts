/**
 * Genuine tokens that are wrong, over the whole path: the answer names what was found and what is required, and the step
 * that it names ends the refusal. `attacks/tokens.test.ts` sends every refused token to every route.
 */
import { describe, expect, test } from "vitest";
import { OBJECT_IDS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  jwtBearerForm,
  userToken,
} from "../support/callers.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, clock } = useWorld({ newServiceForEachTest: true });

const GRAPH = "/AuthorizationHeader/graph";
const SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;
const NEEDED = `an Entra access token for ${SCOPE} (a user) or api://${CLIENT_IDS.service}/.default (an application)`;

const header = (token: string, at: ServiceUnderTest = service) => at.call(GRAPH, { headers: bearer(token) });
const post = (form: Record<string, string>, headers: Record<string, string> = {}, at: ServiceUnderTest = service) =>
  at.call("/oauth2/token", { form, headers });
const v1Token = () => {
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 1 });
  const token = userToken(world);
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 2 });
  return token;
};
const now = () => Math.floor(clock.nowMs() / 1_000);
const large = () => userToken(world, { claims: { groups: Array.from({ length: 400 }, () => crypto.randomUUID()) } });

interface Case {
  readonly what: string;
  readonly token: () => string;
  readonly status: number;
  readonly code: string;
  readonly action: string;
  /** What follows "The caller's token" and "The token to exchange". */
  readonly text: string | RegExp;
  /** What the action stands for; afterwards the request succeeds. */
  readonly end: () => string | Promise<string> | { readonly token: string; readonly at: ServiceUnderTest };
}

const CASES: readonly Case[] = [
  {
    what: "a Graph token",
    token: () => userToken(world, { resource: "graph" }),
    status: 401,
    code: "token_for_graph",
    action: "fix_request",
    text: `looks like a token for Microsoft Graph, and this service issues those. Send ${NEEDED}.`,
    end: () => userToken(world),
  },
  {
    what: "an ID token",
    token: () => world.tenant.state.mintIdToken({ client: "web" }),
    status: 401,
    code: "token_is_id_token",
    action: "fix_request",
    text: `is an ID token, which identifies a user and authorizes nothing. Send ${NEEDED}.`,
    end: () => userToken(world),
  },
  {
    what: "a token for another API",
    token: () => userToken(world, { resource: "orders" }),
    status: 401,
    code: "token_for_other_api",
    action: "fix_request",
    text: `is for another API (claim aud). Send ${NEEDED}.`,
    end: () => userToken(world),
  },
  {
    what: "a token of another tenant",
    token: () => userToken(world, { claims: { iss: `${world.tenant.url}/common/v2.0` } }),
    status: 401,
    code: "token_wrong_tenant",
    action: "fix_request",
    text: `is from another tenant or cloud. Request it from tenant ${TENANT_ID}.`,
    end: () => userToken(world),
  },
  {
    what: "a token without access_as_user",
    token: () => userToken(world, { scopes: ["other"] }),
    status: 403,
    code: "token_scope_missing",
    action: "fix_request",
    text: `does not have the scope access_as_user. Request the scope ${SCOPE} from Entra.`,
    end: () => userToken(world),
  },
  {
    what: "a guest",
    token: () => userToken(world, { user: "dave" }),
    status: 403,
    code: "guest_not_allowed",
    action: "ask_admin",
    text: "belongs to a guest of the tenant (claim acct or idp), and this service does not accept guests. Ask your administrator.",
    end: () => ({
      token: userToken(world, { user: "dave" }),
      at: world.serve({ settings: { ALLOW_GUESTS: "true" } }),
    }),
  },
  {
    what: "an expired token",
    token: () => userToken(world, { lifetimeSeconds: -120 }),
    status: 401,
    code: "token_expired",
    action: "new_caller_token",
    text: "has expired. Get a new one. If a new one has expired too, the clocks differ: ask your administrator.",
    end: () => userToken(world),
  },
  {
    what: "a token that is not valid yet",
    token: () => userToken(world, { claims: { nbf: now() + 600, exp: now() + 3_600 } }),
    status: 401,
    code: "token_not_yet_valid",
    action: "ask_admin",
    text: "is not valid yet. The clock of this service is behind Entra's. Ask your administrator.",
    end: () => userToken(world, { claims: { nbf: now(), exp: now() + 3_600 } }),
  },
  {
    what: "a v1 token of this tenant",
    token: v1Token,
    status: 401,
    code: "token_version",
    action: "ask_admin",
    text: /^is a v1\.0 token, and this service accepts v2\.0 tokens .* requestedAccessTokenVersion to 2 .* V1_TOKEN_AUDIENCES\.$/,
    end: () => userToken(world),
  },
  {
    what: "a token larger than 16 KiB",
    token: large,
    status: 401,
    code: "token_too_large",
    action: "ask_admin",
    text: /^has 2\d{4} bytes, and at most 16384 are allowed\. The claim groups makes tokens large: ask your administrator /,
    end: () => userToken(world),
  },
  {
    what: "a token bound to a key",
    token: () => userToken(world, { claims: { cnf: { jkt: "x" } } }),
    status: 401,
    code: "token_not_bearer",
    action: "fix_request",
    text: "is bound to a key (claim cnf). Request a bearer token.",
    end: () => userToken(world),
  },
  {
    what: "a token of this service's own client",
    token: () => userToken(world, { client: "service", scopes: ["access_as_user"] }),
    status: 401,
    code: "token_own_client",
    action: "fix_request",
    text: "was requested with the client id of this service. Request it with the client id of the calling application.",
    end: () => userToken(world),
  },
];

describe.each(CASES)("$what", ({ token, status, code, action, text, end }) => {
  const matching = (first: string) =>
    typeof text === "string"
      ? `${first} ${text}`
      : expect.stringMatching(new RegExp(`^${first} ${text.source.slice(1)}`));

  // RFC 6750 section 3.1 at a header route, RFC 6749 section 5.2 at the token endpoint.
  const [problem, challengeError, oauthStatus, oauth] =
    status === 401
      ? [401, "invalid_token", 401, "invalid_client"]
      : [403, "insufficient_scope", 400, "unauthorized_client"];

  test("as the caller's token of a header route is explained, with the scope to request", async () => {
    const answer = await header(token());
    expect(answer.json()).toMatchObject({ status: problem, code, action, detail: matching("The caller's token") });
    const challenge = answer.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain(`error="${challengeError}"`);
    expect(challenge).toContain(`error_description="${answer.json()["detail"]}"`);
    expect(challenge.includes(`scope="${SCOPE}"`)).toBe(code !== "guest_not_allowed");
  });

  test("as bearer token of the token endpoint is explained", async () => {
    const answer = await post(exchangeForm(userToken(world)), bearer(token()));
    const error_description = matching("The caller's token");
    expect(answer.status).toBe(oauthStatus);
    expect(answer.json()).toMatchObject({ error: oauth, code, action, error_description });
  });

  test.each([
    ["subject_token", exchangeForm, "invalid_request"],
    ["assertion", jwtBearerForm, "invalid_grant"],
  ] as const)("as %s, sent alone and by an application, is explained", async (_name, toForm, error) => {
    for (const headers of [{}, bearer(appToken(world))]) {
      const answer = await post(toForm(token()), headers);
      const error_description = matching("The token to exchange");
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({ error, code, action, error_description });
    }
  });

  test("the step that the answer names ends the refusal", async () => {
    const ended = await end();
    const { token: after, at } = typeof ended === "string" ? { token: ended, at: service } : ended;
    expect((await header(after, at)).status).toBe(200);
    expect((await post(exchangeForm(after), {}, at)).status).toBe(200);
  });
});

describe("an application without the app role", () => {
  const stranger = () => appToken(world, { client: "stranger" });
  const asks = (token: string) => service.call("/AuthorizationHeaderUnauthenticated/graph", { headers: bearer(token) });
  test("is sent to the administrator, and the role in its next token ends the refusal", async () => {
    const answer = await asks(stranger());
    expect(answer.json()).toMatchObject({
      status: 403,
      code: "token_role_missing",
      action: "ask_admin",
      detail:
        "The caller's token does not have the app role Exchange.Call. Ask your administrator to assign the role to the application, and then get a new token.",
    });
    expect(answer.headers.get("www-authenticate")).toContain(`scope="api://${CLIENT_IDS.service}/.default"`);
    expect((await asks(stranger())).json()).toMatchObject({ code: "token_role_missing" });
    const { directory } = world.tenant.state;
    directory.roleAssignments.push({
      principalOid: OBJECT_IDS.stranger,
      resourceId: CLIENT_IDS.service,
      role: "Exchange.Call",
    });
    expect((await asks(stranger())).json()).toMatchObject({ code: "caller_not_listed" });
    directory.roleAssignments.pop();
  });
});

describe("tokens in the wrong place at the token endpoint", () => {
  const bearerText = (name: string) => ({
    code: "token_bearer_prefix",
    action: "fix_request",
    error_description: `${name} begins with the word Bearer. Send the token without it.`,
  });

  test("Bearer before the token is named, in each parameter that has a token", async () => {
    const pasted = `Bearer ${userToken(world)}`;
    expect((await post(exchangeForm(pasted))).json()).toMatchObject(bearerText("The token to exchange"));
    expect((await post(jwtBearerForm(pasted))).json()).toMatchObject(bearerText("The token to exchange"));
    const client = clientAssertion(`Bearer ${appToken(world)}`);
    const answer = await post(exchangeForm(userToken(world), client));
    expect(answer.json()).toMatchObject({ error: "invalid_client", ...bearerText("The caller's token") });
    expect((await post(exchangeForm(userToken(world), clientAssertion(appToken(world))))).status).toBe(200);
  });

  test.each(["web", "stranger"] as const)(
    "an app token of %s as token to exchange is a fault of the program",
    async (client) => {
      for (const [form, error] of [
        [exchangeForm(appToken(world, { client })), "invalid_request"],
        [jwtBearerForm(appToken(world, { client })), "invalid_grant"],
      ] as const) {
        for (const headers of [{}, bearer(appToken(world))]) {
          expect((await post(form, headers)).json()).toMatchObject({
            error,
            code: "subject_is_application",
            action: "fix_request",
            error_description:
              "The token to exchange is an application's. Send a user's token, or request grant_type client_credentials.",
          });
        }
      }
    },
  );

  test("a user's token as client assertion is a fault of the program", async () => {
    const answer = await post(exchangeForm(userToken(world), clientAssertion(userToken(world))));
    expect({ status: answer.status, ...answer.json() }).toMatchObject({
      status: 401,
      error: "invalid_client",
      code: "caller_is_user",
      action: "fix_request",
    });
    expect(service.lastEvent()).toMatchObject({ reason: "not_an_application" });
  });
});

describe("keys that Entra publishes for one application only", () => {
  const setOwnKey = (clientId: string, own: boolean) => world.tenant.state.setOwnKey({ clientId, own });
  const keyEvents = () =>
    service.logs.filter((line) => line.includes('"reason":"key_unknown"') && line.includes('"keys"'));

  test("the service accepts its callers' tokens if its own registration has a claims mapping (E-7)", async () => {
    setOwnKey(CLIENT_IDS.service, true);
    const [user, app] = [userToken(world), appToken(world, { client: "daemon" })];
    setOwnKey(CLIENT_IDS.service, false);
    expect((await header(userToken(world))).status).toBe(200);
    setOwnKey(CLIENT_IDS.service, true);
    expect((await service.call("/Validate", { headers: bearer(user) })).status).toBe(200);
    expect((await service.call("/Validate", { headers: bearer(app) })).status).toBe(200);
    // Entra does not accept such a token for the on-behalf-of flow, so the answer names who can end that.
    const exchange = await header(user);
    expect(exchange.json()).toMatchObject({ code: "subject_refused", error_codes: [50013] });
    expect(exchange.json()["detail"]).toMatch(/If a new one is refused too, ask your administrator/);
    const asked = world.tenant.state.requests({ endpoint: "jwks" }).map(({ query }) => query["appid"]);
    expect(asked.filter((appId) => appId !== undefined)).toEqual([CLIENT_IDS.service]);
    expect(keyEvents()).toEqual([]);
    setOwnKey(CLIENT_IDS.service, false);
  });

  test("a key of another application is refused like every unknown key, and reported once an hour", async () => {
    setOwnKey(CLIENT_IDS.orders, true);
    const token = () => userToken(world, { resource: "orders" });
    for (let count = 0; count < 3; count += 1) {
      expect((await header(token())).json()).toMatchObject({ status: 401, code: "caller_refused" });
    }
    expect(keyEvents()).toHaveLength(1);
    expect(JSON.parse(keyEvents()[0] ?? "")).toEqual({
      event: "keys",
      reason: "key_unknown",
      time: expect.any(String),
    });
    clock.advance(60 * 60 * 1_000);
    await header(token());
    expect(keyEvents()).toHaveLength(2);
    setOwnKey(CLIENT_IDS.orders, false);
  });

  test("a forged token of another issuer causes no such event", async () => {
    await header(userToken(world, { key: "unpublished", claims: { iss: "https://attacker.example" } }));
    expect(service.lastEvent()).toMatchObject({ code: "caller_refused", reason: "key_unknown" });
    expect(keyEvents()).toEqual([]);
  });
});
