/**
 * Writes docs/configuration.md from the table of settings and the policy's schema; a test compares the file. Pure; not
 * part of the running service.
 */

import type { Setting } from "../../shared/config/setting-forms.ts";
import { SETTINGS, type SettingName } from "../../shared/config/settings.ts";
import { apiRows, callerRows, type MemberRow, registrationRows, ruleRows } from "./policy-reference.ts";

/** The whole page. */
export function describeSettings(): string {
  return `${[...settingsPart(), ...policyPart()].join("\n")}\n`;
}

type Topic =
  | "Service"
  | "Entra"
  | "Callers"
  | "Where the policy is"
  | "Grants and sign-ins"
  | "Events of grants"
  | "Token cache"
  | "Telemetry";

/** In the order of the page. */
const TOPICS: readonly Topic[] = [
  ...(["Service", "Entra", "Callers", "Where the policy is"] as const),
  ...(["Grants and sign-ins", "Events of grants", "Token cache", "Telemetry"] as const),
];

const TOPIC_OF: Readonly<Record<SettingName, Topic>> = {
  CLOUD: "Service",
  TENANT_ID: "Service",
  SERVICE_URL: "Service",
  TENANT_DISPLAY_NAME: "Service",
  DOCUMENTATION_URL: "Service",
  LOCAL_TENANT_URL: "Service",
  CLIENT_ID: "Entra",
  APP_ID_URI: "Entra",
  CLIENT_CREDENTIAL: "Entra",
  KEY_VAULT_URL: "Entra",
  CLIENT_SECRET_NAME: "Entra",
  CLIENT_CERTIFICATE_NAME: "Entra",
  MANAGED_IDENTITY_CLIENT_ID: "Entra",
  APP_ONLY_CLIENT_ID: "Entra",
  APP_ONLY_CLIENT_SECRET_NAME: "Entra",
  APP_ONLY_CLIENT_CERTIFICATE_NAME: "Entra",
  V1_TOKEN_AUDIENCES: "Callers",
  ALLOW_GUESTS: "Callers",
  POLICY: "Where the policy is",
  POLICY_URL: "Where the policy is",
  GRANT_STORE_URL: "Grants and sign-ins",
  GRANT_TABLE_NAME: "Grants and sign-ins",
  GRANT_REAP: "Grants and sign-ins",
  SEALING_KEY_NAME: "Grants and sign-ins",
  EVENT_GRID_TOPIC_ENDPOINT: "Events of grants",
  EVENT_WEBHOOK_URL: "Events of grants",
  EVENT_WEBHOOK_SECRET_NAME: "Events of grants",
  TOKEN_CACHE_MAX_BYTES: "Token cache",
  REDIS_URL: "Token cache",
  CACHE_KEY_NAME: "Token cache",
  OTEL_EXPORTER_OTLP_ENDPOINT: "Telemetry",
  OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "Telemetry",
  OTEL_SERVICE_NAME: "Telemetry",
  OTEL_TRACES_SAMPLER: "Telemetry",
  OTEL_TRACES_SAMPLER_ARG: "Telemetry",
};

function settingsPart(): string[] {
  return [
    "# Configuration",
    "",
    "<!-- Written by docs/reference/describe-settings.ts: `UPDATE_DOCS=1 npx vitest run test/docs/configuration.test.ts` -->",
    "",
    "Settings are environment variables: application settings of the function app, or `Values` in `local.settings.json`",
    "(copy `local.settings.sample.json`). An empty variable counts as missing. You can copy values from the portal: the",
    "service ignores white space and quotation marks around a value, a slash at the end of a URL, braces around a GUID,",
    "white space around the commas of a list, and upper case in GUIDs and fixed words.",
    "",
    "The service reads the settings once. If one is wrong, it does not start: the error names all problems at once, and",
    "never a value. No setting contains a secret. Secrets are in Key Vault; settings contain their names.",
    "",
    "The service also does not start if `NODE_TLS_REJECT_UNAUTHORIZED` is `0`, or if `CLOUD` is `local` and one of Azure's",
    "own variables (`WEBSITE_INSTANCE_ID`, `WEBSITE_SITE_NAME`, `WEBSITE_POD_NAME`) is set.",
    "",
    "## Settings",
    ...TOPICS.flatMap((topic) => ["", `### ${topic}`, "", ...settingsTable(topic)]),
  ];
}

function settingsTable(topic: Topic): string[] {
  const settings = (Object.entries(SETTINGS) as [SettingName, Setting][]).filter(([name]) => TOPIC_OF[name] === topic);
  return table(
    ["setting", "meaning", "must be", "default", "example"],
    settings.map(([name, { required, mustBe, fallback, meaning, example }]) => [
      `\`${name}\``,
      meaning,
      mustBe,
      fallback === undefined ? defaultOf(required) : `\`${fallback}\``,
      name === "POLICY" ? "[examples/policy.json](examples/policy.json)" : `\`${example}\``,
    ]),
  );
}

function defaultOf(required: string): string {
  switch (required) {
    case "always":
      return "required";
    case "no":
      return "none";
    default:
      return `required ${required}`;
  }
}

function policyPart(): string[] {
  return [
    "",
    "## The policy",
    "",
    "The policy is one JSON object: `apis`, the APIs by name; `callers`, a list of entries; and, if there are several,",
    "`registrations` by name. `grantsNotBefore` (a time in UTC) refuses the grants of every entry that were allowed until",
    "then. The service refuses every request that no entry allows. It does not start if the policy has",
    "",
    "- unknown members,",
    "- members or names that repeat,",
    "- entries that could match the same caller,",
    "- entries that could never work.",
    "",
    "See the example [examples/policy.json](examples/policy.json) and, for editors, the JSON Schema",
    "[policy.schema.json](policy.schema.json). `npm run policy -- check <file>` checks a policy file: [policy.md](policy.md).",
    "",
    "Entra puts every consented scope of the registration into a token, not only the requested ones. By default the",
    "service does not release a token with more scopes than the entry lists: see",
    "[surplus](troubleshooting.md#surplus) and `acceptSurplus`.",
    "",
    "### An API: `apis.<name>`",
    "",
    ...memberTable(apiRows()),
    "",
    "### A further registration: `registrations.<name>`",
    "",
    ...memberTable(registrationRows()),
    "",
    "### A caller: `callers[]`",
    "",
    ...memberTable(callerRows()),
    "",
    "### A rule of the relay: `callers[].downstream.<API name>[]`",
    "",
    ...memberTable(ruleRows()),
  ];
}

function memberTable(rows: readonly MemberRow[]): string[] {
  return table(
    ["member", "form", "default", "meaning", "example"],
    rows.map(([name, form, fallback, meaning, example]) => [`\`${name}\``, form, fallback, meaning, `\`${example}\``]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
