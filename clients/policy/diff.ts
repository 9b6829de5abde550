/** `policy diff <old> <new>`: who gains and who loses, for a pull request. */
import { diffPolicies } from "./diff-policies.ts";
import { POLICY_EXIT } from "./exit-codes.ts";
import { type Change, clientOf } from "./policy-change.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { requireOperands, UsageError } from "./policy-command-line.ts";
import { countsOf } from "./print-findings.ts";
import { readPolicy } from "./read-policy.ts";

export const diff: PolicyCommand = ({ operands, options, terminal }) => {
  const [oldPath, newPath] = requireOperands("diff", operands, ["old", "new"]);
  if (options.json === true && options.markdown === true) throw new UsageError("choose --json or --markdown");
  const [before, after] = [readPolicy(oldPath, terminal), readPolicy(newPath, terminal)];
  if (before === undefined || after === undefined) return POLICY_EXIT.errors;
  const changes = diffPolicies(before.policy, after.policy);
  if (options.json === true) terminal.out(`${JSON.stringify({ changes }, undefined, 2)}\n`);
  else terminal.out(options.markdown === true ? toMarkdown(changes) : toText(changes));
  if (after.findings.length > 0) terminal.note(`${newPath}: ${countsOf(after.findings)}; run check`);
  const gains = changes.some(({ kind }) => kind === "gain");
  return gains && options["fail-on-gain"] === true ? POLICY_EXIT.gain : POLICY_EXIT.ok;
};

// ---------------------------------------------------------------------------------------------------------------

const HEADINGS: readonly (readonly [Change["kind"], heading: string, sign: string])[] = [
  ["gain", "Who gains", "+"],
  ["loss", "Who loses", "-"],
  ["note", "Other changes", " "],
];

function toText(changes: readonly Change[]): string {
  if (changes.length === 0) return "no difference\n";
  const lines = HEADINGS.flatMap(([kind, , sign]) =>
    changes.filter((change) => change.kind === kind).map((change) => `${sign} ${toLine(change).replaceAll("`", "")}`),
  );
  return `${lines.join("\n")}\n`;
}

function toMarkdown(changes: readonly Change[]): string {
  if (changes.length === 0) return "The policy does not change.\n";
  const sections = HEADINGS.flatMap(([kind, heading]) => {
    const lines = changes.filter((change) => change.kind === kind).map((change) => `- ${toLine(change, "**")}`);
    return lines.length === 0 ? [] : [`#### ${heading}\n\n${lines.join("\n")}\n`];
  });
  return sections.join("\n");
}

function toLine({ entry, text }: Change, strong = ""): string {
  return entry === undefined ? text : `${strong}${entry.name}${strong} (${clientOf(entry)}): ${text}`;
}
