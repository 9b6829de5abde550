/**
 * The command line behind a proxy: the service, Entra and Graph have names that only the proxy can reach, and the local
 * tenant plays Entra behind it.
 */
import type { IncomingMessage, RequestListener } from "node:http";
import { request as httpsRequest } from "node:https";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { networkFrom } from "../../clients/cli/network.ts";
import { CLIENT_IDS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../support/use-tenant.ts";
import { type CliResult, newHome, runHere } from "./support/cli.ts";
import { type OutsideWorld, startOutsideWorld } from "./support/outside-world.ts";

const SERVICE = "https://gte.example";
const ENTRA = "login.microsoftonline.com";
const GRAPH = "graph.microsoft.com";

const tenant = useTenant();
let world: OutsideWorld;
let home: string;

beforeAll(async () => {
  world = await startOutsideWorld(["gte.example", ENTRA, GRAPH], answerOutside);
});
beforeEach(() => {
  home = newHome();
  world.connected.length = 0;
  tenant.state.setDeviceCodeInterval({ seconds: 0.02 });
});
afterEach(() => {
  world.ask(undefined);
  world.refuseWith(undefined);
  tenant.state.reset();
});
afterAll(() => world.close());

const answerOutside: RequestListener = (request, response) => {
  if (request.headers.host === ENTRA)
    return passOn(request, (answer) => {
      response.writeHead(answer.statusCode ?? 0, { "content-type": "application/json" });
      answer.pipe(response);
    });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(request.headers.host === GRAPH ? { displayName: "Alice" } : serviceAnswer(request.url)));
};

function passOn(request: IncomingMessage, onAnswer: (answer: IncomingMessage) => void): void {
  const { method = "GET", headers, url = "/" } = request;
  const { host: _, ...others } = headers;
  request.pipe(httpsRequest(tenant.url + url, { method, headers: others }, onAnswer));
}

function serviceAnswer(path: string | undefined) {
  if (path?.startsWith("/AuthorizationHeader/")) return { headers: { Authorization: "Bearer the-token" } };
  return {
    resource: SERVICE,
    authorization_servers: [`https://${ENTRA}/${TENANT_ID}/v2.0`],
    scopes_supported: [`api://${CLIENT_IDS.service}/access_as_user`],
  };
}

function cli(args: string, env: Readonly<Record<string, string>>): Promise<CliResult> {
  return runHere([...args.split(" "), "--home", home, "--json"], {
    env,
    onNote: (note) => note.includes("enter the code") && void tenant.state.approveDeviceCode(),
  });
}

const login = (env: Readonly<Record<string, string>>) =>
  cli(`login --service ${SERVICE} --client-id ${CLIENT_IDS.cli} --ca-file ${world.caFile}`, env);

const withPassword = (pair: string) => world.proxy.replace("//", `//${pair}@`);

describe("gte with HTTPS_PROXY", () => {
  test.each(["HTTPS_PROXY", "https_proxy"])("sends every request through the proxy in %s", async (name) => {
    const env = { [name]: world.proxy };
    expect(await login(env)).toMatchObject({ code: 0 });
    expect((await cli("header graph", env)).json()).toMatchObject({ headers: { Authorization: "Bearer the-token" } });
    expect((await cli(`call https://${GRAPH}/v1.0/me`, env)).json()).toMatchObject({ body: { displayName: "Alice" } });
    expect(new Set(world.connected)).toEqual(new Set(["gte.example:443", `${ENTRA}:443`, `${GRAPH}:443`]));
  });

  test("sends the user name and password of the URL to the proxy", async () => {
    world.ask("alice:p@ss:word");
    expect(await login({ HTTPS_PROXY: withPassword("alice:p%40ss:word") })).toMatchObject({ code: 0 });
  });

  test.each([
    ["", "requires a user name and password (407). Put them into HTTPS_PROXY"],
    ["alice:wrong", "requires a user name and password (407). Correct those in HTTPS_PROXY"],
  ])("names a 407 of the proxy and exits with code 2 (credentials %j)", async (pair, message) => {
    world.ask("alice:right");
    const { code, notes, error } = await login({ HTTPS_PROXY: pair === "" ? world.proxy : withPassword(pair) });
    expect([code, error()["error"]]).toEqual([2, "settings"]);
    expect(error()["message"]).toContain(`The proxy ${new URL(world.proxy).host} ${message}`);
    expect(notes).not.toMatch(/wrong|right/);
  });

  test.each([
    [403, 4],
    [502, 5],
  ])("names the proxy that refuses a connection with %d and exits with code %d", async (status, exitCode) => {
    world.refuseWith(status);
    const { code, error } = await login({ HTTPS_PROXY: world.proxy });
    expect([code, error()["error"]]).toEqual([exitCode, "proxy"]);
    expect(error()["message"]).toContain(`refused the connection to gte.example:443 (${status})`);
  });

  test("names the proxy that cannot be reached", async () => {
    const { code, error } = await login({ HTTPS_PROXY: "http://127.0.0.1:1" });
    expect([code, error()["message"]]).toEqual([5, "The proxy 127.0.0.1:1 cannot be reached (ECONNREFUSED)."]);
  });

  test.each(["socks5://127.0.0.1:1", "http://"])("rejects the proxy %s", async (proxy) => {
    const { code, error } = await login({ HTTPS_PROXY: proxy });
    expect([code, error()["message"]]).toEqual([2, expect.stringContaining("HTTPS_PROXY must be the URL")]);
  });

  test("uses no proxy for a service on this machine", async () => {
    const { error } = await cli(`login --service http://localhost:1 --client-id ${CLIENT_IDS.cli}`, {
      HTTPS_PROXY: world.proxy,
    });
    expect(error()["message"]).toBe("localhost:1 cannot be reached (ECONNREFUSED).");
    expect(world.connected).toEqual([]);
  });
});

describe("the proxy for a URL", () => {
  const proxyFor = (url: string, noProxy = "", proxy = "proxy.example:3128") =>
    networkFrom({ HTTPS_PROXY: proxy, NO_PROXY: noProxy }, 1).proxyFor(new URL(url))?.href;

  test("may be written without a scheme, and an empty variable means no proxy", () => {
    expect(proxyFor("https://gte.example/")).toBe("http://proxy.example:3128/");
    expect(proxyFor("https://gte.example/", "", "")).toBeUndefined();
  });

  test.each([
    ["https://localhost:7443/"],
    ["http://127.0.0.1:7071/"],
    ["http://127.9.9.9/"],
    ["http://[::1]:7071/"],
    ["https://a.localhost/"],
  ])("is never used for %s, which is on this machine", (url) => {
    expect(proxyFor(url)).toBeUndefined();
  });

  test.each<[string, string, boolean]>([
    ["gte.example", "https://gte.example/", false],
    ["GTE.Example", "https://gte.example/", false],
    ["example", "https://gte.example/", false],
    [".example", "https://gte.example/", false],
    ["*.example", "https://gte.example/", false],
    ["a.test, gte.example", "https://gte.example/", false],
    ["gte.example:443", "https://gte.example/", false],
    ["gte.example:8443", "https://gte.example/", true],
    ["*", "https://gte.example/", false],
    ["e.example", "https://gte.example/", true],
    ["gte.example.test", "https://gte.example/", true],
  ])("with NO_PROXY=%j and %s: a proxy is used: %s", (noProxy, url, used) => {
    expect(proxyFor(url, noProxy) !== undefined).toBe(used);
  });
});
