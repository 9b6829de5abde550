/** docs/audit.md documents the schema of shared/audit/audit-event.ts, and host.json drops no event. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FLOW_NAMES } from "../../shared/core/flow-name.ts";
import { fences, markdownFile, root, section, tableRows } from "./support/markdown.ts";

const { text } = markdownFile("docs/audit.md");
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Member {
  readonly name: string;
  readonly always: boolean;
  /** The allowed texts; empty if any text is allowed. */
  readonly literals: readonly string[];
}

/** Members of `AuditFacts` and `AuditEvent`, read from the source, because types do not exist at run time. */
function membersOf(source: string): Member[] {
  const flat = source.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const outcomes = /type AuditOutcome = ([^;]+);/.exec(flat)?.[1] ?? "";
  return [...flat.matchAll(/^ {2}(?:readonly )?(\w+)(\??):\s([^;]+);/gm)].map(([, name = "", optional, type = ""]) => ({
    name,
    always: optional === "",
    literals: literalsOf(type.replace("AuditOutcome", outcomes).replace("FlowName", quoted(FLOW_NAMES))),
  }));
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(" | ");
const literalsOf = (type: string) => [...type.matchAll(/"([^"]+)"/g)].map(([, literal]) => literal ?? "").sort();

describe("schema of the audit event", () => {
  const members = membersOf(read("shared/audit/audit-event.ts"));
  const rows = tableRows(section(text, "Schema"));

  test("the test reads the members from the source, among them event, outcome and code", () => {
    const names = members.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["event", "outcome", "code", "policyEntry", "subjectObjectId"]));
  });

  test("the table has each member once, and no other", () => {
    expect(rows.map(([name]) => name?.replaceAll("`", "")).sort()).toEqual(members.map(({ name }) => name).sort());
  });

  test.each(members)("$name is documented with its presence and its allowed values", ({ name, always, literals }) => {
    const [, type = "", present] = rows.find(([cell]) => cell === `\`${name}\``) ?? [];
    expect(present).toBe(always ? "always" : "if known");
    expect([...type.matchAll(/`([^`]+)`/g)].map(([, literal]) => literal).sort()).toEqual(literals);
  });

  test("the example contains only members of the schema", () => {
    const example = JSON.parse(fences(text, "json")[0] ?? "{}");
    const names = members.map(({ name }) => name);
    expect(Object.keys(example).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("other events", () => {
  const rows = tableRows(section(text, "Other events"));
  const documented = new Set(rows.map(([name]) => name?.replaceAll("`", "")));

  test("the table has every event of the operator log, of the timers and of a bug", () => {
    const operatorLog = literalsOf(
      /event:\s+((?:\|?\s*"\w+"\s*)+);/.exec(read("shared/audit/operator-log.ts"))?.[1] ?? "",
    );
    const logged = [
      "functions/handle.ts",
      ...["watch", "reap-grants", "send-events"].map((name) => `functions/timers/${name}.ts`),
    ].flatMap((path) => [...read(path).matchAll(/event: "(\w+)"/g)].map(([, name]) => name ?? ""));
    expect(operatorLog.length).toBeGreaterThan(3);
    expect([...operatorLog, ...logged].filter((name) => name !== "exchange" && !documented.has(name))).toEqual([]);
  });

  test("the table has every member of the events that the timer writes", () => {
    const watch = read("functions/timers/watch.ts");
    const ready = /event: "ready", ([\w, ]+) \}/.exec(watch)?.[1]?.split(", ") ?? [];
    const credential = [
      ...(
        /interface CredentialCheck \{([\s\S]*?)^\}/m.exec(read("functions/composition/readiness.ts"))?.[1] ?? ""
      ).matchAll(/readonly (\w+)/g),
    ].map(([, name]) => name ?? "");
    expect(ready).toContain("sealingKey");
    expect(credential).toContain("daysToExpiry");
    const [, , readyMembers] = rows.find(([name]) => name === "`ready`") ?? [];
    const [, , credentialMembers] =
      rows.find(([name, when]) => name === "`credential`" && when?.includes("timer")) ?? [];
    expect(ready.filter((name) => !readyMembers?.includes(`\`${name}\``))).toEqual([]);
    const documentedMembers = [
      "registration",
      ...credential,
      ...[...watch.matchAll(/registration: ("[\w-]+")/g)].map(([, name]) => name?.replaceAll('"', "")),
    ];
    expect(documentedMembers.filter((name) => !credentialMembers?.includes(`\`${name}\``))).toEqual([]);
  });

  test.each([
    ["credential", "shared/credential/credential-event.ts"],
    ["grant", "shared/events/event-problem.ts"],
  ])("the page has every name of a %s event", (_, path) => {
    const names = [...read(path).matchAll(/name: "(\w+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("host.json and the monitoring template", () => {
  test("nothing is sampled, and the lines of the app are kept", () => {
    const { logging } = JSON.parse(read("host.json"));
    expect(logging.applicationInsights.samplingSettings).toEqual({ isEnabled: false });
    expect(logging.logLevel["Function.token.User"]).toBe("Information");
    expect(read("infra/modules/monitoring.bicep")).not.toMatch(/SamplingPercentage/i);
  });
});

describe("queries of docs/", () => {
  const members = membersOf(read("shared/audit/audit-event.ts")).map(({ name }) => name);
  const others = tableRows(section(text, "Other events")).flatMap(([, , cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const queries = ["docs/audit.md", "docs/operate.md", "docs/promises.md"].flatMap((path) =>
    fences(markdownFile(path).text, "kusto"),
  );

  test("the documents contain more than eight queries", () => {
    expect(queries.length).toBeGreaterThan(8);
  });

  const numbered = queries.map((query, index) => ({ index, query }));
  test.each(numbered)("query $index names only members of the events", ({ query }) => {
    const named = [...query.matchAll(/\bAudit\.(\w+)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => ![...members, ...others].includes(name))).toEqual([]);
  });
});
