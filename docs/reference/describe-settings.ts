/**
 * docs/configuration.md, from the table of settings and the policy's schema: a test writes it again and compares. Pure;
 * no part of the running service.
 */

import { SETTINGS, type Setting } from "../../shared/config/settings.ts";
import { apiRows, callerRows, type MemberRow } from "./policy-reference.ts";

/** The whole page. */
export function describeSettings(): string {
  return `${[...settingsPart(), ...policyPart()].join("\n")}\n`;
}

function settingsPart(): string[] {
  const settings = Object.entries(SETTINGS) as [string, Setting][];
  return [
    "# Configuration",
    "",
    "<!-- Written by docs/reference/describe-settings.ts: `UPDATE_DOCS=1 npx vitest run test/docs/configuration.test.ts` -->",
    "",
    "Settings are environment variables (application settings of the function app; `Values` in `local.settings.json`,",
    "for which `local.settings.sample.json` is a start). An empty one counts as missing. The service reads them once and",
    "does not start while one is wrong: the error names every problem at once and never a value. No setting holds a",
    "secret; those are in Key Vault, under the names given here.",
    "",
    ...table(
      ["setting", "meaning", "must be", "default", "example"],
      settings.map(([name, { required, mustBe, fallback, meaning, example }]) => [
        `\`${name}\``,
        meaning,
        mustBe,
        fallback === undefined ? defaultOf(required) : `\`${fallback}\``,
        name === "POLICY" ? "[examples/policy.json](examples/policy.json)" : `\`${example}\``,
      ]),
    ),
    "",
    "The service also refuses to start where `NODE_TLS_REJECT_UNAUTHORIZED` is `0`, and with `CLOUD=local` where Azure's",
    "own variables (`WEBSITE_INSTANCE_ID`, `WEBSITE_SITE_NAME`, `WEBSITE_POD_NAME`) are set.",
  ];
}

function defaultOf(required: string): string {
  switch (required) {
    case "always":
      return "required";
    case "no":
      return "none";
    default:
      return `required ${required}`;
  }
}

function policyPart(): string[] {
  return [
    "",
    "## The policy",
    "",
    "One JSON object with two members: `apis`, the APIs by name, and `callers`, a list of entries. What is not written is",
    "refused. Unknown members, members and names that repeat, entries that could match the same caller and entries that",
    "could never work stop the start. An example is in [examples/policy.json](examples/policy.json);",
    "`npm run policy -- check <file>` reads one as the service would.",
    "",
    "### An API: `apis.<name>`",
    "",
    ...memberTable(apiRows()),
    "",
    "### A caller: `callers[]`",
    "",
    ...memberTable(callerRows()),
  ];
}

function memberTable(rows: readonly MemberRow[]): string[] {
  return table(
    ["member", "form", "default", "meaning", "example"],
    rows.map(([name, form, fallback, meaning, example]) => [`\`${name}\``, form, fallback, meaning, `\`${example}\``]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
