/** docs/troubleshooting.md and the code say the same: every code with its statuses and action, every reason, every number. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TOKEN_REFUSALS } from "../../shared/core/token-refusal.ts";
import { classOfCodes } from "../../shared/entra/aadsts.ts";
import { readPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { posted } from "../shared/http/support/incoming.ts";
import { fences, markdownFile, root, section, tableRows } from "./support/markdown.ts";
import { wireCodes } from "./support/wire-codes.ts";

const { text } = markdownFile("docs/troubleshooting.md");
const unquoted = (cell: string | undefined) => cell?.replaceAll("`", "") ?? "";

describe("codes of the service", () => {
  const codes = wireCodes();
  const all = section(text, "Codes of the service");
  const rows = tableRows(all.replace(section(text, "Reasons of caller_refused"), ""));

  test("every code is there once, and none that does not exist", () => {
    expect(rows.map(([code]) => unquoted(code)).sort()).toEqual([...codes.keys()].sort());
  });

  test.each([...codes])("%s has its statuses and its action", (code, { statuses, actions }) => {
    const row = rows.find(([name]) => unquoted(name) === code) ?? [];
    expect(row[1]).toBe(statuses.join(" · "));
    expect(unquoted(row[2])).toBe(actions.join(", "));
    expect(row[3]?.length).toBeGreaterThan(4);
  });

  test("the actions that a program may meet are explained", () => {
    const explained = tableRows(text).find(([member]) => member === "`action`")?.[1] ?? "";
    for (const action of new Set([...codes.values()].flatMap(({ actions }) => actions))) {
      expect(explained).toContain(`\`${action}\``);
    }
  });
});

describe("ask the policy", () => {
  const [request = "", link = ""] = fences(section(text, "Ask the policy"), "json");

  test.each([request, link])("the example is a question: %s", async (example) => {
    expect(await readPolicyQuestion(posted(example))).toMatchObject({ ok: true });
  });
});

describe("reasons of a refused token", () => {
  test("every reason is there once, and none that does not exist", () => {
    const rows = tableRows(section(text, "Reasons of caller_refused"));
    const reasons = [...Object.keys(TOKEN_REFUSALS), "not_a_user", "not_the_caller"];
    expect(rows.map(([reason]) => unquoted(reason)).sort()).toEqual(reasons.sort());
  });
});

describe("numbers of Entra", () => {
  // The table is not exported: its numbers are read from the source and judged by the function.
  const source = readFileSync(join(root, "shared/entra/aadsts.ts"), "utf8");
  const table = /const CLASSES[\s\S]*?^};/m.exec(source)?.[0] ?? "";
  const numbers = [...table.replaceAll(/\/\/.*$/gm, "").matchAll(/\d+/g)].map(([number]) => Number(number));
  const rows = tableRows(section(text, "Numbers of Entra"));

  test("every number is there once, and none that does not exist", () => {
    expect(rows.map(([number]) => Number(number)).sort()).toEqual(numbers.sort());
  });

  test.each(numbers)("AADSTS%i stands in its class, with meaning and remedy", (number) => {
    const row = rows.find(([first]) => first === String(number)) ?? [];
    expect(unquoted(row[1])).toBe(classOfCodes([number]));
    expect(row[2]?.length).toBeGreaterThan(4);
    expect(row[3]?.length).toBeGreaterThan(4);
  });
});
