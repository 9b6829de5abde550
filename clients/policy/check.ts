/** `policy check <file>`: what the file alone shows to be wrong with a policy, and what it allows if nothing is. */
import { describePolicy } from "../../shared/policy/describe-policy.ts";
import { POLICY_EXIT } from "./exit-codes.ts";
import { checkPolicy, type Finding } from "./findings.ts";
import { readJsonFile } from "./json-file.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { FileProblem, requireOperands } from "./policy-command-line.ts";
import { countsOf, formatFinding, toJson } from "./print-findings.ts";

export const check: PolicyCommand = ({ operands, options, terminal }) => {
  const [path] = requireOperands("check", operands, ["file"]);
  const file = readJsonFile(path);
  if (file.kind === "unreadable") throw new FileProblem(file.problem);
  const { text, policy, findings: found } = checkPolicy(file);
  const findings = options.strict === true ? found.map(asError) : found;
  const valid = findings.every(({ severity }) => severity !== "error");
  if (options.json === true) {
    const result = { file: path, valid, findings: findings.map((finding) => toJson(finding, path)) };
    terminal.out(`${JSON.stringify(result, undefined, 2)}\n`);
  } else {
    if (valid && policy !== undefined) terminal.out(`${describePolicy(policy).join("\n")}\n`);
    for (const finding of findings) terminal.note(`${formatFinding(path, text, finding)}\n`);
    terminal.note(`${path}: ${countsOf(findings)}`);
  }
  return valid ? POLICY_EXIT.ok : POLICY_EXIT.errors;
};

// ---------------------------------------------------------------------------------------------------------------

function asError(finding: Finding): Finding {
  return { ...finding, severity: "error" };
}
