/** The alerts of infra/modules/alerts.bicep over rows in memory: which ones fire. */
import { readFileSync } from "node:fs";
import { type Row, runKql, type Tables } from "./kql/run-kql.ts";

const infra = (path: string) => readFileSync(new URL(`../../../infra/${path}`, import.meta.url), "utf8");

export const SERVICE_PRINCIPAL = "0b1ec700-0000-4000-8000-0000000000ff";
export const CLIENT_ID = "5e471ce0-0000-4000-8000-0000000000ff";

export interface AlertRule {
  readonly key: string;
  readonly query: string;
  readonly column: string;
  readonly aggregation: string;
  readonly operator: string;
  readonly threshold: number;
}

/** With the default thresholds of main.bicep. queries.test.ts compares the deployed rules with the same files. */
export function alertRules(): readonly AlertRule[] {
  const [, thresholds = ""] = /param alertThresholds AlertThresholds = \{([^}]*)\}/.exec(infra("main.bicep")) ?? [];
  const thresholdOf = (text: string) => {
    const named = /^thresholds\.(\w+)$/.exec(text)?.[1];
    return named === undefined ? Number(text) : Number(new RegExp(`${named}: (\\d+)`).exec(thresholds)?.[1]);
  };
  return [...infra("modules/alerts.bicep").matchAll(/\n +key: '[\w-]+'[\s\S]*?\n +window: '\w+'/g)].map(([block]) => {
    const member = (name: string) => new RegExp(`\\n +${name}: '?([\\w.-]+)'?\\n`).exec(block)?.[1] ?? "";
    const key = member("key");
    return {
      key,
      query: queryOf(key, /query: '\$\{auditEvents\}/.test(block)),
      column: member("column"),
      aggregation: member("aggregation"),
      operator: member("operator"),
      threshold: thresholdOf(member("threshold")),
    };
  });
}

/** The keys of the alerts that fire. An alert whose query returns no row does not. */
export function firing(tables: Tables, now: number): string[] {
  const all = { AppTraces: [], AuditLogs: [], ...tables };
  return alertRules()
    .filter((rule) => fires(rule, all, now))
    .map(({ key }) => key);
}

/** Log lines as Azure Monitor stores them. */
export function toTraces(lines: readonly string[], now: number): Row[] {
  return lines.map((Message) => ({ TimeGenerated: new Date(now), Message }));
}

// ---------------------------------------------------------------------------------------------------------------

function queryOf(key: string, ofAuditEvents: boolean): string {
  return `${ofAuditEvents ? infra("kql/audit-events.kql") : ""}${infra(`kql/alert-${key}.kql`)}`
    .replaceAll("SERVICE_PRINCIPAL_ID", SERVICE_PRINCIPAL)
    .replaceAll("CLIENT_IDS", CLIENT_ID);
}

const AGGREGATIONS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  Total: (values) => values.reduce((sum, one) => sum + one, 0),
};

const OPERATORS: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThan: (value, threshold) => value > threshold,
  GreaterThanOrEqual: (value, threshold) => value >= threshold,
  LessThanOrEqual: (value, threshold) => value <= threshold,
};

function fires({ key, query, column, ...rule }: AlertRule, tables: Tables, now: number): boolean {
  const [aggregate, holds] = [AGGREGATIONS[rule.aggregation], OPERATORS[rule.operator]];
  if (aggregate === undefined || holds === undefined || Number.isNaN(rule.threshold))
    throw new Error(`cannot read ${key}`);
  const measured = runKql(query, tables, now).map((row) => Number(row[column]));
  return measured.length > 0 && holds(aggregate(measured), rule.threshold);
}
