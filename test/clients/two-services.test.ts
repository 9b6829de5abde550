/** One person with two services: a token for one service is never sent to the other. */
import { cpSync, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serviceFolder, tokensPath } from "../../clients/cli/home.ts";
import { audienceOf } from "../../clients/cli/service-conflicts.ts";
import { CLIENT_IDS, RESOURCE_URIS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../support/use-tenant.ts";
import { type CliOptions, type CliResult, newHome, runHere } from "./support/cli.ts";

interface PlayedService {
  readonly url: string;
  metadata: Record<string, unknown>;
  /** The paths and Authorization headers of the requests. */
  /** Set: the next request gets 401 with this scope. */
  challenge?: string | undefined;
  readonly asked: { path: string; authorization: string | undefined }[];
  readonly server: Server;
}

const SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;
/** A second App ID URI of the same registration. */
const ALIAS = "https://gte.contoso.example/exchange";
/** The scope of another registration. */
const OTHER_SCOPE = `${RESOURCE_URIS.orders}/access_as_user`;
const payload = { headers: { Authorization: "Bearer the-token" }, expiresOn: "2030-01-01T00:00:00Z", scopes: [] };

const tenant = useTenant();
let real: PlayedService;
let other: PlayedService;
let home: string;

beforeAll(async () => {
  real = await playService();
  other = await playService();
});
beforeEach(() => {
  home = newHome();
  for (const one of [real, other]) {
    one.asked.length = 0;
    one.metadata = describing(one, SCOPE);
  }
  tenant.state.setDeviceCodeInterval({ seconds: 0.02 });
  tenant.state.directory.registration("service")?.appIdUris.push(ALIAS);
  tenant.state.directory.registration("orders")?.scopes.push("access_as_user");
  tenant.state.addConsent({ client: "cli", resource: "orders", scopes: ["access_as_user"] });
});
afterEach(() => tenant.state.reset());
afterAll(() => {
  for (const { server } of [real, other]) server.close();
});

async function playService(): Promise<PlayedService> {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    played.asked.push({ path, authorization: request.headers.authorization });
    const answer = path.startsWith("/.well-known/") ? played.metadata : payload;
    const { challenge } = played;
    if (challenge !== undefined && answer === payload) {
      played.challenge = undefined;
      response.writeHead(401, { connection: "close", "www-authenticate": `Bearer scope="${challenge}"` }).end("{}");
      return;
    }
    response.writeHead(200, { connection: "close" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const played: PlayedService = { url, metadata: {}, asked: [], server };
  return played;
}

function describing({ url }: PlayedService, scope: string): Record<string, unknown> {
  return { resource: url, authorization_servers: [`${tenant.url}/${TENANT_ID}/v2.0`], scopes_supported: [scope] };
}

function cli(args: string, options: CliOptions = {}): Promise<CliResult> {
  return runHere([...args.split(" "), "--json", "--home", home], {
    onNote: (note) => note.includes("enter the code") && void tenant.state.approveDeviceCode(),
    ...options,
  });
}

const login = ({ url }: PlayedService, more = "") => cli(`login --service ${url} --client-id ${CLIENT_IDS.cli}${more}`);

/** The audiences of the tokens that a service received. */
function audiencesAt({ asked }: PlayedService): (string | undefined)[] {
  const given = asked.flatMap(({ authorization }) => authorization ?? []);
  return given.map((one) => audienceOf(one.replace("Bearer ", "")));
}

describe("a service without a login", () => {
  test.each(["header graph", "token graph", "call https://graph.microsoft.com/", "grants list", "whoami"])(
    "%s: exit code 3, no request and no sign-in, though its metadata would name our scope",
    async (command) => {
      expect((await login(real)).code).toBe(0);
      tenant.state.clearLog();
      const attempts: [string, CliOptions][] = [
        [command, { env: { GTE_SERVICE: other.url } }],
        [`${command} --service ${other.url}`, { attended: true }],
        [`${command} --service ${other.url} --client-id ${CLIENT_IDS.cli} --sign-in`, {}],
      ];
      for (const [args, options] of attempts) {
        const { code, error } = await cli(args, options);
        expect(other.asked).toEqual([]);
        expect([code, error()["error"]]).toEqual([3, "sign_in_required"]);
        expect(error()["run"]).toContain(`gte login --service ${other.url}`);
      }
      expect(tenant.state.requests({})).toEqual([]);
    },
  );
});

describe("two services with different APIs", () => {
  beforeEach(async () => {
    other.metadata = describing(other, OTHER_SCOPE);
    expect((await login(real)).code).toBe(0);
    expect((await login(other)).code).toBe(0);
  });

  test("each gets the tokens that were obtained for it, and no other", async () => {
    for (const one of [real, other, real]) {
      const { code, json } = await cli(`header graph --service ${one.url}`);
      expect([code, json()]).toEqual([0, payload]);
    }
    const [toReal, toOther] = [audiencesAt(real), audiencesAt(other)];
    expect(toReal).toEqual([CLIENT_IDS.service, CLIENT_IDS.service]);
    expect(toOther).toEqual([CLIENT_IDS.orders]);
    expect((await cli("header graph")).code).toBe(0); // The service of the last login.
    expect(audiencesAt(other)).toHaveLength(2);
  });

  test("changed metadata has no effect until the next login", async () => {
    other.metadata = describing(other, SCOPE);
    expect((await cli(`header graph --service ${other.url} --force-refresh`)).code).toBe(0);
    expect(audiencesAt(other)).toEqual([CLIENT_IDS.orders]);
    expect((await login(other)).code).toBe(2);
  });

  test("logout deletes the tokens of all services or of the one in --service, and the next message names that service", async () => {
    await cli(`logout --service ${real.url}`);
    const { code, error } = await cli(`header graph --service ${real.url}`);
    expect([code, error()["run"]]).toEqual([3, `gte login --service ${real.url}`]);
    expect((await cli(`header graph --service ${other.url}`)).code).toBe(0);
    await cli("logout");
    expect((await cli(`header graph --service ${other.url}`)).code).toBe(3);
  });

  test.each([
    ["its scope", SCOPE, 0],
    ["another App ID URI of its registration", `${ALIAS}/access_as_user`, 2],
  ])("a 401 of one service that names %s of the other gets no token for the other", async (_what, scope, expected) => {
    other.challenge = scope;
    expect((await cli(`header graph --service ${other.url}`)).code).toBe(expected);
    expect(audiencesAt(other).filter((audience) => audience !== CLIENT_IDS.orders)).toEqual([]);
    expect((await cli(`header graph --service ${other.url}`)).code).toBe(0);
    expect(new Set(audiencesAt(other))).toEqual(new Set([CLIENT_IDS.orders]));
  });

  test("settings that were copied to the folder of another service are rejected", async () => {
    cpSync(serviceFolder(home, real.url), serviceFolder(home, other.url), { recursive: true });
    const { code, error } = await cli(`header graph --service ${other.url}`);
    expect([code, error()["message"]]).toEqual([2, expect.stringContaining(`is not about ${other.url}`)]);
    expect(other.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});

describe("a second service for the same API", () => {
  beforeEach(async () => {
    expect((await login(real)).code).toBe(0);
  });

  test.each([
    ["the same scope", SCOPE],
    ["in another case", `api://${CLIENT_IDS.service.toUpperCase()}/access_as_user`],
  ])("%s: login exits with code 2 before the sign-in", async (_, scope) => {
    other.metadata = describing(other, scope);
    tenant.state.clearLog();
    const { code, error } = await login(other);
    expect([code, error()["error"]]).toEqual([2, "service_conflict"]);
    expect(error()["message"]).toContain(`the same API as ${real.url}`);
    expect(error()["run"]).toBe(`gte login --service ${other.url} --client-id ${CLIENT_IDS.cli} --replace`);
    expect(tenant.state.requests({ endpoint: "devicecode" })).toEqual([]);
    expect((await cli(`header graph --service ${other.url}`)).code).toBe(3);
    expect(audiencesAt(other)).toEqual([]);
    expect((await cli("header graph")).code).toBe(0); // The first service still works.
    expect(audiencesAt(real)).toHaveLength(1);
  });

  test("another App ID URI of the same registration: login compares the audience of the token and saves nothing", async () => {
    other.metadata = describing(other, `${ALIAS}/access_as_user`);
    const { code, error } = await login(other);
    expect([code, error()["error"]]).toEqual([2, "service_conflict"]);
    expect(existsSync(tokensPath(serviceFolder(home, other.url)))).toBe(false);
    expect((await cli(`token graph --service ${other.url}`)).code).toBe(3);
    expect(audiencesAt(other)).toEqual([]);
  });

  test("login to the second service is still refused after logout, because the first one is still saved", async () => {
    await cli("logout");
    expect((await login(other)).code).toBe(2);
  });

  test("login --replace deletes the first service, and no other command supports --replace", async () => {
    expect((await cli("header graph --replace")).code).toBe(2);
    expect((await login(other, " --replace")).code).toBe(0);
    expect(existsSync(serviceFolder(home, real.url))).toBe(false);
    expect((await cli("header graph")).code).toBe(0);
    expect(audiencesAt(other)).toEqual([CLIENT_IDS.service]);
    expect((await cli(`header graph --service ${real.url}`)).code).toBe(3);
    expect(audiencesAt(real)).toEqual([]);
  });

  test("login --replace deletes nothing if the sign-in fails", async () => {
    tenant.state.order({ endpoint: "devicecode", throttleSeconds: 1 });
    expect((await login(other, " --replace")).code).not.toBe(0);
    expect((await cli("header graph")).code).toBe(0);
    expect(audiencesAt(real)).toHaveLength(1);
  });
});

test("login and header work with an https App ID URI", async () => {
  real.metadata = describing(real, `${ALIAS}/access_as_user`);
  expect((await login(real)).code).toBe(0);
  expect((await cli("header graph")).code).toBe(0);
  expect(audiencesAt(real)).toEqual([CLIENT_IDS.service]);
});
