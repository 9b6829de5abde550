/**
 * What the real compiler makes of the templates, where there is one: no error, no warning, and the same resources,
 * types and versions as this folder's own reader sees. Without a compiler these tests say that they did not run.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkTemplate, toFinding } from "../../infra/compiler/check-template.ts";
import { findCompiler } from "../../infra/compiler/find-compiler.ts";
import { listTemplates } from "../../infra/compiler/list-templates.ts";
import { parseBicep } from "./bicep/parser.ts";
import type { Expression, Statement } from "./bicep/syntax.ts";
import { INFRA, infraFile } from "./scenarios.ts";

const { compiler, tried } = findCompiler();
const why = `SKIPPED: no Bicep compiler (${tried.join("; ")})`;
const output = mkdtempSync(join(tmpdir(), "gte-infra-"));
afterAll(() => rmSync(output, { recursive: true, force: true }));

if (compiler === undefined) {
  process.stderr.write(`${why}: templates were read and evaluated, but NOT compiled and NOT linted\n`);
}

interface CompiledTemplate {
  resources: Record<string, CompiledResource> | CompiledResource[];
}
interface CompiledResource {
  type: string;
  apiVersion?: string;
  existing?: boolean;
  properties?: { template?: CompiledTemplate };
}

describe("the real compiler", () => {
  test.for(listTemplates(INFRA))("accepts %s without a warning", (path, context) => {
    if (compiler === undefined) {
      return context.skip(why);
    }
    const finding = checkTemplate(compiler, INFRA, path, output);
    if (finding.outcome === "extension-unreachable") {
      return context.skip(`SKIPPED: the Microsoft Graph extension could not be restored for ${path}`);
    }
    expect(finding).toEqual({ path, outcome: "passed", diagnostics: [] });
    return undefined;
  });

  test("sees the same resources as the reader", (context) => {
    if (compiler === undefined) {
      return context.skip(why);
    }
    checkTemplate(compiler, INFRA, "main.bicep", output);
    const compiled = JSON.parse(readFileSync(join(output, "main.json"), "utf8")) as CompiledTemplate;
    const modules = parseBicep(readFileSync(infraFile("main.bicep"), "utf8")).flatMap((statement) =>
      statement.kind === "module" ? [statement.path] : [],
    );
    const read = modules.flatMap((path) => declaredTypes(parseBicep(readFileSync(infraFile(path), "utf8")), ""));
    expect(compiledTypes(compiled).sort()).toEqual(read.sort());
    return undefined;
  });
});

function compiledTypes(template: CompiledTemplate): string[] {
  const made = Object.values(template.resources).filter((resource) => resource.existing !== true);
  return made.flatMap((resource) =>
    resource.properties?.template === undefined
      ? [`${resource.type}@${resource.apiVersion}`]
      : compiledTypes(resource.properties.template),
  );
}

function declaredTypes(statements: readonly Statement[], above: string): string[] {
  return statements.flatMap((statement) => {
    if (statement.kind !== "resource") {
      return [];
    }
    const [type = "", version] = statement.type.split("@");
    const [aboveType, aboveVersion] = above.split("@");
    const full = type.includes("/") ? `${type}@${version}` : `${aboveType}/${type}@${version ?? aboveVersion}`;
    return [...(statement.existing ? [] : [full]), ...declaredTypes(childrenOf(statement.body), full)];
  });
}

function childrenOf(body: Expression): readonly Statement[] {
  if (body.kind === "object") {
    return body.children;
  }
  return body.kind === "if" || body.kind === "for" ? childrenOf(body.body) : [];
}

describe("what the compiler says is understood", () => {
  const warning =
    "/infra/main.bicep(1,7) : Warning no-unused-params: Parameter is declared but never used. [https://aka.ms/x]";
  const error = '/infra/main.bicep(3,1) : Error BCP018: Expected the "=" character at this location.';
  const info = "/infra/main.bicep(9,1) : Info use-recent-api-versions: Use more recent API version.";
  const unreachable =
    '/infra/entra.bicep(9,11) : Error BCP192: Unable to restore the artifact with reference "br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0": no network';

  test.each([
    ["nothing", "", true, "passed"],
    ["a warning", warning, true, "failed"],
    ["an error", error, false, "failed"],
    ["information", info, true, "passed"],
    ["a failure without words", "", false, "failed"],
    ["an extension out of reach", unreachable, false, "extension-unreachable"],
    ["an extension out of reach and an error", `${unreachable}\n${error}`, false, "failed"],
  ])("%s", (_, text, succeeded, outcome) => {
    expect(toFinding("main.bicep", text, succeeded).outcome).toBe(outcome);
  });
});
