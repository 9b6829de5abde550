/** `npm run connector`: each trap of a connector is named, from its exported files and its registration. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectorProgram } from "../../clients/connector/run-connector.ts";
import { root } from "../docs/support/markdown.ts";

const TENANT = "11111111-1111-4111-8111-111111111111";
const CONNECTOR = "22222222-2222-4222-8222-222222222222";
const APP_ID_URI = `api://${TENANT}/graph-token-exchange`;
const REDIRECT = "https://global.consent.azure-apim.net/redirect/graphtokenexchange-5f0123456789abcdef";
const NOW = Date.parse("2026-11-22T12:00:00Z");

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "gte-connector-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

let folders = 0;
const newFolder = () => join(work, `connector-${++folders}`);

function run(...args: string[]): { readonly code: number; readonly out: string; readonly notes: string } {
  let [out, notes] = ["", ""];
  const terminal = {
    out: (text: string | Uint8Array) => {
      out += text;
    },
    note: (text: string) => {
      notes += `${text}\n`;
    },
    input: () => Promise.resolve(new Uint8Array()),
    ask: () => Promise.resolve(""),
    attended: false,
    env: {},
  };
  return { code: connectorProgram(args, { terminal, program: "connector", nowMs: () => NOW }), out, notes };
}

const FILL = [
  "--service-url",
  "https://tokens.example.com",
  "--tenant-id",
  TENANT,
  "--app-id-uri",
  APP_ID_URI,
  "--client-id",
  CONNECTOR,
];

/** What the first save changes. */
const SAVED = { '"https://global.consent.azure-apim.net/redirect"': `"${REDIRECT}"` };

/** A folder as it is exported after the first save, with changes of the text of one file. */
function exported(change: Record<string, string> = {}, file = "apiProperties.json"): string {
  const folder = newFolder();
  expect(run("fill", folder, ...FILL).code).toBe(0);
  edit(join(folder, "apiProperties.json"), SAVED);
  edit(join(folder, file), change);
  return folder;
}

function edit(path: string, change: Record<string, string>): void {
  const before = readFileSync(path, "utf8");
  const after = Object.entries(change).reduce((text, [from, to]) => {
    expect(text, `${path} has no ${from}`).toContain(from);
    return text.replaceAll(from, to);
  }, before);
  writeFileSync(path, after);
}

function saved(name: string, value: unknown): string {
  const path = `${newFolder()}-${name}.json`;
  writeFileSync(path, JSON.stringify(value));
  return path;
}

/** As `az ad app show` prints it. */
const REGISTRATION = {
  appId: CONNECTOR,
  createdDateTime: "2026-11-20T12:00:00Z",
  web: { redirectUris: [REDIRECT] },
  api: { preAuthorizedApplications: [{ appId: "fe053c5f-3692-4f14-aef2-ee34fc081cae" }] },
  requiredResourceAccess: [
    {
      resourceAppId: "00000003-0000-0000-c000-000000000000",
      resourceAccess: [{ id: "e1fe6dd8-ba31-4d61-89e7-88639da4683d", type: "Scope" }],
    },
    {
      resourceAppId: "5e471ce0-0000-4000-8000-000000000001",
      resourceAccess: [{ id: "9d2f3a50-6a0e-4b38-8d6e-0b6d6f0c6a11", type: "Scope" }],
    },
  ],
};
const CREDENTIALS = [{ audiences: ["api://AzureADTokenExchange"], issuer: "https://x", subject: "y" }];

describe("npm run connector -- check", () => {
  test("finds nothing in a connector that is filled, saved and registered", () => {
    const checked = run(
      "check",
      exported(),
      "--registration",
      saved("app", REGISTRATION),
      "--credentials",
      saved("fic", CREDENTIALS),
      "--before",
      exported(),
    );
    expect(checked).toEqual({ code: 0, out: "No finding.\n", notes: "" });
  });

  test.each<[string, string, Record<string, string>]>([
    ["a placeholder of the properties", "placeholder_left", { [`"${CONNECTOR}"`]: '"<client id of the connector>"' }],
    [
      "the identity provider oauth2, of which the platform removes on-behalf-of login",
      "identity_provider",
      { '"aad"': '"oauth2"' },
    ],
    ["on-behalf-of login that is not switched on", "on_behalf_of_off", { '"value": "true"': '"value": "false"' }],
    [
      "on-behalf-of login that is not supported",
      "on_behalf_of_off",
      { '"IsOnbehalfofLoginSupported": true': '"IsOnbehalfofLoginSupported": false' },
    ],
    ["a client secret", "secret_in_file", { '"identityProvider"': '"clientSecret": "s", "identityProvider"' }],
    [
      "scopes as one text",
      "scopes_not_a_list",
      { [`[\n            "${APP_ID_URI}/access_as_user"\n          ]`]: '"access_as_user"' },
    ],
    ["the tenant common", "tenant", { [`"${TENANT}"`]: '"common"' }],
    ["no resource", "resource_missing", { '"resourceUri"': '"otherUri"' }],
    [
      "two different resources",
      "resource_differs",
      { [`"AzureActiveDirectoryResourceId": "${APP_ID_URI}"`]: '"AzureActiveDirectoryResourceId": "api://other"' },
    ],
    ["Microsoft Graph as the resource", "resource_is_graph", { [`"${APP_ID_URI}"`]: '"https://graph.microsoft.com/"' }],
    [
      "the connector itself as the resource (AADSTS90009)",
      "resource_is_connector",
      { [`"${APP_ID_URI}"`]: `"api://${CONNECTOR}"` },
    ],
    ["the redirect URI of all connectors", "redirect_mode", { '"GlobalPerConnector"': '"Global"' }],
  ])("names %s", (_title, code, change) => {
    const checked = run("check", exported(change));
    expect(checked.code).toBe(1);
    expect(codesOf(checked.out)).toEqual([`error ${code}`]);
  });

  test.each<[string, string, Record<string, string>]>([
    ["a host that is still the example's", "placeholder_left", { "tokens.example.com": "your-service.example" }],
    ["OpenAPI 3", "not_openapi_2", { '"swagger": "2.0"': '"openapi": "3.1.0"' }],
    ["a title with blanks", "title_with_blanks", { '"GraphTokenExchange"': '"Graph Token Exchange"' }],
    ["http", "not_https", { '"https"\n': '"http"\n' }],
    ["tags", "tags", { '"operationId": "GetHeader",': '"operationId": "GetHeader", "tags": ["Tokens"],' }],
    [
      "a $ref",
      "reference",
      { '"description": "A refusal.",': '"description": "A refusal.", "$ref": "#/responses/x",' },
    ],
    ["an array", "list", { '"type": "integer"': '"type": "array"' }],
    [
      "an extension that does not exist",
      "unknown_extension",
      { '"x-ms-visibility": "important"': '"x-ms-importance": "high"' },
    ],
    ["an operation without an id", "operation_id", { '"operationId": "GetHeader"': '"operationId": "Get header"' }],
    ["an operation without a summary", "operation_words", { '"summary": "Get header",': "" }],
    ["a parameter without a title", "parameter_words", { '"x-ms-summary": "Path",': "" }],
  ])("names %s", (_title, code, change) => {
    const checked = run("check", exported(change, "apiDefinition.swagger.json"));
    expect(checked.code).toBe(1);
    expect(codesOf(checked.out)).toEqual([`error ${code}`]);
  });

  test("names a definition over 1 MB", () => {
    const folder = exported();
    const path = join(folder, "apiDefinition.swagger.json");
    writeFileSync(path, `${readFileSync(path, "utf8")}${" ".repeat(1_048_576)}`);
    expect(codesOf(run("check", folder).out)).toEqual(["error too_large"]);
  });

  test("names a second connector with on-behalf-of login for the same resource, which is never synchronised", () => {
    const other = exported();
    expect(codesOf(run("check", exported(), "--other", other).out)).toEqual(["error second_connector"]);
    const without = exported({ '"value": "true"': '"value": "false"' });
    expect(run("check", exported(), "--other", without).out).toBe("No finding.\n");
  });

  test("notes that old connections stay broken after a change of the security", () => {
    const before = exported({ '"value": "true"': '"value": "false"' });
    const checked = run("check", exported(), "--before", before);
    expect(checked.code).toBe(0);
    expect(codesOf(checked.out)).toEqual(["note connections_broken"]);
  });

  test("notes that the redirect URI exists after the first save only", () => {
    const folder = newFolder();
    run("fill", folder, ...FILL);
    expect(codesOf(run("check", folder).out)).toEqual(["note redirect_not_known"]);
  });

  test.each<[string, string, object]>([
    ["the registration of another application", "error other_registration", { appId: TENANT }],
    [
      "a missing redirect URI (AADSTS50011)",
      "error redirect_missing",
      { web: { redirectUris: ["https://global.consent.azure-apim.net/redirect"] } },
    ],
    ["a scope that does not authorise Azure API Connections", "error not_preauthorized", { api: {} }],
    [
      "a missing User.Read (AADSTS90008)",
      "error user_read_missing",
      { requiredResourceAccess: REGISTRATION.requiredResourceAccess.slice(1) },
    ],
    [
      "a missing permission on the service",
      "error service_permission_missing",
      { requiredResourceAccess: REGISTRATION.requiredResourceAccess.slice(0, 1) },
    ],
    [
      "a registration so new that Entra can still answer AADSTS90008",
      "note new_registration",
      { createdDateTime: "2026-11-22T11:50:00Z" },
    ],
  ])("names %s", (_title, finding, change) => {
    const checked = run("check", exported(), "--registration", saved("app", { ...REGISTRATION, ...change }));
    expect(codesOf(checked.out)).toEqual([finding]);
    expect(checked.code).toBe(finding.startsWith("error") ? 1 : 0);
  });

  test("names a missing federated credential", () => {
    const files = ["--registration", saved("app", REGISTRATION), "--credentials", saved("fic", [])];
    expect(codesOf(run("check", exported(), ...files).out)).toEqual(["error federation_missing"]);
  });

  test("reads what pac exports: other file names, other case of the parameters", () => {
    const folder = exported({ '"resourceUri"': '"ResourceUri"', '"enableOnbehalfOfLogin"': '"EnableOnbehalfOfLogin"' });
    cpSync(join(folder, "apiDefinition.swagger.json"), join(folder, "apiDefinition.json"));
    rmSync(join(folder, "apiDefinition.swagger.json"));
    expect(run("check", folder).out).toBe("No finding.\n");
  });
});

describe("npm run connector -- fill", () => {
  test("leaves no placeholder and no other tenant", () => {
    const folder = newFolder();
    run("fill", folder, ...FILL);
    const text = ["apiDefinition.swagger.json", "apiProperties.json"]
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join();
    expect(text).not.toMatch(/<|common|your-service/);
    expect(readFileSync(join(folder, "icon.png"))).toEqual(
      readFileSync(join(root, "connectors/power-platform/icon.png")),
    );
  });

  test("does not write into a folder that exists", () => {
    const folder = exported();
    expect(run("fill", folder, ...FILL)).toMatchObject({ code: 2, notes: expect.stringContaining("exists") });
  });

  test.each([
    ["--service-url", "http://tokens.example.com"],
    ["--service-url", "https://tokens.example.com/path"],
    ["--tenant-id", "contoso"],
    ["--client-id", "connector"],
    ["--app-id-uri", "graph token exchange"],
  ])("refuses %s %s", (option, value) => {
    const args = FILL.map((arg, index) => (FILL[index - 1] === option ? value : arg));
    expect(run("fill", newFolder(), ...args)).toMatchObject({ code: 2, notes: expect.stringContaining(option) });
  });
});

describe("npm run connector -- parameters", () => {
  const OPTIONS = [
    "--name",
    "finance",
    "--issuer",
    "https://login.microsoftonline.com/x/v2.0",
    "--subject",
    "/eid1/c/pub/t/x",
  ];

  test("writes the parameter of the second run of entra.bicep", () => {
    expect(JSON.parse(run("parameters", exported(), ...OPTIONS).out)).toMatchObject({
      parameters: {
        powerPlatform: {
          value: [
            {
              name: "finance",
              clientId: CONNECTOR,
              connectorIssuer: "https://login.microsoftonline.com/x/v2.0",
              connectorSubject: "/eid1/c/pub/t/x",
              redirectUri: REDIRECT,
            },
          ],
        },
      },
    });
  });

  test("needs a connector that was saved", () => {
    const folder = newFolder();
    run("fill", folder, ...FILL);
    expect(run("parameters", folder, ...OPTIONS)).toMatchObject({
      code: 2,
      notes: expect.stringContaining("Save it once"),
    });
  });
});

test.each([[], ["check"], ["check", "a", "b"], ["unknown", "a"], ["check", "a", "--what"], ["parameters", "a"]])(
  "wrong usage gets the usage and exit code 2: %s",
  (...args) => {
    expect(run(...args.filter((arg) => arg !== undefined))).toMatchObject({
      code: 2,
      notes: expect.stringContaining("usage: connector"),
    });
  },
);

test("the README's commands fill the files, write the parameter of the second run and find nothing", () => {
  const text = readFileSync(join(root, "connectors/power-platform/README.md"), "utf8");
  const [fill = [], parameters = [], check = []] = [
    ...text.replaceAll("\\\n", " ").matchAll(/^npm run connector -- (.+?)(?: > \S+)?$/gm),
  ].map(([, args = ""]) => args.split(/\s+/));
  const clientId = fill[fill.indexOf("--client-id") + 1];
  const folder = newFolder();
  const files = {
    connector: folder,
    saved: folder,
    "app.json": saved("app", { ...REGISTRATION, appId: clientId }),
    "credentials.json": saved("fic", CREDENTIALS),
  };
  const inFolder = (args: readonly string[]) => args.map((arg) => files[arg as keyof typeof files] ?? arg);
  expect(run(...inFolder(fill))).toMatchObject({ code: 0 });
  edit(join(folder, "apiProperties.json"), SAVED);
  const { value } = JSON.parse(run(...inFolder(parameters)).out).parameters.powerPlatform;
  expect(value).toMatchObject([{ name: "finance", clientId, redirectUri: REDIRECT }]);
  expect(run(...inFolder(check))).toMatchObject({ code: 0, out: "No finding.\n" });
});

test("--help prints the usage", () => {
  expect(run("--help")).toMatchObject({ code: 0, out: expect.stringContaining("usage: connector") });
});

test("a folder without the files says what to do", () => {
  expect(run("check", work)).toMatchObject({ code: 2, notes: expect.stringContaining("Export the connector first") });
});

function codesOf(out: string): string[] {
  return [...new Set([...out.matchAll(/^(error|note) (\w+):/gm)].map(([, level, code]) => `${level} ${code}`))];
}
