/**
 * `npm run policy -- check <file>`: validates a policy as the service does when it starts, and prints the permissions of
 * each caller and warnings. Exit code 0: valid, with or without warnings; 1: invalid; 2: wrong usage.
 */
import { readFileSync } from "node:fs";
import { describePolicy, policyWarnings } from "../shared/policy/describe-policy.ts";
import { parsePolicy } from "../shared/policy/parse-policy.ts";

function main([command, file]: readonly string[]): number {
  if (command !== "check" || file === undefined) {
    console.error("usage: npm run policy -- check <file>");
    return 2;
  }
  const text = read(file);
  if (text === undefined) {
    console.error(`cannot read ${file}`);
    return 2;
  }
  const parsed = parsePolicy(text);
  if ("problems" in parsed) {
    for (const { path, problem } of parsed.problems) {
      console.error(`${path === "" ? "the policy" : path} ${problem}`);
    }
    return 1;
  }
  console.log(describePolicy(parsed.policy).join("\n"));
  for (const warning of policyWarnings(parsed.policy)) {
    console.log(`\nWARNING ${warning}`);
  }
  return 0;
}

function read(file: string): string | undefined {
  try {
    // The service also trims a setting: a byte order mark or a line break around the text is ignored.
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

process.exit(main(process.argv.slice(2)));
