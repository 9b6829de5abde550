/**
 * The first half of `npm run infra:check`: compiles and lints every template and parameter file with the Bicep compiler.
 * A warning fails the check like an error. The compiler is `bicep` on the path, or the one of the Azure CLI, or one
 * restored from NuGet with `dotnet`. Without a compiler the check prints SKIPPED and succeeds; with REQUIRE_BICEP=1 it
 * fails.
 *
 * entra.bicep needs Microsoft's Graph extension. If the registry of the extension is unreachable, the file is compiled
 * against the Graph types of this repository, and the output says so. With REQUIRE_BICEP=1 the check then fails.
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
      `SKIPPED: no Bicep compiler was found, so ${templates.length} files in infra/ were NOT compiled and NOT linted.`,
    );
    for (const candidate of tried) {
      console.log(`  tried ${candidate}`);
    }
    console.log("  The tests of what the templates deploy need the compiler as well and are skipped.");
    return requireAll ? 1 : 0;
  }
  console.log(`Compiler: ${compiler.name} (${compiler.version})`);
  return report(await checkAll(compiler, templates), requireAll);
}

async function checkAll(compiler: BicepCompiler, templates: readonly string[]): Promise<readonly AnyFinding[]> {
  const bicep = startBicep(compiler);
  try {
    // In parallel: while one request waits for a registry that does not answer, the other files are compiled.
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

/** Prints the result of each file, the Graph types it was compiled against, and what was skipped. Returns the exit code. */
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
      `note    Microsoft's registry is unreachable: ${pathsOf(ownTypes)} was compiled against infra/compiler/graph/graph-types.ts.`,
    );
  }
  if (skipped.length > 0) {
    console.log(
      `SKIPPED: the Microsoft Graph extension is not available, so the properties of Graph resources in ${pathsOf(skipped)} were NOT checked. The rest of these files was checked.`,
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

function isIncomplete(incomplete: readonly AnyFinding[]): boolean {
  if (incomplete.length > 0) {
    console.log(
      `REQUIRE_BICEP=1 requires Microsoft's Graph extension, and ${pathsOf(incomplete)} was checked without it.`,
    );
  }
  return incomplete.length > 0;
}

function pathsOf(findings: readonly AnyFinding[]): string {
  return findings.map(({ path }) => path).join(", ");
}

type AnyFinding = Finding | GraphFinding;

const LABEL = { passed: "ok     ", failed: "FAILED ", "extension-unreachable": "PARTLY " } as const;

process.exitCode = await main();
