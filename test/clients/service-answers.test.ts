/** The command line with a service that is hostile, broken or slow, or refuses requests. A small server plays this service. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import { claimsOf } from "../support/callers.ts";
import { useTenant } from "../support/use-tenant.ts";
import { type CliResult, newHome, runHere } from "./support/cli.ts";

interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly hang?: true;
}

const tenant = useTenant();
let server: Server;
let service: string;
let home: string;
let metadata: Record<string, unknown>;
let answers: Scripted[];
const asked: { authorization: string; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await textOf(request);
    const discovering = request.url === "/.well-known/oauth-protected-resource";
    if (!discovering) asked.push({ authorization: request.headers.authorization ?? "", body });
    const answer = discovering ? { body: metadata } : (answers.shift() ?? { status: 500 });
    if (answer.hang) return;
    const { status = 200, headers = {}, body: content = {} } = answer;
    response.writeHead(status, headers).end(typeof content === "string" ? content : JSON.stringify(content));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  service = `http://localhost:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  home = newHome();
  answers = [];
  asked.length = 0;
  metadata = {
    resource: service,
    authorization_servers: [`${tenant.url}/${TENANT_ID}/v2.0`],
    scopes_supported: [`api://${CLIENT_IDS.service}/access_as_user`],
  };
  tenant.state.setDeviceCodeInterval({ seconds: 0.02 });
});
afterEach(() => tenant.state.reset());
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

function cli(args: string): Promise<CliResult> {
  return runHere([...args.split(" "), "--json", "--home", home], {
    onNote: (note) => note.includes("enter the code") && void tenant.state.approveDeviceCode(),
  });
}

const login = () => cli(`login --service ${service} --client-id ${CLIENT_IDS.cli}`);

const withSlash = (url: string) => `${url}/`;
const inCapitals = (url: string) => url.toUpperCase();

const payload = {
  headers: { Authorization: "Bearer the-token", "Content-Type": "application/json" },
  expiresOn: "2030-01-01T00:00:00Z",
  scopes: ["User.Read"],
};

describe("login rejects untrusted service metadata (RFC 9728)", () => {
  test.each<[string, Record<string, unknown>, string]>([
    [
      "a resource that is another service (section 3.3)",
      { resource: "https://elsewhere.example" },
      "about another service",
    ],
    ["a resource with an additional slash (section 3.3)", { resource: withSlash }, "about another service"],
    ["a resource in capitals (section 3.3)", { resource: inCapitals }, "about another service"],
    ["no resource (section 3.3)", { resource: undefined }, "about another service"],
    [
      "an authority that is not Entra",
      { authorization_servers: ["https://evil.example/t/v2.0"] },
      "no Microsoft Entra authority",
    ],
    [
      "an authority with a look-alike host name",
      { authorization_servers: [`https://login.microsoftonline.com.evil.example/${TENANT_ID}/v2.0`] },
      "no Microsoft Entra authority",
    ],
    [
      "the authority of all tenants",
      { authorization_servers: ["https://login.microsoftonline.com/common/v2.0"] },
      "no Microsoft Entra authority",
    ],
    [
      "an authority with http",
      { authorization_servers: [`http://localhost:1/${TENANT_ID}/v2.0`] },
      "no Microsoft Entra authority",
    ],
    ["no authority", { authorization_servers: undefined }, "no Microsoft Entra authority"],
    ["a scope of Graph", { scopes_supported: ["https://graph.microsoft.com/.default"] }, "access_as_user"],
    [
      "the scope access_as_user of Graph",
      { scopes_supported: ["https://graph.microsoft.com/access_as_user"] },
      "access_as_user",
    ],
    [
      "the scope access_as_user of another Microsoft API",
      { scopes_supported: ["https://management.azure.com/access_as_user"] },
      "access_as_user",
    ],
    [
      "an App ID URI with user information",
      { scopes_supported: ["https://x@graph.microsoft.com/access_as_user"] },
      "access_as_user",
    ],
    ["an App ID URI with a query", { scopes_supported: ["https://x.example?a=/access_as_user"] }, "access_as_user"],
    ["an App ID URI with http", { scopes_supported: ["http://x.example/access_as_user"] }, "access_as_user"],
    ["several scopes in one string", { scopes_supported: ["api://x/access_as_user Mail.Read"] }, "access_as_user"],
  ])("%s", async (_, change, text) => {
    const resource = typeof change["resource"] === "function" ? { resource: change["resource"](service) } : {};
    metadata = { ...metadata, ...change, ...resource };
    const { code, error } = await login();
    expect([code, error()["error"]]).toEqual([4, "discovery"]);
    expect(error()["message"]).toContain(text);
    expect(tenant.state.listDeviceCodes()).toEqual([]);
  });

  test("login requests only the scope of the service", async () => {
    expect((await login()).code).toBe(0);
    const [start] = tenant.state.requests({ endpoint: "devicecode" });
    expect(start?.status).toBe(200);
    expect(tenant.state.requests({ grantType: "device_code" }).at(-1)?.form?.["scope"]).toBe(
      `api://${CLIENT_IDS.service}/access_as_user openid profile offline_access`,
    );
  });

  test("login exits with code 5 if the service is unreachable, and with code 2 if its URL is invalid or not https", async () => {
    const at = (url: string) => cli(`login --client-id ${CLIENT_IDS.cli} --service ${url}`);
    const gone = await at("http://localhost:9");
    expect([gone.code, gone.error()["error"]]).toEqual([5, "network"]);
    for (const plain of ["service.example", "localhost.example", "127.0.0.1.example", "10.0.0.1", "localhost."]) {
      const refused = await at(`http://${plain}:9`);
      expect([refused.code, refused.error()["message"]]).toEqual([
        2,
        expect.stringContaining("must have an https URL"),
      ]);
    }
    for (const here of ["localhost", "127.0.0.1", "[::1]"]) expect((await at(`http://${here}:9`)).code).toBe(5);
    expect((await at("https://service.example/$(id)")).code).toBe(2);
    expect((await at("service.example")).code).toBe(2);
    expect((await at("https://service.example/?x=1")).code).toBe(2);
    expect((await cli(`login --service ${service} --client-id nonsense`)).code).toBe(2);
    expect((await cli(`login --service ${service}`)).code).toBe(2);
  });
});

describe("responses of the service", () => {
  beforeEach(async () => {
    expect((await login()).code).toBe(0);
  });

  test("after a 401 the request is repeated once with a new token", async () => {
    answers = [{ status: 401, body: { action: "new_caller_token" } }, { body: payload }];
    expect((await cli("header graph")).json()).toEqual(payload);
    expect(asked).toHaveLength(2);
    expect(asked[0]?.authorization).not.toBe(asked[1]?.authorization);
  });

  describe("that names another scope", () => {
    const NARROW = `api://${CLIENT_IDS.narrow}/access_as_user`;
    const naming = (scope: string, code = "token_for_other_registration"): Scripted => ({
      status: 401,
      headers: { "www-authenticate": `Bearer realm="x", error="invalid_token", scope="${scope}"` },
      body: { code, detail: "no", action: "new_caller_token" },
    });
    const audiences = () => asked.map(({ authorization }) => claimsOf(authorization.replace("Bearer ", ""))["aud"]);

    test("the request is repeated once with a token for it, and later commands use it at once", async () => {
      answers = [naming(NARROW), { body: payload }, { body: payload }];
      expect((await cli("header graph")).code).toBe(0);
      expect((await cli("header graph")).code).toBe(0);
      expect(audiences()).toEqual([CLIENT_IDS.service, CLIENT_IDS.narrow, CLIENT_IDS.narrow]);
    });

    test("a login keeps the scope that was found, and --scope chooses another one of the service", async () => {
      const wide = `api://${CLIENT_IDS.service}/access_as_user`;
      metadata = { ...metadata, scopes_supported: [wide, NARROW] };
      answers = [naming(NARROW), { body: payload }, { body: payload }, { body: payload }];
      expect((await cli("header graph")).code).toBe(0);
      expect((await login()).code).toBe(0);
      expect((await cli("header graph")).code).toBe(0);
      expect((await cli(`login --service ${service} --client-id ${CLIENT_IDS.cli} --scope ${wide}`)).code).toBe(0);
      expect((await cli("header graph")).code).toBe(0);
      expect(audiences()).toEqual([CLIENT_IDS.service, CLIENT_IDS.narrow, CLIENT_IDS.narrow, CLIENT_IDS.service]);
      const unknown = await cli(
        `login --service ${service} --client-id ${CLIENT_IDS.cli} --scope api://x/access_as_user`,
      );
      expect([unknown.code, unknown.error()["error"]]).toEqual([4, "discovery"]);
    });

    test("a 401 for the other scope too exits with code 3, and the scope is not saved", async () => {
      answers = [naming(NARROW), naming(NARROW), { body: payload }];
      expect((await cli("header graph")).code).toBe(3);
      expect((await cli("header graph")).code).toBe(0);
      expect(audiences()).toEqual([CLIENT_IDS.service, CLIENT_IDS.narrow, CLIENT_IDS.service]);
    });

    test.each([
      ["of Microsoft Graph", "https://graph.microsoft.com/Mail.Read"],
      ["of an API in a domain of Microsoft", "https://graph.microsoft.com/access_as_user"],
      ["of another form", `${CLIENT_IDS.narrow}/.default`],
    ])("%s gets no token", async (_of, scope) => {
      answers = [naming(scope), naming(scope)];
      expect((await cli("header graph")).code).toBe(3);
      expect(new Set(audiences())).toEqual(new Set([CLIENT_IDS.service]));
    });

    test("in the generic answer to a damaged token does not change the scope", async () => {
      answers = [naming(NARROW, "caller_refused"), { body: payload }];
      expect((await cli("header graph")).code).toBe(0);
      expect(audiences()).toEqual([CLIENT_IDS.service, CLIENT_IDS.service]);
    });
  });

  test("a second 401 exits with code 3", async () => {
    const refused = { status: 401, body: { code: "caller_refused", detail: "no", action: "new_caller_token" } };
    answers = [refused, refused, { body: payload }];
    const { code, error } = await cli("header graph");
    expect([code, error()]).toEqual([3, expect.objectContaining({ error: "caller_refused", run: "gte login" })]);
    expect(asked).toHaveLength(2);
  });

  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  test.each<[string, Scripted]>([
    [
      "base64 in the header, as Microsoft documents it",
      {
        status: 401,
        headers: {
          "www-authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${Buffer.from(claims).toString("base64")}"`,
        },
      },
    ],
    [
      "unquoted header parameters, as Graph sends them",
      {
        status: 401,
        headers: {
          "www-authenticate": `Bearer realm="", authorization_uri=https://login.example/authorize, error=insufficient_claims, claims=${Buffer.from(claims).toString("base64url")}`,
        },
      },
    ],
    ["JSON in the body", { status: 403, body: { error: "interaction_required", claims, action: "sign_in" } }],
  ])("a claims challenge is answered with a new token: %s", async (_, challenge) => {
    answers = [challenge, { body: payload }];
    expect((await cli("header graph")).code).toBe(0);
    const refreshed = tenant.state.requests({ grantType: "refresh_token" }).at(-1);
    expect(JSON.parse(refreshed?.form?.["claims"] ?? "")).toMatchObject(JSON.parse(claims));
  });

  test.each<[string, Scripted, number, string]>([
    ["429 exits with code 5", { status: 429, body: { code: "throttled", action: "retry" } }, 5, "throttled"],
    ["502 with HTML exits with code 5", { status: 502, body: "<html>" }, 5, "service_unavailable"],
    ["200 without JSON exits with code 5", { body: "hello" }, 5, "answer_invalid"],
    [
      "200 without a bearer header exits with code 5",
      { body: { headers: { Authorization: "Basic x" } } },
      5,
      "answer_invalid",
    ],
    [
      "403 with action ask_admin exits with code 4",
      { status: 403, body: { code: "caller_not_in_policy", action: "ask_admin" } },
      4,
      "caller_not_in_policy",
    ],
    ["404 exits with code 4", { status: 404, body: "nothing" }, 4, "refused"],
    [
      "403 with action sign_in exits with code 3",
      { status: 403, body: { code: "grant_dead", action: "sign_in" } },
      3,
      "grant_dead",
    ],
  ])("%s", async (_, answer, exitCode, error) => {
    answers = [answer];
    const result = await cli("header graph");
    expect([result.code, result.error()["error"], result.out]).toEqual([exitCode, error, ""]);
  });

  test("control characters in an error message are removed", async () => {
    answers = [{ status: 403, body: { code: "x", detail: "\u001b[2J\u0007\u202egood" } }];
    const { error } = await cli("header graph");
    expect(error()["message"]).toBe("The service refused (403 x):  [2J good");
  });

  test("a timeout exits with code 5", async () => {
    answers = [{ hang: true }];
    const { code, error } = await cli("header graph --timeout 0.1");
    expect([code, error()["error"]]).toEqual([5, "timeout"]);
    expect((await cli("header graph --timeout soon")).code).toBe(2);
  });

  test("a response of Entra that is not JSON, or no response, exits with code 5", async () => {
    tenant.state.order({ endpoint: "token", throttleSeconds: 3 });
    answers = [{ status: 401 }];
    const throttled = await cli("header graph");
    expect([throttled.code, throttled.error()["error"]]).toEqual([5, "entra_unavailable"]);
    tenant.state.order({ endpoint: "token", drop: true });
    answers = [{ status: 401 }];
    const dropped = await cli("header graph");
    expect([dropped.code, dropped.error()["error"]]).toEqual([5, "network"]);
  });

  test("a refresh token that Entra rejects exits with code 3", async () => {
    tenant.state.order({ endpoint: "token", aadsts: 70043 });
    answers = [{ status: 401 }];
    const { code, error } = await cli("header graph");
    expect([code, error()["error"]]).toEqual([3, "sign_in_required"]);
  });
});

describe("gte with wrong arguments", () => {
  test.each([
    ["", "No command was given"],
    ["dance", '"dance" is not a command'],
    ["header", "header takes one API"],
    ["header graph orders", "header takes one API"],
    ["token graph --data x", '"token" does not support --data'],
    ["header graph --claims nonsense", "--claims must be a JSON object"],
    ["header graph --colour", "Unknown option"],
    ["login now", "login takes only options"],
    ["grants revoke", "grants list and grants revoke"],
    ["grants revoke deadbeef", "that grants list shows"],
    [`grants revoke ${"A".repeat(64)}`, "that grants list shows"],
    [`grants revoke ${"a".repeat(65)}`, "that grants list shows"],
    ["grants revoke gte_x", "that grants list shows"],
    ["admin", "admin grants and admin revoke"],
    ["admin revoke --reason x", "Name what to revoke"],
    ["admin revoke --everything", "--reason"],
    ["admin grants --person x --entry y", "only one of"],
    ["token graph --scope offline_access", "is not supported"],
    ["header graph --scope User.Read --scope offline_access", "is not supported"],
  ])('"%s" exits with code 2', async (args, text) => {
    const { code, notes, out } = await runHere([...args.split(" ").filter(Boolean), "--home", home]);
    expect([code, notes, out]).toEqual([2, expect.stringContaining(text), ""]);
  });

  test("--help prints every command and exit code to standard output", async () => {
    const { code, out, notes } = await runHere(["--help"]);
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(
      /login[\s\S]+header[\s\S]+token[\s\S]+call[\s\S]+grants[\s\S]+whoami[\s\S]+logout[\s\S]+Exit codes: 0/,
    );
  });
});
