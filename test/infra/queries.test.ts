/** Alerts and workbook: their queries, recipients and thresholds. kql.test.ts tests the text of the queries. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeWithBicep, infraFile } from "./support/compiler.ts";
import type { Deployed } from "./support/deploy.ts";
import { ofType, reference, the, value } from "./support/look.ts";
import { deployMain } from "./support/scenarios.ts";

const query = (name: string) => readFileSync(infraFile(`kql/${name}.kql`), "utf8");
/** Every deployed query begins with this query. */
const base = query("audit-events");
const IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities";
const RULE = "Microsoft.Insights/scheduledQueryRules";
const NAMES = [
  ...["failed", "failed-count", "throttled", "credential", "readiness", "policy"],
  ...["wrong-caller", "refusals", "grants", "events", "upkeep", "overload", "readers", "silence"],
];
/** Of Azure's own logs. */
const READERS = "readers";

const alert = async (name: string) => the(await deployMain(), RULE, `-${name}`);
const criterion = async (name: string) =>
  (value(await alert(name), "properties.criteria.allOf") as Record<string, unknown>[])[0] ?? {};

describeWithBicep("alerts", () => {
  test("exist for each query of infra/kql, except for Entra's audit logs", async () => {
    const alerts = ofType(await deployMain(), RULE);
    expect(alerts.map(({ name }) => name)).toEqual(NAMES.map((name) => `alert-example-${name}`));
  });

  test("the silence alert fires if the timer wrote no event for 45 minutes", async () => {
    const { query: deployed, metricMeasureColumn, operator, threshold } = await criterion("silence");
    const text = String(deployed).slice(base.length);
    // Without `by`, count() over no events returns a row with 0. With `by` it would return no row.
    expect(text).toMatch(/summarize SignsOfLife = count\(\)\n\| where SignsOfLife == 0\n/);
    expect([metricMeasureColumn, operator, threshold]).toEqual(["Silent", "GreaterThan", 0]);
    const minutes = Number(/ago\((\d+)m\)/.exec(text)?.[1]);
    expect(minutes).toBe(45);
    expect(value(await alert("silence"), "properties.windowSize")).toBe("PT1H");
    const register = readFileSync(new URL("../../functions/register.ts", import.meta.url), "utf8");
    expect(register).toContain('schedule: "20 7,22,37,52 * * * *"');
  });

  test("the credential alert ignores credentials without an expiry date and events that the timer did not write", async () => {
    const text = String((await criterion("credential"))["query"]).slice(base.length);
    expect(text).toContain("isnotempty(tostring(Audit.state))");
    // Filter after arg_max: if the latest event has no expiry date, an older event must not count.
    expect(text.indexOf("arg_max")).toBeGreaterThan(-1);
    expect(text.indexOf("arg_max")).toBeLessThan(text.indexOf("isnotnull(DaysToExpiry)"));
  });

  test.for(NAMES.filter((name) => name !== READERS))("the %s alert measures a column of its query", async (name) => {
    const { query: deployed, metricMeasureColumn } = await criterion(name);
    expect(deployed).toBe(`${base}${query(`alert-${name}`)}`);
    expect(deployed).toContain(`${metricMeasureColumn} = `);
  });

  test("the readers alert leaves out the identity of the service, which is known after its deployment", async () => {
    const deployment = await deployMain();
    const principalId = reference(the(deployment, IDENTITY), "principalId");
    const { query: deployed, metricMeasureColumn } = await criterion(READERS);
    const text = query(`alert-${READERS}`).replaceAll("'", "''");
    expect(deployed).toBe(`[replace('${text}', 'SERVICE_PRINCIPAL_ID', ${principalId})]`);
    expect(deployed).toContain(`${metricMeasureColumn} = `);
  });

  test("an alert watches the registrations if Entra's audit logs are there, and none does otherwise", async () => {
    expect(ofType(await deployMain(), RULE).filter(({ name }) => name.endsWith("-registration"))).toEqual([]);
    const appOnly = { clientId: "44444444-4444-4444-8444-444444444444" };
    const rule = the(await deployMain({ hasEntraAuditLogs: true, appOnly }), RULE, "-registration");
    const { query: deployed } = (value(rule, "properties.criteria.allOf") as Record<string, unknown>[])[0] ?? {};
    const ids = '"11111111-1111-4111-8111-111111111111", "44444444-4444-4444-8444-444444444444"';
    expect(deployed).toBe(query("alert-registration").replaceAll('"CLIENT_IDS"', ids));
  });

  test("query the workspace and send email to the configured addresses", async () => {
    const deployment = await deployMain();
    const recipients = the(deployment, "Microsoft.Insights/actionGroups");
    for (const rule of ofType(deployment, RULE)) {
      expect(value(rule, "properties.scopes")).toEqual([
        the(deployment, "Microsoft.OperationalInsights/workspaces").id,
      ]);
      expect(value(rule, "properties.actions.actionGroups")).toEqual([recipients.id]);
      expect(value(rule, "properties.enabled")).toBe(true);
    }
    expect(value(recipients, "properties.emailReceivers")).toEqual([
      { name: "mail-0", emailAddress: "identity-team@example.com", useCommonAlertSchema: true },
    ]);
  });

  test("exist without recipients if no address is configured", async () => {
    const silent = await deployMain({ alertEmailAddresses: [] });
    expect(ofType(silent, "Microsoft.Insights/actionGroups")).toEqual([]);
    expect(ofType(silent, RULE)).toHaveLength(NAMES.length);
    for (const rule of ofType(silent, RULE)) {
      expect(value(rule, "properties.actions.actionGroups")).toEqual([]);
    }
  });

  test("have the thresholds of the parameters", async () => {
    const strict = await deployMain({
      alertThresholds: {
        failedPercent: 1,
        failedCount: 4,
        refusedCount: 5,
        grantCount: 6,
        throttledCount: 2,
        credentialDays: 3,
      },
    });
    const thresholds = ofType(strict, RULE).map((rule) => value(rule, "properties.criteria.allOf.0.threshold"));
    expect(thresholds).toEqual([1, 4, 2, 3, 0, 0, 0, 5, 6, 0, 0, 3, 0, 0]);
  });
});

describeWithBicep("alerts on the activity log", () => {
  const CHANGE = "Microsoft.Insights/activityLogAlerts";
  const operationsOf = (alert: Deployed) =>
    (value(alert, "properties.condition.allOf.2.anyOf") as { field: string; equals: string }[]).map(
      ({ field, equals }) => `${field} ${equals}`,
    );

  test("watch role assignments, the app and its audit trail in the resource group, once a change succeeded", async () => {
    const deployment = await deployMain();
    const alerts = ofType(deployment, CHANGE);
    expect(alerts.map(({ name }) => name)).toEqual(["alert-example-roles", "alert-example-settings"]);
    for (const alert of alerts) {
      expect(value(alert, "properties.scopes")).toEqual([expect.stringMatching(/\/resourceGroups\/rg-test$/)]);
      expect(value(alert, "properties.condition.allOf.0")).toEqual({ field: "category", equals: "Administrative" });
      expect(value(alert, "properties.condition.allOf.1")).toEqual({ field: "status", equals: "Succeeded" });
      expect(value(alert, "properties.enabled")).toBe(true);
    }
    expect(operationsOf(the(deployment, CHANGE, "-roles"))).toEqual([
      "operationName Microsoft.Authorization/roleAssignments/write",
      "operationName Microsoft.Authorization/roleAssignments/delete",
    ]);
    expect(operationsOf(the(deployment, CHANGE, "-settings"))).toEqual(
      expect.arrayContaining([
        "operationName Microsoft.Web/sites/config/write",
        "operationName Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "operationName Microsoft.Insights/diagnosticSettings/delete",
        ...["scheduledQueryRules", "activityLogAlerts", "actionGroups"].flatMap((type) => [
          `operationName Microsoft.Insights/${type}/write`,
          `operationName Microsoft.Insights/${type}/delete`,
        ]),
      ]),
    );
  });

  test("send email to the configured addresses, and exist without one", async () => {
    const deployment = await deployMain();
    const recipients = the(deployment, "Microsoft.Insights/actionGroups").id;
    for (const alert of ofType(deployment, CHANGE)) {
      expect(value(alert, "properties.actions.actionGroups")).toEqual([{ actionGroupId: recipients }]);
    }
    const silent = ofType(await deployMain({ alertEmailAddresses: [] }), CHANGE);
    expect(silent.map((alert) => value(alert, "properties.actions.actionGroups"))).toEqual([[], []]);
  });
});

describeWithBicep("the workbook", () => {
  test("has a panel for each query of the workbook, over one time range", async () => {
    const deployment = await deployMain();
    const workbook = the(deployment, "Microsoft.Insights/workbooks");
    const { items } = JSON.parse(String(value(workbook, "properties.serializedData"))) as {
      items: { type: number; content: { title?: string; query?: string; crossComponentResources?: string[] } }[];
    };
    const panels = items.filter(({ type }) => type === 3).map(({ content }) => content);
    const files = readdirSync(infraFile("kql")).filter((name) => name.startsWith("workbook-"));
    expect(panels.map((panel) => panel.query).sort()).toEqual(
      files.map((name) => `${base}${query(name.replace(".kql", ""))}`).sort(),
    );
    expect(items.filter(({ type }) => type === 9)).toHaveLength(1);
    const workspace = the(deployment, "Microsoft.OperationalInsights/workspaces").id;
    for (const panel of panels) {
      expect(panel.title).toMatch(/./);
      expect(panel.crossComponentResources).toEqual([workspace]);
    }
  });
});
