/** Requests as people and their tools really send them: what the service accepts, and what it names in a refusal. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, restart } = useWorld();

const GRAPH = "/AuthorizationHeader/graph";
const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;
const headerWith = (json: unknown, token = userToken(world), at = service) =>
  at.call(GRAPH, { headers: bearer(token), json });
const tokenWith = (form: Record<string, string>, token = userToken(world), at = service) =>
  at.call("/oauth2/token", { headers: bearer(token), form });
const revokeWith = (token: string) =>
  service.call("/oauth2/revoke", { headers: bearer(userToken(world)), form: { token } });

async function newHandle(): Promise<string> {
  const answer = await headerWith({ scopes: ["offline_access"] });
  return String(answer.json()["grant"]);
}

describe("a grant handle that was copied with white space around it", () => {
  // The number of new grants for each person and minute is limited.
  beforeEach(() => restart());

  const around: [title: string, change: (handle: string) => string][] = [
    ["a line end after it", (handle) => `${handle}\n`],
    ["a Windows line end after it", (handle) => `${handle}\r\n`],
    ["blanks around it", (handle) => `  ${handle} `],
    ["a tab before it", (handle) => `\t${handle}`],
    ["a byte order mark before it", (handle) => `\ufeff${handle}`],
    ["a no-break space after it", (handle) => `${handle}\u00a0`],
  ];

  test.each(around)("POST /AuthorizationHeader/graph redeems it: %s", async (_title, change) => {
    expect((await headerWith({ grant: change(await newHandle()) })).status).toBe(200);
  });

  test.each(around)("POST /oauth2/token redeems it: %s", async (_title, change) => {
    const form = { grant_type: "refresh_token", refresh_token: change(await newHandle()) };
    expect((await tokenWith(form)).status).toBe(200);
  });

  test.each(around)("POST /oauth2/revoke ends the grant: %s", async (_title, change) => {
    const handle = await newHandle();
    expect(withStatus(await revokeWith(change(handle)))).toMatchObject({ status: 200, revoked: true });
  });
});

const EXPRESSION = /^The parameter \w+ is not a grant handle\. .*gte_.* This looks like an unresolved expression\./;
const EXPRESSIONS = [
  "@{variables('grant')}",
  "@parameters('grant')",
  "parameters('grant')",
  "@body('Get_secret')?['value']",
  "\u0024{GRANT}",
  "$(grant)",
  "{{grant}}",
  "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/grant)",
  "@Microsoft.KeyVault(VaultName=kv;SecretName=grant)",
  "$env:GRANT",
  "$grant",
  "%GRANT%",
  "<your handle>",
  "gte_\u0024{REST}",
];
const MALFORMED: [title: string, value: string, description: RegExp][] = [
  ...EXPRESSIONS.map((value): [string, string, RegExp] => [value, value, EXPRESSION]),
  ["only white space", " \n", /The value is empty\./],
  ["double quotes around a handle", `"gte_${"A".repeat(43)}"`, /Remove the quotation marks/],
  ["single quotes around a handle", `'gte_${"A".repeat(43)}'`, /Remove the quotation marks/],
  ["typographic quotes around a handle", `\u201cgte_${"A".repeat(43)}\u201d`, /Remove the quotation marks/],
  ["a truncated handle", `gte_${"A".repeat(20)}`, /incomplete or changed/],
  ["a handle in upper case", `GTE_${"A".repeat(43)}`, /incomplete or changed/],
  ["a handle with a blank inside", `gte_${"A".repeat(20)} ${"A".repeat(23)}`, /incomplete or changed/],
];

describe("a value that is not a grant handle is refused by name, whatever the policy allows", () => {
  const malformed = { status: 400, error: "invalid_request", code: "handle_malformed", action: "fix_request" };
  let importing: ServiceUnderTest;
  beforeAll(() => {
    const POLICY = policyWithEntries({ "web-users": { importRefreshTokens: true } });
    importing = world.serve({ settings: { POLICY } });
  });

  test.each(MALFORMED)("grant in JSON: %s", async (_title, value, description) => {
    const answer = withStatus(await headerWith({ grant: value }));
    expect(answer).toMatchObject({ ...malformed, detail: expect.stringMatching(description) });
    expect(tokenRequests()).toBe(0);
  });

  test.each(MALFORMED)("refresh_token of POST /oauth2/token: %s", async (_title, value, description) => {
    for (const at of [service, importing]) {
      const form = { grant_type: "refresh_token", refresh_token: value, audience: "graph" };
      const answer = withStatus(await tokenWith(form, userToken(world), at));
      expect(answer).toMatchObject({ ...malformed, error_description: expect.stringMatching(description) });
    }
    expect(tokenRequests()).toBe(0);
  });

  test.each(MALFORMED)("token of POST /oauth2/revoke: %s", async (_title, value, description) => {
    const answer = withStatus(await revokeWith(value));
    expect(answer).toMatchObject({ ...malformed, error_description: expect.stringMatching(description) });
  });

  test.each<[string, unknown, RegExp]>([
    ["a refresh token of Entra", "1.AXkAa1b2-c3d4_AgABAwEAAAAm", /looks like a token of Entra/],
    ["an access token", "eyJhbGciOi.eyJhdWQi.c2ln", /looks like a token of Entra/],
    ["other text", "hello", /Send the value that the service returned as grant/],
    ["an empty text", "", /The value is empty/],
    ["null, as an automation sends an unresolved variable", null, /The value is empty/],
    ["a number", 7, /Send the value that the service returned as grant/],
    ["an object", { value: "gte_" }, /Send the value that the service returned as grant/],
  ])("grant in JSON: %s", async (_title, grant, description) => {
    const answer = withStatus(await headerWith({ grant }));
    expect(answer).toMatchObject({ ...malformed, detail: expect.stringMatching(description) });
  });

  test("the audit event names the parameter and what it looks like, and neither it nor the answer has the value", async () => {
    const answer = await headerWith({ grant: "@{variables('MARKED')}" }, appToken(world));
    expect(service.lastEvent()).toMatchObject({ code: "handle_malformed", reason: "grant: expression" });
    expect(`${answer.text}${JSON.stringify(service.lastEvent())}`).not.toContain("MARKED");
  });

  test("a refresh token of Entra in refresh_token is still a matter of the policy", async () => {
    const form = { grant_type: "refresh_token", refresh_token: " 1.AXkAa1b2-c3d4_AgABAwEAAAAm\n", audience: "graph" };
    expect(withStatus(await tokenWith(form))).toMatchObject({ status: 400, code: "import_not_allowed" });
  });
});

describe("a body with the label of another charset", () => {
  const send = (path: string, type: string, body: string | Uint8Array) =>
    service.call(path, { headers: { ...bearer(userToken(world)), "content-type": type }, body });
  const CHARSETS = ["ISO-8859-1", "us-ascii", "windows-1252", "UTF-8", '"utf-8"'];

  test.each(CHARSETS)("POST /oauth2/token accepts an ASCII form as %s", async (charset) => {
    const body = new URLSearchParams(exchangeForm(userToken(world))).toString();
    const headers = { "content-type": `application/x-www-form-urlencoded; charset=${charset}` };
    expect((await service.call("/oauth2/token", { headers, body })).status).toBe(200);
  });

  test.each(CHARSETS)("POST /AuthorizationHeader/graph accepts ASCII JSON as %s", async (charset) => {
    const answer = await send(GRAPH, `application/json; charset=${charset}`, '{"scopes":["User.Read"]}');
    expect(answer.status).toBe(200);
  });

  test.each(["ISO-8859-1", "us-ascii", "utf-16", "utf-7"])("JSON with an umlaut as %s is refused", async (charset) => {
    const answer = await send(GRAPH, `application/json; charset=${charset}`, '{"scopes":["Ümlaut"]}');
    expect(withStatus(answer)).toMatchObject({ status: 415, code: "media_type_unsupported" });
  });

  test("JSON with a byte order mark is accepted", async () => {
    expect((await send(GRAPH, "application/json", '\ufeff{"scopes":["User.Read"]}')).status).toBe(200);
  });
});

test("a chunked body, which the host drops, is refused with the remedy for .NET, JavaScript and Python", async () => {
  const headers = { ...bearer(userToken(world)), "transfer-encoding": "chunked", "content-type": "application/json" };
  const answer = withStatus(await service.call(GRAPH, { method: "POST", headers }));
  expect(answer).toMatchObject({ status: 400, code: "body_missing", action: "fix_request" });
  for (const remedy of ["LoadIntoBufferAsync", "StringContent", "fetch", "requests"]) {
    expect(answer).toMatchObject({ detail: expect.stringContaining(remedy) });
  }
  expect(tokenRequests()).toBe(0);
});

describe("a parameter with a similar name, or in the wrong place", () => {
  test.each([
    ["?forceRefresh=true", "forceRefresh", "optionsOverride.AcquireTokenOptions.ForceRefresh"],
    ["?ForceRefresh=true", "ForceRefresh", "optionsOverride.AcquireTokenOptions.ForceRefresh"],
    ["?force_refresh=true", "force_refresh", "optionsOverride.AcquireTokenOptions.ForceRefresh"],
    ["?forceRefesh=true", "forceRefesh", "optionsOverride.AcquireTokenOptions.ForceRefresh"],
    ["?scopes=User.Read", "scopes", "optionsOverride.Scopes"],
    ["?scope=User.Read", "scope", "optionsOverride.Scopes"],
    ["?Claims=x", "Claims", "optionsOverride.AcquireTokenOptions.Claims"],
    ["?minimumSeconds=60", "minimumSeconds", undefined],
    [`?grant=gte_${"A".repeat(43)}`, "grant", undefined],
  ])("GET /AuthorizationHeader/graph%s is refused by name", async (query, name, meant) => {
    const answer = withStatus(await service.call(`${GRAPH}${query}`, { headers: bearer(userToken(world)) }));
    const remedy = `The parameter ${name} is not read from the query. Send it in the body of a POST.`;
    const detail = meant === undefined ? remedy : `${remedy} Did you mean ${meant}?`;
    expect(answer).toMatchObject({ status: 400, code: "parameter_in_query", action: "fix_request", detail });
    expect(service.lastEvent()).toMatchObject({ reason: name });
    expect(tokenRequests()).toBe(0);
  });

  test.each(["utm_source=mail", "foo=bar", "code=key&clientId=default", "_=1795898000"])(
    "GET /AuthorizationHeader/graph?%s is answered: the parameter resembles none",
    async (query) => {
      expect((await service.call(`${GRAPH}?${query}`, { headers: bearer(userToken(world)) })).status).toBe(200);
    },
  );

  test.each([
    ["scope", "scopes"],
    ["Scopes", "scopes"],
    ["forcerefresh", "forceRefresh"],
    ["minimum_seconds", "minimumSeconds"],
    ["claim", "claims"],
  ])("POST /AuthorizationHeader/graph with the member %s is refused: did you mean %s?", async (name, meant) => {
    const detail = expect.stringContaining(`The parameter ${name} is not supported here. Did you mean ${meant}?`);
    expect(withStatus(await headerWith({ [name]: "x" }))).toMatchObject({ code: "parameter_not_supported", detail });
  });

  test.each([
    ["scopes", "Did you mean scope?"],
    ["Scope", "Did you mean scope?"],
    ["grant", "Did you mean refresh_token?"],
    ["forceRefresh", "Leave it out."],
  ])("POST /oauth2/token with the parameter %s is refused: %s", async (name, remedy) => {
    const token = userToken(world);
    const form = { ...exchangeForm(token), [name]: "x" };
    const error_description = `The parameter ${name} is not supported here. ${remedy}`;
    expect(withStatus(await tokenWith(form, token))).toMatchObject({
      code: "parameter_not_supported",
      error_description,
    });
    expect(tokenRequests()).toBe(0);
  });

  test("POST /oauth2/token?scope=User.Read is refused, because the form alone counts", async () => {
    const form = exchangeForm(userToken(world));
    const answer = withStatus(await service.call("/oauth2/token?scope=User.Read", { form }));
    expect(answer).toMatchObject({ status: 400, error: "invalid_request", code: "parameter_in_query" });
  });

  test("a refusal has the sender's spelling of a parameter of the sidecar", async () => {
    const query = "?OptionsOverride.acquireTokenOptions.Tenant=common";
    const answer = withStatus(await service.call(`${GRAPH}${query}`, { headers: bearer(userToken(world)) }));
    const detail = "The parameter OptionsOverride.acquireTokenOptions.Tenant is not supported here. Leave it out.";
    expect(answer).toMatchObject({ code: "parameter_not_supported", detail });
  });
});
