/** `policy init <file>`: writes a starting policy. Asks nothing, and never replaces a file. */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import policySchema from "../../docs/policy.schema.json" with { type: "json" };
import { POLICY_EXIT } from "./exit-codes.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { FileProblem, requireOperands, UsageError } from "./policy-command-line.ts";
import { PRESET_NAMES, PRESETS, type PresetName, SCHEMA_FILE, startingPolicy } from "./presets.ts";

export const init: PolicyCommand = ({ operands, options, terminal, program }) => {
  const [path] = requireOperands("init", operands, ["file"]);
  const names = [...new Set(options.preset ?? ["script"])].map(readPreset);
  const schemaPath = join(dirname(path), SCHEMA_FILE);
  write(path, startingPolicy(names));
  // Editors need it to complete and check the policy. An existing one is probably the administrator's own.
  if (!existsSync(schemaPath)) write(schemaPath, `${JSON.stringify(policySchema, undefined, 2)}\n`);
  terminal.out(`Wrote ${path} with entries for:\n${names.map((name) => `  ${PRESETS[name].about}\n`).join("")}`);
  terminal.note(
    [
      "Next:",
      "  1. Replace the client ids, which are invented, with those of your callers' registrations.",
      `  2. List the scopes in apis.graph.scopes and in each entry. ${SCHEMA_FILE} lets editors complete and check the rest.`,
      `  3. Run: ${program} check ${path}`,
    ].join("\n"),
  );
  return POLICY_EXIT.ok;
};

// ---------------------------------------------------------------------------------------------------------------

function readPreset(text: string): PresetName {
  const name = PRESET_NAMES.find((one) => one === text);
  if (name === undefined) throw new UsageError(`"${text}" is not a preset; the presets are ${PRESET_NAMES.join(", ")}`);
  return name;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new FileProblem(exists ? `${path} exists; choose another name or delete it` : `cannot write ${path}`);
  }
}
