// Prints the skipped tests and, as its last line, the totals, which programs read.
// Arguments: the result of infra:check, its log, and the JSON results of every run of vitest.
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

const [infra, infraLog, ...files] = process.argv.slice(2);
const suites = files.filter(existsSync).flatMap((file) => JSON.parse(readFileSync(file, "utf8")).testResults);
const tests = suites.flatMap((suite) => suite.assertionResults);
const isSkipped = (test) => test.status !== "passed" && test.status !== "failed";
const isFailed = (test) => test.status === "failed";

for (const { name, assertionResults } of suites) {
  const skipped = assertionResults.filter(isSkipped);
  if (skipped.length > 0 && skipped.length === assertionResults.length) {
    console.log(`SKIPPED all ${skipped.length} tests of ${relative(process.cwd(), name)}`);
  } else {
    for (const test of skipped) {
      console.log(`SKIPPED ${test.fullName}`);
    }
  }
}
console.log(`infra:check ${infra}`);
for (const line of readFileSync(infraLog, "utf8").split("\n")) {
  if (line.startsWith("SKIPPED") || line.startsWith("note    Microsoft's registry")) {
    console.log(`  ${line}`);
  }
}
// Count a failure of infra:check only if none of its tests failed, because failed tests are counted already.
const byTest = suites.some(
  ({ name, assertionResults }) => /[\\/]test[\\/]infra[\\/]/.test(name) && assertionResults.some(isFailed),
);
const failed = tests.filter(isFailed).length + (infra === "failed" && !byTest ? 1 : 0);
const skipped = tests.filter(isSkipped).length + (infra === "skipped" ? 1 : 0);
console.log(`${tests.filter((test) => test.status === "passed").length} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
