/**
 * The only file that reads `process.env`. It returns a `Config`, or throws one error that names all problems at once. An
 * empty setting counts as missing. No I/O: with a wrong configuration the service does not start and calls no dependency.
 */
import { hash } from "node:crypto";
import { fail, type Result, succeed } from "../core/result.ts";
import { parsePolicy } from "../policy/parse-policy.ts";
import type { PolicyDraft } from "../policy/rules.ts";
import { unquoted } from "./as-copied.ts";
import { LOCAL_TENANT_ID } from "./clouds.ts";
import { type Config, type Configuration, ConfigurationError } from "./config.ts";
import { contradictions, toConfig, toFixedConfig } from "./contradictions.ts";
import type { Setting } from "./setting-forms.ts";
import { SETTINGS, type SettingName } from "./settings.ts";

/** Reads the environment of the process. Throws a `ConfigurationError`. */
export function configurationFromEnvironment(): Configuration {
  return configurationFrom(process.env);
}

/** Reads any set of variables. Throws a `ConfigurationError`. */
export function configurationFrom(variables: Variables): Configuration {
  const { values, problems } = readSettings(variables);
  const malformed = new Set(problems.map(settingOf));
  const text = values.get("POLICY");
  const read = text === undefined ? undefined : readPolicy(text, values);
  const found = [
    ...hostProblems(variables, values),
    ...(read === undefined ? contradictions({ values, policy: NO_POLICY, isPolicyValid: true }) : []),
    ...(read?.ok === false ? read.failure : []),
  ];
  // A malformed setting has no value here. Do not report it as missing, too.
  if (malformed.has("POLICY_URL")) malformed.add("POLICY");
  problems.push(...found.filter((problem) => !malformed.has(settingOf(problem))));
  if (problems.length > 0) throw new ConfigurationError(problems);
  const fixed = toFixedConfig(values);
  if (read?.ok === true) return { fixed, policy: { kind: "setting", config: read.value } };
  const url = values.get("POLICY_URL") ?? "";
  return { fixed, policy: { kind: "blob", url, configFor: (blob) => readPolicy(blob, values) } };
}

/** Reads any set of variables with the policy in `POLICY`. Throws a `ConfigurationError`. */
export function configFrom(variables: Variables): Config {
  const { policy } = configurationFrom(variables);
  if (policy.kind === "blob") throw new ConfigurationError(["POLICY is missing: the policy is in a blob"]);
  return policy.config;
}

// ---------------------------------------------------------------------------------------------------------------

type Variables = Readonly<Record<string, string | undefined>>;

const NO_POLICY: PolicyDraft = { apis: {}, registrations: {}, callers: [] };

/** Enough to tell the versions of one deployment apart, and short enough to read aloud. */
const HASH_CHARACTERS = 16;

/** The policy together with the settings, because some of its rules need settings. */
function readPolicy(text: string, values: ReadonlyMap<SettingName, string>): Result<Config, readonly string[]> {
  // Some editors begin a file with a byte order mark, which JSON does not allow (RFC 8259 section 8.1).
  const parsed = parsePolicy(text.replace(/^\ufeff/, ""));
  const problems =
    "problems" in parsed
      ? parsed.problems.map(({ path, problem }) => `POLICY${path === "" ? "" : ` ${path}`} ${problem}`)
      : [];
  const policy = "policy" in parsed ? parsed.policy : parsed.draft;
  problems.push(...contradictions({ values, policy, isPolicyValid: "policy" in parsed }));
  return problems.length > 0 || !("policy" in parsed)
    ? fail(problems)
    : succeed(toConfig(values, parsed.policy, hash("sha256", text, "hex").slice(0, HASH_CHARACTERS)));
}

/** The setting that a problem is about: its first word. */
function settingOf(problem: string): string | undefined {
  return problem.split(" ", 1)[0];
}

function readSettings(variables: Readonly<Record<string, string | undefined>>): {
  values: Map<SettingName, string>;
  problems: string[];
} {
  const values = new Map<SettingName, string>();
  const problems: string[] = [];
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const value = asCopied(variables[name], setting) || setting.fallback;
    if (value === undefined) {
      if (setting.required === "always") {
        problems.push(`${name} is missing: it must be ${setting.mustBe}`);
      }
    } else if (setting.form.safeParse(value).success) {
      values.set(name, value);
    } else {
      problems.push(`${name} must be ${setting.mustBe}`);
    }
  }
  return { values, problems };
}

function asCopied(text = "", { asCopied = (value) => value }: Setting): string {
  return asCopied(unquoted(text));
}

/** Problems of variables that the platform sets, and of the local cloud outside a developer machine. */
function hostProblems(
  variables: Readonly<Record<string, string | undefined>>,
  values: ReadonlyMap<SettingName, string>,
): string[] {
  const problems: string[] = [];
  if (variables["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    problems.push("NODE_TLS_REJECT_UNAUTHORIZED must not be 0: it turns off the verification of TLS certificates");
  }
  const inAzure = ["WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_POD_NAME"].find((name) => variables[name]);
  if (values.get("CLOUD") === "local" && inAzure !== undefined) {
    problems.push(`CLOUD must not be local in Azure: ${inAzure} is set`);
  }
  const authorities = inAzure === undefined ? undefined : ownAuthorities(variables);
  if (authorities !== undefined) {
    const why = "its certificate authorities, such as the one of the local stack, could speak for Entra";
    problems.push(`${authorities} in Azure: ${why}`);
  }
  const local = values.get("CLOUD") === "local";
  const isLocalTenant = values.get("TENANT_ID")?.toLowerCase() === LOCAL_TENANT_ID;
  if (values.has("CLOUD") && isLocalTenant !== local) {
    problems.push(
      local
        ? `TENANT_ID must be ${LOCAL_TENANT_ID}, the local tenant, with CLOUD=local`
        : "TENANT_ID must not be the local tenant: it is allowed only with CLOUD=local",
    );
  }
  return problems;
}

/**
 * What makes Node trust other certificate authorities than its own. With the options it reads the files of SSL_CERT_FILE
 * and SSL_CERT_DIR (https://nodejs.org/api/cli.html#--use-system-ca). An option may be quoted and have underscores.
 */
function ownAuthorities(variables: Readonly<Record<string, string | undefined>>): string | undefined {
  if (variables["NODE_EXTRA_CA_CERTS"]?.trim()) return "NODE_EXTRA_CA_CERTS must not be set";
  if (variables["NODE_USE_SYSTEM_CA"] === "1") return "NODE_USE_SYSTEM_CA must not be 1";
  const options = (variables["NODE_OPTIONS"] ?? "").replaceAll(/["\\]/g, "").replaceAll("_", "-");
  const option = /--use-(?:openssl|system)-ca\b/.exec(options)?.[0];
  return option === undefined ? undefined : `NODE_OPTIONS must not have ${option}`;
}
