import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newHandle } from "../../../shared/grants/grant-handle.ts";
import type { GrantStore } from "../../../shared/grants/grant-store.ts";
import { openGrantTable } from "../../../shared/grants/grant-table.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import { callTable } from "../../../shared/grants/table-call.ts";
import { createTableGrantStore } from "../../../shared/grants/table-grant-store.ts";
import {
  type Answer,
  type FakeTableService,
  hang,
  hangUp,
  json,
  odataError,
  startFakeTableService,
} from "./support/fake-table-service.ts";
import { EPOCH_MS, expectOk, grantRequest, testSealers, userCaller } from "./support/fixtures.ts";
import { memoryStore } from "./support/memory-store.ts";

let service: FakeTableService;
let store: GrantStore;
const ID = newHandle().id;

beforeAll(async () => {
  service = await startFakeTableService();
});
afterAll(() => service.stop());
beforeEach(() => {
  service.requests.length = 0;
  store = makeStore(5_000);
});

function makeStore(deadlineMs: number): GrantStore {
  return createTableGrantStore(
    openGrantTable({
      cloudName: "local",
      tableEndpoint: service.endpoint,
      tableName: "grants",
      identity: undefined,
      deadlineMs,
    }),
  );
}

async function aGrant() {
  const memory = memoryStore();
  const { grant } = expectOk(
    await createGrants({ store: memory, ...testSealers(), now: () => EPOCH_MS }).create(grantRequest()),
  );
  const stored = memory.rows.get(grant.id);
  if (stored === undefined) throw new Error("no grant");
  return stored;
}

describe("an answer of the table service", () => {
  it.each<[string, Answer, object, number]>([
    [
      "500 twice is store_unavailable",
      odataError(500, "InternalError"),
      { kind: "store_unavailable", code: "InternalError" },
      2,
    ],
    [
      "503 twice is store_unavailable",
      odataError(503, "ServerBusy"),
      { kind: "store_unavailable", code: "ServerBusy" },
      2,
    ],
    ["a broken connection twice is store_unavailable", hangUp, { kind: "store_unavailable", code: "ECONNRESET" }, 2],
    [
      "400 is store_unavailable without a retry",
      odataError(400, "InvalidInput"),
      { kind: "store_unavailable", code: "InvalidInput" },
      1,
    ],
    [
      "401 is store_refused",
      odataError(401, "AuthenticationFailed"),
      { kind: "store_refused", code: "AuthenticationFailed" },
      1,
    ],
    [
      "403 is store_refused",
      odataError(403, "AuthorizationPermissionMismatch"),
      { kind: "store_refused", code: "AuthorizationPermissionMismatch" },
      1,
    ],
    [
      "a code that is a sentence is replaced",
      odataError(403, "See https://secret.example"),
      { kind: "store_refused", code: "RestError" },
      1,
    ],
  ])("%s", async (_name, answer, failure, requests) => {
    service.answers = [answer];
    expect(await store.read(ID)).toEqual({ ok: false, failure });
    expect(service.requests).toHaveLength(requests);
    service.requests.length = 0;
    expect(await store.check()).toEqual({ ok: false, failure });
  });

  it("503 once, or one broken connection, is retried successfully", async () => {
    for (const answer of [odataError(503, "ServerBusy"), hangUp]) {
      service.answers = [answer, odataError(404, "ResourceNotFound")];
      expect(await store.read(ID)).toEqual({ ok: true, value: undefined });
    }
    expect(service.requests).toHaveLength(4);
  });

  it("that never arrives is store_timeout for every operation", async () => {
    service.answers = [hang];
    const withShortDeadline = makeStore(60);
    const stored = await aGrant();
    const late = { ok: false, failure: { kind: "store_timeout" } };
    expect(await withShortDeadline.read(ID)).toEqual(late);
    expect(await withShortDeadline.create(stored)).toEqual(late);
    expect(await withShortDeadline.replace(stored, { sealed: "x", lastRedeemedAtSeconds: 1 })).toEqual(late);
    expect(await withShortDeadline.delete(stored.grant)).toEqual(late);
    expect(await withShortDeadline.list({ caller: userCaller, limit: 5 })).toEqual(late);
    expect(await withShortDeadline.reap({ beforeSeconds: 1, limit: 5, dryRun: true })).toEqual(late);
  });

  it("that the table cannot be created, or is being deleted, is a failure", async () => {
    const { grant, sealed } = await aGrant();
    service.answers = [odataError(404, "TableNotFound"), odataError(403, "AuthorizationFailure")];
    expect(await store.create({ grant: grant, sealed: sealed })).toEqual({
      ok: false,
      failure: { kind: "store_refused", code: "AuthorizationFailure" },
    });
    service.answers = [
      odataError(404, "TableNotFound"),
      odataError(409, "TableBeingDeleted"),
      odataError(404, "TableNotFound"),
    ];
    expect(await store.create({ grant: grant, sealed: sealed })).toEqual({
      ok: false,
      failure: { kind: "store_unavailable", code: "table_missing" },
    });
  });

  it("that refuses the grant after the index entry leaves no grant", async () => {
    const { grant, sealed } = await aGrant();
    service.answers = [json(undefined, 204), odataError(403, "AuthorizationFailure")];
    expect((await store.create({ grant: grant, sealed: sealed })).ok).toBe(false);
    service.answers = [
      json(undefined, 204),
      odataError(409, "EntityAlreadyExists"),
      odataError(403, "AuthorizationFailure"),
    ];
    expect(await store.create({ grant: grant, sealed: sealed })).toMatchObject({ failure: { kind: "store_refused" } });
    expect(service.requests[0]).toContain("user-");
    expect(service.requests[1]).toBe("POST /devstoreaccount1/grants");
  });

  it("that refuses one grant fails the whole listing", async () => {
    const rowKey = `8199999999-${ID}`;
    service.answers = [json({ value: [{ RowKey: rowKey }] }), odataError(403, "AuthorizationFailure")];
    expect(await store.list({ caller: userCaller, limit: 5 })).toMatchObject({ failure: { kind: "store_refused" } });
  });

  it("that refuses deletions is counted by the reaper", async () => {
    const found = json({
      value: [
        { PartitionKey: "p", RowKey: "1" },
        { PartitionKey: "p", RowKey: "2" },
      ],
    });
    service.answers = [found, odataError(403, "AuthorizationFailure")];
    expect(await store.reap({ beforeSeconds: 9, limit: 5, dryRun: false })).toEqual({
      ok: true,
      value: { expired: 2, deleted: 0, failed: 2, more: false },
    });
  });

  it("with endless empty pages ends the reaper after 100 pages", async () => {
    service.answers = [
      (_request, response) => {
        response.writeHead(200, {
          "content-type": "application/json",
          "x-ms-continuation-NextPartitionKey": "p",
          "x-ms-continuation-NextRowKey": "r",
        });
        response.end('{"value":[]}');
      },
    ];
    expect(await store.reap({ beforeSeconds: 9, limit: 5, dryRun: false })).toEqual({
      ok: true,
      value: { expired: 0, deleted: 0, failed: 0, more: true },
    });
    expect(service.requests).toHaveLength(100);
  });

  it("with short pages does not end a listing early", async () => {
    const row = (digit: string) => ({ RowKey: `8199999999-${digit.repeat(64)}` });
    const page =
      (rows: object[], next: boolean): Answer =>
      (_request, response) => {
        const more = { "x-ms-continuation-NextPartitionKey": "p", "x-ms-continuation-NextRowKey": "r" };
        response.writeHead(200, { "content-type": "application/json", ...(next ? more : {}) });
        response.end(JSON.stringify({ value: rows }));
      };
    service.answers = [
      page([row("a")], true),
      page([], true),
      page([row("b"), row("c")], true),
      odataError(404, "ResourceNotFound"),
    ];
    expect(await store.list({ caller: userCaller, limit: 2 })).toEqual({
      ok: true,
      value: { grants: [], next: `8199999999-${"b".repeat(64)}` },
    });
  });
});

describe("an error of any form", () => {
  it.each<[string, unknown, object]>([
    [
      "an identity that returns no token",
      Object.assign(new Error("secret"), { name: "CredentialUnavailableError" }),
      { kind: "store_unavailable", code: "CredentialUnavailableError" },
    ],
    ["an abort", Object.assign(new Error("secret"), { name: "AbortError" }), { kind: "store_timeout" }],
    ["null", null, { kind: "store_unavailable", code: "unknown" }],
    ["a string", "secret", { kind: "store_unavailable", code: "unknown" }],
    ["a number as name", { name: 1, code: "not a code!" }, { kind: "store_unavailable", code: "unknown" }],
  ])("becomes a code and never passes on its message: %s", async (_name, error, failure) => {
    const outcome = await callTable(() => Promise.reject(error), 1_000);
    expect(outcome).toEqual({ ok: false, failure });
    expect(JSON.stringify(outcome)).not.toContain("secret");
  });
});
