/** Alerts and workbook ask only for what the audit events carry. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { at, deployMain, infraFile, ofType, value } from "./scenarios.ts";

/** Members of `AuditEvent`, read from its source: it is a type and leaves nothing to import. */
const auditSource = readFileSync(new URL("../../shared/audit/audit-event.ts", import.meta.url), "utf8");
const EXCHANGE_FIELDS = [...auditSource.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name]) => name);
/** Of the events `credential` and `ready`, as the timer writes them. */
const OTHER_FIELDS = ["event", "registration", "version", "daysToExpiry", "state"];

const folder = infraFile("kql/");
const queries = readdirSync(folder).map((name) => [name, readFileSync(`${folder}${name}`, "utf8")] as const);
const base = queries.find(([name]) => name === "audit-events.kql")?.[1] ?? "";
const columns = [...base.matchAll(/^ {4}(\w+) = /gm)].map(([, name]) => name ?? "");

const fieldsOf = (query: string) => [...query.matchAll(/\bAudit\.(\w+)/g)].map(([, name]) => name);
const withoutComments = (query: string) => query.replaceAll(/^\/\/.*$/gm, "").replaceAll(/"[^"]*"/g, '""');
/** Names that start with a capital are columns: of the base query or made in the query itself. */
const columnsOf = (query: string) =>
  [...withoutComments(query).matchAll(/(?<![.\w])([A-Z]\w*)\b/g)].map(([, name]) => name ?? "");

describe("queries", () => {
  test("the audit event still has the fields that this test reads from its source", () => {
    expect(EXCHANGE_FIELDS).toEqual(
      expect.arrayContaining(["event", "outcome", "code", "status", "flow", "cache", "milliseconds", "aadsts"]),
    );
  });

  test.each(queries)("%s names only fields of the audit events", (_, query) => {
    expect(fieldsOf(query).filter((name) => ![...EXCHANGE_FIELDS, ...OTHER_FIELDS].includes(name))).toEqual([]);
  });

  test.each(queries)("%s names only columns that exist", (_, query) => {
    const own = [...query.matchAll(/\b([A-Z]\w*) = /g)].map(([, name]) => name);
    const known = new Set([
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

  test("a field or column that does not exist is seen", () => {
    expect(fieldsOf("| where Audit.accessToken == 1")).toEqual(["accessToken"]);
    expect(columnsOf("Exchanges\n| where Userr == 1")).toContain("Userr");
  });

  test.each(queries)("%s closes what it opens", (_, query) => {
    const text = withoutComments(query);
    expect(text.split("(").length).toBe(text.split(")").length);
    expect(query.startsWith("//")).toBe(true);
  });

  test("outcomes and caches that are compared exist", () => {
    const outcomes = queries.flatMap(([, query]) =>
      [...query.matchAll(/Outcome (?:==|!=) "(\w+)"/g)].map(([, name]) => name),
    );
    for (const outcome of outcomes) {
      expect(auditSource).toContain(`"${outcome}"`);
    }
  });
});

describe("alerts", () => {
  const deployment = deployMain();
  const alerts = ofType(deployment, "Microsoft.Insights/scheduledQueryRules");
  const criterion = (path: string) =>
    (value(at(deployment, path), "properties.criteria.allOf") as Record<string, unknown>[])[0] ?? {};

  test("there is one for failures, throttling, the credential, readiness and silence", () => {
    expect(alerts.map(({ name }) => name)).toEqual([
      "alert-example-failed",
      "alert-example-throttled",
      "alert-example-credential",
      "alert-example-readiness",
      "alert-example-silence",
    ]);
  });

  test("silence raises one: its query has a row exactly when nothing was counted, and two signs may be missed", () => {
    const { query, metricMeasureColumn, operator, threshold } = criterion("alerts/alerts[4]");
    const text = String(query).slice(base.length);
    // Without `by`, a count over nothing is a row with 0; with it there would be no row at all.
    expect(text).toMatch(/summarize SignsOfLife = count\(\)\n\| where SignsOfLife == 0\n/);
    expect([metricMeasureColumn, operator, threshold]).toEqual(["Silent", "GreaterThan", 0]);
    const minutes = Number(/ago\((\d+)m\)/.exec(text)?.[1]);
    const window = String(value(at(deployment, "alerts/alerts[4]"), "properties.windowSize"));
    expect(minutes).toBe(45);
    expect(window).toBe("PT1H");
    const register = readFileSync(new URL("../../functions/register.ts", import.meta.url), "utf8");
    expect(register).toContain('schedule: "20 7,22,37,52 * * * *"');
  });

  test("the credential's leaves out what has no end, and what was not said by the timer", () => {
    const text = String(criterion("alerts/alerts[2]")["query"]).slice(base.length);
    expect(text).toContain("isnotempty(tostring(Audit.registration))");
    // Of the latest event of each registration: one that lost its end must not be outlived by an older event.
    expect(text.indexOf("arg_max")).toBeLessThan(text.indexOf("isnotnull(DaysToExpiry)"));
  });

  test.each(alerts.map(({ path }) => path))("%s measures a column that its query makes", (path) => {
    const { query, metricMeasureColumn } = criterion(path);
    expect(query).toContain(`${metricMeasureColumn} = `);
    expect(String(query).startsWith(base)).toBe(true);
  });

  test("they ask the workspace and tell the given addresses", () => {
    for (const alert of alerts) {
      expect(value(alert, "properties.scopes")).toEqual([at(deployment, "monitoring/workspace").id]);
      expect(value(alert, "properties.actions.actionGroups")).toEqual([at(deployment, "alerts/recipients").id]);
      expect(value(alert, "properties.enabled")).toBe(true);
    }
    expect(value(at(deployment, "alerts/recipients"), "properties.emailReceivers")).toEqual([
      { name: "mail-0", emailAddress: "identity-team@example.com", useCommonAlertSchema: true },
    ]);
  });

  test("without addresses they are there and tell nobody", () => {
    const silent = deployMain({ alertEmailAddresses: [] });
    expect(ofType(silent, "Microsoft.Insights/actionGroups")).toEqual([]);
    expect(ofType(silent, "Microsoft.Insights/scheduledQueryRules")).toHaveLength(5);
  });

  test("thresholds are the parameters", () => {
    const strict = deployMain({ alertThresholds: { failedPercent: 1, throttledCount: 2, credentialDays: 3 } });
    const thresholds = ofType(strict, "Microsoft.Insights/scheduledQueryRules").map(
      (alert) => (value(alert, "properties.criteria.allOf") as { threshold: number }[])[0]?.threshold,
    );
    expect(thresholds).toEqual([1, 2, 3, 0, 0]);
  });
});

describe("the workbook", () => {
  const workbook = at(deployMain(), "workbook/workbook");
  const { items } = JSON.parse(String(value(workbook, "properties.serializedData"))) as {
    items: { type: number; content: { title?: string; query?: string; crossComponentResources?: string[] } }[];
  };

  test("has a panel for each query of the workbook, over one time range", () => {
    const panels = items.filter(({ type }) => type === 3).map(({ content }) => content);
    const files = queries.filter(([name]) => name.startsWith("workbook-")).map(([, query]) => `${base}${query}`);
    expect(panels.map(({ query }) => query).sort()).toEqual(files.sort());
    expect(items.filter(({ type }) => type === 9)).toHaveLength(1);
    for (const panel of panels) {
      expect(panel.title).not.toBe("");
      expect(panel.crossComponentResources).toHaveLength(1);
    }
  });
});
