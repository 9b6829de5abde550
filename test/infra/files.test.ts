/** The files around the templates: linter rules, pipeline, azd. Needs no compiler. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { listTemplates } from "../../infra/compiler/list-templates.ts";

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const files = listTemplates(fileURLToPath(new URL("../../infra/", import.meta.url)));

describe("templates", () => {
  test("take nothing from a registry, but for the Graph extension", () => {
    const outside = files.filter((path) => /'(br|ts)[:/]|^extension /m.test(text(`infra/${path}`)));
    expect(outside).toEqual(["entra/entra.bicep"]);
  });

  test("name no file that is not there", () => {
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

  test("says the same for the Entra templates, which alone have an extension", () => {
    const entra = rulesOf("infra/entra/bicepconfig.json");
    expect(entra.analyzers).toEqual(main.analyzers);
    expect(main.extensions).toBeUndefined();
    expect(entra.extensions).toEqual({
      microsoftGraphV1: "br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0",
    });
  });

  test("makes every rule an error but the one that depends on the calendar", () => {
    const others = Object.entries(main.analyzers.core.rules).filter(([, { level }]) => level !== "error");
    expect(others.map(([name, { level }]) => [name, level])).toEqual([["use-recent-api-versions", "info"]]);
  });
});

describe("the pipeline", () => {
  const workflow = text(".github/workflows/deploy.yml");
  const lines = workflow.split("\n");

  test("starts without any permission", () => {
    expect(workflow).toMatch(/^permissions: \{\}$/m);
  });

  test("pins every action by its commit and says which version that is", () => {
    const uses = lines.filter((line) => line.includes("uses:"));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test("leaves no token of GitHub's behind and puts no expression into a script", () => {
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

  test("requires the Bicep compiler, here and in the workflow of every change", () => {
    expect(workflow).toMatch(/- run: npm run infra:check\n\s+env:\n\s+REQUIRE_BICEP: "1"\n/);
    const changes = text(".github/workflows/ci.yml");
    expect(changes).toContain('REQUIRE_BICEP: "1"\n');
    expect(changes).toMatch(/sudo --preserve-env=\S*\bREQUIRE_BICEP\b\S* bash \.ci\/run/);
  });

  test("checks before it changes anything and asks the live service afterwards", () => {
    expect(workflow.match(/needs: \[tenants, check\]/g)).toHaveLength(2);
    expect(workflow).toContain('"$URL/ready"');
  });
});

describe("azure.yaml", () => {
  test("names a parameter file that is there", () => {
    const [, folder, module] = /path: (\S+)\n\s+module: (\S+)/.exec(text("azure.yaml")) ?? [];
    expect(existsSync(new URL(`../../${folder}/${module}.bicepparam`, import.meta.url))).toBe(true);
  });

  test("deploys the package that npm run package makes", () => {
    expect(text("azure.yaml")).toMatch(/predeploy:\n\s+posix:\n\s+shell: sh\n\s+run: npm run package\n/);
    expect(text("azure.yaml")).toContain("- azd: deploy api --from-package dist/package.zip\n");
    expect(text("azure.yaml")).toMatch(/^ {4}remoteBuild: false$/m);
  });
});

describe(".funcignore", () => {
  const patterns = text(".funcignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  /** Names and `*` are all that it uses, and all that this understands. */
  const ignored = (path: string) =>
    patterns.some((pattern) => {
      const form = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
      return form.test(path) || (!pattern.includes("/") && path.split("/").some((part) => form.test(part)));
    });

  test("has no pattern that Core Tools understand otherwise than git", () => {
    expect(patterns.filter((pattern) => !/^[\w./*-]+$/.test(pattern) || pattern.startsWith("/"))).toEqual([]);
  });

  test("leaves of the repository what the package has, and nothing else", () => {
    const root = new URL("../../", import.meta.url);
    const kept = readdirSync(root).filter((name) => !ignored(name));
    expect(kept.filter((name) => name !== "dist").sort()).toEqual(["host.json", "package.json"]);
    expect(ignored("dist")).toBe(false);
  });

  test.each([
    ["dist/index.mjs", false],
    ["dist/chunks/redis-cache-ABC.mjs", false],
    ["dist/gte.mjs", true],
    ["dist/package.zip", true],
    ["dist/meta.json", true],
    ["dist/index.mjs.map", true],
    ["local.settings.json", true],
    [".git/config", true],
    ["node_modules/jose/package.json", true],
  ])("%s is left out: %s", (path, out) => {
    expect(ignored(path)).toBe(out);
  });
});

/** The lines of every `run: |`: those that are indented deeper than it. */
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
