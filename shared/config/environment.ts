/**
 * The only file that reads `process.env`. It returns a `Config`, or throws one error that names all problems at once. An
 * empty setting counts as missing. No I/O: with a wrong configuration the service does not start and calls no dependency.
 */
import { parsePolicy } from "../policy/parse-policy.ts";
import { unquoted } from "./as-copied.ts";
import { LOCAL_TENANT_ID } from "./clouds.ts";
import { type Config, ConfigurationError } from "./config.ts";
import { contradictions, toConfig } from "./contradictions.ts";
import { SETTINGS, type Setting, type SettingName } from "./settings.ts";

/** Reads the environment of the process. Throws a `ConfigurationError`. */
export function configFromEnvironment(): Config {
  return configFrom(process.env);
}

/** Reads any set of variables. Throws a `ConfigurationError`. */
export function configFrom(variables: Readonly<Record<string, string | undefined>>): Config {
  const { values, problems } = readSettings(variables);
  const malformed = new Set(problems.map(settingOf));
  const parsed = parsePolicy(values.get("POLICY") ?? '{"apis":{},"callers":[]}');
  if ("problems" in parsed) {
    problems.push(...parsed.problems.map(({ path, problem }) => `POLICY${path === "" ? "" : ` ${path}`} ${problem}`));
  }
  const policy = "policy" in parsed ? parsed.policy : parsed.draft;
  const combined = [
    ...hostProblems(variables, values),
    ...contradictions({ values, policy, isPolicyValid: "policy" in parsed }),
  ];
  // A malformed setting has no value here. Do not report it as missing, too.
  problems.push(...combined.filter((problem) => !malformed.has(settingOf(problem))));
  if (problems.length > 0 || !("policy" in parsed)) throw new ConfigurationError(problems);
  return toConfig(values, parsed.policy);
}

// ---------------------------------------------------------------------------------------------------------------

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
