/** docs/configuration.md and local.settings.sample.json say what the table of settings says. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeSettings } from "../../docs/reference/describe-settings.ts";
import { API_WORDS, CALLER_WORDS } from "../../docs/reference/policy-reference.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import { configFrom } from "../../shared/config/environment.ts";
import type { Setting } from "../../shared/config/setting-forms.ts";
import { SETTINGS, type SettingName } from "../../shared/config/settings.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";

const root = join(import.meta.dirname, "../..");
const names = Object.keys(SETTINGS) as SettingName[];
const settings: Readonly<Record<SettingName, Setting>> = SETTINGS;

/** The platform's own, which the service does not read. */
const PLATFORM = { FUNCTIONS_WORKER_RUNTIME: "node", AzureWebJobsStorage: "UseDevelopmentStorage=true" };

describe("docs/configuration.md", () => {
  const path = join(root, "docs/configuration.md");

  test("is what the table of settings writes (UPDATE_DOCS=1 writes it again)", () => {
    if (process.env["UPDATE_DOCS"] === "1") {
      writeFileSync(path, describeSettings());
    }
    expect(readFileSync(path, "utf8")).toBe(describeSettings());
  });

  test.each(names)("%s: its example and its default have the form they must have", (name) => {
    const { form, example, fallback } = settings[name];
    expect(form.safeParse(example).success).toBe(true);
    expect(fallback === undefined || form.safeParse(fallback).success).toBe(true);
  });

  test("the policy's examples together are a policy", () => {
    const examples = (words: Readonly<Record<string, { readonly example: unknown }>>) =>
      Object.fromEntries(Object.entries(words).map(([name, { example }]) => [name, example]));
    const people = { name: "people", kind: "user", flows: ["on-behalf-of"], apis: CALLER_WORDS.apis.example };
    const clients = CALLER_WORDS.subjectClients.example as readonly string[];
    const subjects = clients.map((clientId, index) => ({ ...people, name: `people-${index}`, clientId }));
    // The schema has these members; the service does not support them yet. `blueprint` replaces `clientId`.
    const { registration, blueprint, ...caller } = examples(CALLER_WORDS);
    // Graph must not have a base URL.
    const { baseUrl, ...graph } = examples(API_WORDS);
    const orders = { baseUrl, resource: "api://orders", scopes: ["Orders.Read"] };
    const policy = { apis: { graph, orders }, callers: [caller, ...subjects] };
    expect(parsePolicy(JSON.stringify(policy))).not.toHaveProperty("problems");
  });

  test("the example of a whole policy is one", () => {
    const example = readFileSync(join(root, "docs/examples/policy.json"), "utf8");
    expect(parsePolicy(example)).not.toHaveProperty("problems");
  });
});

describe("local.settings.sample.json", () => {
  const path = join(root, "local.settings.sample.json");
  const read = () => JSON.parse(readFileSync(path, "utf8")) as ReturnType<typeof describeSample>;

  test("is what the local stack and the table of settings say (UPDATE_DOCS=1 writes it again)", () => {
    if (process.env["UPDATE_DOCS"] === "1") {
      writeFileSync(path, `${JSON.stringify(describeSample(), undefined, 2)}\n`);
    }
    expect(read()).toEqual(describeSample());
    expect(Object.keys(read().Values)).toEqual([...Object.keys(PLATFORM), ...names]);
  });

  test("is a configuration that starts", () => {
    expect(configFrom(read().Values)).toMatchObject({ cloud: { name: "local" }, serviceUrl: "http://localhost:7071" });
  });

  test("an empty value is of a setting that need not be there", () => {
    for (const name of names.filter((candidate) => read().Values[candidate] === "")) {
      expect(settings[name].required).toBe("no");
    }
  });

  test("holds no secret: what looks like one is the name of one", () => {
    expect(JSON.stringify(read())).not.toMatch(/AccountKey|password|BEGIN|[A-Za-z0-9+/]{43}=/i);
  });
});

/** Every setting: as the local stack has it, else its default, else empty. */
function describeSample() {
  const stack: Readonly<Record<string, string>> = createServiceSettings({
    tenantUrl: "https://localhost:7443",
    serviceUrl: "http://localhost:7071",
    tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
    managedIdentity: { endpoint: "", header: "" },
  });
  const values = names.map((name) => [name, stack[name] ?? settings[name].fallback ?? ""]);
  return { IsEncrypted: false, Values: { ...PLATFORM, ...Object.fromEntries(values) } as Record<string, string> };
}
