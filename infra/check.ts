/**
 * The first half of `npm run infra:check`: compiles and lints every template and parameter file with the real Bicep
 * compiler; a warning fails it like an error. Takes `bicep` of the path, then the one of the Azure CLI, then restores
 * the compiler from NuGet where `dotnet` is. Without any of these it says so, loudly, and ends well, unless
 * REQUIRE_BICEP=1 asks for everything.
 *
 * entra.bicep needs Microsoft's Graph extension. Where its registry is out of reach, the file is compiled against the
 * property facts of this repository, and the output says so; that is enough, but not for REQUIRE_BICEP=1.
 */
import { fileURLToPath } from "node:url";
import { startBicep } from "./compiler/bicep-process.ts";
import { checkTemplate, type Finding } from "./compiler/check-template.ts";
import { type BicepCompiler, findCompiler } from "./compiler/find-compiler.ts";
import { checkGraphTemplate, type GraphFinding, needsGraph } from "./compiler/graph/check-graph-template.ts";
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
    console.log("  What they would deploy is NOT checked either: the tests that ask the compiler are skipped.");
    return requireAll ? 1 : 0;
  }
  console.log(`Compiler: ${compiler.name} (${compiler.version})`);
  return report(await checkAll(compiler, templates), requireAll);
}

async function checkAll(compiler: BicepCompiler, templates: readonly string[]): Promise<readonly AnyFinding[]> {
  const bicep = startBicep(compiler);
  try {
    // All at once: while one waits for a registry that does not answer, the others are compiled.
    return await Promise.all(
      templates.map((path) =>
        needsGraph(INFRA, path)
          ? checkGraphTemplate({ bicep, compiler }, INFRA, path)
          : checkTemplate(bicep, INFRA, path),
      ),
    );
  } finally {
    bicep.close();
  }
}

/** Prints what was checked, against what, and what was not; the exit code says whether all of it holds. */
function report(findings: readonly AnyFinding[], requireAll: boolean): number {
  for (const finding of findings) {
    printFinding(finding);
  }
  for (const line of new Set(findings.flatMap(({ information }) => information))) {
    console.log(`note    ${line}`);
  }
  const failed = findings.filter(({ outcome }) => outcome === "failed");
  const skipped = findings.filter(({ outcome }) => outcome === "extension-unreachable");
  const ownTypes = findings.filter((finding) => "graphTypes" in finding && finding.graphTypes === "of this repository");
  if (ownTypes.length > 0) {
    console.log(
      `note    Microsoft's registry is out of reach: ${pathsOf(ownTypes)} was compiled against infra/compiler/graph/graph-types.ts.`,
    );
  }
  if (skipped.length > 0) {
    console.log(
      `SKIPPED: there is no Microsoft Graph extension, so the properties of Graph resources in ${pathsOf(skipped)} were NOT checked. Everything else the compiler said about them was.`,
    );
  }
  const passed = findings.length - failed.length - skipped.length;
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length > 0 || (requireAll && isIncomplete([...skipped, ...ownTypes])) ? 1 : 0;
}

function printFinding(finding: AnyFinding): void {
  const against = "graphTypes" in finding ? ` (Graph types ${finding.graphTypes})` : "";
  console.log(`${LABEL[finding.outcome]} ${finding.path}${against}`);
  for (const problem of finding.problems) {
    console.log(`  ${problem}`);
  }
}

function isIncomplete(partly: readonly AnyFinding[]): boolean {
  if (partly.length > 0) {
    console.log(`REQUIRE_BICEP=1 asks for Microsoft's own Graph extension, and ${pathsOf(partly)} had to do without.`);
  }
  return partly.length > 0;
}

function pathsOf(findings: readonly AnyFinding[]): string {
  return findings.map(({ path }) => path).join(", ");
}

type AnyFinding = Finding | GraphFinding;

const LABEL = { passed: "ok     ", failed: "FAILED ", "extension-unreachable": "PARTLY " } as const;

process.exitCode = await main();
