/** The queries of alerts and workbook use only fields of the audit events. These tests need no compiler. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../shared/audit/describe-failure.ts";
import { DEPENDENCY_PROBLEMS } from "../../shared/core/dependency.ts";

/** The members of `AuditEvent`, read from its source, because a type cannot be imported at run time. */
const auditSource = readFileSync(new URL("../../shared/audit/audit-event.ts", import.meta.url), "utf8");
const EXCHANGE_FIELDS = [...auditSource.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name]) => name);
/** Fields of the events `credential`, `ready` and `keep_alive`, which timers write, and of `policy` and `load`. */
const OTHER_FIELDS = [
  ...["event", "registration", "version", "daysToExpiry", "state", "policyState", "name"],
  ...["entry", "refused", "failed"],
];

/** Tables and columns of vault, storage and Entra (Azure Monitor's table reference), and what the deployment replaces. */
const LOGS_OF_AZURE = [
  ...["AzureDiagnostics", "StorageTableLogs", "AuditLogs", "ResourceProvider", "OperationName", "RequesterObjectId"],
  ...["Category", "Result", "TargetResources", "AdditionalDetails", "SERVICE_PRINCIPAL_ID", "CLIENT_IDS"],
];

const folder = new URL("../../infra/kql/", import.meta.url);
const queries = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const);
const base = queries.find(([name]) => name === "audit-events.kql")?.[1] ?? "";
const columns = [...base.matchAll(/^ {4}(\w+) = /gm)].map(([, name]) => name ?? "");

const fieldsOf = (query: string) => [...query.matchAll(/\bAudit\.(\w+)/g)].map(([, name]) => name);
const withoutComments = (query: string) => query.replaceAll(/^\/\/.*$/gm, "").replaceAll(/"[^"]*"/g, '""');
/** Names with an initial capital are columns of the base query or of the query itself. */
const columnsOf = (query: string) =>
  [...withoutComments(query).matchAll(/(?<![.\w])([A-Z]\w*)\b/g)].map(([, name]) => name ?? "");

describe("the KQL queries", () => {
  test("this test reads the fields of the audit event from its source", () => {
    expect(EXCHANGE_FIELDS).toEqual(
      expect.arrayContaining(["event", "outcome", "code", "status", "flow", "cache", "milliseconds", "aadsts"]),
    );
  });

  test.each(queries)("%s uses only fields of the audit events", (_, query) => {
    expect(fieldsOf(query).filter((name) => ![...EXCHANGE_FIELDS, ...OTHER_FIELDS].includes(name))).toEqual([]);
  });

  test.each(queries)("%s uses only columns that exist", (_, query) => {
    const own = [...query.matchAll(/\b([A-Z]\w*) = /g)].map(([, name]) => name);
    const known = new Set([
      ...LOGS_OF_AZURE,
      "AppTraces",
      "AuditEvents",
      "Exchanges",
      "TimeGenerated",
      "Message",
      "Audit",
      ...columns,
      ...own,
    ]);
    expect(columnsOf(query).filter((name) => !known.has(name))).toEqual([]);
  });

  test("an unknown field or column is found", () => {
    expect(fieldsOf("| where Audit.accessToken == 1")).toEqual(["accessToken"]);
    expect(columnsOf("Exchanges\n| where Userr == 1")).toContain("Userr");
  });

  test.each(queries)("%s has balanced parentheses and begins with a comment", (_, query) => {
    const text = withoutComments(query);
    expect(text.split("(").length).toBe(text.split(")").length);
    expect(query.startsWith("//")).toBe(true);
  });

  test.each(["alert-failed.kql", "alert-failed-count.kql"])(
    "an outage of an API behind the relay does not fire %s",
    (file) => {
      const alert = queries.find(([name]) => name === file)?.[1] ?? "";
      const [, codes = ""] = /^\| where Code !in \((.*)\)$/m.exec(alert) ?? [];
      const { downstream } = DEPENDENCY_PROBLEMS;
      const failed = downstream.filter(
        (problem) => outcomeOf({ kind: "dependency_failed", dependency: "downstream", problem }, 503) === "failed",
      );
      expect(codes.split(", ").sort()).toEqual(failed.map((problem) => `"downstream_${problem}"`).sort());
    },
  );

  test("the outcomes in comparisons exist", () => {
    const outcomes = queries.flatMap(([, query]) =>
      [...query.matchAll(/Outcome (?:==|!=) "(\w+)"/g)].map(([, name]) => name),
    );
    for (const outcome of outcomes) {
      expect(auditSource).toContain(`"${outcome}"`);
    }
  });
});
