// npm audit of what is deployed, from severity high. A registry that does not answer it counts as skipped, loudly; with
// --required, as in the workflow, that fails.
import { spawnSync } from "node:child_process";

const windows = process.platform === "win32";
const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], { encoding: "utf8", shell: windows });
const report = read(stdout);
if (report?.metadata?.vulnerabilities === undefined) {
  console.log("SKIPPED npm audit: the registry does not answer it.");
  process.exit(process.argv.includes("--required") ? 1 : 0);
}
const { high = 0, critical = 0, total = 0 } = report.metadata.vulnerabilities;
for (const { name, severity, via } of Object.values(report.vulnerabilities ?? {})) {
  const advisories = via.flatMap((one) => (typeof one === "string" ? [] : [one.url]));
  console.log(`${severity} ${name} ${advisories.join(" ")}`.trim());
}
console.log(`npm audit: ${total} known vulnerabilities, ${high + critical} of severity high or critical.`);
process.exit(high + critical === 0 ? 0 : 1);

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
