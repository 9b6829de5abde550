/** docs/audit.md tells the schema of shared/audit/audit-event.ts, and host.json keeps every event. */

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
  /** The texts that it may be; empty for any. */
  readonly literals: readonly string[];
}

/** Members of `AuditFacts` and `AuditEvent`, read from the source: types leave nothing to import. */
function membersOf(source: string): Member[] {
  const flat = source.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const outcomes = /type AuditOutcome = ([^;]+);/.exec(flat)?.[1] ?? "";
  return [...flat.matchAll(/^ {2}(?:readonly )?(\w+)(\??): ([^;]+);/gm)].map(([, name = "", optional, type = ""]) => ({
    name,
    always: optional === "",
    literals: literalsOf(type.replace("AuditOutcome", outcomes).replace("FlowName", quoted(FLOW_NAMES))),
  }));
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(" | ");
const literalsOf = (type: string) => [...type.matchAll(/"([^"]+)"/g)].map(([, literal]) => literal ?? "").sort();

describe("the schema", () => {
  const members = membersOf(read("shared/audit/audit-event.ts"));
  const rows = tableRows(section(text, "Schema"));

  test("the type was read: the members that everything hangs on are there", () => {
    const names = members.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["event", "outcome", "code", "policyEntry", "subjectObjectId"]));
  });

  test("every member is documented once, and none that does not exist", () => {
    expect(rows.map(([name]) => name?.replaceAll("`", "")).sort()).toEqual(members.map(({ name }) => name).sort());
  });

  test.each(members)("$name: whether it is always there, and what it may be", ({ name, always, literals }) => {
    const [, type = "", present] = rows.find(([cell]) => cell === `\`${name}\``) ?? [];
    expect(present).toBe(always ? "always" : "if known");
    expect([...type.matchAll(/`([^`]+)`/g)].map(([, literal]) => literal).sort()).toEqual(literals);
  });

  test("the example has members of the schema only", () => {
    const example = JSON.parse(fences(text, "json")[0] ?? "{}");
    const names = members.map(({ name }) => name);
    expect(Object.keys(example).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("other events", () => {
  const rows = tableRows(section(text, "Other events"));
  const documented = new Set(rows.map(([name]) => name?.replaceAll("`", "")));

  test("every event of the operator log, of the timers and of a bug is documented", () => {
    const operatorLog = literalsOf(/event: ((?:"\w+"[\s|]*)+);/.exec(read("shared/audit/operator-log.ts"))?.[1] ?? "");
    const logged = ["functions/handle.ts", "functions/timers/watch.ts", "functions/timers/reap-grants.ts"].flatMap(
      (path) => [...read(path).matchAll(/event: "(\w+)"/g)].map(([, name]) => name ?? ""),
    );
    expect(operatorLog.length).toBeGreaterThan(3);
    expect([...operatorLog, ...logged].filter((name) => name !== "exchange" && !documented.has(name))).toEqual([]);
  });

  test("what the timer writes is documented, member by member", () => {
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
    const told = [
      "registration",
      ...credential,
      ...[...watch.matchAll(/registration: ("[\w-]+")/g)].map(([, name]) => name?.replaceAll('"', "")),
    ];
    expect(told.filter((name) => !credentialMembers?.includes(`\`${name}\``))).toEqual([]);
  });

  test("every name of a credential event is documented", () => {
    const names = [...read("shared/credential/credential-event.ts").matchAll(/name: "(\w+)"/g)].map(([, name]) => name);
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("every event is kept", () => {
  test("nothing is sampled, and the lines of the app are kept", () => {
    const { logging } = JSON.parse(read("host.json"));
    expect(logging.applicationInsights.samplingSettings).toEqual({ isEnabled: false });
    expect(logging.logLevel.Function).toBe("Information");
    expect(read("infra/modules/monitoring.bicep")).not.toMatch(/SamplingPercentage/i);
  });
});

describe("queries of docs/", () => {
  const members = membersOf(read("shared/audit/audit-event.ts")).map(({ name }) => name);
  const others = tableRows(section(text, "Other events")).flatMap(([, , cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const queries = ["docs/audit.md", "docs/operate.md"].flatMap((path) => fences(markdownFile(path).text, "kusto"));

  test("are there", () => {
    expect(queries.length).toBeGreaterThan(8);
  });

  const numbered = queries.map((query, index) => ({ index, query }));
  test.each(numbered)("name members of the events only: query $index", ({ query }) => {
    const named = [...query.matchAll(/\bAudit\.(\w+)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => ![...members, ...others].includes(name))).toEqual([]);
  });
});
