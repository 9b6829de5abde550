/** The command line against a whole local stack: sign-in at the tenant, headers from the service, calls to Graph. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, resolve } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serviceFolder } from "../../clients/cli/home.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { CLIENT_IDS, TENANT_ID, USER_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { startTestStack } from "../support/test-stack.ts";
import { type CliOptions, type CliResult, newHome, runHere, runProcess } from "./support/cli.ts";

let stack: Stack;
let home: string;
/** The output of every command except `header` and `token`, which print tokens. */
const outputs: string[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(stack.environment.caCertPath, "utf8")]);
});
beforeEach(() => {
  home = newHome();
  stack.tenant.state.setDeviceCodeInterval({ seconds: 0.02 });
});
afterEach(() => stack.tenant.state.reset());
afterAll(async () => {
  await stack.stop();
  expect(outputs.join("\n")).not.toMatch(/eyJ[\w-]+\.eyJ|1\.AX[\w-]{10}|gte_[\w-]{20}/);
});

/** Runs a command with the test's own home folder. */
async function cli(args: string, options: CliOptions = {}): Promise<CliResult> {
  const result = await runHere([...args.split(" "), "--home", home], options);
  if (!/^(header|token) /.test(args)) outputs.push(result.out);
  outputs.push(result.notes);
  return result;
}

const loginArgs = (): string =>
  `login --service ${stack.environment.serviceUrl} --client-id ${CLIENT_IDS.cli} --ca-file ${stack.environment.caCertPath}`;

/** The person enters the device code at the tenant as soon as the command shows it. */
const approving = (user = "alice"): CliOptions => ({
  onNote: (note) => {
    const userCode = /enter the code (\w+)/.exec(note)?.[1];
    if (userCode !== undefined) stack.tenant.state.approveDeviceCode({ userCode, user });
  },
});

async function signedIn(user = "alice"): Promise<void> {
  const { code, notes } = await cli(loginArgs(), approving(user));
  expect(notes).toContain(`Signed in as ${user}@contoso.local`);
  expect(code).toBe(0);
}

/** Path of a file in the folder of the service. */
const saved = (name: string) => join(serviceFolder(home, stack.environment.serviceUrl), name);

/** The local Graph has the tenant's origin. The settings file maps this origin to the API `graph`. */
function nameGraph(): void {
  const path = saved("config.json");
  const settings = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...settings, apis: { [stack.environment.graphUrl]: "graph" } }));
}

const graph = (path: string) => `${stack.environment.graphUrl}/v1.0${path}`;

describe("gte as a process", () => {
  test("login with a device code works, and header prints the object of the old PowerShell function", async () => {
    const login = await runProcess([...loginArgs().split(" "), "--home", home], approving());
    expect([login.code, login.out]).toEqual([0, ""]);
    const { code, out, json } = await runProcess(["header", "graph", "--home", home]);
    expect(code).toBe(0);
    expect(json()).toEqual({
      Authorization: expect.stringMatching(/^Bearer eyJ/),
      "Content-Type": "application/json",
    });
    expect(out.endsWith("}\n")).toBe(true);
    const me = await fetch(graph("/me"), { headers: json() as Record<string, string> });
    expect(await me.json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
  });

  test("login --browser uses a loopback redirect URI and PKCE", async () => {
    const script = join(home, "..", "browser");
    const browser = resolve(import.meta.dirname, "support/person-with-browser.ts");
    writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" "${browser}" "$1"\n`, { mode: 0o700 });
    const person = stack.environment.users["bob"];
    const { code, notes } = await runProcess([...loginArgs().split(" "), "--home", home, "--browser"], {
      env: {
        BROWSER: script,
        NODE_EXTRA_CA_CERTS: stack.environment.caCertPath,
        PERSON: "bob",
        PASSWORD: person?.password ?? "",
      },
    });
    expect(notes).toContain("Signed in as bob@contoso.local");
    expect(code).toBe(0);
    const [authorize] = stack.tenant.state.requests({ endpoint: "authorize" });
    expect(authorize?.query).toMatchObject({ code_challenge_method: "S256", response_mode: "form_post" });
    const header = await runProcess(["token", "graph", "--home", home]);
    expect(header.out).toMatch(/^eyJ[\w.-]+\n$/);
  });

  test("header without a login exits with code 3 and names the login command; the settings come from the environment", async () => {
    const env = { GTE_SERVICE: stack.environment.serviceUrl, GTE_CLIENT_ID: CLIENT_IDS.cli, GTE_HOME: home };
    const { code, out, notes } = await runProcess(["header", "graph"], { env });
    expect([code, out]).toEqual([3, ""]);
    expect(notes).toContain(`gte: You have not logged in to ${env.GTE_SERVICE}.`);
    expect(notes).toContain(`     Run: gte login --service ${env.GTE_SERVICE} --client-id ${CLIENT_IDS.cli}\n`);
  });
});

describe("login", () => {
  test("saves settings and tokens in files that only the owner can read, and no secret in the settings", async () => {
    mkdirSync(home, { mode: 0o755 });
    await signedIn();
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(home)).toBe(0o700);
    expect([mode(join(home, "services")), mode(saved("."))]).toEqual([0o700, 0o700]);
    expect(mode(saved("tokens.json"))).toBe(0o600);
    expect(mode(saved("config.json"))).toBe(0o600);
    expect(mode(join(home, "config.json"))).toBe(0o600);
    expect(readFileSync(join(home, "config.json"), "utf8")).toContain(stack.environment.serviceUrl);
    expect(JSON.parse(readFileSync(saved("config.json"), "utf8"))).toEqual({
      service: stack.environment.serviceUrl,
      clientId: CLIENT_IDS.cli,
      authority: stack.environment.authority,
      scope: `api://${CLIENT_IDS.service}/access_as_user`,
      audience: CLIENT_IDS.service,
      caFile: stack.environment.caCertPath,
      apis: {},
    });
  });

  test("--json prints the user, the service and the authority", async () => {
    const { json } = await cli(`${loginArgs()} --json`, approving("bob"));
    expect(json()).toEqual({
      username: "bob@contoso.local",
      service: stack.environment.serviceUrl,
      authority: stack.environment.authority,
    });
  });

  test("a second user replaces the first one", async () => {
    await signedIn("alice");
    await signedIn("bob");
    expect((await cli("whoami --json")).json()).toMatchObject({ username: "bob@contoso.local" });
  });

  test("exits with code 3 if the person declines or the code expires", async () => {
    const declined = await cli(`${loginArgs()} --json`, {
      onNote: (note) => note.includes("enter the code") && stack.tenant.state.declineDeviceCode(),
    });
    expect([declined.code, declined.error()["error"]]).toEqual([3, "sign_in_declined"]);
    const expired = await cli(`${loginArgs()} --json`, {
      onNote: (note) => note.includes("enter the code") && stack.tenant.state.setClockOffset({ offsetMs: 1_000_000 }),
    });
    expect([expired.code, expired.error()["error"]]).toEqual([3, "sign_in_expired"]);
  });

  test("--tenant must be the tenant of the service", async () => {
    const other = await cli(`${loginArgs()} --tenant 99999999-0000-4000-8000-000000000000`);
    expect([other.code, other.notes]).toEqual([2, expect.stringContaining("not the tenant 99999999-")]);
    expect((await cli(`${loginArgs()} --tenant ${TENANT_ID.toUpperCase()}`, approving())).code).toBe(0);
  });

  test.each(["folder that cannot be made", "folder of the service"])(
    "notices before the sign-in that it cannot write into its folder (%s)",
    async (which) => {
      const file = which.startsWith("folder of") ? join(home, "services") : home;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "a file where a folder must be");
      const { code, error } = await cli(`${loginArgs()} --json`, approving());
      expect([code, error()["error"]]).toEqual([1, "file"]);
      expect(error()["message"]).toMatch(
        /^gte cannot (read|write) .* \((EEXIST|ENOTDIR)\)\. Correct its permissions, or name/,
      );
      expect(stack.tenant.state.requests({ endpoint: "devicecode" })).toEqual([]);
    },
  );

  test("a login that Entra refuses leaves no folder", async () => {
    await cli(loginArgs().replace(CLIENT_IDS.cli, "99999999-0000-4000-8000-000000000000"));
    expect(existsSync(home)).toBe(false);
  });

  test("an unknown client id exits with code 4 and Entra's message", async () => {
    const unknown = loginArgs().replace(CLIENT_IDS.cli, "99999999-0000-4000-8000-000000000000");
    const { code, error } = await cli(`${unknown} --json`);
    expect([code, error()["error"]]).toEqual([4, "entra_refused"]);
    expect(error()["message"]).toContain("AADSTS700016");
  });
});

describe("header and token", () => {
  test("token prints the token, or with --json the token and its expiry", async () => {
    await signedIn();
    const alone = await cli("token graph");
    expect(alone.out).toMatch(/^eyJ[\w.-]+\n$/);
    const asJson = (await cli("token graph --json")).json();
    expect(asJson).toEqual({
      accessToken: alone.out.trim(), // The service answers from its cache.
      tokenType: "Bearer",
      expiresOn: expect.stringMatching(/^\d{4}-.*Z$/),
      scopes: expect.arrayContaining(["User.Read"]),
    });
    expect((await cli("token graph --force-refresh")).out).not.toBe(alone.out);
    expect((await cli("header graph --scope User.Read --scope Mail.Read")).code).toBe(0);
  });

  test("header --json also says when the headers end", async () => {
    await signedIn();
    const { headers, ...rest } = (await cli("header graph --json")).json();
    expect(headers).toEqual((await cli("header graph")).json());
    expect(rest).toEqual({
      expiresOn: expect.stringMatching(/^\d{4}-.*Z$/),
      scopes: expect.arrayContaining(["User.Read"]),
    });
  });

  test("header starts a sign-in only at a terminal or with --sign-in", async () => {
    await signedIn();
    await cli("logout");
    const unattended = await cli("header graph");
    expect([unattended.code, unattended.notes]).toEqual([3, "gte: You are not signed in.\n     Run: gte login\n"]);
    const never = await cli("header graph --no-sign-in", { attended: true });
    expect(never.code).toBe(3);
    const attended = await cli("header graph", { ...approving(), attended: true });
    expect(attended.json()).toHaveProperty("Authorization");
    await cli("logout");
    const asked = await cli("header graph --sign-in", approving());
    expect(asked.code).toBe(0);
  });

  test("a request that the policy does not allow exits with code 4 and the correlation id", async () => {
    await signedIn();
    for (const args of ["header orders", "header nothing", "header graph --scope Files.Read"]) {
      const { code, error } = await cli(`${args} --json`);
      expect([code, error()["exitCode"]]).toEqual([4, 4]);
      expect(error()["correlationId"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("missing consent exits with code 4 and does not start a sign-in", async () => {
    await signedIn("carol");
    const { code, error } = await cli("header graph --json");
    expect([code, error()["error"]]).toEqual([4, "consent_required"]);
  });

  test("throttling or an outage at Entra exits with code 5", async () => {
    await signedIn("bob"); // The service now rejects bob until the retry time of Entra has passed. The other tests use alice.
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", throttleSeconds: 1 });
    expect((await cli("header graph")).code).toBe(5);
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", aadsts: 90033, times: 0 });
    expect((await cli("header graph --force-refresh")).code).toBe(5);
  });
});

describe("claims challenges", () => {
  test("without a terminal header exits with code 3 and names a login command that satisfies the claims", async () => {
    await signedIn();
    stack.tenant.state.requireClaims({ user: "alice" });
    const refused = await cli("header graph --json");
    expect([refused.code, refused.error()["error"]]).toEqual([3, "sign_in_required"]);
    const command = String(refused.error()["run"]);
    expect(command).toMatch(/^gte login --claims [\w-]+$/);
    const met = await cli(command.replace("gte ", ""), approving());
    expect(met.code).toBe(0);
    expect((await cli("header graph")).json()).toHaveProperty("Authorization");
    const [first, second] = stack.tenant.state.requests({ endpoint: "devicecode" });
    expect([first?.path, second?.path]).toHaveLength(2);
  });

  test.each([{}, { authContext: "c1" }])(
    "at a terminal header signs in once and then prints the headers: %o",
    async (demand) => {
      await signedIn();
      stack.tenant.state.requireClaims({ user: "alice", ...demand });
      const answered = await cli("header graph", { ...approving(), attended: true });
      expect(answered.notes).toContain("Entra requires you to sign in again.");
      expect(answered.json()).toHaveProperty("Authorization");
      expect((await cli("header graph")).code).toBe(0);
    },
  );

  test("a second challenge exits with code 3 and does not start another sign-in", async () => {
    await signedIn();
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c9"}}}';
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", aadsts: 50076, claims, times: 0 });
    stack.tenant.state.clearLog();
    const { code } = await cli("header graph --sign-in --json", approving());
    expect(code).toBe(3);
    expect(stack.tenant.state.requests({ grantType: "on-behalf-of" })).toHaveLength(2);
    expect(stack.tenant.state.requests({ endpoint: "devicecode" })).toHaveLength(1);
  });

  test("a session that Entra revoked, for example after a password change, requires a new login", async () => {
    await signedIn();
    stack.tenant.state.revokeSessions({ user: "alice" });
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([3, expect.stringContaining("Run: gte login")]);
    await signedIn();
    expect((await cli("header graph")).code).toBe(0);
  });
});

describe("call", () => {
  test("recognises Graph by its origin, sends GET by default and prints the body unchanged", async () => {
    await signedIn();
    nameGraph();
    const { code, json, notes } = await cli(`call ${graph("/me")}`);
    expect([code, notes]).toEqual([0, ""]);
    expect(json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
    const asJson = (await cli(`call ${graph("/me")} --json`)).json();
    expect(asJson).toMatchObject({ status: 200, body: { userPrincipalName: "alice@contoso.local" } });
  });

  test("sends method, data and headers; an error of Graph is printed and exits with code 4", async () => {
    await signedIn();
    nameGraph();
    const file = join(home, "mail.json");
    writeFileSync(file, '{"subject":"hello"}');
    const posted = await cli(`call ${graph("/me/messages")} -d @${file} -H content-type:text/plain --json`);
    expect([posted.code, posted.json()["status"]]).toEqual([4, 403]);
    const [entry] = stack.tenant.state.requests({ endpoint: "graph" });
    expect(entry?.method).toBe("POST");
    const missing = await cli(`call ${graph("/nothing")} -X delete`);
    expect([missing.code, missing.out]).toEqual([4, expect.stringContaining("error")]);
  });

  test("-d @- sends standard input", async () => {
    await signedIn();
    const sent: string[] = [];
    const api = createServer(async (request, response) => {
      for await (const chunk of request.setEncoding("utf8")) sent.push(String(chunk));
      response.end("{}");
    });
    await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`;
    expect((await cli(`call ${url} --api graph -d @-`, { input: "one\ntwo\n" })).code).toBe(0);
    const asProcess = await runProcess(["call", url, "--api", "graph", "-d", "@-", "--home", home], { input: "three" });
    expect([asProcess.code, asProcess.notes]).toEqual([0, ""]);
    expect(sent).toEqual(["one\ntwo\n", "three"]);
    api.close();
  });

  test("a claims challenge of Graph (continuous access evaluation) leads to one retry with new headers", async () => {
    await signedIn();
    nameGraph();
    stack.tenant.state.order({ endpoint: "graph", caeChallenge: true });
    const { code, json } = await cli(`call ${graph("/me")}`);
    expect([code, json()["userPrincipalName"]]).toEqual([0, "alice@contoso.local"]);
    const exchanges = stack.tenant.state.requests({ grantType: "on-behalf-of" });
    expect(exchanges.at(-1)?.form?.["claims"]).toContain("nbf");
  });

  test("an unknown origin gets a token only with --api", async () => {
    await signedIn();
    const { code, notes } = await cli(`call ${graph("/me")}`);
    expect([code, notes]).toEqual([2, expect.stringContaining("Name it with --api")]);
    expect(stack.tenant.state.requests({ endpoint: "graph" })).toHaveLength(0);
    expect((await cli(`call ${graph("/me")} --api graph`)).code).toBe(0);
  });

  test("throttling by Graph exits with code 5, and a redirect is reported and not followed", async () => {
    await signedIn();
    nameGraph();
    stack.tenant.state.order({ endpoint: "graph", throttleSeconds: 1 });
    expect((await cli(`call ${graph("/me")}`)).code).toBe(5);
    const headers = { location: "https://elsewhere.example/" };
    stack.tenant.state.order({ endpoint: "graph", status: 302, headers, body: "" });
    const moved = await cli(`call ${graph("/me")}`);
    expect([moved.code, moved.notes]).toEqual([4, expect.stringContaining("302 to https://elsewhere.example/")]);
  });

  test.each([
    ["http://graph.microsoft.com/v1.0/me", "must be https"],
    ["not-a-url", "must be https"],
    ["https://user@graph.microsoft.com/", "must be https"],
    ["https://graph.microsoft.com/ -X GE/T", "not an HTTP method"],
    ["https://graph.microsoft.com/ -d @/nowhere/file", "cannot be read"],
    ["https://graph.microsoft.com/ -H Authorization:x", "not Authorization"],
    ["https://graph.microsoft.com/ -H nonsense", "Name: value"],
    ["", "one URL"],
  ])("call %s exits with code 2", async (args, text) => {
    const { code, notes } = await cli(`call ${args}`.trim());
    expect([code, notes]).toEqual([2, expect.stringContaining(text)]);
  });
});

describe("grants and whoami", () => {
  async function makeGrant(): Promise<string> {
    const form = {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      requested_token_use: "on_behalf_of",
      assertion: stack.tenant.state.mintUserToken({ user: "alice", client: "cli" }),
      scope: "https://graph.microsoft.com/User.Read offline_access",
    };
    const url = `${stack.environment.serviceUrl}/oauth2/token`;
    const response = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
    return String(((await response.json()) as Record<string, unknown>)["refresh_token"]);
  }

  test("grants revoke <id> removes the grant from grants list", async () => {
    await signedIn();
    const handle = await makeGrant();
    expect(handle).toMatch(/^gte_/);
    const listed = await cli("grants list");
    expect(listed.out).toMatch(/^[0-9a-f]{64} {2}graph {2}Mail\.Read User\.Read {2}until \d{4}-/);
    expect(listed.out).not.toContain(handle);
    const [grant] = JSON.parse((await cli("grants list --json")).out) as { id: string }[];
    const revoked = await cli(`grants revoke ${grant?.id} --json`);
    expect([revoked.code, revoked.json()]).toEqual([0, { revoked: true }]);
    expect((await cli("grants list")).out).toBe("No grants.\n");
    const gone = await cli(`grants revoke ${grant?.id}`);
    expect([gone.code, gone.out, gone.notes]).toEqual([
      4,
      "",
      "gte: You have no grant with this id.\n     Run: gte grants list\n",
    ]);
    const asJson = await cli(`grants revoke ${grant?.id} --json`);
    expect([asJson.code, asJson.out, asJson.error()["error"]]).toEqual([4, "", "grant_unknown"]);
    expect((await cli("grants")).code).toBe(2);
  });

  test("grants revoke accepts a grant handle", async () => {
    await signedIn();
    const handle = await makeGrant();
    const revoked = await cli(`grants revoke ${handle}`);
    expect([revoked.code, revoked.notes]).toEqual([0, "Revoked.\n"]);
  });

  test("admin grants and admin revoke show others' grants, count them first and revoke after a confirmation", async () => {
    const handle = await makeGrant();
    await signedIn("erin");
    const listed = await cli(`admin grants --person ${USER_IDS.alice}`);
    expect(listed.out).toMatch(new RegExp(`^[0-9a-f]{64} {2}person ${USER_IDS.alice} {2}user ${CLIENT_IDS.cli} `));
    expect(listed.out).not.toContain(handle);
    const target = `--grant ${handle} --reason leaked`;
    const dryRun = await cli(`admin revoke ${target} --dry-run`);
    expect([dryRun.code, dryRun.out]).toEqual([0, "Concerns 1 grant. Nothing was revoked.\n"]);
    const unattended = await cli(`admin revoke ${target}`);
    expect([unattended.code, unattended.notes]).toEqual([2, expect.stringContaining("--yes")]);
    const declined = await cli(`admin revoke ${target}`, { attended: true, answer: "no" });
    expect([declined.code, declined.notes]).toEqual([4, expect.stringContaining("Nothing was revoked.")]);
    const revoked = await cli(`admin revoke ${target}`, { attended: true, answer: "yes" });
    expect([revoked.code, revoked.out]).toEqual([
      0,
      expect.stringMatching(/^Revoked 1 grant\. In effect everywhere by /),
    ]);
    const everything = await cli("admin revoke --everything --reason drill --yes --json");
    expect([everything.code, everything.json()]).toEqual([
      0,
      expect.objectContaining({ dryRun: false, everything: true }),
    ]);
  });

  test("admin revoke without the app role exits with code 4", async () => {
    await signedIn("bob");
    const { code, notes } = await cli("admin revoke --everything --reason drill --yes");
    expect([code, notes]).toEqual([4, expect.stringContaining("role_required")]);
  });

  test("header and token reject offline_access and create no grant", async () => {
    await signedIn();
    for (const args of [
      "token graph --scope offline_access",
      "header graph --scope User.Read --scope offline_access",
    ]) {
      const { code, out, notes } = await cli(args);
      expect([code, out, notes]).toEqual([2, "", expect.stringContaining("--scope offline_access")]);
    }
    expect((await cli("grants list")).out).toBe("No grants.\n");
  });

  test("whoami prints the identity that the service reads from the token, without the token", async () => {
    await signedIn();
    const { json } = await cli("whoami --json");
    expect(json()).toMatchObject({
      username: "alice@contoso.local",
      clientId: CLIENT_IDS.cli,
      tenantId: TENANT_ID,
      scopes: "access_as_user",
    });
    expect((await cli("whoami")).out).toMatch(/^username {3}alice@contoso\.local$/m);
  });
});

describe("the saved files", () => {
  test("logout deletes the tokens", async () => {
    await signedIn();
    expect((await cli("logout")).notes).toContain("Signed out");
    expect(existsSync(saved("tokens.json"))).toBe(false);
    expect((await cli("header graph")).code).toBe(3);
    expect((await cli("logout --json")).json()).toEqual({ signedIn: false });
  });

  test("a token file that other users can read is rejected", async () => {
    await signedIn();
    chmodSync(saved("tokens.json"), 0o644);
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([2, expect.stringContaining("Other users can read")]);
  });

  test("a damaged file is reported and not overwritten", async () => {
    await signedIn();
    writeFileSync(saved("tokens.json"), "half a file");
    expect((await cli("header graph")).notes).toContain("tokens.json is damaged.\n     Run: gte logout");
    writeFileSync(saved("config.json"), '{"servce":"x"}');
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([2, expect.stringContaining("config.json is not a settings file")]);
    writeFileSync(join(home, "config.json"), "half a file");
    const nameless = await cli("header graph");
    expect([nameless.code, nameless.notes]).toEqual([2, expect.stringContaining("does not name a service")]);
  });
});

test("--local uses the stack that npm start runs", async () => {
  const folder = join(home, "..");
  writeFileSync(join(folder, "environment.json"), JSON.stringify(stack.environment));
  const env = { LOCAL_FOLDER: folder };
  const before = await runHere(["header", "graph", "--local"], { env });
  expect([before.code, before.notes]).toEqual([3, expect.stringContaining("Run: gte login --local\n")]);
  const login = await runHere(["login", "--local"], { ...approving(), env });
  expect(login.code).toBe(0);
  const called = await runHere(["call", graph("/me"), "--local"], { env });
  expect(called.json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
  expect(existsSync(join(serviceFolder(join(folder, "gte"), stack.environment.serviceUrl), "tokens.json"))).toBe(true);
  const withoutLocal = await runHere(["header", "graph"], { env: { ...env, XDG_CONFIG_HOME: join(folder, "empty") } });
  expect([withoutLocal.code, withoutLocal.notes]).toEqual([
    2,
    expect.stringContaining("No service is configured. You logged in with --local: add --local"),
  ]);
  const unknownGrant = await runHere(["grants", "revoke", "0".repeat(64), "--local"], { env });
  expect(unknownGrant.notes).toContain("Run: gte grants list --local\n");
  writeFileSync(join(serviceFolder(join(folder, "gte"), stack.environment.serviceUrl), "tokens.json"), "half a file");
  const damaged = await runHere(["whoami", "--local"], { env });
  expect(damaged.notes).toContain("Run: gte logout --local\n");
});
