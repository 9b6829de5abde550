/** docs/troubleshooting.md matches the code: every error code with its statuses and action, every reason, every number. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEPENDENCY_PROBLEMS } from "../../shared/core/dependency.ts";
import type { SubjectRefusal } from "../../shared/core/failure.ts";
import { TOKEN_REFUSALS, type TokenRefusal } from "../../shared/core/token-refusal.ts";
import { classOfCodes } from "../../shared/entra/aadsts.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import { readPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { posted } from "../shared/http/support/incoming.ts";
import { anchors, fences, markdownFile, root, section, tableRows } from "./support/markdown.ts";
import { codeOfClass, wireCodes } from "./support/wire-codes.ts";

const { text } = markdownFile("docs/troubleshooting.md");
const unquoted = (cell: string | undefined) => cell?.replaceAll("`", "") ?? "";

/** Heading of the group → the action of its codes. */
const GROUPS: Readonly<Record<string, string>> = {
  "Fix the request": "fix_request",
  "Get a new caller token": "new_caller_token",
  "A person signs in": "sign_in",
  "Ask the administrator": "ask_admin",
  Retry: "retry",
};

/** The fields of which a section needs at least one, by action. */
const WHO_ACTS: Readonly<Record<string, RegExp>> = {
  fix_request: /^- \*\*Developer:\*\*/m,
  new_caller_token: /^- \*\*Caller:\*\*/m,
  sign_in: /^- \*\*(?:Caller|Person):\*\*/m,
  ask_admin: /^- \*\*Administrator:\*\*/m,
  retry: /^- \*\*Caller:\*\*/m,
};

/** Sections with a status line: the documented codes. */
const documented = [...text.matchAll(/^### (\w+)\n\nStatus /gm)].map(([, code]) => code ?? "");

describe("codes of the service", () => {
  const codes = wireCodes();

  test("the page has one section for each code of the service, and no section for any other code", () => {
    expect([...documented].sort()).toEqual([...codes.keys()].sort());
  });

  test.each([...codes])("#%s links to a section with its statuses and its action", (code, { statuses, actions }) => {
    const [, status, action] = /^Status (.+) · action (.+)$/m.exec(section(text, code)) ?? [];
    expect(anchors(text).filter((anchor) => anchor === code)).toEqual([code]);
    expect(status).toBe(statuses.join(", "));
    expect(unquoted(action)).toBe(actions.join(", "));
  });

  test.each([...codes])("%s has its meaning and what each person who acts has to do", (code, { actions }) => {
    const own = section(text, code);
    expect(own).toMatch(/^- \*\*Meaning:\*\* \S.{4}/m);
    for (const action of actions) {
      expect(own).toMatch(WHO_ACTS[action] ?? /never/);
    }
  });

  test.each(Object.entries(GROUPS))("every code under %s has the action %s", (group, action) => {
    const inGroup = [...section(text, group).matchAll(/^### (\w+)\n\nStatus /gm)].map(([, code]) => code ?? "");
    expect(inGroup.length).toBeGreaterThan(0);
    expect(inGroup.filter((code) => !codes.get(code)?.actions.includes(action as never))).toEqual([]);
  });

  test("the source produces each documented problem of a dependency", () => {
    const source = globSync(["shared/**/*.ts", "functions/**/*.ts"], { cwd: root }).map((path) =>
      readFileSync(join(root, path), "utf8"),
    );
    const produced = source.flatMap((code) =>
      [...code.matchAll(/dependency: "(\w+)", problem: "(\w+)"/g)].map(([, name, problem]) => `${name}_${problem}`),
    );
    const possible = Object.entries(DEPENDENCY_PROBLEMS).flatMap(([name, problems]) =>
      problems.map((problem) => `${name}_${problem}`),
    );
    expect([...new Set(produced)].sort()).toEqual(possible.sort());
  });

  test("every code is in exactly one group", () => {
    const grouped = Object.keys(GROUPS).flatMap((group) =>
      documented.filter((code) => section(text, group).includes(`\n### ${code}\n`)),
    );
    expect(grouped.sort()).toEqual([...documented].sort());
  });

  test("every action of an answer leads to a group of codes", () => {
    const explained = tableRows(text).filter(([action]) => Object.values(GROUPS).includes(unquoted(action)));
    const used = new Set([...codes.values()].flatMap(({ actions }) => actions));
    expect(explained.map(([action]) => unquoted(action)).sort()).toEqual([...used].sort());
    for (const [action, , link] of explained) {
      const [group] = Object.entries(GROUPS).find(([, name]) => name === unquoted(action)) ?? [];
      expect(link).toContain(`[${group}](#`);
    }
  });
});

describe("ask the policy", () => {
  const [request = "", link = ""] = fences(section(text, "Ask the policy"), "json");

  test.each([request, link])("the service accepts the documented question: %s", async (example) => {
    expect(await readPolicyQuestion(posted(example))).toMatchObject({ ok: true });
  });
});

describe("reasons of a refused token", () => {
  test("the table has each reason once, and no other", () => {
    const rows = tableRows(section(text, "Reasons of a refused token"));
    const reasons = [...Object.keys(TOKEN_REFUSALS), "not_a_user", "not_the_caller", "other_registration"];
    expect(rows.map(([reason]) => unquoted(reason)).sort()).toEqual(reasons.sort());
  });

  test.each(tableRows(section(text, "Reasons of a refused token")))(
    "%s has the code %s, the status %s and the action %s of the answer",
    (reason, code, status, action) => {
      const name = unquoted(reason);
      const options = { dialect: "problem", understandsChallenge: false } as const;
      const wire = failureToWire(
        name in TOKEN_REFUSALS
          ? { kind: "caller_refused", reason: name as TokenRefusal }
          : { kind: "subject_refused", reason: name as SubjectRefusal, presentedAs: "assertion" },
        name in TOKEN_REFUSALS ? options : { ...options, dialect: "oauth" },
      );
      expect([unquoted(code), Number(status), unquoted(action)]).toEqual([wire.code, wire.status, wire.action]);
    },
  );
});

describe("AADSTS error codes", () => {
  // The table is not exported: the test reads its numbers from the source and asks the exported function for the class.
  const source = readFileSync(join(root, "shared/entra/aadsts.ts"), "utf8");
  const table = /const CLASSES[\s\S]*?^};/m.exec(source)?.[0] ?? "";
  const numbers = [...table.replaceAll(/\/\/.*$/gm, "").matchAll(/\d+/g)].map(([number]) => Number(number));
  const index = tableRows(section(text, "AADSTS error codes"));
  const explained = documented.flatMap((code) =>
    tableRows(section(text, code))
      .filter(([number = ""]) => /^\d+$/.test(number))
      .map((row) => ({ code, row })),
  );

  test("the index has each number of the service once, ascending, and no other", () => {
    const listed = index.map(([number]) => Number(number));
    expect(listed).toEqual([...numbers].sort((a, b) => a - b));
  });

  test("the sections explain each number once, and no other", () => {
    expect(explained.map(({ row }) => Number(row[0])).sort()).toEqual([...numbers].sort());
  });

  test.each(numbers)("AADSTS%i leads to the code that the service answers, with meaning and remedy there", (number) => {
    const known = classOfCodes([number]);
    const code = known === undefined ? "unknown" : codeOfClass(known);
    expect(index.find(([first]) => first === String(number))?.[1]).toBe(`[\`${code}\`](#${code})`);
    const found = explained.find(({ row }) => row[0] === String(number));
    expect(found?.code).toBe(code);
    expect(found?.row[1]?.length).toBeGreaterThan(4);
    expect(found?.row[2]?.length).toBeGreaterThan(4);
  });
});
