/**
 * What the real compiler makes of the templates, where there is one: no error, no warning, and the same resources,
 * types and versions as this folder's own reader sees. Without a compiler these tests say that they did not run.
 */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { startBicep } from "../../infra/compiler/bicep-process.ts";
import { checkTemplate } from "../../infra/compiler/check-template.ts";
import { findCompiler } from "../../infra/compiler/find-compiler.ts";
import { listTemplates } from "../../infra/compiler/list-templates.ts";
import { parseBicep } from "./bicep/parser.ts";
import type { Expression, Statement } from "./bicep/syntax.ts";
import { INFRA, infraFile } from "./scenarios.ts";

const { compiler, tried } = findCompiler();
const why = `SKIPPED: no Bicep compiler (${tried.join("; ")})`;
const bicep = compiler === undefined ? undefined : startBicep(compiler);
afterAll(() => bicep?.close());

if (bicep === undefined) {
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
  test.for(listTemplates(INFRA))("accepts %s without a warning", async (path, context) => {
    if (bicep === undefined) {
      return context.skip(why);
    }
    const finding = await checkTemplate(bicep, INFRA, path);
    if (finding.outcome === "extension-unreachable") {
      return context.skip(`SKIPPED: the Microsoft Graph extension could not be restored for ${path}`);
    }
    expect(finding).toMatchObject({ path, outcome: "passed", problems: [] });
    return undefined;
  });

  test("sees the same resources as the reader", async (context) => {
    if (bicep === undefined) {
      return context.skip(why);
    }
    const { contents } = await bicep.compile(infraFile("main.bicep"));
    const compiled = JSON.parse(contents ?? "") as CompiledTemplate;
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
