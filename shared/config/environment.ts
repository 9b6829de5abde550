/**
 * The only reader of `process.env`: text → `Config`, or one error that names every problem at once. An empty setting is
 * a missing one. Nothing here does I/O, so a wrong configuration stops the start before anything else happens.
 */
import { parsePolicy } from "../policy/parse-policy.ts";
import { LOCAL_TENANT_ID } from "./clouds.ts";
import { type Config, ConfigurationError } from "./config.ts";
import { contradictions, toConfig } from "./contradictions.ts";
import { SETTINGS, type Setting, type SettingName } from "./settings.ts";

/** Reads the environment of the process. Throws a `ConfigurationError`. */
export function configFromEnvironment(): Config {
  return configFrom(process.env);
}

/** The same from any set of variables. Throws a `ConfigurationError`. */
export function configFrom(variables: Readonly<Record<string, string | undefined>>): Config {
  const { values, problems } = readSettings(variables);
  const wrong = new Set(problems.map(settingOf));
  const parsed = parsePolicy(values.get("POLICY") ?? '{"apis":{},"callers":[]}');
  if ("problems" in parsed) {
    problems.push(...parsed.problems.map(({ path, problem }) => `POLICY${path === "" ? "" : ` ${path}`} ${problem}`));
  }
  const policy = "policy" in parsed ? parsed.policy : parsed.draft;
  const together = [...hostProblems(variables, values), ...contradictions({ values, policy })];
  // A setting that has the wrong form is not missing as well.
  problems.push(...together.filter((problem) => !wrong.has(settingOf(problem))));
  if (problems.length > 0 || !("policy" in parsed)) throw new ConfigurationError(problems);
  return toConfig(values, parsed.policy);
}

/** Every problem begins with the name of its setting. */
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
    const value = variables[name]?.trim() || setting.fallback;
    if (value === undefined) {
      if (setting.required === "always") {
        problems.push(`${name} is missing: ${setting.mustBe}`);
      }
    } else if (setting.form.safeParse(value).success) {
      values.set(name, value);
    } else {
      problems.push(`${name} must be ${setting.mustBe}`);
    }
  }
  return { values, problems };
}

/** Variables that are not ours but decide whether it is safe to start at all. */
function hostProblems(
  variables: Readonly<Record<string, string | undefined>>,
  values: ReadonlyMap<SettingName, string>,
): string[] {
  const problems: string[] = [];
  if (variables["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    problems.push("NODE_TLS_REJECT_UNAUTHORIZED must not be 0: nobody would know who answers");
  }
  const inAzure = ["WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_POD_NAME"].find((name) => variables[name]);
  if (values.get("CLOUD") === "local" && inAzure !== undefined) {
    problems.push(`CLOUD must not be local where ${inAzure} is set: this is Azure`);
  }
  const localTenant = values.get("TENANT_ID")?.toLowerCase() === LOCAL_TENANT_ID;
  if (values.has("CLOUD") && localTenant !== (values.get("CLOUD") === "local")) {
    problems.push("TENANT_ID is the local tenant's exactly when CLOUD is local");
  }
  return problems;
}
