/** The command line against a whole local stack: sign-in at the tenant, headers from the service, calls to Graph. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { serviceFolder } from "../../clients/cli/home.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { CLIENT_IDS, TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import { type CliOptions, type CliResult, newHome, runHere, runProcess } from "./support/cli.ts";

let stack: Stack;
let home: string;
/** Everything any command wrote, except where a token was asked for. */
const spoken: string[] = [];

beforeAll(async () => {
  stack = await startStack();
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(stack.environment.caCertPath, "utf8")]);
});
beforeEach(() => {
  home = newHome();
  stack.tenant.state.setDeviceCodeInterval({ seconds: 0.02 });
});
afterEach(() => stack.tenant.state.reset());
afterAll(async () => {
  await stack.stop();
  expect(spoken.join("\n")).not.toMatch(/eyJ[\w-]+\.eyJ|1\.AX[\w-]{10}|gte_[\w-]{20}/);
});

/** As a person with the settings of an administrator's note. */
async function cli(args: string, options: CliOptions = {}): Promise<CliResult> {
  const result = await runHere([...args.split(" "), "--home", home], options);
  if (!/^(header|token) /.test(args)) spoken.push(result.out);
  spoken.push(result.notes);
  return result;
}

const loginArgs = (): string =>
  `login --service ${stack.environment.serviceUrl} --client-id ${CLIENT_IDS.cli} --ca-file ${stack.environment.caCertPath}`;

/** The person reads the code and enters it elsewhere. */
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

/** A file of the service's own folder. */
const kept = (name: string) => join(serviceFolder(home, stack.environment.serviceUrl), name);

/** The local Graph is at the tenant's origin: a settings file tells the command line so. */
function nameGraph(): void {
  const path = kept("config.json");
  const settings = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...settings, apis: { [stack.environment.graphUrl]: "graph" } }));
}

const graph = (path: string) => `${stack.environment.graphUrl}/v1.0${path}`;

describe("as a process", () => {
  test("login with a device code, then the header object of the old PowerShell function", async () => {
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

  test("login with the browser of this machine: loopback address, PKCE", async () => {
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

  test("nobody signed in: exit code 3, and what to run; the environment gives the settings", async () => {
    const env = { GTE_SERVICE: stack.environment.serviceUrl, GTE_CLIENT_ID: CLIENT_IDS.cli, GTE_HOME: home };
    const { code, out, notes } = await runProcess(["header", "graph"], { env });
    expect([code, out]).toEqual([3, ""]);
    expect(notes).toContain(`gte: Nobody has logged in to ${env.GTE_SERVICE} here.`);
    expect(notes).toContain(`     Run: gte login --service ${env.GTE_SERVICE} --client-id ${CLIENT_IDS.cli}\n`);
  });
});

describe("login", () => {
  test("keeps settings and tokens for their owner only, and no secret in the settings", async () => {
    mkdirSync(home, { mode: 0o755 });
    await signedIn();
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(home)).toBe(0o700);
    expect([mode(join(home, "services")), mode(kept("."))]).toEqual([0o700, 0o700]);
    expect(mode(kept("tokens.json"))).toBe(0o600);
    expect(mode(kept("config.json"))).toBe(0o600);
    expect(mode(join(home, "config.json"))).toBe(0o600);
    expect(readFileSync(join(home, "config.json"), "utf8")).toContain(stack.environment.serviceUrl);
    expect(JSON.parse(readFileSync(kept("config.json"), "utf8"))).toEqual({
      service: stack.environment.serviceUrl,
      clientId: CLIENT_IDS.cli,
      authority: stack.environment.authority,
      scope: `api://${CLIENT_IDS.service}/access_as_user`,
      audience: CLIENT_IDS.service,
      caFile: stack.environment.caCertPath,
      apis: {},
    });
  });

  test("--json says who", async () => {
    const { json } = await cli(`${loginArgs()} --json`, approving("bob"));
    expect(json()).toEqual({
      username: "bob@contoso.local",
      service: stack.environment.serviceUrl,
      authority: stack.environment.authority,
    });
  });

  test("somebody else replaces who was there", async () => {
    await signedIn("alice");
    await signedIn("bob");
    expect((await cli("whoami --json")).json()).toMatchObject({ username: "bob@contoso.local" });
  });

  test("declined, and expired: exit code 3", async () => {
    const declined = await cli(`${loginArgs()} --json`, {
      onNote: (note) => note.includes("enter the code") && stack.tenant.state.declineDeviceCode(),
    });
    expect([declined.code, declined.error()["error"]]).toEqual([3, "sign_in_declined"]);
    const expired = await cli(`${loginArgs()} --json`, {
      onNote: (note) => note.includes("enter the code") && stack.tenant.state.setClockOffset({ offsetMs: 1_000_000 }),
    });
    expect([expired.code, expired.error()["error"]]).toEqual([3, "sign_in_expired"]);
  });

  test("a tenant that is named must be the service's", async () => {
    const other = await cli(`${loginArgs()} --tenant 99999999-0000-4000-8000-000000000000`);
    expect([other.code, other.notes]).toEqual([2, expect.stringContaining("not to the tenant 99999999-")]);
    expect((await cli(`${loginArgs()} --tenant ${TENANT_ID.toUpperCase()}`, approving())).code).toBe(0);
  });

  test("an application that the tenant does not know: Entra's words, exit code 4", async () => {
    const unknown = loginArgs().replace(CLIENT_IDS.cli, "99999999-0000-4000-8000-000000000000");
    const { code, error } = await cli(`${unknown} --json`);
    expect([code, error()["error"]]).toEqual([4, "entra_refused"]);
    expect(error()["message"]).toContain("AADSTS700016");
  });
});

describe("header and token", () => {
  test("token alone, or with its end as JSON", async () => {
    await signedIn();
    const alone = await cli("token graph");
    expect(alone.out).toMatch(/^eyJ[\w.-]+\n$/);
    const told = (await cli("token graph --json")).json();
    expect(told).toEqual({
      accessToken: alone.out.trim(), // From the service's cache.
      tokenType: "Bearer",
      expiresOn: expect.stringMatching(/^\d{4}-.*Z$/),
      scopes: expect.arrayContaining(["User.Read"]),
    });
    expect((await cli("token graph --force-refresh")).out).not.toBe(alone.out);
    expect((await cli("header graph --scope User.Read --scope Mail.Read")).code).toBe(0);
  });

  test("signing in where it is needed, when a person sits there or --sign-in says so", async () => {
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

  test("what the policy does not allow: exit code 4, with the correlation id", async () => {
    await signedIn();
    for (const args of ["header orders", "header nothing", "header graph --scope Files.Read"]) {
      const { code, error } = await cli(`${args} --json`);
      expect([code, error()["exitCode"]]).toEqual([4, 4]);
      expect(error()["correlationId"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("consent is missing: exit code 4, no sign-in helps", async () => {
    await signedIn("carol");
    const { code, error } = await cli("header graph --json");
    expect([code, error()["error"]]).toEqual([4, "consent_required"]);
  });

  test("Entra throttles or is down: exit code 5", async () => {
    await signedIn("bob"); // Whom the service lets wait for as long as Entra said; the others sign in as alice.
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", throttleSeconds: 1 });
    expect((await cli("header graph")).code).toBe(5);
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", aadsts: 90033, times: 0 });
    expect((await cli("header graph --force-refresh")).code).toBe(5);
  });
});

describe("claims challenges", () => {
  test("unattended: exit code 3 and the command that meets them; after it, the header", async () => {
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

  test.each([{}, { authContext: "c1" }])("attended: one sign-in in the middle, then the answer: %o", async (demand) => {
    await signedIn();
    stack.tenant.state.requireClaims({ user: "alice", ...demand });
    const answered = await cli("header graph", { ...approving(), attended: true });
    expect(answered.notes).toContain("Entra wants you to sign in again.");
    expect(answered.json()).toHaveProperty("Authorization");
    expect((await cli("header graph")).code).toBe(0);
  });

  test("never twice: a demand that cannot be met ends with exit code 3", async () => {
    await signedIn();
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c9"}}}';
    stack.tenant.state.order({ endpoint: "token", grantType: "on-behalf-of", aadsts: 50076, claims, times: 0 });
    stack.tenant.state.clearLog();
    const { code } = await cli("header graph --sign-in --json", approving());
    expect(code).toBe(3);
    expect(stack.tenant.state.requests({ grantType: "on-behalf-of" })).toHaveLength(2);
    expect(stack.tenant.state.requests({ endpoint: "devicecode" })).toHaveLength(1);
  });

  test("the session ended at Entra (password changed): sign in again", async () => {
    await signedIn();
    stack.tenant.state.revokeSessions({ user: "alice" });
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([3, expect.stringContaining("Run: gte login")]);
    await signedIn();
    expect((await cli("header graph")).code).toBe(0);
  });
});

describe("call", () => {
  test("Graph by its origin, GET by default; the body comes out as it is", async () => {
    await signedIn();
    nameGraph();
    const { code, json, notes } = await cli(`call ${graph("/me")}`);
    expect([code, notes]).toEqual([0, ""]);
    expect(json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
    const told = (await cli(`call ${graph("/me")} --json`)).json();
    expect(told).toMatchObject({ status: 200, body: { userPrincipalName: "alice@contoso.local" } });
  });

  test("method, data and headers; what Graph refuses comes out too, with exit code 4", async () => {
    await signedIn();
    nameGraph();
    const file = join(home, "mail.json");
    writeFileSync(file, '{"subject":"hello"}');
    const posted = await cli(`call ${graph("/me/messages")} -d @${file} -H content-type:text/plain --json`);
    expect([posted.code, posted.json()["status"]]).toEqual([4, 405]);
    const [entry] = stack.tenant.state.requests({ endpoint: "graph" });
    expect(entry?.method).toBe("POST");
    const missing = await cli(`call ${graph("/nothing")} -X delete`);
    expect([missing.code, missing.out]).toEqual([4, expect.stringContaining("error")]);
  });

  test("Graph's own challenge (continuous access evaluation): new header, one retry", async () => {
    await signedIn();
    nameGraph();
    stack.tenant.state.order({ endpoint: "graph", caeChallenge: true });
    const { code, json } = await cli(`call ${graph("/me")}`);
    expect([code, json()["userPrincipalName"]]).toEqual([0, "alice@contoso.local"]);
    const exchanges = stack.tenant.state.requests({ grantType: "on-behalf-of" });
    expect(exchanges.at(-1)?.form?.["claims"]).toContain("nbf");
  });

  test("an origin that is nobody's gets no token, unless --api says so", async () => {
    await signedIn();
    const { code, notes } = await cli(`call ${graph("/me")}`);
    expect([code, notes]).toEqual([2, expect.stringContaining("Name it with --api")]);
    expect(stack.tenant.state.requests({ endpoint: "graph" })).toHaveLength(0);
    expect((await cli(`call ${graph("/me")} --api graph`)).code).toBe(0);
  });

  test("throttled: exit code 5; redirects are not followed", async () => {
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
    ["https://graph.microsoft.com/ -X GE/T", "not a method"],
    ["https://graph.microsoft.com/ -d @/nowhere/file", "cannot be read"],
    ["https://graph.microsoft.com/ -H Authorization:x", "not Authorization"],
    ["https://graph.microsoft.com/ -H nonsense", "Name: value"],
    ["", "One URL"],
  ])("call %s: exit code 2", async (args, text) => {
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

  test("list, revoke by id, list again", async () => {
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
      "gte: There is no such grant of yours.\n     Run: gte grants list\n",
    ]);
    const asJson = await cli(`grants revoke ${grant?.id} --json`);
    expect([asJson.code, asJson.out, asJson.error()["error"]]).toEqual([4, "", "grant_unknown"]);
    expect((await cli("grants")).code).toBe(2);
  });

  test("revoke by handle, for whoever holds one", async () => {
    await signedIn();
    const handle = await makeGrant();
    const revoked = await cli(`grants revoke ${handle}`);
    expect([revoked.code, revoked.notes]).toEqual([0, "Revoked.\n"]);
  });

  test("no command makes a grant whose handle nobody sees", async () => {
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

  test("whoami: in the service's eyes, without the token", async () => {
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

describe("files", () => {
  test("logout forgets the tokens", async () => {
    await signedIn();
    expect((await cli("logout")).notes).toContain("Signed out");
    expect(existsSync(kept("tokens.json"))).toBe(false);
    expect((await cli("header graph")).code).toBe(3);
    expect((await cli("logout --json")).json()).toEqual({ signedIn: false });
  });

  test("tokens that others may read are not used", async () => {
    await signedIn();
    chmodSync(kept("tokens.json"), 0o644);
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([2, expect.stringContaining("can be read by others")]);
  });

  test("damaged files are named, not overwritten", async () => {
    await signedIn();
    writeFileSync(kept("tokens.json"), "half a file");
    expect((await cli("header graph")).notes).toContain("tokens.json is damaged.\n     Run: gte logout");
    writeFileSync(kept("config.json"), '{"servce":"x"}');
    const { code, notes } = await cli("header graph");
    expect([code, notes]).toEqual([2, expect.stringContaining("config.json is not a settings file")]);
    writeFileSync(join(home, "config.json"), "half a file");
    const nameless = await cli("header graph");
    expect([nameless.code, nameless.notes]).toEqual([2, expect.stringContaining("does not name a service")]);
  });
});

test("--local reads the stack that npm start runs", async () => {
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
});
