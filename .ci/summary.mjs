// Prints what ran, what was skipped and why it matters; ends with the one line that machines read.
import { readFileSync } from "node:fs";

const [file, infra] = process.argv.slice(2);
const results = JSON.parse(readFileSync(file, "utf8"));
const tests = results.testResults.flatMap((suite) => suite.assertionResults);
const count = (status) => tests.filter((test) => test.status === status).length;
const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
for (const test of skipped) {
  console.log(`SKIPPED ${test.fullName}`);
}
console.log(`infra:check ${infra === "skipped" ? "SKIPPED: no Bicep compiler on this machine" : infra}`);
const failed = count("failed") + (infra === "failed" ? 1 : 0);
const skippedInAll = skipped.length + (infra === "skipped" ? 1 : 0);
console.log(`${count("passed")} passed, ${failed} failed, ${skippedInAll} skipped`);
process.exit(failed === 0 ? 0 : 1);
