/**
 * The commands of entra-by-hand.md create what the template deploys. They run in bash against an `az` that records its
 * requests, for a policy with two registrations and two APIs.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithBicep, infraFile } from "./support/compiler.ts";
import { type Deployment, deploy, type Parameters, TENANT_ID } from "./support/deploy.ts";
import { ofType, the, value } from "./support/look.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IDENTITY = "55555555-5555-4555-8555-555555555555";
const WEB = "77777777-7777-4777-8777-777777777777";
const DESKTOP = "99999999-9999-4999-8999-999999999999";
const GRAPH = "00000003-0000-0000-c000-000000000000";
const ORDERS = "04de4500-0000-4000-8000-000000000001";
const ORDERS_READ = "a0000000-0000-4000-8000-000000000001";
const SERVICE_URL = "https://func-gte-contoso.azurewebsites.net";

/** What a connector shows after its first save. */
const CONNECTOR = {
  redirectUri: "https://global.consent.azure-apim.net/redirect/graphtokenexchange-5f01",
  connectorIssuer: "https://login.microsoftonline.com/x/v2.0",
  connectorSubject: "/eid1/c/pub/t/x",
};
const SHOWN = `redirect=${CONNECTOR.redirectUri} issuer=${CONNECTOR.connectorIssuer} subject=${CONNECTOR.connectorSubject}`;

const CLIENT_OF_CONNECTORS = '"appId":"fe053c5f-3692-4f14-aef2-ee34fc081cae"';

const POLICY = {
  apis: {
    graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read", "Mail.Read", ".default"] },
    orders: { resource: "https://api.contoso.example/orders", scopes: ["Orders.Read"] },
  },
  registrations: { narrow: { clientId: "11111111-1111-4111-8111-11111111111b" } },
  callers: [
    {
      name: "web",
      kind: "user",
      clientId: WEB,
      flows: ["on-behalf-of"],
      apis: { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] },
    },
    {
      name: "desktop",
      kind: "user",
      clientId: DESKTOP,
      registration: "narrow",
      flows: ["on-behalf-of"],
      apis: { graph: ["User.Read"] },
    },
    { name: "job", kind: "application", clientId: WEB, flows: ["client-credentials"], apis: { graph: [".default"] } },
  ],
};

const ORDERS_PRINCIPAL = {
  id: "0b1ec700-0000-4000-8000-000000000008",
  appId: ORDERS,
  displayName: "Contoso Orders",
  servicePrincipalNames: ["https://api.contoso.example/orders"],
  oauth2PermissionScopes: [{ id: ORDERS_READ, value: "Orders.Read", type: "User", isEnabled: true }],
  appRoles: [],
};

/** Answers as `az` does. Requests to Graph go to graph.ts, which keeps what was made. */
const AZ = `#!/bin/bash
case "$*" in
  "cloud show --query endpoints.microsoftGraphResourceId"*) echo https://graph.microsoft.com/ ;;
  "cloud show --query endpoints.activeDirectory"*) echo https://login.microsoftonline.com ;;
  "cloud show --query name"*) echo AzureCloud ;;
  "account show"*) echo ${TENANT_ID} ;;
  "ad sp show --id"*) echo "principal-of-$5" ;;
  rest*) exec "$NODE" "$GRAPH_PROGRAM" "$@" ;;
  *) exit 1 ;;
esac
`;

interface Request {
  readonly method: string;
  readonly url: string;
  readonly body: Record<string, unknown>;
}

const hasTools = ["bash", "jq"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
const describeWithTools = hasTools ? describeWithBicep : describe.skip;
if (!hasTools) process.stderr.write("SKIPPED: the commands of entra-by-hand.md. Install bash and jq to run them.\n");

/** The blocks of the file: preparation, steps 1 to 9. Step 7 repeats steps 2 to 5 for the app-only registration. */
function script(): string {
  const text = readFileSync(infraFile("entra-by-hand.md"), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
  const [prepare, , register, principal, credential, consent, , more, appOnly, connector, saved] = blocks;
  const steps = [register, principal, credential, consent];
  return [prepare, blocks[1], ...steps, blocks[6], more, ...steps, appOnly, connector, saved]
    .join("\n")
    .replace("<principalId of modules/identity.bicep>", IDENTITY)
    .replace("infra/tenants/contoso.bicepparam", '"$POLICY_FILE"')
    .replaceAll(
      "npm run -s registration -- $policy",
      "node clients/registration.ts $policy --offline --tenant-data $TENANT_DATA",
    )
    .replace("redirect=<redirect URI> issuer=<issuer> subject=<subject>", SHOWN)
    .replace(/assign <object id of a group or person>/, "assign group")
    .replace(/assign <object id of a calling application's service principal>/, "assign caller");
}

const folder = mkdtempSync(join(tmpdir(), "gte-by-hand-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `lag`: how often Entra does not find a new object before it does. */
function runCommands(lag = 0): Request[] {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  chmodSync(file("az", AZ), 0o755);
  // The commands wait between attempts.
  chmodSync(file("sleep", "#!/bin/sh\n"), 0o755);
  const environment = {
    POLICY_FILE: file("policy.json", JSON.stringify(POLICY)),
    TENANT_DATA: file("orders.json", JSON.stringify(ORDERS_PRINCIPAL)),
    AZ_LOG: file("az.log", ""),
    NODE: process.execPath,
    GRAPH_PROGRAM: fileURLToPath(new URL("support/graph-program.ts", import.meta.url)),
    GRAPH_STATE: join(folder, "graph.json"),
    GRAPH_LAG: String(lag),
    PATH: [folder, dirname(process.execPath), process.env["PATH"]].join(delimiter),
  };
  const run = spawnSync("bash", ["-c", script()], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  const lines = readFileSync(environment.AZ_LOG, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Request).filter(({ method }) => method !== "GET");
}

/** The template with the parameters that `npm run registration` writes for the same policy. */
function deployTemplate(): Promise<Deployment> {
  const path = join(folder, "parameters.json");
  const args = ["--offline", "--tenant-data", join(folder, "orders.json"), "--app-only", "graph=User.Read.All"];
  const run = spawnSync(
    process.execPath,
    ["clients/registration.ts", join(folder, "policy.json"), "--parameters", path, ...args],
    { cwd: ROOT, encoding: "utf8" },
  );
  if (run.status !== 0) throw new Error(run.stderr);
  const { parameters } = JSON.parse(readFileSync(path, "utf8")) as { parameters: Record<string, { value: unknown }> };
  const given: Parameters = Object.fromEntries(Object.entries(parameters).map(([name, one]) => [name, one.value]));
  return deploy("entra/entra.bicep", {
    ...given,
    serviceUrl: SERVICE_URL,
    managedIdentityPrincipalId: IDENTITY,
    powerPlatform: [{ name: "finance", registration: "narrow", ...CONNECTOR }],
  });
}

describeWithTools("the commands of entra-by-hand.md", () => {
  let requests: Request[];
  let deployment: Deployment;
  beforeAll(async () => {
    requests = runCommands();
    deployment = await deployTemplate();
  });

  const sent = (path: string) =>
    requests.filter(({ url }) =>
      url
        .replace(/\/(id-\d+|principal-of-[\w-]+)\//, "/*/")
        .replace(/'[^']+'/, "*")
        .endsWith(`/v1.0/${path}`),
    );
  const applications = () => sent("applications(uniqueName=*)").map(({ body }) => body);

  test.each([
    ["the first registration", 1, "graph-token-exchange"],
    ["the registration narrow", 2, ".narrow"],
    ["the registration for application tokens", 3, "-app-only"],
    ["the command line", 0, "-command-line"],
  ] as const)("register %s as the template does", (_, index, name) => {
    const deployed = value(the(deployment, "Microsoft.Graph/applications", name), "properties");
    const { description: _1, uniqueName: _2, ...expected } = deployed as Record<string, unknown>;
    expect(withoutClients(applications()[index])).toEqual(withoutClients(expected));
  });

  test("register a connector as the two runs of the template do", () => {
    const deployed = value(the(deployment, "Microsoft.Graph/applications", "-connector-finance"), "properties");
    const { description: _1, uniqueName: _2, web, requiredResourceAccess, ...expected } = deployed as Application;
    const [graph, service] = requiredResourceAccess;
    expect(applications()[4]).toEqual({
      ...expected,
      web: { ...web, redirectUris: [] },
      requiredResourceAccess: [graph, { ...service, resourceAppId: expect.stringMatching(/^app-\d+$/) }],
    });
    expect(web.redirectUris).toEqual([CONNECTOR.redirectUri]);
    expect(requests.map(({ body }) => body)).toContainEqual({ web: { redirectUris: web.redirectUris } });
  });

  test("pre-authorize the clients of each registration, and the command line in the first", () => {
    const clients = applications().map(({ api }) => JSON.stringify(api ?? {}).match(/"appId":"[^"]+"/g) ?? []);
    expect(clients).toEqual([
      [],
      [`"appId":"${WEB}"`, '"appId":"app-0"'],
      [`"appId":"${DESKTOP}"`],
      [],
      [CLIENT_OF_CONNECTORS],
    ]);
  });

  test("consent to the permissions of every registration on every API", () => {
    const scopes = ofType(deployment, "Microsoft.Graph/oauth2PermissionGrants").map((one) =>
      value(one, "properties.scope"),
    );
    expect(sent("oauth2PermissionGrants").map(({ body }) => [body["resourceId"], body["scope"]])).toEqual([
      [`principal-of-${GRAPH}`, scopes[0]],
      [`principal-of-${ORDERS}`, scopes[1]],
      [`principal-of-${GRAPH}`, scopes[2]],
      [expect.stringMatching(/^id-\d+$/), scopes[3]],
      [`principal-of-${GRAPH}`, scopes[4]],
    ]);
    expect(scopes).toHaveLength(5);
  });

  test("make the managed identity the credential of every registration that serves people", () => {
    const deployed = the(
      deployment,
      "Microsoft.Graph/applications/federatedIdentityCredentials",
      "graph-token-exchange/managed-identity",
    );
    const { issuer, subject, audiences } = deployed.body["properties"] as Record<string, unknown>;
    const credential = { issuer, subject, audiences };
    expect(sent("applications/*/federatedIdentityCredentials(name=*)").map(({ body }) => body)).toEqual([
      credential,
      credential,
      {
        issuer: CONNECTOR.connectorIssuer,
        subject: CONNECTOR.connectorSubject,
        audiences: ["api://AzureADTokenExchange"],
      },
    ]);
  });

  test("assign people, applications and application permissions", () => {
    const roles = sent("servicePrincipals/*/appRoleAssignedTo").map(({ body }) => [
      body["principalId"],
      body["appRoleId"],
    ]);
    expect(roles).toEqual([
      ["group", "00000000-0000-0000-0000-000000000000"],
      ["caller", "1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c31"],
      [expect.stringMatching(/^id-\d+$/), "df021288-bdef-4463-88db-98f22de89214"],
    ]);
  });

  test("have the unique names of the template", () => {
    const names = requests.flatMap(({ url }) => /applications\(uniqueName='([^']+)'\)$/.exec(url)?.[1] ?? []);
    const deployed = ofType(deployment, "Microsoft.Graph/applications").map((one) =>
      value(one, "properties.uniqueName"),
    );
    expect(names.sort()).toEqual(deployed.sort());
  });

  test("make nothing twice when they run again", () => {
    const before = readFileSync(join(folder, "graph.json"), "utf8");
    const again = runCommands();
    expect(again.filter(({ method }) => method === "POST")).toEqual([]);
    expect(JSON.parse(readFileSync(join(folder, "graph.json"), "utf8"))).toEqual(JSON.parse(before));
  });

  test("go on where Entra does not find at once what it has just created", () => {
    rmSync(join(folder, "graph.json"));
    const made = (some: readonly Request[]) => some.filter(({ method }) => method === "POST").length;
    expect(made(runCommands(2))).toBe(made(requests));
  });
});

interface Application extends Record<string, unknown> {
  readonly web: { readonly redirectUris: readonly string[] };
  readonly requiredResourceAccess: readonly Record<string, unknown>[];
}

/** The client id of the command line is known only after it is registered. */
function withoutClients(application: Record<string, unknown> | undefined): unknown {
  const { api, ...rest } = application ?? {};
  if (api === undefined) return rest;
  const { preAuthorizedApplications: _, ...others } = api as Record<string, unknown>;
  return { ...rest, api: others };
}
