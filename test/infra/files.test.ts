/** The files around the templates: linter rules, pipeline, azd. These tests need no compiler. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { listTemplates } from "../../infra/compiler/list-templates.ts";

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const files = listTemplates(fileURLToPath(new URL("../../infra/", import.meta.url)));

describe("the templates", () => {
  test("use nothing from a registry except the Graph extension", () => {
    const outside = files.filter((path) => /'(br|ts)[:/]|^extension /m.test(text(`infra/${path}`)));
    expect(outside).toEqual(["entra/entra.bicep"]);
  });

  test("load only files that exist", () => {
    for (const path of files) {
      for (const [, loaded] of text(`infra/${path}`).matchAll(/loadTextContent\('\.\.\/([^']+)'\)/g)) {
        expect(existsSync(new URL(`../../infra/${loaded}`, import.meta.url))).toBe(true);
      }
    }
  });
});

describe("bicepconfig.json", () => {
  type Rules = Record<string, { level: string }>;
  const rulesOf = (path: string) =>
    JSON.parse(text(path)) as { analyzers: { core: { rules: Rules } }; extensions?: object };
  const main = rulesOf("infra/bicepconfig.json");

  test("has the same rules for the Entra templates; only they have an extension", () => {
    const entra = rulesOf("infra/entra/bicepconfig.json");
    expect(entra.analyzers).toEqual(main.analyzers);
    expect(main.extensions).toBeUndefined();
    expect(entra.extensions).toEqual({
      microsoftGraphV1: "br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0",
    });
  });

  test("makes every rule an error, also an API version of more than 24 months", () => {
    const others = Object.entries(main.analyzers.core.rules).filter(([, { level }]) => level !== "error");
    expect(others).toEqual([]);
    expect(main.analyzers.core.rules["use-recent-api-versions"]).toEqual({ level: "error", maxAgeInDays: 730 });
  });
});

describe("the deployment workflow", () => {
  const workflow = text(".github/workflows/deploy.yml");
  const lines = workflow.split("\n");

  test("starts without any permission", () => {
    expect(workflow).toMatch(/^permissions: \{\}$/m);
  });

  test("pins every action to a commit with a version comment", () => {
    const uses = lines.filter((line) => line.includes("uses:"));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test("does not persist the GitHub token and has no expression in a script", () => {
    expect(workflow.match(/persist-credentials: false/g)).toHaveLength(
      workflow.match(/actions\/checkout@/g)?.length ?? 0,
    );
    expect(scriptLines(lines).filter((line) => line.includes("${{"))).toEqual([]);
    expect(scriptLines(lines).length).toBeGreaterThan(20);
  });

  test("uses no stored secret", () => {
    expect(workflow).not.toMatch(/secrets\./);
  });

  test("deploys the package that npm run package makes, and packs nothing itself", () => {
    expect(workflow).toContain("npm run package\n");
    expect(workflow.match(/--src (\S+)/g)).toEqual(["--src dist/package.zip"]);
    expect(workflow).not.toMatch(/^\s*(run: )?zip /m);
  });

  test("requires the Bicep compiler, as does the CI workflow", () => {
    expect(workflow).toMatch(/- run: npm run infra:check\n\s+env:\n\s+REQUIRE_BICEP: "1"\n/);
    const ci = text(".github/workflows/ci.yml");
    expect(ci).toContain('REQUIRE_BICEP: "1"\n');
    expect(ci).toMatch(/sudo --preserve-env=\S*\bREQUIRE_BICEP\b\S* bash \.ci\/run/);
  });

  test("compares the policies of a pull request without an Azure token", () => {
    const [, job = ""] = /\n {2}policy:\n([\s\S]*?)\n {2}\w+:\n/.exec(workflow) ?? [];
    expect(job).toContain("permissions:\n      contents: read\n      pull-requests: write\n    strategy:");
    expect(job).toContain("npm run -s policy -- diff old.json new.json --markdown");
    expect(job).not.toMatch(/azure\/login|environment:/);
  });

  test("checks the templates before the deployment and the live service afterwards", () => {
    expect(workflow.match(/needs: \[tenants, check\]/g)).toHaveLength(2);
    expect(workflow).toContain('"$URL/ready"');
  });
});

describe("azure.yaml", () => {
  test("names a parameter file that exists", () => {
    const [, folder, module] = /path: (\S+)\n\s+module: (\S+)/.exec(text("azure.yaml")) ?? [];
    expect(existsSync(new URL(`../../${folder}/${module}.bicepparam`, import.meta.url))).toBe(true);
  });

  test("deploys the folder that npm run package makes, beside which azd finds no .funcignore", () => {
    expect(text("azure.yaml")).toMatch(/predeploy:\n\s+posix:\n\s+shell: sh\n\s+run: npm run package\n/);
    expect(text("azure.yaml")).toMatch(/^ {4}project: dist\/package$/m);
    expect(text("azure.yaml")).toMatch(/^ {4}remoteBuild: false$/m);
  });
});

describe(".funcignore", () => {
  const patterns = text(".funcignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  /** Supports only names and `*`, which are the only patterns in the file. */
  const ignored = (path: string) =>
    patterns.some((pattern) => {
      const form = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
      return form.test(path) || (!pattern.includes("/") && path.split("/").some((part) => form.test(part)));
    });

  test("has only patterns that Core Tools and git interpret in the same way", () => {
    expect(patterns.filter((pattern) => !/^[\w./*-]+$/.test(pattern) || pattern.startsWith("/"))).toEqual([]);
  });

  test("ignores everything except the files of the deployment package", () => {
    const root = new URL("../../", import.meta.url);
    const included = readdirSync(root).filter((name) => !ignored(name));
    expect(included.filter((name) => name !== "dist").sort()).toEqual(["host.json", "package.json"]);
    expect(ignored("dist")).toBe(false);
  });

  test.each([
    ["dist/index.mjs", false],
    ["dist/chunks/redis-cache-ABC.mjs", false],
    ["clients/cli/dist/gte.mjs", true],
    ["dist/package.zip", true],
    ["dist/sbom.cdx.json", true],
    ["dist/package", true],
    ["dist/meta.json", true],
    ["dist/index.mjs.map", true],
    ["local.settings.json", true],
    [".git/config", true],
    ["node_modules/jose/package.json", true],
  ])("%s is ignored: %s", (path, isIgnored) => {
    expect(ignored(path)).toBe(isIgnored);
  });
});

/** The lines of every `run: |` block: the lines that are indented deeper than `run`. */
function scriptLines(lines: readonly string[]): string[] {
  const depth = (line: string) => line.search(/\S/);
  return lines.filter((line, index) => {
    const above = lines.slice(0, index).findLastIndex((other) => other.trim() !== "" && depth(other) < depth(line));
    return above >= 0 && belongsToScript(lines, above);
  });
}

function belongsToScript(lines: readonly string[], index: number): boolean {
  const line = lines[index] ?? "";
  if (/^\s*(- )?run: [|>]/.test(line)) return true;
  const above = lines
    .slice(0, index)
    .findLastIndex((other) => other.trim() !== "" && other.search(/\S/) < line.search(/\S/));
  return above >= 0 && belongsToScript(lines, above);
}
