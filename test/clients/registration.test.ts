/** `npm run registration`: ids for the names of a policy, and the consent in the tenant, against the local tenant. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { CliFailure } from "../../clients/cli/cli-failure.ts";
import { runRegistration } from "../../clients/registration/run-registration.ts";
import type { Consent, Registration } from "../../local/tenant/directory/directory.ts";
import { CLIENT_IDS, OBJECT_IDS, USER_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../support/use-tenant.ts";

const tenant = useTenant();
const folder = mkdtempSync(join(tmpdir(), "gte-registration-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NARROW_ID = "5e471ce0-0000-4000-8000-0000000000aa";
const NARROW_OBJECT_ID = "0b1ec700-0000-4000-8000-0000000000aa";
let token = "";

beforeEach(() => {
  tenant.state.directory.registrations.push({
    ...(tenant.state.directory.registration("service") as Registration),
    name: "narrow",
    displayName: "graph-token-exchange (narrow)",
    clientId: NARROW_ID,
    objectId: NARROW_OBJECT_ID,
    appIdUris: [`api://${NARROW_ID}`],
  });
  token = tenant.state.mintUserToken({ user: "erin", resource: "graph", scopes: ["Directory.Read.All"] });
});
afterEach(() => {
  tenant.state.directory.restore();
  tenant.state.clearOrders();
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

/** Runs the program in this process, which serves the tenant. The port of the tenant is not in the output. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const file = join(folder, "token");
  writeFileSync(file, `${token}\n`);
  const [out, notes]: [string[], string[]] = [[], []];
  const terminal = {
    out: (text: string | Uint8Array) => void out.push(String(text)),
    input: async () => new TextEncoder().encode(token),
    ask: async () => "",
    note: (text: string) => void notes.push(text),
    attended: false,
    env: { GTE_GRAPH_TOKEN_FILE: file, ...env },
  };
  const code = await runRegistration(["--graph-url", tenant.url, ...args], terminal).catch((error: unknown) => {
    if (!(error instanceof CliFailure)) throw error;
    notes.push(error.message);
    return error.exitCode;
  });
  const shown = (texts: readonly string[]) => texts.join("\n").replaceAll(tenant.url, "https://graph.microsoft.com");
  const outcome = { code, out: shown(out), notes: shown(notes) };
  expect(JSON.stringify(outcome)).not.toContain(token.slice(0, 40));
  return outcome;
}

const WEB = { name: "web", kind: "user", clientId: CLIENT_IDS.web, flows: ["on-behalf-of"] };
const DESKTOP = { name: "desktop", kind: "user", clientId: CLIENT_IDS.public, flows: ["on-behalf-of"] };
const NIGHTLY = { name: "nightly", kind: "application", clientId: CLIENT_IDS.daemon, flows: ["client-credentials"] };
const ORDERS = "https://api.contoso.local/orders";

interface Callers {
  readonly callers: readonly object[];
  readonly apis?: Readonly<Record<string, string>>;
  readonly registrations?: object;
}

function policyFile({ callers, apis = {}, registrations }: Callers): string {
  const resources = { graph: "https://graph.microsoft.com", ...apis };
  const scopesOf = (api: string) =>
    callers.flatMap((entry) => (entry as { apis: Record<string, string[] | undefined> }).apis[api] ?? []);
  const file = join(folder, "policy.json");
  const known = Object.entries(resources)
    .map(([api, resource]) => [api, { resource, scopes: scopesOf(api) }] as const)
    .filter(([, { scopes }]) => scopes.length > 0);
  writeFileSync(file, JSON.stringify({ apis: Object.fromEntries(known), registrations, callers }));
  return file;
}

const oneName = (name: string) => policyFile({ callers: [{ ...WEB, apis: { graph: ["User.Read", name] } }] });

describe("names of permissions", () => {
  test.each([
    ["Mail.Raed", "Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "Read user mail"],
    ["MailRead", "Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "Read user mail"],
    ["Mail.Read.Al", "Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "Read user mail"],
    ["Calendar.Read", "Calendars.Read", "465a38f9-76ea-45b9-9f34-9e8b0d4b0b42", "Read user calendars"],
    ["Mail.Read.Everything", "Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "Read user mail"],
  ])("%s is unknown, and %s is proposed with its id", async (name, meant, id, description) => {
    const { code, notes } = await run([oneName(name), "--offline"]);
    expect(code).toBe(1);
    expect(notes.split("\n").slice(0, 3)).toEqual([
      `problem: apis.graph ${name} (web)`,
      "  Microsoft Graph has no delegated permission with this name.",
      `  Did you mean ${meant}? ${id}  ${description}`,
    ]);
  });

  test.each(["mail.read", "MAIL.READ", "Mail.Read"])(
    "%s is found in any case and written as Graph spells it",
    async (name) => {
      const { code, out } = await run([oneName(name), "--offline"]);
      expect(code).toBe(0);
      expect(out).toContain("\n  openid, profile, offline_access: for the sign-in; the policy does not name them\n");
      expect(out).toMatch(/^ {4}Mail\.Read +570282fd-fa5c-430d-a7fd-fc8dc98a9dca {2}user consent {3}Read user mail$/m);
    },
  );

  test("an application permission is no delegated permission, and the message says so", async () => {
    const { code, notes } = await run([oneName("Calls.JoinGroupCall.All"), "--offline"]);
    expect(code).toBe(1);
    expect(notes).toContain(
      "is only an application permission of Microsoft Graph; a flow with a person cannot use it. Application tokens use the flow client-credentials.",
    );
  });

  test("without a similar name, the permissions with the same first word are listed", async () => {
    const { notes } = await run([oneName("Chat.Everything"), "--offline"]);
    expect(notes).toMatch(/Microsoft Graph has no delegated permission with this name\. It has Chat\.Create, Chat\./);
  });

  test("permissions that only an administrator can consent to are marked", async () => {
    const { out } = await run([oneName("User.Read.All"), "--offline"]);
    expect(out).toMatch(/^ {4}User\.Read\.All +a154be20-\S+ {2}admin consent {2}Read all users' full profiles$/m);
    expect(out).toMatch(/^ {4}User\.Read +e1fe6dd8-\S+ {2}user consent /m);
  });

  test("a permission that is newer than the list of this repository is found in the tenant", async () => {
    tenant.state.directory.registration("graph")?.scopes.push("Brandnew.Read");
    const file = oneName("Brandnew.Read");
    expect(await run([file])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ {4}Brandnew\.Read +[0-9a-f-]{36} /m),
    });
    expect(await run([file, "--offline"])).toMatchObject({ code: 1 });
  });

  test("without a sign-in, a name is compared with the list of this repository, and a note says so", async () => {
    const { code, notes } = await run([oneName("Mail.Raed")], { GTE_GRAPH_TOKEN_FILE: join(folder, "nowhere") });
    expect(code).toBe(1);
    expect(notes).toContain("Did you mean Mail.Read?");
    expect(notes).toMatch(/list of this repository only\. The file of GTE_GRAPH_TOKEN_FILE cannot be read/);
  });
});

describe("other APIs", () => {
  const withOrders = (resource: string, scopes = ["Orders.Read"]) =>
    policyFile({ apis: { orders: resource }, callers: [{ ...WEB, apis: { graph: ["User.Read"], orders: scopes } }] });

  test.each([
    ["its App ID URI", ORDERS],
    ["its App ID URI with a slash at the end", `${ORDERS}/`],
    ["its application id", CLIENT_IDS.orders],
  ])("an API is found by %s", async (_, resource) => {
    const { code, out } = await run([withOrders(resource)]);
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`^ {2}Contoso Orders ${CLIENT_IDS.orders} \\(delegated\\)\\n {4}Orders.Read +[0-9a-f-]{36} `, "m"),
    );
  });

  test("an unknown permission is explained with the names of the API", async () => {
    const { code, notes } = await run([withOrders(ORDERS, ["Orders.Raed", "Reports.View"])]);
    expect(code).toBe(1);
    expect(notes).toMatch(
      /problem: apis\.orders Orders\.Raed \(web\)\n.*\n {2}Did you mean Orders\.Read\? [0-9a-f-]{36}/,
    );
    expect(notes).toContain(
      "Contoso Orders has no delegated permission with this name. It has Orders.Read, Orders.Write.",
    );
  });

  test("names of another API are compared exactly, as Entra compares them", async () => {
    expect((await run([withOrders(ORDERS, ["orders.read"])])).notes).toContain("Did you mean Orders.Read?");
  });

  test.each([
    ["https://api.contoso.local/oders", "Compare it with the App ID URI in the API's registration (Expose an API)."],
    ["99999999-9999-4999-8999-999999999999", "az ad sp create --id 99999999-9999-4999-8999-999999999999"],
    ["api://it's", "No service principal in this tenant has the name api://it's."],
  ])("the unknown API %s is explained with what to do", async (resource, advice) => {
    const { code, notes } = await run([withOrders(resource)]);
    expect(code).toBe(1);
    expect(notes).toContain(`No service principal in this tenant has the name ${resource}.`);
    expect(notes).toContain(advice);
  });

  test("one API under two names is a problem, because Entra does not separate them", async () => {
    const file = policyFile({
      apis: { orders: ORDERS, shop: CLIENT_IDS.orders },
      callers: [{ ...WEB, apis: { orders: ["Orders.Read"], shop: ["Orders.Write"] } }],
    });
    const { code, notes } = await run([file]);
    expect(code).toBe(1);
    expect(notes).toBe(
      `problem: apis.shop (web)\n  is the same API as apis.orders (Contoso Orders ${CLIENT_IDS.orders}). List it once.`,
    );
  });

  test("texts of an API's owner cannot change the terminal, and its ids cannot change a command", async () => {
    const orders = tenant.state.directory.registration("orders") as Registration;
    Object.assign(orders, { displayName: "Orders\u001b[2J\n$(id)" });
    const { out } = await run([withOrders(ORDERS)]);
    expect(out).toContain(`  Orders [2J $(id) ${CLIENT_IDS.orders} (delegated)\n`);
    Object.assign(orders, { clientId: "'; id; '" });
    expect((await run([withOrders(ORDERS)])).notes).toContain(
      `No service principal in this tenant has the name ${ORDERS}.`,
    );
  });

  test("--offline names the API that needs the tenant, and --tenant-data answers it from a file", async () => {
    const file = withOrders(ORDERS);
    expect((await run([file, "--offline"])).notes).toContain(`${ORDERS} is looked up in the tenant. Omit --offline`);
    const data = join(folder, "orders.json");
    const scope = { id: "44444444-4444-4444-8444-444444444444", value: "Orders.Read", type: "User", isEnabled: true };
    writeFileSync(
      data,
      JSON.stringify([
        {
          id: OBJECT_IDS.orders,
          appId: CLIENT_IDS.orders,
          displayName: "Contoso Orders",
          servicePrincipalNames: [ORDERS],
          oauth2PermissionScopes: [scope],
          appRoles: [],
        },
      ]),
    );
    expect(await run([file, "--offline", "--tenant-data", data])).toMatchObject({
      code: 0,
      out: expect.stringContaining("Orders.Read  44444444-4444-4444-8444-444444444444"),
    });
  });
});

const TIERS = () =>
  policyFile({
    apis: { orders: ORDERS },
    registrations: { narrow: { clientId: NARROW_ID } },
    callers: [
      { ...WEB, apis: { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] } },
      { ...DESKTOP, registration: "narrow", apis: { graph: ["User.Read"] } },
      { ...NIGHTLY, apis: { graph: [".default"] } },
    ],
  });

describe("what is written", () => {
  test("--json has the requiredResourceAccess of every registration", async () => {
    const { out } = await run([TIERS(), "--json", "--app-only", "graph=User.Read.All"]);
    const { registrations } = JSON.parse(out) as {
      registrations: { name: string; requiredResourceAccess: Access[] }[];
    };
    const summary = registrations.map(({ name, requiredResourceAccess }) => [
      name,
      ...requiredResourceAccess.map(({ resourceAppId, resourceAccess }) => [
        resourceAppId,
        resourceAccess.map(({ id, type }) => `${type} ${id.slice(0, 8)}`).join(", "),
      ]),
    ]);
    expect(summary).toEqual([
      [
        "(default)",
        [CLIENT_IDS.graph, "Scope e1fe6dd8, Scope 570282fd, Scope 37f7f235, Scope 14dad69e, Scope 7427e0e9"],
        [CLIENT_IDS.orders, expect.stringMatching(/^Scope [0-9a-f]{8}$/)],
      ],
      ["narrow", [CLIENT_IDS.graph, "Scope e1fe6dd8, Scope 37f7f235, Scope 14dad69e, Scope 7427e0e9"]],
      ["(application tokens)", [CLIENT_IDS.graph, "Role df021288"]],
    ]);
  });

  test("--parameters has the permissions, the pre-authorized clients and the calling applications", async () => {
    const file = join(folder, "parameters.json");
    await run([TIERS(), "--parameters", file, "--app-only", "graph=User.Read.All"]);
    const { parameters } = JSON.parse(readFileSync(file, "utf8")) as { parameters: Record<string, { value: unknown }> };
    expect(parameters["registrations"]?.value).toMatchObject([
      {
        apis: [{ resourceAppId: CLIENT_IDS.graph }, { resourceAppId: CLIENT_IDS.orders }],
        preAuthorizedClientIds: [CLIENT_IDS.web],
        callerPrincipalIds: [OBJECT_IDS.daemon],
      },
      { name: "narrow", apis: [{}], preAuthorizedClientIds: [CLIENT_IDS.public], callerPrincipalIds: [] },
    ]);
    expect(parameters["appOnlyApis"]?.value).toEqual([
      {
        resourceAppId: CLIENT_IDS.graph,
        permissions: [{ id: "df021288-bdef-4463-88db-98f22de89214", name: "User.Read.All" }],
      },
    ]);
  });
});

interface Access {
  readonly resourceAppId: string;
  readonly resourceAccess: readonly { readonly id: string; readonly type: string }[];
}

const IDS = ["--client-id", CLIENT_IDS.service, "--app-only-client-id", CLIENT_IDS.appOnly];
const APP_ONLY = ["--app-only", "graph=User.Read.All"];

/** An administrator's consent of a registration for all persons. */
function consent(clientId: string, resourceId: string, ...scopes: string[]) {
  tenant.state.directory.consents.push({ clientId, resourceId, scopes: new Set(scopes) });
}

function withoutConsents(clientId: string) {
  const { consents } = tenant.state.directory;
  consents.splice(0, consents.length, ...consents.filter((one) => one.clientId !== clientId));
}

/** The part of the output about consent. */
async function report(file: string, ...args: string[]) {
  const { code, out, notes } = await run([file, "--report", ...IDS, ...APP_ONLY, ...args]);
  expect(notes).toBe("");
  return { code, text: out.slice(out.indexOf("consent of registration")) };
}

/** Does to the directory what the command of a report does to a tenant. */
async function mend(command: string): Promise<void> {
  const [, method, path = "", json = "{}"] = MENDING_COMMAND.exec(command) ?? [];
  const body = JSON.parse(json) as Record<string, string>;
  const { consents, roleAssignments, registrations } = tenant.state.directory;
  const withObjectId = (id = "") => registrations.find(({ objectId }) => objectId === id) as Registration;
  const id = path.split("/").at(-1) ?? "";
  const scopes = new Set(body["scope"]?.split(" "));
  if (method === "POST" && path === "/oauth2PermissionGrants") {
    const [client, resource] = [withObjectId(body["clientId"]), withObjectId(body["resourceId"])];
    consents.push({ clientId: client.clientId, resourceId: resource.clientId, scopes });
  } else if (method === "POST") {
    const { clientId: resourceId } = withObjectId(body["resourceId"]);
    // The only two app roles that these tests miss.
    const role = resourceId === CLIENT_IDS.graph ? "User.Read.All" : "Exchange.Call";
    roleAssignments.push({ principalOid: String(body["principalId"]), resourceId, role });
  } else if (path.includes("/appRoleAssignments/")) {
    const wrong = roleAssignments.findIndex(({ role }) => role === "Mail.Read");
    roleAssignments.splice(wrong, 1);
  } else {
    const grant = await consentWithId(id);
    const index = consents.indexOf(grant);
    consents.splice(index, 1, ...(method === "PATCH" ? [{ ...grant, scopes }] : []));
  }
}

const MENDING_COMMAND =
  /^az rest --method (\w+) --url https:\/\/graph\.microsoft\.com\/v1\.0(\S+)(?: .* --body '(.*)')?$/;

/** Graph lists the consent of a service principal in the order of the directory. */
async function consentWithId(id: string): Promise<Consent> {
  const { consents, registrations } = tenant.state.directory;
  for (const { clientId, objectId } of registrations) {
    const response = await fetch(`${tenant.url}/v1.0/servicePrincipals/${objectId}/oauth2PermissionGrants`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { value } = (await response.json()) as { value: { id: string }[] };
    const index = value.findIndex((grant) => grant.id === id);
    const found = consents.filter((one) => one.clientId === clientId)[index];
    if (found !== undefined) return found;
  }
  throw new Error(`no consent ${id}`);
}

async function reported(file: string): Promise<string> {
  const { code, text } = await report(file);
  return `exit code ${code}\n${text}`;
}

describe("the report", () => {
  beforeEach(() => {
    withoutConsents(CLIENT_IDS.service);
    const signIn = ["openid", "profile", "offline_access"];
    consent(CLIENT_IDS.service, CLIENT_IDS.graph, "User.Read", "Mail.Read", ...signIn);
    consent(CLIENT_IDS.service, CLIENT_IDS.orders, "Orders.Read");
    consent(NARROW_ID, CLIENT_IDS.graph, "User.Read", ...signIn);
  });

  test("has no finding and exit code 0 if the consent is what the policy needs", async () => {
    expect(await reported(TIERS())).toMatchInlineSnapshot(`
      "exit code 0
      consent of registration (default) 5e471ce0-0000-4000-8000-000000000001
        is what the policy needs

      consent of registration narrow 5e471ce0-0000-4000-8000-0000000000aa
        is what the policy needs

      consent of registration (application tokens) 5e471ce0-0000-4000-8000-000000000002
        is what the policy needs
      "
    `);
  });

  test("names missing and surplus consent of each registration, who meets which error, and the command", async () => {
    withoutConsents(NARROW_ID);
    withoutConsents(CLIENT_IDS.service);
    consent(CLIENT_IDS.service, CLIENT_IDS.graph, "User.Read", "Mail.Send", "openid", "profile", "offline_access");
    consent(NARROW_ID, CLIENT_IDS.orders, "Orders.Write");
    expect(await reported(TIERS())).toMatchInlineSnapshot(`
      "exit code 1
      consent of registration (default) 5e471ce0-0000-4000-8000-000000000001
        MISSING Microsoft Graph: Mail.Read (delegated, for all persons)
          web: consent_required (AADSTS65001) for every person
          mend: az rest --method PATCH --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/fX5R96eFaHHNTo2_4QbuzD2fJz8td0TDh89sW8srn9Y --headers Content-Type=application/json --body '{"scope":"User.Read Mail.Read openid profile offline_access"}'
        SURPLUS Microsoft Graph: Mail.Send (delegated, for every person)
          web: 500 scope_surplus for every person
          mend: az rest --method PATCH --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/fX5R96eFaHHNTo2_4QbuzD2fJz8td0TDh89sW8srn9Y --headers Content-Type=application/json --body '{"scope":"User.Read Mail.Read openid profile offline_access"}'
        MISSING Contoso Orders: Orders.Read (delegated, for all persons)
          web: consent_required (AADSTS65001) for every person
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants --headers Content-Type=application/json --body '{"clientId":"0b1ec700-0000-4000-8000-000000000001","consentType":"AllPrincipals","resourceId":"0b1ec700-0000-4000-8000-000000000008","scope":"Orders.Read"}'

      consent of registration narrow 5e471ce0-0000-4000-8000-0000000000aa
        MISSING Microsoft Graph: User.Read (delegated, for all persons)
          desktop: consent_required (AADSTS65001) for every person
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants --headers Content-Type=application/json --body '{"clientId":"0b1ec700-0000-4000-8000-0000000000aa","consentType":"AllPrincipals","resourceId":"0b1ec700-0000-4000-8000-00000000000b","scope":"User.Read openid profile offline_access"}'
        SURPLUS Contoso Orders: Orders.Write (delegated; no entry of the registration names this API)
          No caller meets an error.
          mend: az rest --method DELETE --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/qmt_mJDWHQnzHRRhvJeHUfcRnF-6KNsYTOMyrHus5hw

      consent of registration (application tokens) 5e471ce0-0000-4000-8000-000000000002
        is what the policy needs
      "
    `);
  });

  test("distinguishes what single persons consented to", async () => {
    const { consents } = tenant.state.directory;
    const personal = (userOid: string, ...scopes: string[]) =>
      consents.push({ clientId: NARROW_ID, resourceId: CLIENT_IDS.graph, userOid, scopes: new Set(scopes) });
    personal(USER_IDS.alice, "User.Read", "Mail.Read");
    personal(USER_IDS.bob, "Mail.Send");
    withoutConsents(CLIENT_IDS.service);
    consents.push({
      clientId: CLIENT_IDS.service,
      resourceId: CLIENT_IDS.orders,
      userOid: USER_IDS.alice,
      scopes: new Set(["Orders.Read"]),
    });
    expect(await reported(TIERS())).toMatchInlineSnapshot(`
      "exit code 1
      consent of registration (default) 5e471ce0-0000-4000-8000-000000000001
        MISSING Microsoft Graph: User.Read Mail.Read (delegated, for all persons)
          web: consent_required (AADSTS65001) for every person
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants --headers Content-Type=application/json --body '{"clientId":"0b1ec700-0000-4000-8000-000000000001","consentType":"AllPrincipals","resourceId":"0b1ec700-0000-4000-8000-00000000000b","scope":"User.Read Mail.Read openid profile offline_access"}'
        MISSING Contoso Orders: Orders.Read (delegated, for all persons)
          web: consent_required (AADSTS65001) for every person except those who consented themselves (1)
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants --headers Content-Type=application/json --body '{"clientId":"0b1ec700-0000-4000-8000-000000000001","consentType":"AllPrincipals","resourceId":"0b1ec700-0000-4000-8000-000000000008","scope":"Orders.Read"}'

      consent of registration narrow 5e471ce0-0000-4000-8000-0000000000aa
        SURPLUS Microsoft Graph: Mail.Read Mail.Send (delegated, for 2 persons)
          desktop: 500 scope_surplus for 2 persons
          mend: az rest --method PATCH --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/ajUiQukME6-iM4WfGRdF-2L5HYvLZEFnOhLTdUs-c0A --headers Content-Type=application/json --body '{"scope":"User.Read"}'
          mend: az rest --method DELETE --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/cDou0hJzXgXSkPeXW-49PRHbJHCH8No9qdYBKLgVofo

      consent of registration (application tokens) 5e471ce0-0000-4000-8000-000000000002
        is what the policy needs
      "
    `);
  });

  test("prints at most 20 commands for the consent of single persons, and all of them with --json", async () => {
    for (let person = 0; person < 25; person += 1) {
      const userOid = `a11ce000-0000-4000-8000-0000000001${String(person).padStart(2, "0")}`;
      const scopes = new Set(["Mail.Send"]);
      tenant.state.directory.consents.push({ clientId: NARROW_ID, resourceId: CLIENT_IDS.graph, userOid, scopes });
    }
    const { text } = await report(TIERS());
    expect(text).toContain("desktop: 500 scope_surplus for 25 persons");
    expect(text.match(/mend: az rest/g)).toHaveLength(20);
    expect(text).toContain("    mend: 5 more commands, with --json\n");
    const { out } = await run([TIERS(), "--report", "--json", ...IDS, ...APP_ONLY]);
    expect(out.match(/az rest --method DELETE/g)).toHaveLength(25);
  });

  test("a caller with fewer scopes than another of its registration gets the advice to use the relay or a registration", async () => {
    const file = policyFile({
      callers: [
        { ...WEB, apis: { graph: ["User.Read", "Mail.Read"] } },
        { ...DESKTOP, apis: { graph: ["User.Read"] } },
      ],
    });
    withoutConsents(CLIENT_IDS.service);
    consent(CLIENT_IDS.service, CLIENT_IDS.graph, "User.Read", "Mail.Read");
    expect(await reported(file)).toMatchInlineSnapshot(`
      "exit code 1
      consent of registration (default) 5e471ce0-0000-4000-8000-000000000001
        SURPLUS Microsoft Graph: Mail.Read (delegated; other entries of the registration list it, desktop does not)
          desktop: 500 scope_surplus on every call
          mend: In the policy, give desktop "release": "none" and relay rules (downstream), or a separate registration.
      "
    `);
  });

  test.each([
    ["release none", { release: "none", downstream: { graph: [{ methods: ["GET"], path: "/v1.0/me" }] } }],
    ["acceptSurplus", { acceptSurplus: true }],
  ])("surplus harms no caller with %s", async (_, members) => {
    const file = policyFile({
      callers: [
        { ...WEB, apis: { graph: ["User.Read", "Mail.Read"] } },
        { ...DESKTOP, ...members, apis: { graph: ["User.Read"] } },
      ],
    });
    expect((await report(file)).text).not.toContain("desktop");
  });

  test("application permissions: missing, surplus, and on the wrong registration", async () => {
    const { roleAssignments } = tenant.state.directory;
    roleAssignments.push({ principalOid: OBJECT_IDS.appOnly, resourceId: CLIENT_IDS.graph, role: "Mail.Read" });
    roleAssignments.push({ principalOid: OBJECT_IDS.service, resourceId: CLIENT_IDS.graph, role: "Mail.Read" });
    roleAssignments.splice(
      0,
      roleAssignments.length,
      ...roleAssignments.filter(({ role }) => role !== "User.Read.All" && role !== "Exchange.Call"),
    );
    expect(await reported(TIERS())).toMatchInlineSnapshot(`
      "exit code 1
      consent of registration (default) 5e471ce0-0000-4000-8000-000000000001
        SURPLUS Microsoft Graph: Mail.Read (application; the service never uses it)
          No caller meets an error.
          mend: az rest --method DELETE --url https://graph.microsoft.com/v1.0/servicePrincipals/0b1ec700-0000-4000-8000-000000000001/appRoleAssignments/D5Rc9coQYEQQLj6GrD5Mj13M4J1MiR6z1kndQ0Be1FA
        MISSING graph-token-exchange: app role Exchange.Call of nightly (ca11e400-0000-4000-8000-000000000003)
          nightly: AADSTS501051 from Entra, or token_role_missing from the service
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/servicePrincipals/0b1ec700-0000-4000-8000-000000000001/appRoleAssignedTo --headers Content-Type=application/json --body '{"principalId":"0b1ec700-0000-4000-8000-000000000005","resourceId":"0b1ec700-0000-4000-8000-000000000001","appRoleId":"62a5eee2-c391-4aff-8fc5-8cba697b53ae"}'

      consent of registration narrow 5e471ce0-0000-4000-8000-0000000000aa
        is what the policy needs

      consent of registration (application tokens) 5e471ce0-0000-4000-8000-000000000002
        MISSING Microsoft Graph: User.Read.All (application)
          nightly: a token that Microsoft Graph refuses with 403
          mend: az rest --method POST --url https://graph.microsoft.com/v1.0/servicePrincipals/0b1ec700-0000-4000-8000-00000000000b/appRoleAssignedTo --headers Content-Type=application/json --body '{"principalId":"0b1ec700-0000-4000-8000-000000000002","resourceId":"0b1ec700-0000-4000-8000-00000000000b","appRoleId":"df021288-bdef-4463-88db-98f22de89214"}'
        SURPLUS Microsoft Graph: Mail.Read (application; not in --app-only)
          No caller meets an error.
          mend: az rest --method DELETE --url https://graph.microsoft.com/v1.0/servicePrincipals/0b1ec700-0000-4000-8000-000000000002/appRoleAssignments/7XLLCLb8Jf7z9YUhvzLTCIsgFlIkutEK_KT-JBBKi6Q
      "
    `);
  });

  test("the commands mend what they are for: after them the report has no finding", async () => {
    withoutConsents(NARROW_ID);
    withoutConsents(CLIENT_IDS.service);
    consent(CLIENT_IDS.service, CLIENT_IDS.graph, "User.Read", "Mail.Send");
    consent(NARROW_ID, CLIENT_IDS.orders, "Orders.Write");
    const { consents, roleAssignments } = tenant.state.directory;
    const personal = { clientId: NARROW_ID, resourceId: CLIENT_IDS.graph };
    consents.push({ ...personal, userOid: USER_IDS.alice, scopes: new Set(["User.Read", "Mail.Send"]) });
    consents.push({ ...personal, userOid: USER_IDS.bob, scopes: new Set(["Mail.Send"]) });
    roleAssignments.splice(0);
    roleAssignments.push({ principalOid: OBJECT_IDS.appOnly, resourceId: CLIENT_IDS.graph, role: "Mail.Read" });
    const { text } = await report(TIERS());
    const commands = new Set(text.match(/(?<=mend: ).*/g));
    expect(commands.size).toBe(9);
    for (const command of commands) await mend(command);
    expect((await report(TIERS())).code).toBe(0);
  });

  test("a registration without a service principal is one finding", async () => {
    const file = policyFile({
      registrations: { narrow: { clientId: "99999999-9999-4999-8999-999999999999" } },
      callers: [{ ...DESKTOP, registration: "narrow", apis: { graph: ["User.Read"] } }],
    });
    expect(await reported(file)).toMatchInlineSnapshot(`
      "exit code 1
      consent of registration narrow 99999999-9999-4999-8999-999999999999
        MISSING the service principal of 99999999-9999-4999-8999-999999999999
          desktop: AADSTS500011 from Entra: no token for this registration
          mend: az ad sp create --id 99999999-9999-4999-8999-999999999999
      "
    `);
  });

  test("needs the client id of the default registration, which the policy does not have", async () => {
    const { code, notes } = await run([oneName("User.Read"), "--report"]);
    expect([code, notes]).toEqual([
      2,
      "The report needs the client id of the registration (default): --client-id <id>",
    ]);
  });

  test("reads every page of a list, and sends the token to no other host", async () => {
    const first = {
      value: [],
      "@odata.nextLink": `${tenant.url}/v1.0/servicePrincipals/${OBJECT_IDS.service}/oauth2PermissionGrants`,
    };
    const path = `${OBJECT_IDS.service}/oauth2PermissionGrants`;
    tenant.state.order({ endpoint: "graph", path, status: 200, body: first });
    expect((await report(TIERS())).code).toBe(0);
    const elsewhere = { value: [], "@odata.nextLink": "https://graph.example.com/v1.0/next" };
    tenant.state.order({ endpoint: "graph", path, status: 200, body: elsewhere });
    const { code, notes } = await run([TIERS(), "--report", ...IDS]);
    expect([code, notes]).toEqual([5, expect.stringContaining("continues the list at a wrong address")]);
  });
});

const AZ_ARGUMENTS = "account get-access-token --resource-type ms-graph --query accessToken --output tsv";

describe("the administrator's token", () => {
  const asking = () => [TIERS()] as const;

  test.each([
    ["prints a token", () => `echo ${token}`, 0, ""],
    ["is not signed in", () => "echo 'Please run az login' >&2; exit 1", 3, "The Azure CLI gave no token"],
    ["prints something else", () => "echo WARNING: two words", 2, "There is no access token in az account"],
  ])("comes from the Azure CLI, which %s", async (_, script, exitCode, problem) => {
    const path = process.env["PATH"];
    const az = join(folder, "az");
    writeFileSync(az, `#!/bin/sh\n[ "$*" = "${AZ_ARGUMENTS}" ] || exit 9\n${script()}\n`, { mode: 0o755 });
    try {
      process.env["PATH"] = [folder, path].join(delimiter);
      const { code, notes } = await run(asking(), { GTE_GRAPH_TOKEN_FILE: "" });
      expect(code).toBe(exitCode);
      expect(notes).toContain(problem);
    } finally {
      process.env["PATH"] = path;
    }
  });

  test("comes from standard input with --token-stdin", async () => {
    expect(await run([...asking(), "--token-stdin"], { GTE_GRAPH_TOKEN_FILE: join(folder, "nowhere") })).toMatchObject({
      code: 0,
    });
  });

  test.each([
    ["has no permission to read the directory", 4, () => tenant.state.mintUserToken({ resource: "graph" })],
    ["is expired", 3, () => tenant.state.mintUserToken({ resource: "graph", lifetimeSeconds: -1 })],
    ["is for another API", 3, () => tenant.state.mintUserToken()],
    ["is no token", 2, () => "two words"],
  ])("that %s ends with exit code %d", async (_, exitCode, mint) => {
    token = mint();
    expect((await run(asking())).code).toBe(exitCode);
  });

  test.each([429, 503])("Graph's answer %d ends with exit code 5", async (status) => {
    tenant.state.order({ endpoint: "graph", status, body: { error: { code: "busy", message: "later" } } });
    expect(await run(asking())).toMatchObject({
      code: 5,
      notes: expect.stringContaining(`answered ${status}: busy: later`),
    });
  });
});

test.each([
  [[], "Name one policy file."],
  [["a.json", "b.json"], "Name one policy file."],
  [["a.json", "--offline", "--report"], "--report reads the tenant; omit --offline."],
  [["a.json", "--app-only", "graph"], "--app-only takes <api>=<permission>,<permission>"],
  [["a.json", "--graph-url", "http://graph.microsoft.com"], "--graph-url must be https"],
  [["a.json", "--colour"], "Unknown option '--colour'"],
])("npm run registration with the arguments %j exits with code 2", (args, problem) => {
  const program = resolve(import.meta.dirname, "../../clients/registration.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(problem);
  expect(stderr).toContain("usage: npm run registration");
});

test("npm run policy -- registration is the same program", () => {
  const program = resolve(import.meta.dirname, "../../clients/policy.ts");
  const start = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  const help = start("registration", "--help");
  expect([help.status, help.stdout.split("\n")[0]]).toEqual([
    0,
    "usage: npm run policy -- registration <policy.json | tenant.bicepparam> [options]",
  ]);
  expect(start("help", "registration").stdout).toBe(help.stdout);
  expect(start("help").stdout).toContain("npm run policy -- registration <file>");
  const offline = start(
    "registration",
    policyFile({ callers: [{ ...WEB, apis: { graph: ["Mail.Raed"] } }] }),
    "--offline",
  );
  expect([offline.status, offline.stderr]).toEqual([1, expect.stringContaining("Did you mean Mail.Read?")]);
});

test.each([
  ["missing.json", undefined, "there is no such file"],
  ["text.json", "apis:", "the file is YAML, not JSON"],
  ["wrong.json", "{}", "has no valid policy: apis is missing"],
  [
    "registration.json",
    JSON.stringify({
      apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
      callers: [{ ...WEB, registration: "wide", apis: { graph: ["User.Read"] } }],
    }),
    "entry web: registration is not defined in registrations",
  ],
  [
    "api.json",
    JSON.stringify({
      apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
      callers: [{ ...WEB, apis: { graf: ["User.Read"] } }],
    }),
    "entry web: apis names graf, which is not in apis",
  ],
  [
    "contradiction.json",
    JSON.stringify({
      apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
      callers: [{ ...WEB, unattended: true, apis: { graph: ["User.Read"] } }],
    }),
    "entry web has kind user and unattended",
  ],
])("a policy file %s that is not usable exits with code 2", async (name, text, problem) => {
  const file = join(folder, name);
  if (text !== undefined) writeFileSync(file, text);
  expect(await run([file])).toMatchObject({ code: 2, notes: expect.stringContaining(problem) });
});
