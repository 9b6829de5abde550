/** `/AuthorizationHeader/{api}`: GET with the query parameters of the sidecar (sidecar-contract 1.7), and POST. */
import { describe, expect, test } from "vitest";
import type { ExchangeRequest } from "../../../shared/core/exchange-request.ts";
import { type HeaderRoute, readHeaderRequest } from "../../../shared/http/read-header-request.ts";
import { incoming, posted, refusal } from "./support/incoming.ts";

const BEARER = { authorization: "Bearer a.b.c" };
const CORRELATION_ID = "c0440000-0000-4000-8000-000000000001";
const TENANT = "c0470500-0000-4000-8000-000000000001";
const HANDLE = `gte_${"A".repeat(43)}`;
const OVERRIDE = "optionsOverride.";
const OPTIONS = `${OVERRIDE}AcquireTokenOptions.`;

function get(
  query: Record<string, string> | readonly (readonly [string, string])[],
  route: HeaderRoute = "user",
  headers = {},
) {
  const url = `https://gte.example/AuthorizationHeader/graph?${new URLSearchParams(query as [string, string][])}`;
  return readHeaderRequest(
    incoming({ method: "GET", url, headers: { ...BEARER, ...headers }, params: { api: "graph" } }),
    { route, tenantId: TENANT },
  );
}

function post(body: unknown, route: HeaderRoute = "user") {
  return readHeaderRequest(posted(body, BEARER), { route, tenantId: TENANT });
}

async function accepted(reading: ReturnType<typeof get>): Promise<ExchangeRequest> {
  const result = await reading;
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

describe("GET with the sidecar's query parameters", () => {
  test.each<[string, readonly (readonly [string, string])[], Partial<ExchangeRequest["tokenParameters"]>]>([
    [
      "no parameters",
      [],
      { scopes: undefined, claims: undefined, forceRefresh: false, minimumSeconds: 0, audiences: ["graph"] },
    ],
    ["Scopes", [["Scopes", "User.Read"]], { scopes: ["User.Read"] }],
    [
      "Scopes, repeated",
      [
        ["Scopes", "User.Read"],
        ["Scopes", "Mail.Read"],
      ],
      { scopes: ["User.Read", "Mail.Read"] },
    ],
    ["Scopes in one string", [["Scopes", "User.Read Mail.Read"]], { scopes: ["User.Read", "Mail.Read"] }],
    ["ForceRefresh true", [["AcquireTokenOptions.ForceRefresh", "true"]], { forceRefresh: true }],
    ["ForceRefresh True, as .NET writes it", [["AcquireTokenOptions.ForceRefresh", "True"]], { forceRefresh: true }],
    ["ForceRefresh false", [["AcquireTokenOptions.ForceRefresh", "false"]], { forceRefresh: false }],
    ["an invalid boolean is ignored", [["AcquireTokenOptions.ForceRefresh", "1"]], { forceRefresh: false }],
    [
      "Claims",
      [["AcquireTokenOptions.Claims", '{"access_token":{"nbf":null}}']],
      { claims: '{"access_token":{"nbf":null}}' },
    ],
  ])("%s", async (_name, query, tokenParameters) => {
    const prefixed = query.map(([name, value]) => [`${OVERRIDE}${name}`, value] as const);
    expect((await accepted(get(prefixed))).tokenParameters).toMatchObject(tokenParameters);
  });

  test("parameter names are not case-sensitive", async () => {
    const { tokenParameters } = await accepted(
      get([
        ["OPTIONSOVERRIDE.scopes", "User.Read"],
        ["OptionsOverride.Scopes", "Mail.Read"],
      ]),
    );
    expect(tokenParameters.scopes).toEqual(["User.Read", "Mail.Read"]);
  });

  test.each([
    "BaseUrl",
    "RelativePath",
    "HttpMethod",
    "AcceptHeader",
    "ContentType",
    "ExtraHeaderParameters.X-Test",
    "ExtraQueryParameters.q",
    "Tenant",
    "SomethingNew",
  ])("%s changes nothing on this route and is ignored, as the sidecar does", async (name) => {
    const plain = await accepted(get({}));
    const { correlationId: _id, ...withOption } = await accepted(
      get({ [`${OVERRIDE}${name}`]: "https://evil.example" }),
    );
    expect(withOption).toEqual({
      ...withOption,
      tokenParameters: plain.tokenParameters,
      grantRequest: plain.grantRequest,
    });
  });

  test.each([
    "AgentIdentity",
    "AgentUsername",
    "AgentUserId",
    `${OPTIONS}Tenant`,
    `${OPTIONS}FmiPath`,
    `${OPTIONS}PopPublicKey`,
    `${OPTIONS}LongRunningWebApiSessionKey`,
    `${OPTIONS}ManagedIdentity.UserAssignedClientId`,
  ])("%s would change the identity of the token and is refused", async (name) => {
    expect(refusal(await get({ [name]: "x" }))).toBe(`request_invalid parameter_not_supported ${name}`);
    expect(refusal(await get({ [name]: "" }))).toBeUndefined();
  });

  test.each([TENANT, TENANT.toUpperCase(), ` ${TENANT} `])("Tenant %j is the tenant of the service", async (tenant) => {
    expect(refusal(await get({ [`${OPTIONS}Tenant`]: tenant }))).toBeUndefined();
  });

  test.each<[string, HeaderRoute, string]>([
    ["true", "user", "client-credentials"],
    ["TRUE", "user", "client-credentials"],
    ["false", "user", "on-behalf-of"],
    ["1", "user", "on-behalf-of"],
    ["true", "application", "client-credentials"],
  ])("RequestAppToken %s on the %s route requests the flow %s", async (value, route, flow) => {
    const { grantRequest } = await accepted(get({ [`${OVERRIDE}RequestAppToken`]: value }, route));
    expect(grantRequest.flow).toBe(flow);
  });

  test.each<[string, readonly (readonly [string, string])[], string]>([
    [
      "a repeated parameter",
      [
        [`${OPTIONS}Claims`, "{}"],
        [`${OPTIONS}claims`, "{}"],
      ],
      "request_invalid parameter_repeated optionsOverride.AcquireTokenOptions.claims",
    ],
    ["bad claims", [[`${OPTIONS}Claims`, "{"]], `request_invalid parameter_invalid ${OPTIONS}Claims`],
    ["a bad scope", [[`${OVERRIDE}Scopes`, 'a"b']], `request_invalid scope_malformed ${OVERRIDE}Scopes`],
    ["a token in the query", [["access_token", "a.b.c"]], "request_invalid token_in_query access_token"],
    [
      "65 parameters",
      Array.from({ length: 65 }, (_, index) => [`p${index}`, "x"] as const),
      "request_invalid too_many_parameters",
    ],
  ])("%s is refused", async (_name, query, outcome) => {
    expect(refusal(await get(query))).toBe(outcome);
  });

  test("CorrelationId counts if it is a GUID and the request has no correlation header", async () => {
    const query = { [`${OPTIONS}CorrelationId`]: CORRELATION_ID.toUpperCase() };
    expect((await accepted(get(query))).correlationId).toBe(CORRELATION_ID);
    const header = "c0440000-0000-4000-8000-000000000002";
    expect((await accepted(get(query, "user", { "client-request-id": header }))).correlationId).toBe(header);
    expect((await accepted(get({ [`${OPTIONS}CorrelationId`]: "7" }))).correlationId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("POST with a JSON body", () => {
  test("an empty object and an empty body request the default scopes", async () => {
    const plain = {
      scopes: undefined,
      claims: undefined,
      forceRefresh: false,
      minimumSeconds: 0,
      audiences: ["graph"],
    };
    expect((await accepted(post({}))).tokenParameters).toMatchObject(plain);
    expect((await accepted(post(""))).tokenParameters).toMatchObject(plain);
  });

  test.each<[string, unknown, Partial<ExchangeRequest["tokenParameters"]>]>([
    ["scopes as a list", { scopes: ["User.Read", "Mail.Read"] }, { scopes: ["User.Read", "Mail.Read"] }],
    ["scopes in one string", { scopes: "User.Read Mail.Read" }, { scopes: ["User.Read", "Mail.Read"] }],
    ["an empty list of scopes", { scopes: [] }, { scopes: undefined }],
    ["claims as a string", { claims: '{"id_token":{"x":null}}' }, { claims: '{"id_token":{"x":null}}' }],
    ["claims as an object", { claims: { id_token: { x: null } } }, { claims: '{"id_token":{"x":null}}' }],
    ["minimumSeconds", { minimumSeconds: 600 }, { minimumSeconds: 600 }],
    ["minimumSeconds of zero", { minimumSeconds: 0 }, { minimumSeconds: 0 }],
    ["minimumSeconds of a day", { minimumSeconds: 86_400 }, { minimumSeconds: 86_400 }],
    ["forceRefresh", { forceRefresh: true }, { forceRefresh: true }],
  ])("%s", async (_name, body, tokenParameters) => {
    expect((await accepted(post(body))).tokenParameters).toMatchObject(tokenParameters);
  });

  test.each<[string, unknown, string]>([
    ["an unknown member", { scope: "User.Read" }, "request_invalid parameter_not_supported scope"],
    [
      "SEC-3: an unknown member with special characters, which is not repeated,",
      { 'a"\n': 1 },
      "request_invalid parameter_not_supported a parameter",
    ],
    ["__proto__", '{"__proto__":{}}', "request_invalid parameter_not_supported __proto__"],
    ["scopes of numbers", { scopes: [7] }, "request_invalid parameter_invalid scopes"],
    ["scopes as an object", { scopes: {} }, "request_invalid parameter_invalid scopes"],
    ["scopes of null", { scopes: null }, "request_invalid parameter_invalid scopes"],
    ["a scope with a quote", { scopes: ['a"b'] }, "request_invalid scope_malformed scopes"],
    ["claims of null", { claims: null }, "request_invalid parameter_invalid claims"],
    ["claims as a list", { claims: [] }, "request_invalid parameter_invalid claims"],
    ["a grant that is a number", { grant: 7 }, "request_invalid handle_malformed grant"],
    ["an empty grant", { grant: "" }, "request_invalid handle_malformed grant"],
    ["minimumSeconds as a string", { minimumSeconds: "600" }, "request_invalid parameter_invalid minimumSeconds"],
    ["a negative minimumSeconds", { minimumSeconds: -1 }, "request_invalid parameter_invalid minimumSeconds"],
    ["minimumSeconds over a day", { minimumSeconds: 86_401 }, "request_invalid parameter_invalid minimumSeconds"],
    ["a fraction of a second", { minimumSeconds: 1.5 }, "request_invalid parameter_invalid minimumSeconds"],
    ["forceRefresh as a string", { forceRefresh: "true" }, "request_invalid parameter_invalid forceRefresh"],
    ["a list as the body", [], "request_invalid body_not_json"],
  ])("%s is refused", async (_name, body, outcome) => {
    expect(refusal(await post(body))).toBe(outcome);
  });

  test("the correlation id comes from the header", async () => {
    const request = posted({}, { ...BEARER, "x-correlation-id": CORRELATION_ID });
    expect((await accepted(readHeaderRequest(request, { route: "user", tenantId: TENANT }))).correlationId).toBe(
      CORRELATION_ID,
    );
  });
});

describe("flow of a header request", () => {
  test("the user route uses on-behalf-of with the user's own token", async () => {
    expect(await accepted(get({}))).toMatchObject({
      clientAuthentication: { method: "bearer" },
      claimedClientId: undefined,
      grantRequest: { flow: "on-behalf-of", subject: undefined, presentedAs: "assertion" },
    });
  });

  test("a grant is redeemed", async () => {
    const { grantRequest } = await accepted(post({ grant: HANDLE }));
    expect(grantRequest.flow === "refresh-token" && grantRequest.refreshToken.reveal()).toBe(HANDLE);
  });

  test("the application route uses client credentials and refuses a grant", async () => {
    expect((await accepted(get({}, "application"))).grantRequest).toEqual({ flow: "client-credentials" });
    expect(refusal(await post({ grant: HANDLE }, "application"))).toBe("request_invalid parameter_not_supported grant");
  });

  test("a missing token is accepted here, and a malformed header is refused", async () => {
    const anonymous = incoming({ method: "GET", params: { api: "graph" } });
    expect(
      (await accepted(readHeaderRequest(anonymous, { route: "user", tenantId: TENANT }))).clientAuthentication,
    ).toBeUndefined();
    const malformed = incoming({ method: "GET", headers: { authorization: "x" } });
    expect(refusal(await readHeaderRequest(malformed, { route: "user", tenantId: TENANT }))).toMatch(
      "authorization_malformed",
    );
  });

  test("without an API in the path, the audience is empty", async () => {
    const request = incoming({ method: "GET", headers: BEARER });
    expect(
      (await accepted(readHeaderRequest(request, { route: "user", tenantId: TENANT }))).tokenParameters.audiences,
    ).toEqual([""]);
  });
});
