/**
 * The compiler finds the mistakes that these tests make. The first half of infra:check shows that it finds no mistake in the
 * unchanged templates.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkTemplate } from "../../infra/compiler/check-template.ts";
import { listTemplates } from "../../infra/compiler/list-templates.ts";
import { type Change, changedCopy } from "./support/changed-copy.ts";
import { describeWithBicep, infraFile, openBicepWorkspace } from "./support/compiler.ts";

const files = listTemplates(infraFile(""));
const check = (folder: string, path: string) => checkTemplate(openBicepWorkspace().bicep, folder, path);
const change = (file: string, from: string, to: string): Change => ({ file, from, to });

describeWithBicep("the compiler", () => {
  test.for([
    ["an unused parameter", change("modules/redis.bicep", "name: sku\n", "name: 'B'\n"), "no-unused-params"],
    ["an undeclared name", change("modules/redis.bicep", "port: port\n", "port: ports\n"), "BCP057"],
    ["a value of the wrong type", change("modules/redis.bicep", "port: port\n", "port: 'ten'\n"), "BCP036"],
    ["a misspelt property", change("modules/vault.bicep", "enableSoftDelete:", "enableSoftDelet:"), "BCP089"],
    ["a parameter that a module does not have", change("main.bicep", "sku: redisSku", "size: redisSku"), "BCP035"],
    [
      "a hard-coded URL of one cloud",
      change("modules/vault.bicep", "'https://$", "'https://vault.azure.net$"),
      "no-hardcoded-env-urls",
    ],
    [
      "a hard-coded region",
      change("modules/vault.bicep", "location: location", "location: 'westeurope'"),
      "no-hardcoded-location",
    ],
    ["a missing file", change("modules/alerts.bicep", "alert-failed.kql", "alert-fail.kql"), "BCP091"],
    [
      "a parameter file that does not match its template",
      change("tenants/example.bicepparam", "param name", "param nam"),
      "BCP259",
    ],
  ] as const)("finds %s", async ([, wrong, code]) => {
    const { outcome, problems } = await check(changedCopy(wrong), wrong.file);
    expect(outcome).toBe("failed");
    expect(problems.join("\n")).toContain(` ${code}: `);
  });

  test("reports compile errors and linter warnings of one file together", async () => {
    const { infra } = openBicepWorkspace();
    writeFileSync(join(infra, "bad.bicep"), "param unused string\nparam flag bool\noutput text string = flag\n");
    const { problems } = await check(infra, "bad.bicep");
    expect(problems.map((problem) => /\w+ ([\w-]+):/.exec(problem)?.[1]).sort()).toEqual([
      "BCP033",
      "no-unused-params",
    ]);
  });
});

describeWithBicep("descriptions", () => {
  test.for(files.filter((path) => path.endsWith(".bicep")))(
    "every parameter and output of %s has a description",
    async (path) => {
      expect(await withoutDescription(openBicepWorkspace().infra, path)).toEqual([]);
    },
  );

  test("a missing description is found", async () => {
    const folder = changedCopy(change("main.bicep", "@description('Size of Redis.')\n", ""));
    expect(await withoutDescription(folder, "main.bicep")).toEqual(["redisSku"]);
  });
});

type Described = Readonly<Record<string, { readonly metadata?: { readonly description?: string } }>>;

/** The linter has no rule for descriptions, but the compiled template contains them. */
async function withoutDescription(folder: string, path: string): Promise<string[]> {
  const { contents } = await openBicepWorkspace().bicep.compile(join(folder, path));
  const { parameters, outputs } = JSON.parse(contents ?? "") as { parameters?: Described; outputs?: Described };
  return Object.entries({ ...parameters, ...outputs })
    .filter(([, { metadata }]) => metadata?.description === undefined)
    .map(([name]) => name);
}
