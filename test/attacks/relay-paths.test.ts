/**
 * Attacks on the relay: what a caller sends to reach more of an API than its rules allow. Every row goes through the host's
 * reading of the URL and the real handler. A row either does not reach the API, or reaches it with the path in the row.
 */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { relaySettings } from "../relay/support/relay-policy.ts";
import { newPkce, parForm, REDIRECT_URI } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, restart } = useWorld();

/** What alice may do: her messages, of which only the subject, and one file. */
const RULES = [
  { methods: ["GET"], path: "/v1.0/me/messages", query: ["$select", "$top"] },
  { methods: ["GET"], path: "/v1.0/me/messages/**", query: [] },
  { methods: ["PUT"], path: "/v1.0/me/drive/root:/Public/*/content" },
];

const BACKEND = {
  release: "none",
  flows: ["on-behalf-of", "refresh-token"],
  redirectUris: [],
  downstream: { graph: RULES },
};

beforeAll(() => {
  const more = { "web-backend": { ...BACKEND, apis: { graph: ["User.Read", "Mail.Read"] } } };
  restart({ settings: relaySettings(world.tenant.url, RULES, more) });
});
beforeEach(() => {
  world.tenant.state.order({ endpoint: "graph", status: 200, body: { reached: true }, times: 0 });
});

const BASE = "/DownstreamApi/graph";
const MESSAGES = "/v1.0/me/messages";

interface Attempt {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The path that reached Graph, or the code of the refusal. */
async function attempt(path: string, { method = "GET", headers, body }: Attempt = {}): Promise<string> {
  const before = world.tenant.state.log.entries({ endpoint: "graph" }).length;
  const call = {
    method,
    headers: { ...bearer(userToken(world)), ...headers },
    ...(body === undefined ? {} : { body }),
  };
  const answer = await service.call(path, call).catch((error: Error) => error);
  const reached = world.tenant.state.log.entries({ endpoint: "graph" })[before]?.path;
  if (reached !== undefined) return reached;
  return answer instanceof Error ? "no route" : String(answer.json()["code"]);
}

describe("paths", () => {
  test.each<[attack: string, path: string, outcome: string]>([
    ["the allowed path", `${MESSAGES}/1`, `${MESSAGES}/1`],
    ["another path", "/v1.0/me", "downstream_not_allowed"],
    ["another path below the same one", "/v1.0/me/events", "downstream_not_allowed"],
    ["a path that begins with the allowed one", "/v1.0/me/messagesX", "downstream_not_allowed"],
    ["dot segments, which the host removes", `${MESSAGES}/../events`, "downstream_not_allowed"],
    ["dot segments that lead back to the allowed path", `/v1.0/users/../me/messages/1`, `${MESSAGES}/1`],
    ["encoded dot segments, which the host removes", `${MESSAGES}/%2e%2e/events`, "downstream_not_allowed"],
    ["half encoded dot segments", `${MESSAGES}/.%2E/events`, "downstream_not_allowed"],
    ["dot segments that leave the route", `${MESSAGES}/../../../../../grants`, "undefined"],
    ["twice encoded dot segments", `${MESSAGES}/%252e%252e/events`, "path_invalid"],
    ["three times encoded dot segments", `${MESSAGES}/%25252e%25252e/events`, "path_invalid"],
    ["twice encoded dot segments that change the API", `/%252e%252e/orders/orders`, "path_invalid"],
    ["an encoded slash", `${MESSAGES}/..%2fevents`, "path_invalid"],
    ["an encoded slash in capitals", `${MESSAGES}%2F..%2Fevents`, "path_invalid"],
    ["a twice encoded slash", `${MESSAGES}/..%252fevents`, "path_invalid"],
    ["a backslash", `${MESSAGES}\\..\\events`, "path_invalid"],
    ["an encoded backslash", `${MESSAGES}/..%5cevents`, "path_invalid"],
    ["a twice encoded backslash", `${MESSAGES}/..%255cevents`, "path_invalid"],
    ["a matrix parameter", `/v1.0/me/messages;x=1/1`, "path_invalid"],
    ["an encoded matrix parameter", `${MESSAGES}/..%3b/events`, "path_invalid"],
    ["dot segments with a matrix parameter", `${MESSAGES}/..;/events`, "path_invalid"],
    ["two slashes", `/v1.0//me/messages`, "path_invalid"],
    ["two slashes at the beginning", `//v1.0/me/messages`, "path_invalid"],
    ["a slash at the end", `${MESSAGES}/`, "path_invalid"],
    ["an empty path, which the host reads as the other form", "/", "method_not_allowed"],
    ["a trailing dot", `${MESSAGES}/1.`, "path_invalid"],
    ["a trailing dot in a literal", `/v1.0/me./messages`, "path_invalid"],
    ["a trailing space", `${MESSAGES}/1%20`, "path_invalid"],
    ["NUL", `${MESSAGES}/1%00.txt`, "no route"],
    ["a line break", `${MESSAGES}/1%0d%0aHost:%20evil.example`, "path_invalid"],
    ["a tab, which URL parsers remove", `${MESSAGES}/.%09./events`, "path_invalid"],
    ["DEL", `${MESSAGES}/%7f`, "path_invalid"],
    ["overlong UTF-8 of a dot", `${MESSAGES}/%c0%ae%c0%ae/events`, "path_invalid"],
    ["overlong UTF-8 of a slash", `${MESSAGES}/..%c0%afevents`, "path_invalid"],
    ["bytes that are not UTF-8", `${MESSAGES}/%ff`, "path_invalid"],
    ["a percent sign alone", `${MESSAGES}/%`, "path_invalid"],
    ["fullwidth full stops", `${MESSAGES}/%ef%bc%8e%ef%bc%8e/events`, "path_invalid"],
    ["a two dot leader", `${MESSAGES}/%e2%80%a5/events`, "path_invalid"],
    ["a fullwidth solidus", `${MESSAGES}/..%ef%bc%8fevents`, "path_invalid"],
    ["a division slash", `${MESSAGES}/..%e2%88%95events`, "path_invalid"],
    ["a zero width space", `/v1.0/me/messages%e2%80%8b/1`, "path_invalid"],
    ["an override of the reading direction", `${MESSAGES}/%e2%80%ae1`, "path_invalid"],
    ["the Kelvin sign for a k", `/v1.0/me/%e2%84%aaeep`, "downstream_not_allowed"],
    ["a long s", `/v1.0/me/me%c5%bfsages/1`, "downstream_not_allowed"],
    ["capitals", `/V1.0/ME/MESSAGES/1`, `${MESSAGES}/1`],
    ["encoded letters", `/v1.0/%6d%65/messages/1`, `${MESSAGES}/1`],
    ["twice encoded letters", `/v1.0/%256d%2565/messages/1`, "path_invalid"],
    ["beta", `/beta/me/messages/1`, "downstream_not_allowed"],
    ["beta in capitals", `/BETA/me/messages/1`, "downstream_not_allowed"],
    ["no version", `/me/messages/1`, "downstream_not_allowed"],
    ["two versions", `/v1.0/v1.0/me/messages`, "downstream_not_allowed"],
    ["a key in parentheses", `/v1.0/users('bob')/messages`, "downstream_not_allowed"],
    ["a batch", "/v1.0/$batch", "downstream_not_allowed"],
    ["a batch below a wildcard", `${MESSAGES}/$batch`, "downstream_not_allowed"],
    ["an encoded batch", `${MESSAGES}/%24%62atch`, "downstream_not_allowed"],
    ["an entity by its id", `${MESSAGES}/$entity`, "downstream_not_allowed"],
    ["an absolute URL", `/https://evil.example/v1.0/me/messages`, "path_invalid"],
    ["an absolute URL, encoded", `/https%3a%2f%2fevil.example/v1.0`, "path_invalid"],
    ["a host", `/evil.example/v1.0/me/messages`, "downstream_not_allowed"],
    ["a user in front of a host", `/@evil.example/v1.0/me/messages`, "downstream_not_allowed"],
    ["a port", `/:443/v1.0/me/messages`, "downstream_not_allowed"],
    ["a fragment, encoded", `${MESSAGES}%23/events`, "path_invalid"],
    ["a question mark, encoded", `${MESSAGES}%3f/events`, "path_invalid"],
    ["a path over 8 KB", `${MESSAGES}/${"x".repeat(8_200)}`, "path_invalid"],
    ["a path of OneDrive that goes up", "/v1.0/me/drive/root:/Public/..:/content", "path_invalid"],
  ])("%s: %s → %s", async (_attack, path, outcome) => {
    expect(await attempt(`${BASE}${path}`)).toBe(outcome);
  });
});

describe("colons of OneDrive", () => {
  const RULES_OF_FILES = [
    { methods: ["DELETE"], path: "/v1.0/me/drive/items/*/content" },
    { methods: ["GET", "PUT"], path: "/v1.0/me/drive/root:/Public/**" },
    { methods: ["GET"], path: "/v1.0/me/drive/root:/Plans/*/content" },
  ];
  const drive = "/v1.0/me/drive";

  test.each<[attack: string, method: string, path: string, outcome: string]>([
    ["an id", "DELETE", "/items/1/content", `${drive}/items/1/content`],
    ["a file named content", "DELETE", "/items/root:/content", "downstream_not_allowed"],
    ["the same with an encoded colon", "DELETE", "/items/root%3a/content", "downstream_not_allowed"],
    ["the same with a fullwidth colon", "DELETE", "/items/root%ef%bc%9a/content", "downstream_not_allowed"],
    ["the content of a file", "PUT", "/root:/Public/a/b.txt:/content", `${drive}/root:/Public/a/b.txt:/content`],
    ["a folder", "GET", "/root:/Public/a:/children", `${drive}/root:/Public/a:/children`],
    ["a file by its path", "GET", "/root:/Public/a:", `${drive}/root:/Public/a:`],
    ["another resource", "GET", "/root:/Public/x:/createdByUser/drive/root/children", "downstream_not_allowed"],
    ["the file's permissions", "GET", "/root:/Public/x:/permissions", "downstream_not_allowed"],
    ["behind the content", "GET", "/root:/Public/x:/content/createdByUser", "downstream_not_allowed"],
    ["a second path", "GET", "/root:/Public/x:/root:/secret", "downstream_not_allowed"],
    ["two colons", "GET", "/root:/Public/x:/y:/content", "downstream_not_allowed"],
    ["what the rule writes", "GET", "/root:/Plans/x:/content", `${drive}/root:/Plans/x:/content`],
  ])("%s: %s %s → %s", async (_attack, method, path, outcome) => {
    const settings = relaySettings(world.tenant.url, RULES_OF_FILES);
    const headers = bearer(userToken(world));
    const answer = await service.another({ settings }).call(`${BASE}${drive}${path}`, { method, headers });
    const reached = world.tenant.state.log.entries({ endpoint: "graph" }).at(-1)?.path;
    expect(reached ?? answer.json()["code"]).toBe(outcome);
  });
});

describe("queries", () => {
  test.each<[attack: string, query: string, outcome: string]>([
    ["an allowed option", "$select=subject", MESSAGES],
    ["an option that is not listed", "$expand=attachments", "downstream_not_allowed"],
    ["an allowed option twice", "$select=subject&$select=body", "path_invalid"],
    ["an allowed option twice, in capitals", "$select=subject&$SELECT=body", "path_invalid"],
    ["an allowed option twice, without dollar sign", "$select=subject&select=body", "path_invalid"],
    ["an allowed option twice, encoded", "$select=subject&%24select=body", "path_invalid"],
    ["an option without dollar sign", "expand=attachments", "downstream_not_allowed"],
    ["an encoded option", "%24expand=attachments", "downstream_not_allowed"],
    ["a twice encoded option", "%2524expand=attachments", "path_invalid"],
    ["an option inside the name of another", "$select%3dx%26$expand=attachments", "path_invalid"],
    ["an option behind a semicolon", "$select=subject;$expand=attachments", MESSAGES],
    ["a line break in a value", "$select=a%0d%0aX:1", "path_invalid"],
    ["NUL in a value", "$select=a%00", "path_invalid"],
    ["a name that is no ASCII", "%ef%bc%84select=a", "path_invalid"],
    ["no name", "=x", "path_invalid"],
  ])("%s: ?%s → %s", async (_attack, query, outcome) => {
    expect(await attempt(`${BASE}${MESSAGES}?${query}`)).toBe(outcome);
  });

  test("a semicolon stays in the value of its option", async () => {
    await attempt(`${BASE}${MESSAGES}?$select=subject;$expand=attachments`);
    const sent = world.tenant.state.log.entries({ endpoint: "graph" }).at(-1);
    expect(sent?.query).toEqual({ $select: "subject;$expand=attachments" });
  });
});

describe("headers", () => {
  test.each<[string, Record<string, string>]>([
    [
      "another method",
      { "x-http-method-override": "DELETE", "x-http-method": "DELETE", "x-method-override": "DELETE" },
    ],
    ["another host", { host: "evil.example", "x-forwarded-host": "evil.example", forwarded: "host=evil.example" }],
    ["another address", { "x-original-url": "/v1.0/users", "x-rewrite-url": "/v1.0/users" }],
    ["a principal of Easy Auth", { "x-ms-client-principal": "e30=", "x-ms-token-aad-access-token": "x" }],
    ["cookies and other credentials", { cookie: "a=b", "proxy-authorization": "Basic eA==" }],
    ["headers of the connection", { te: "trailers", upgrade: "h2c", "keep-alive": "1", "proxy-connection": "x" }],
    ["headers of Graph that change who acts", { anchormailbox: "bob", "x-anchormailbox": "UPN:bob@contoso.local" }],
  ])("%s stay here", async (_attack, headers) => {
    expect(await attempt(`${BASE}${MESSAGES}`, { headers })).toBe(MESSAGES);
    const sent = world.tenant.state.log.entries({ endpoint: "graph" }).at(-1);
    expect(sent?.method).toBe("GET");
    expect(sent?.headers?.["host"]).toBe(new URL(world.tenant.url).host);
    for (const name of Object.keys(headers).filter((one) => one !== "host")) {
      expect([name, sent?.headers?.[name]]).toEqual([name, undefined]);
    }
  });

  test("the caller's own token never reaches the API", async () => {
    const token = userToken(world);
    await attempt(`${BASE}${MESSAGES}`, { headers: bearer(token) });
    expect(JSON.stringify(world.tenant.state.log.entries({ endpoint: "graph" }))).not.toContain(token);
  });
});

describe("methods", () => {
  test.each(["HEAD", "POST", "PUT", "PATCH", "DELETE"])("%s where only GET is allowed", async (method) => {
    expect(await attempt(`${BASE}${MESSAGES}`, { method })).toBe("downstream_not_allowed");
  });

  test("OPTIONS", async () => {
    expect(await attempt(`${BASE}${MESSAGES}`, { method: "OPTIONS" })).toBe("method_not_allowed");
  });
});

describe("release none: every route that would return a token refuses", () => {
  const asUser = () => bearer(userToken(world));
  const asApp = () => bearer(appToken(world));
  const tokenForm = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    service.call("/oauth2/token", { form, headers });
  const HANDLE = `gte_${"A".repeat(43)}`;

  test.each<[string, () => Promise<{ status: number; json(): Record<string, unknown> }>, number, string]>([
    [
      "GET /AuthorizationHeader",
      () => service.call("/AuthorizationHeader/graph", { headers: asUser() }),
      403,
      "relay_only",
    ],
    [
      "GET /AuthorizationHeader with scopes",
      () => service.call("/AuthorizationHeader/graph?optionsOverride.Scopes=Mail.Read", { headers: asUser() }),
      403,
      "relay_only",
    ],
    [
      "POST /AuthorizationHeader",
      () => service.call("/AuthorizationHeader/graph", { headers: asUser(), json: { scopes: ["Mail.Read"] } }),
      403,
      "relay_only",
    ],
    [
      "POST /AuthorizationHeader with offline_access",
      () => service.call("/AuthorizationHeader/graph", { headers: asUser(), json: { scopes: ["offline_access"] } }),
      403,
      "relay_only",
    ],
    [
      "GET /AuthorizationHeaderUnauthenticated",
      () =>
        service.call("/AuthorizationHeaderUnauthenticated/graph", {
          headers: bearer(appToken(world, { client: "reports" })),
        }),
      403,
      "relay_only",
    ],
    ["token exchange", () => tokenForm(exchangeForm(userToken(world))), 400, "relay_only"],
    [
      "token exchange with offline_access",
      () => tokenForm(exchangeForm(userToken(world), { scope: "User.Read offline_access" })),
      400,
      "relay_only",
    ],
    ["jwt-bearer", () => tokenForm(jwtBearerForm(userToken(world))), 400, "relay_only"],
    ["token exchange by an application", () => tokenForm(exchangeForm(userToken(world)), asApp()), 400, "relay_only"],
    [
      "client credentials",
      () =>
        tokenForm(
          { grant_type: "client_credentials", audience: "graph" },
          bearer(appToken(world, { client: "reports" })),
        ),
      400,
      "relay_only",
    ],
    [
      "a refresh token of Entra",
      () =>
        tokenForm(
          { grant_type: "refresh_token", refresh_token: "0.AAAA" },
          bearer(appToken(world, { client: "daemon" })),
        ),
      400,
      "import_not_allowed",
    ],
    [
      "a grant that does not exist",
      () =>
        tokenForm(
          { grant_type: "refresh_token", refresh_token: HANDLE },
          bearer(appToken(world, { client: "daemon" })),
        ),
      400,
      "grant_invalid",
    ],
  ])("%s", async (_name, call, status, code) => {
    const answer = await call();
    expect([answer.status, answer.json()["code"]]).toEqual([status, code]);
    expect(JSON.stringify(answer.json())).not.toContain("eyJ");
  });

  test("an application with a token release cannot exchange tokens of people whose entry has none", async () => {
    const other = world.serve({
      settings: relaySettings(world.tenant.url, RULES, {
        "web-backend": { apis: { graph: ["User.Read", "Mail.Read"] } },
      }),
    });
    const answer = await other.call("/oauth2/token", { form: exchangeForm(userToken(world)), headers: asApp() });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "relay_only"]);
  });

  test("a pushed request of an entry whose release became none", async () => {
    const answer = await service.another({ settings: {} }).call("/oauth2/par", {
      form: parForm(newPkce(), { redirect_uri: REDIRECT_URI }),
      headers: asApp(),
    });
    expect(answer.status).toBe(201);
    const now = await service.call("/oauth2/token", {
      form: { grant_type: "authorization_code", code: "x", redirect_uri: REDIRECT_URI, code_verifier: "x".repeat(43) },
      headers: asApp(),
    });
    expect(now.status).toBe(400);
    expect(now.json()).not.toHaveProperty("access_token");
  });
});
