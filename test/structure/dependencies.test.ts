/** The rules of `.dependency-cruiser.mjs`: the source follows them, and each refuses an import that breaks it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser";
import { afterEach, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const { default: configuration }: { default: IConfiguration } = await import(
  pathToFileURL(join(root, ".dependency-cruiser.mjs")).href
);
const forbidden = configuration.forbidden ?? [];
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The names of the rules that the files break. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<string[]> {
  const baseDir = mkdtempSync(join(tmpdir(), "gte-dependencies-"));
  folders.push(baseDir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(baseDir, path)), { recursive: true });
    writeFileSync(join(baseDir, path), text);
  }
  return violations(baseDir, [...new Set(Object.keys(files).map((path) => path.split("/", 1)[0] ?? ""))]);
}

async function violations(baseDir: string, paths: string[]): Promise<string[]> {
  const options = { ...configuration.options, baseDir, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(paths, options);
  return [...new Set((output as ICruiseResult).summary.violations.map(({ rule }) => rule.name))].sort();
}

const EMPTY = "export const x = 1;\n";
const use = (path: string) => `import { x } from "${path}";\nexport const y = x;\n`;
const useType = (path: string) => `import type { x } from "${path}";\nexport type y = x;\n`;

const FORBIDDEN_IMPORTS: readonly (readonly [
  rule: string,
  file: string,
  text: string,
  also: Readonly<Record<string, string>>,
])[] = [
  ["no-cycle-of-files", "functions/a.ts", use("./b.ts"), { "functions/b.ts": useType("./a.ts") }],
  ["no-cycle-of-files", "local/a.ts", use("./b.ts"), { "local/b.ts": useType("./a.ts") }],
  [
    "no-cycle-of-folders",
    "shared/exchange/a.ts",
    use("../sign-in/b.ts"),
    { "shared/sign-in/b.ts": EMPTY, "shared/sign-in/c.ts": useType("../exchange/d.ts"), "shared/exchange/d.ts": EMPTY },
  ],
  ["core-imports-core-only", "shared/core/a.ts", useType("../cache/b.ts"), { "shared/cache/b.ts": EMPTY }],
  ["shared-knows-no-host", "shared/http/a.ts", use("../../functions/b.ts"), { "functions/b.ts": EMPTY }],
  ["stages-call-no-story", "shared/cache/a.ts", use("../sign-in/b.ts"), { "shared/sign-in/b.ts": EMPTY }],
  ["stages-share-types-only", "shared/flows/a.ts", use("../cache/b.ts"), { "shared/cache/b.ts": EMPTY }],
  [
    "config-alone-parses-policy",
    "shared/http/a.ts",
    use("../policy/parse-policy.ts"),
    { "shared/policy/parse-policy.ts": EMPTY },
  ],
  ["local-shares-nothing", "local/a.ts", useType("../shared/core/b.ts"), { "shared/core/b.ts": EMPTY }],
  ["product-without-tools", "functions/a.ts", use("../local/b.ts"), { "local/b.ts": EMPTY }],
  ["home-of-@azure/functions", "shared/http/a.ts", useType("@azure/functions"), {}],
  ["home-of-@azure/msal-node", "shared/flows/a.ts", useType("@azure/msal-node"), {}],
  ["home-of-@azure/(identity|keyvault-secrets)", "shared/grants/a.ts", useType("@azure/identity"), {}],
  ["home-of-@azure/data-tables", "functions/a.ts", useType("@azure/data-tables"), {}],
  ["home-of-@redis/client", "functions/a.ts", 'export const x = () => import("@redis/client");\n', {}],
  ["home-of-lru-cache", "shared/caller/a.ts", useType("lru-cache"), {}],
  ["home-of-@opentelemetry", "shared/audit/a.ts", useType("@opentelemetry/api"), {}],
  ["home-of-jose", "shared/grants/a.ts", use("jose"), {}],
  ["home-of-zod", "shared/caller/a.ts", use("zod/mini"), {}],
  ["home-of-((node:)?(https?|http2|net|tls|dns)(/promises)?$|undici(/|$))", "shared/entra/a.ts", use("node:https"), {}],
  ["home-of-((node:)?(https?|http2|net|tls|dns)(/promises)?$|undici(/|$))", "shared/http/a.ts", use("undici"), {}],
  [
    "home-of-((node:)?(https?|http2|net|tls|dns)(/promises)?$|undici(/|$))",
    "functions/a.ts",
    use("node:dns/promises"),
    {},
  ],
];

describe("the rules of .dependency-cruiser.mjs", () => {
  test.each(FORBIDDEN_IMPORTS)("%s refuses an import in %s", async (rule, file, text, also) => {
    expect(await brokenRules({ [file]: text, ...also })).toContain(rule);
  });

  test("each have a forbidden import in this test", () => {
    const names = forbidden.map(({ name }) => name ?? "");
    expect(names.filter((name) => !FORBIDDEN_IMPORTS.some(([rule]) => rule === name))).toEqual([]);
  });

  test("allow a stage to import types of another stage, and the exchange to import values of each stage", async () => {
    const files = {
      "shared/flows/a.ts": useType("../cache/b.ts"),
      "shared/cache/b.ts": EMPTY,
      "shared/exchange/a.ts": use("../cache/b.ts"),
    };
    expect(await brokenRules(files)).toEqual([]);
  });

  test("functions/, shared/ and local/ keep the rules", async () => {
    expect(await violations(root, ["functions", "shared", "local"])).toEqual([]);
  });
});
