/** Starting policies by kind of caller. All use the same scopes, so that one registration serves them. Pure. */

/** `init` writes it beside the policy. */
export const SCHEMA_FILE = "policy.schema.json";

const SCOPES = ["User.Read"];
const apis = { graph: SCOPES };

interface Preset {
  readonly about: string;
  readonly callers: readonly (Readonly<Record<string, unknown>> & {
    readonly apis: { readonly graph: readonly string[] };
  })[];
}

const invented = (digit: string) => `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`;

export const PRESETS = {
  script: {
    about: "people who run scripts with gte, PowerShell or another client",
    callers: [
      {
        name: "scripts",
        displayName: "Scripts",
        kind: "user",
        clientId: invented("1"),
        flows: ["on-behalf-of"],
        apis,
      },
    ],
  },
  web: {
    about: "a web application whose backend exchanges the tokens of its users",
    callers: [
      {
        name: "web-users",
        displayName: "People who use the web application",
        kind: "user",
        clientId: invented("2"),
        requireConfidentialClient: true,
        flows: ["on-behalf-of"],
        apis,
      },
      { name: "web-backend", kind: "application", clientId: invented("2"), flows: ["on-behalf-of"], apis },
    ],
  },
  unattended: {
    about: "an application, such as a Power Automate flow, for a person who is away",
    callers: [
      {
        name: "nightly-flow",
        displayName: "The nightly flow",
        kind: "application",
        clientId: invented("3"),
        flows: ["refresh-token"],
        apis,
        offlineAccess: true,
        unattended: true,
        grantMaxDays: 30,
      },
    ],
  },
  relay: {
    about: "a client that uses Graph through the relay, without a token",
    callers: [
      {
        name: "assistant",
        displayName: "The assistant",
        kind: "user",
        clientId: invented("5"),
        flows: ["on-behalf-of"],
        apis,
        release: "none",
        downstream: { graph: [{ methods: ["GET"], path: "/v1.0/me", query: ["$select"] }] },
      },
    ],
  },
  "app-only": {
    about: "an application that works for itself (needs APP_ONLY_CLIENT_ID)",
    callers: [
      {
        name: "reports",
        displayName: "Reports about the tenant",
        kind: "application",
        clientId: invented("4"),
        flows: ["client-credentials"],
        apis: { graph: [".default"] },
      },
    ],
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** The JSON text of a policy for these callers. */
export function startingPolicy(names: readonly PresetName[]): string {
  const callers = names.flatMap((name): Preset["callers"] => PRESETS[name].callers);
  const policy = {
    $schema: `./${SCHEMA_FILE}`,
    apis: {
      graph: {
        resource: "https://graph.microsoft.com",
        scopes: [...new Set(callers.flatMap(({ apis: { graph } }) => graph))],
      },
    },
    callers,
  };
  return `${JSON.stringify(policy, undefined, 2)}\n`;
}
