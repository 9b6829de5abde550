/** What the command line makes of a service that is hostile, broken, slow or only refuses: a small server plays it. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
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

describe("metadata (RFC 9728) is believed only as far as it cannot hurt", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["another service's (section 3.3)", { resource: "https://elsewhere.example" }, "about another service"],
    ["its own with a slash more (section 3.3)", { resource: withSlash }, "about another service"],
    ["its own in another case (section 3.3)", { resource: inCapitals }, "about another service"],
    ["nobody's (section 3.3)", { resource: undefined }, "about another service"],
    ["an authority that is not Entra's", { authorization_servers: ["https://evil.example/t/v2.0"] }, "no authority"],
    [
      "a look-alike of Entra's",
      { authorization_servers: [`https://login.microsoftonline.com.evil.example/${TENANT_ID}/v2.0`] },
      "no authority",
    ],
    [
      "every tenant at once",
      { authorization_servers: ["https://login.microsoftonline.com/common/v2.0"] },
      "no authority",
    ],
    ["plain http", { authorization_servers: [`http://localhost:1/${TENANT_ID}/v2.0`] }, "no authority"],
    ["no authority", { authorization_servers: undefined }, "no authority"],
    ["a scope of Graph's", { scopes_supported: ["https://graph.microsoft.com/.default"] }, "access_as_user"],
    ["a scope dressed up", { scopes_supported: ["https://graph.microsoft.com/access_as_user"] }, "access_as_user"],
    [
      "another Microsoft API's",
      { scopes_supported: ["https://management.azure.com/access_as_user"] },
      "access_as_user",
    ],
    [
      "a host behind user info",
      { scopes_supported: ["https://x@graph.microsoft.com/access_as_user"] },
      "access_as_user",
    ],
    ["a query", { scopes_supported: ["https://x.example?a=/access_as_user"] }, "access_as_user"],
    ["plain http as App ID URI", { scopes_supported: ["http://x.example/access_as_user"] }, "access_as_user"],
    ["several scopes in one", { scopes_supported: ["api://x/access_as_user Mail.Read"] }, "access_as_user"],
  ])("%s", async (_, change, text) => {
    const spelled = typeof change["resource"] === "function" ? { resource: change["resource"](service) } : {};
    metadata = { ...metadata, ...change, ...spelled };
    const { code, error } = await login();
    expect([code, error()["error"]]).toEqual([4, "discovery"]);
    expect(error()["message"]).toContain(text);
    expect(tenant.state.listDeviceCodes()).toEqual([]);
  });

  test("the scope of the service is all that is asked for", async () => {
    expect((await login()).code).toBe(0);
    const [start] = tenant.state.requests({ endpoint: "devicecode" });
    expect(start?.status).toBe(200);
    expect(tenant.state.requests({ grantType: "device_code" }).at(-1)?.form?.["scope"]).toBe(
      `api://${CLIENT_IDS.service}/access_as_user openid profile offline_access`,
    );
  });

  test("nobody listens there: exit code 5; not a URL, or not https: exit code 2", async () => {
    const at = (url: string) => cli(`login --client-id ${CLIENT_IDS.cli} --service ${url}`);
    const gone = await at("http://localhost:9");
    expect([gone.code, gone.error()["error"]]).toEqual([5, "network"]);
    for (const plain of ["service.example", "localhost.example", "127.0.0.1.example", "10.0.0.1", "localhost."]) {
      const refused = await at(`http://${plain}:9`);
      expect([refused.code, refused.error()["message"]]).toEqual([2, expect.stringContaining("must be an https URL")]);
    }
    for (const here of ["localhost", "127.0.0.1", "[::1]"]) expect((await at(`http://${here}:9`)).code).toBe(5);
    expect((await at("https://service.example/$(id)")).code).toBe(2);
    expect((await at("service.example")).code).toBe(2);
    expect((await at("https://service.example/?x=1")).code).toBe(2);
    expect((await cli(`login --service ${service} --client-id nonsense`)).code).toBe(2);
    expect((await cli(`login --service ${service}`)).code).toBe(2);
  });
});

describe("answers", () => {
  beforeEach(async () => {
    expect((await login()).code).toBe(0);
  });

  test("a refused token is renewed once, and the request repeated with the new one", async () => {
    answers = [{ status: 401, body: { action: "new_caller_token" } }, { body: payload }];
    expect((await cli("header graph")).json()).toEqual(payload.headers);
    expect(asked).toHaveLength(2);
    expect(asked[0]?.authorization).not.toBe(asked[1]?.authorization);
  });

  test("refused twice: exit code 3, no third try", async () => {
    const refused = { status: 401, body: { code: "caller_refused", detail: "no", action: "new_caller_token" } };
    answers = [refused, refused, { body: payload }];
    const { code, error } = await cli("header graph");
    expect([code, error()]).toEqual([3, expect.objectContaining({ error: "caller_refused", run: "gte login" })]);
    expect(asked).toHaveLength(2);
  });

  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  test.each<[string, Scripted]>([
    [
      "base64 in the header, in the form of claims-challenge.md",
      {
        status: 401,
        headers: {
          "www-authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${Buffer.from(claims).toString("base64")}"`,
        },
      },
    ],
    [
      "unquoted parameters, as Graph sends them",
      {
        status: 401,
        headers: {
          "www-authenticate": `Bearer realm="", authorization_uri=https://login.example/authorize, error=insufficient_claims, claims=${Buffer.from(claims).toString("base64url")}`,
        },
      },
    ],
    ["JSON in the body", { status: 403, body: { error: "interaction_required", claims, action: "sign_in" } }],
  ])("claims: %s", async (_, challenge) => {
    answers = [challenge, { body: payload }];
    expect((await cli("header graph")).code).toBe(0);
    const refreshed = tenant.state.requests({ grantType: "refresh_token" }).at(-1);
    expect(JSON.parse(refreshed?.form?.["claims"] ?? "")).toMatchObject(JSON.parse(claims));
  });

  test.each<[string, Scripted, number, string]>([
    ["throttled", { status: 429, body: { code: "throttled", action: "retry" } }, 5, "throttled"],
    ["out of order, in HTML", { status: 502, body: "<html>" }, 5, "service_unavailable"],
    ["an answer that is no JSON", { body: "hello" }, 5, "answer_invalid"],
    ["a payload without a header", { body: { headers: { Authorization: "Basic x" } } }, 5, "answer_invalid"],
    ["denied", { status: 403, body: { code: "caller_not_in_policy", action: "ask_admin" } }, 4, "caller_not_in_policy"],
    ["an old route", { status: 404, body: "nothing" }, 4, "refused"],
    ["signed out", { status: 403, body: { code: "grant_dead", action: "sign_in" } }, 3, "grant_dead"],
  ])("%s", async (_, answer, exitCode, error) => {
    answers = [answer];
    const result = await cli("header graph");
    expect([result.code, result.error()["error"], result.out]).toEqual([exitCode, error, ""]);
  });

  test("control characters of a hostile answer do not reach the terminal", async () => {
    answers = [{ status: 403, body: { code: "x", detail: "\u001b[2J\u0007\u202egood" } }];
    const { error } = await cli("header graph");
    expect(error()["message"]).toBe("The service refused (403 x):  [2J good");
  });

  test("no answer in time: exit code 5", async () => {
    answers = [{ hang: true }];
    const { code, error } = await cli("header graph --timeout 0.1");
    expect([code, error()["error"]]).toEqual([5, "timeout"]);
    expect((await cli("header graph --timeout soon")).code).toBe(2);
  });

  test("Entra has no answer, or none in JSON: exit code 5", async () => {
    tenant.state.order({ endpoint: "token", throttleSeconds: 3 });
    answers = [{ status: 401 }];
    const throttled = await cli("header graph");
    expect([throttled.code, throttled.error()["error"]]).toEqual([5, "entra_unavailable"]);
    tenant.state.order({ endpoint: "token", drop: true });
    answers = [{ status: 401 }];
    const dropped = await cli("header graph");
    expect([dropped.code, dropped.error()["error"]]).toEqual([5, "network"]);
  });

  test("a refresh token that Entra no longer takes: exit code 3", async () => {
    tenant.state.order({ endpoint: "token", aadsts: 70043 });
    answers = [{ status: 401 }];
    const { code, error } = await cli("header graph");
    expect([code, error()["error"]]).toEqual([3, "sign_in_required"]);
  });
});

describe("the command line itself", () => {
  test.each([
    ["", "Which command?"],
    ["dance", 'There is no command "dance"'],
    ["header", "Which API?"],
    ["header graph orders", "Which API?"],
    ["token graph --data x", '"token" takes no --data'],
    ["header graph --claims nonsense", "--claims is a JSON object"],
    ["header graph --colour", "Unknown option"],
    ["login now", "login takes options only"],
    ["grants revoke", "grants list, or grants revoke"],
    ["grants revoke deadbeef", "as grants list shows it"],
    [`grants revoke ${"A".repeat(64)}`, "as grants list shows it"],
    [`grants revoke ${"a".repeat(65)}`, "as grants list shows it"],
    ["grants revoke gte_x", "as grants list shows it"],
    ["token graph --scope offline_access", "needs none"],
    ["header graph --scope User.Read --scope offline_access", "needs none"],
  ])('"%s": exit code 2', async (args, text) => {
    const { code, notes, out } = await runHere([...args.split(" ").filter(Boolean), "--home", home]);
    expect([code, notes, out]).toEqual([2, expect.stringContaining(text), ""]);
  });

  test("--help names every command and exit code, on standard output", async () => {
    const { code, out, notes } = await runHere(["--help"]);
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(
      /login[\s\S]+header[\s\S]+token[\s\S]+call[\s\S]+grants[\s\S]+whoami[\s\S]+logout[\s\S]+Exit codes: 0/,
    );
  });
});
