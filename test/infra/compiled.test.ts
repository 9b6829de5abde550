/**
 * What compiling must find: the mistakes that these tests make on purpose. That it finds nothing in the templates as they
 * are is the first half of infra:check.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkTemplate } from "../../infra/compiler/check-template.ts";
import { listTemplates } from "../../infra/compiler/list-templates.ts";
import { type Change, changedCopy } from "./support/changed-copy.ts";
import { describeWithBicep, infraFile, openWorkshop } from "./support/compiler.ts";

const files = listTemplates(infraFile(""));
const check = (folder: string, path: string) => checkTemplate(openWorkshop().bicep, folder, path);
const change = (file: string, from: string, to: string): Change => ({ file, from, to });

describeWithBicep("the compiler", () => {
  test.for([
    ["a parameter that nothing uses", change("modules/redis.bicep", "name: sku\n", "name: 'B'\n"), "no-unused-params"],
    ["a name that is not declared", change("modules/redis.bicep", "port: port\n", "port: ports\n"), "BCP057"],
    ["a value of the wrong type", change("modules/redis.bicep", "port: port\n", "port: 'ten'\n"), "BCP036"],
    ["a misspelt property", change("modules/vault.bicep", "enableSoftDelete:", "enableSoftDelet:"), "BCP089"],
    ["a parameter that a module lacks", change("main.bicep", "sku: redisSku", "size: redisSku"), "BCP035"],
    [
      "an address of one cloud",
      change("modules/vault.bicep", "'https://$", "'https://vault.azure.net$"),
      "no-hardcoded-env-urls",
    ],
    [
      "a region of its own",
      change("modules/vault.bicep", "location: location", "location: 'westeurope'"),
      "no-hardcoded-location",
    ],
    ["a file that is not there", change("modules/alerts.bicep", "alert-failed.kql", "alert-fail.kql"), "BCP091"],
    ["a parameter file that does not fit", change("tenants/example.bicepparam", "param name", "param nam"), "BCP259"],
  ] as const)("finds %s", async ([, wrong, code]) => {
    const { outcome, problems } = await check(changedCopy(wrong), wrong.file);
    expect(outcome).toBe("failed");
    expect(problems.join("\n")).toContain(` ${code}: `);
  });

  test("lints while it compiles: one file, mistakes of both kinds", async () => {
    const { infra } = openWorkshop();
    writeFileSync(join(infra, "bad.bicep"), "param unused string\nparam flag bool\noutput text string = flag\n");
    const { problems } = await check(infra, "bad.bicep");
    expect(problems.map((problem) => /\w+ ([\w-]+):/.exec(problem)?.[1]).sort()).toEqual([
      "BCP033",
      "no-unused-params",
    ]);
  });
});

describeWithBicep("every parameter and output", () => {
  test.for(files.filter((path) => path.endsWith(".bicep")))("of %s says what it is", async (path) => {
    expect(await undescribed(openWorkshop().infra, path)).toEqual([]);
  });

  test("and one that does not is seen", async () => {
    const folder = changedCopy(change("main.bicep", "@description('Size of Redis.')\n", ""));
    expect(await undescribed(folder, "main.bicep")).toEqual(["redisSku"]);
  });
});

type Described = Readonly<Record<string, { readonly metadata?: { readonly description?: string } }>>;

/** The compiler has no rule for this, and writes the descriptions into what it makes. */
async function undescribed(folder: string, path: string): Promise<string[]> {
  const { contents } = await openWorkshop().bicep.compile(join(folder, path));
  const { parameters, outputs } = JSON.parse(contents ?? "") as { parameters?: Described; outputs?: Described };
  return Object.entries({ ...parameters, ...outputs })
    .filter(([, { metadata }]) => metadata?.description === undefined)
    .map(([name]) => name);
}
