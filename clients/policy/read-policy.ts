/** A policy that the service would start with, or its findings on the terminal. */
import type { Policy } from "../../shared/policy/rules.ts";
import { checkPolicy, type Finding } from "./findings.ts";
import { readJsonFile } from "./json-file.ts";
import type { PolicyCommandInput } from "./policy-command.ts";
import { FileProblem } from "./policy-command-line.ts";
import { formatFinding } from "./print-findings.ts";

export interface UsablePolicy {
  readonly policy: Policy;
  readonly findings: readonly Finding[];
}

/** Undefined: the service would not start with it. The terminal then has the reasons. */
export function readPolicy(path: string, terminal: PolicyCommandInput["terminal"]): UsablePolicy | undefined {
  const file = readJsonFile(path);
  if (file.kind === "unreadable") throw new FileProblem(file.problem);
  const { text, policy, findings } = checkPolicy(file);
  if (policy !== undefined) return { policy, findings };
  for (const finding of findings) terminal.note(`${formatFinding(path, text, finding)}\n`);
  return undefined;
}
