/**
 * The first half of `npm run infra:check`: compiles and lints every template and parameter file with the real Bicep
 * compiler; a warning fails it like an error. Takes `bicep` of the path, then the one of the Azure CLI, then restores
 * the compiler from NuGet where `dotnet` is. Without any of these it says so, loudly, and ends well, unless
 * REQUIRE_BICEP=1 asks for everything.
 */
import { fileURLToPath } from "node:url";
import { startBicep } from "./compiler/bicep-process.ts";
import { checkTemplate, type Finding } from "./compiler/check-template.ts";
import { type BicepCompiler, findCompiler } from "./compiler/find-compiler.ts";
import { listTemplates } from "./compiler/list-templates.ts";

const INFRA = fileURLToPath(new URL(".", import.meta.url));

async function main(): Promise<number> {
  const requireAll = process.env["REQUIRE_BICEP"] === "1";
  const { compiler, tried } = findCompiler();
  const templates = listTemplates(INFRA);
  if (compiler === undefined) {
    console.log(
      `SKIPPED: no Bicep compiler, so ${templates.length} files under infra/ were NOT compiled and NOT linted.`,
    );
    for (const candidate of tried) {
      console.log(`  tried ${candidate}`);
    }
    console.log("  test/infra still reads and evaluates them, but checks no resource schema and no linter rule.");
    return requireAll ? 1 : 0;
  }
  console.log(`Compiler: ${compiler.name} (${compiler.version})`);
  return report(await checkAll(compiler, templates), requireAll);
}

async function checkAll(compiler: BicepCompiler, templates: readonly string[]): Promise<readonly Finding[]> {
  const bicep = startBicep(compiler);
  try {
    // All at once: while one waits for a registry that does not answer, the others are compiled.
    return await Promise.all(templates.map((path) => checkTemplate(bicep, INFRA, path)));
  } finally {
    bicep.close();
  }
}

/** Prints what was checked and what was not; the exit code says whether all of it holds. */
function report(findings: readonly Finding[], requireAll: boolean): number {
  for (const finding of findings) {
    console.log(`${LABEL[finding.outcome]} ${finding.path}`);
    for (const problem of finding.problems) {
      console.log(`  ${problem}`);
    }
  }
  for (const line of new Set(findings.flatMap(({ information }) => information))) {
    console.log(`note    ${line}`);
  }
  const failed = findings.filter((finding) => finding.outcome === "failed");
  const partly = findings.filter((finding) => finding.outcome === "extension-unreachable");
  if (partly.length > 0) {
    console.log(
      `SKIPPED: the Microsoft Graph extension could not be restored, so the properties of Graph resources in ${partly.map((finding) => finding.path).join(", ")} were NOT checked. Everything else the compiler said about them was.`,
    );
  }
  const passed = findings.length - failed.length - partly.length;
  console.log(`${passed} passed, ${failed.length} failed, ${partly.length} skipped`);
  return failed.length > 0 || (requireAll && partly.length > 0) ? 1 : 0;
}

const LABEL = { passed: "ok     ", failed: "FAILED ", "extension-unreachable": "PARTLY " } as const;

process.exitCode = await main();
