/**
 * Which alerts fire: the queries of infra/kql run over the audit events that the service writes for real requests, and over
 * rows of Azure's own logs.
 */
import { readdirSync } from "node:fs";
import { InvocationContext, type Timer, type TimerHandler } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { createReadiness } from "../../functions/composition/readiness.ts";
import { createSendEvents } from "../../functions/timers/send-events.ts";
import { createWatch } from "../../functions/timers/watch.ts";
import { sealRefreshToken } from "../../local/tenant/oauth/refresh-token.ts";
import { allowedHandle } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { alertRules, CLIENT_ID, firing, SERVICE_PRINCIPAL, toTraces } from "./support/alert-rules.ts";
import { runKql } from "./support/kql/run-kql.ts";

const { world, clock, service } = useWorld({ newServiceForEachTest: true });

const now = () => clock.nowMs();
/** Without the silence alert: its timer does not run in these tests. */
const fired = (at: ServiceUnderTest = service) =>
  firing({ AppTraces: toTraces(at.logs, now()) }, now()).filter((key) => key !== "silence");
const exchange = (at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
const strangers = async (count: number) => {
  for (let index = 0; index < count; index += 1) {
    const headers = bearer(`eyJhbGciOiJSUzI1NiJ9.${Buffer.from(`{"n":${index}}`).toString("base64url")}.AA`);
    await service.call("/AuthorizationHeader/graph", { headers });
  }
};
const outage = () => world.tenant.state.order({ endpoint: "token", status: 500, times: 0 });

async function runTimer(timer: TimerHandler, at: ServiceUnderTest = service): Promise<void> {
  const logHandler = (_level: string, ...args: unknown[]) => void at.logs.push(args.map(String).join(" "));
  await timer(
    { isPastDue: false } as Timer,
    new InvocationContext({ functionName: "t", invocationId: "t", logHandler }),
  );
}

describe("failures", () => {
  test("a flood of 401s fires no alert", async () => {
    await strangers(400);
    expect(service.events()).toHaveLength(400);
    expect(fired()).toEqual([]);
  });

  test("a real outage under a flood of 401s fires the alert about failures", async () => {
    await strangers(400);
    outage();
    for (let call = 0; call < 8; call += 1) expect((await exchange()).status).toBe(503);
    expect(fired()).toEqual(["failed"]);
    // Of all events that would be 2 %, below the threshold of 5 %.
    expect((8 / service.events().length) * 100).toBeLessThan(5);
  });

  test("a large outage fires the absolute alert too", async () => {
    outage();
    for (let call = 0; call < 100; call += 1) await exchange();
    expect(fired()).toEqual(["failed", "failed-count"]);
  });

  test("100 failures among so many exchanges that the percentage stays low fire the absolute alert only", () => {
    const event = (outcome: string) => JSON.stringify({ event: "exchange", outcome, code: "x", callerKind: "user" });
    const lines = Array.from({ length: 3_000 }, (_, index) => event(index < 100 ? "failed" : "issued"));
    expect(firing({ AppTraces: toTraces(lines, now()) }, now()).filter((key) => key !== "silence")).toEqual([
      "failed-count",
    ]);
  });

  test("failures of strangers, as a fault of the service before authentication makes them, fire no alert", () => {
    const event = { event: "exchange", outcome: "failed", code: "internal", status: 500, route: "token" };
    const lines = Array.from({ length: 500 }, () => JSON.stringify(event));
    expect(firing({ AppTraces: toTraces(lines, now()) }, now())).toEqual(["silence"]);
  });

  test("four failures, of few exchanges, fire no alert; five do", async () => {
    outage();
    for (let call = 0; call < 4; call += 1) await exchange();
    expect(fired()).toEqual([]);
    await exchange();
    expect(fired()).toEqual(["failed"]);
  });
});

test("throttled callers fire an alert, and strangers who guess a client's secret none", () => {
  const event = { event: "exchange", outcome: "refused", status: 429 };
  const traces = (changes: Record<string, unknown>) =>
    toTraces(
      Array.from({ length: 50 }, () => JSON.stringify({ ...event, ...changes })),
      now(),
    );
  expect(firing({ AppTraces: traces({ code: "client_budget_used_up" }) }, now())).toEqual(["silence"]);
  const AppTraces = traces({ code: "budget_used_up", callerKind: "user", policyEntry: "web-users" });
  expect(firing({ AppTraces }, now())).toEqual(["throttled", "silence"]);
});

describe("the behaviour of callers", () => {
  test("a handle that another caller presents fires an alert", async () => {
    const handle = await allowedHandle(service);
    service.logs.length = 0;
    const headers = bearer(appToken(world));
    await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
    expect(fired()).toEqual(["wrong-caller"]);
  });

  test("a handle of no grant, and a handle without a caller, fire none", async () => {
    const handle = await allowedHandle(service);
    service.logs.length = 0;
    const json = { grant: `gte_${"A".repeat(43)}` };
    await service.call("/AuthorizationHeader/graph", { json, headers: bearer(appToken(world)) });
    await service.call("/AuthorizationHeader/graph", { json: { grant: handle } });
    expect(fired()).toEqual([]);
  });

  test("a burst of refusals by one caller fires an alert, and the same number by many strangers none", async () => {
    const ask = () =>
      service.call("/AuthorizationHeader/graph", {
        json: { scopes: ["Mail.Send"] },
        headers: bearer(userToken(world)),
      });
    for (let call = 0; call < 99; call += 1) expect((await ask()).status).toBe(403);
    await strangers(100);
    expect(fired()).toEqual([]);
    await ask();
    expect(fired()).toEqual(["refusals"]);
  });

  test("people who must sign in again fire no alert about their caller", async () => {
    const lines = Array.from({ length: 300 }, () =>
      JSON.stringify({
        event: "exchange",
        outcome: "refused",
        code: "interaction_required",
        callerKind: "user",
        callerClientId: "c",
      }),
    );
    expect(firing({ AppTraces: toTraces(lines, now()) }, now())).toEqual(["silence"]);
  });

  test("a new unattended grant fires an alert, and a grant of a person's own application none", async () => {
    const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
    expect((await service.call("/oauth2/token", { form })).status).toBe(200);
    expect(service.lastEvent()).toMatchObject({ grantMade: true, callerKind: "user" });
    expect(fired()).toEqual([]);
    await allowedHandle(service);
    expect(fired()).toEqual(["grants"]);
  });

  test("an imported refresh token fires the same alert", async () => {
    const at = world.serve({
      settings: { POLICY: policyWithEntries({ "web-users": { importRefreshTokens: true } }) },
    });
    const refreshToken = sealRefreshToken(world.tenant.state, {
      userOid: USER_IDS.alice,
      clientId: CLIENT_IDS.service,
      issuedAtMs: Date.now(),
      scope: "https://graph.microsoft.com/User.Read",
      satisfied: [],
    });
    const form = { grant_type: "refresh_token", refresh_token: refreshToken, audience: "graph" };
    const answer = await at.call("/oauth2/token", { form, headers: bearer(userToken(world)) });
    expect([answer.status, at.lastEvent()["grantMade"]]).toEqual([200, true]);
    expect(fired(at)).toEqual(["grants"]);
  });
});

describe("overload", () => {
  const load = (entry: string | undefined) =>
    JSON.stringify({ event: "load", name: "refused", reason: "lane_full", count: 9, ...(entry && { entry }) });
  const firedBy = (lines: string[]) =>
    firing({ AppTraces: toTraces(lines, now()) }, now()).filter((key) => key !== "silence");

  test("known callers that are refused for half a minute fire an alert, and a moment fires none", () => {
    expect(firedBy([load("web-users"), load("daemon")])).toEqual([]);
    expect(firedBy([load("web-users"), load("daemon"), load("web-users")])).toEqual(["overload"]);
  });

  test("any number of strangers that are refused fires none", () => {
    expect(firedBy(Array.from({ length: 90 }, () => load(undefined)))).toEqual([]);
  });
});

describe("grants that need attention", () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ["a grant that Entra refused to the timer", { event: "keep_alive", kept: 3, refused: 1, failed: 0 }, ["upkeep"]],
    ["a grant that the timer could not write", { event: "keep_alive", kept: 3, refused: 0, failed: 1 }, ["upkeep"]],
    ["a grant that could not be deleted", { event: "grants", name: "orphan_left", grantId: "g" }, ["upkeep"]],
    ["grants that were kept, or that Entra did not answer", { event: "keep_alive", kept: 3, busy: 2, refused: 0 }, []],
    ["a grant that was deleted at the second attempt", { event: "grants", name: "orphan_removed" }, []],
  ])("%s", (_what, event, keys) => {
    const AppTraces = toTraces([JSON.stringify(event)], now());
    expect(firing({ AppTraces }, now()).filter((key) => key !== "silence")).toEqual(keys);
  });
});

describe("the timers", () => {
  test("the watch timer of a service that is ready fires nothing, the silence alert included", async () => {
    await runTimer(createWatch(service.service, createReadiness(service.service)));
    expect(firing({ AppTraces: toTraces(service.logs, now()) }, now())).toEqual([]);
    expect(firing({ AppTraces: toTraces(service.logs, now() - 50 * MINUTE) }, now())).toEqual(["silence"]);
  });

  test("a service that is not ready fires its alert", async () => {
    const at = world.serve({ settings: { GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" } });
    await runTimer(createWatch(at.service, createReadiness(at.service)), at);
    expect(fired(at)).toEqual(["readiness"]);
  });

  test("a credential that ends in 20 days fires its alert", async () => {
    const { value } = world.tenant.state.rotateSecret({ inVault: false });
    const expires = Math.floor(now() / 1_000) + 20 * 86_400;
    world.tenant.state.setSecret({ name: "ending-secret", value, expires });
    const at = world.serve({ settings: { CLIENT_SECRET_NAME: "ending-secret" } });
    await runTimer(createWatch(at.service, createReadiness(at.service)), at);
    expect(fired(at)).toEqual(["credential"]);
  });

  test("events that were given up fire their alert", async () => {
    world.tenant.state.setTopicSender({ sends: false });
    const at = world.serve({
      settings: { EVENT_GRID_TOPIC_ENDPOINT: world.tenant.state.topicEvents().endpoint },
    });
    await allowedHandle(at);
    await at.service.grantEvents?.settled();
    clock.advance(25 * 60 * MINUTE);
    at.logs.length = 0;
    const { grantEvents } = at.service;
    if (grantEvents === undefined) throw new Error("no events");
    await runTimer(createSendEvents(at.service, grantEvents), at);
    expect(fired(at)).toEqual(["events"]);
    world.tenant.state.setTopicSender({ sends: true });
  });
});

describe("Azure's own logs", () => {
  const VAULT = { ResourceProvider: "MICROSOFT.KEYVAULT", OperationName: "SecretGet" };
  const OID = "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g";
  const other = "0b1ec700-0000-4000-8000-0000000000ee";
  const firedBy = (tables: Record<string, Record<string, unknown>[]>) =>
    firing(tables, now()).filter((key) => key !== "silence");

  test("another identity reads or sets a secret, or uses a row: an alert, whichever columns and tables exist", () => {
    expect(firedBy({ AzureDiagnostics: [{ ...VAULT, [OID]: other }] })).toEqual(["readers"]);
    expect(firedBy({ AzureDiagnostics: [{ ...VAULT, identity_claim_oid_g: other }] })).toEqual(["readers"]);
    expect(firedBy({ AzureDiagnostics: [{ ...VAULT, OperationName: "SecretSet", [OID]: other }] })).toEqual([
      "readers",
    ]);
    const row = { OperationName: "QueryEntities", RequesterObjectId: other };
    expect(firedBy({ StorageTableLogs: [row] })).toEqual(["readers"]);
  });

  test("the service itself, requests without an identity and settings of the storage fire none", () => {
    const tables = {
      AzureDiagnostics: [
        { ...VAULT, [OID]: SERVICE_PRINCIPAL },
        { ...VAULT, [OID]: "" },
        { ...VAULT, OperationName: "VaultGet", [OID]: other },
      ],
      StorageTableLogs: [
        { OperationName: "MergeEntity", RequesterObjectId: SERVICE_PRINCIPAL },
        { OperationName: "QueryEntities", RequesterObjectId: "" },
        { OperationName: "GetTableServiceProperties", RequesterObjectId: other },
      ],
    };
    expect(firedBy({ ...tables })).toEqual([]);
  });

  const change = (changes: Record<string, unknown>) => ({
    Category: "ApplicationManagement",
    Result: "success",
    OperationName: "Update application",
    TargetResources: [{ type: "Application", id: other, displayName: "graph-token-exchange" }],
    AdditionalDetails: [{ key: "AppId", value: CLIENT_ID }],
    ...changes,
  });

  test.each([
    ["its federated credentials", {}],
    ["a secret or certificate", { OperationName: "Update application – Certificates and secrets management " }],
    ["a credential of its service principal", { OperationName: "Add service principal credentials" }],
    ["an owner", { OperationName: "Add owner to application" }],
  ])("a change of %s of the service's registration fires an alert", (_what, changes) => {
    expect(firedBy({ AuditLogs: [change(changes)] })).toEqual(["registration"]);
  });

  test("a change of another application, a failed one and a sign-in assignment fire none", () => {
    const changes = [
      { AdditionalDetails: [{ key: "AppId", value: other }] },
      { Result: "failure" },
      { OperationName: "Add app role assignment grant to user" },
    ];
    expect(firedBy({ AuditLogs: changes.map(change) })).toEqual([]);
  });
});

describe("this test", () => {
  test("reads every alert query of infra/kql, with its threshold", () => {
    const files = readdirSync(new URL("../../infra/kql", import.meta.url)).filter((name) => name.startsWith("alert-"));
    expect(
      alertRules()
        .map(({ key }) => `alert-${key}.kql`)
        .sort(),
    ).toEqual(files.sort());
    for (const { threshold, column } of alertRules()) {
      expect(threshold).toBeGreaterThanOrEqual(0);
      expect(column).toMatch(/^[A-Z]/);
    }
  });

  test.each([
    ["an operator", "AppTraces | mv-apply x"],
    ["a function", "AppTraces | where strlen(Message) == 1"],
    ["a column", "AppTraces | where Nothing == 1"],
    ["a table", "Nothing | where Message == 1"],
  ])("refuses %s that it does not know", (_what, query) => {
    expect(() => runKql(query, { AppTraces: [{ Message: "x" }] }, 0)).toThrow();
  });
});
