/**
 * The incident drill: many grants in the table, two instances, one revocation. `INCIDENT_GRANTS=10000` runs it with as many
 * grants, waits in real time and prints what docs/operate.md says of it.
 */
import { randomBytes } from "node:crypto";
import { AzureNamedKeyCredential, TableClient, type TransactionAction } from "@azure/data-tables";
import { beforeAll, describe, expect, test } from "vitest";
import { devStoreAccount } from "../../local/azurite/table-service.ts";
import type { Grant } from "../../shared/core/grant.ts";
import { toGrantRow } from "../../shared/grants/grant-row.ts";
import { openGrantTable } from "../../shared/grants/grant-table.ts";
import { UNUSED } from "../../shared/grants/new-grant.ts";
import { reapRevoked } from "../../shared/grants/reap-revoked.ts";
import { createTableGrantStore } from "../../shared/grants/table-grant-store.ts";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const GRANTS = Number(process.env["INCIDENT_GRANTS"] ?? 400);
const IN_REAL_TIME = process.env["INCIDENT_GRANTS"] !== undefined;
const TIMEOUT_MS = 300_000;
/** One grant in a hundred is Alice's. */
const SHARE = 100;

const { world, clock } = useWorld();
const times: string[] = [];

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const value = await run();
  times.push(`${what}: ${((performance.now() - began) / 1_000).toFixed(2)} s`);
  return value;
}

function seededGrant(index: number, nowSeconds: number): Grant {
  const id = randomBytes(32).toString("hex");
  const objectId = index % SHARE === 0 ? USER_IDS.alice : `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const { tenantId } = world.tenant.state;
  return {
    id,
    binding: { kind: "application", tenantId, clientId: index % 2 === 0 ? CLIENT_IDS.web : CLIENT_IDS.daemon },
    registration: CLIENT_IDS.service,
    user: { tenantId, objectId },
    apis: [{ api: index % 2 === 0 ? "graph" : "orders", scopes: ["User.Read"] }],
    policyEntry: index % 2 === 0 ? "web-backend" : "daemon",
    createdAtSeconds: nowSeconds - 3_600,
    allowedAtSeconds: nowSeconds - 3_600,
    expiresAtSeconds: nowSeconds + 30 * 86_400,
    requestedBy: { clientId: index % 2 === 0 ? CLIENT_IDS.web : CLIENT_IDS.daemon, userObjectId: undefined },
    ...UNUSED,
  };
}

/** Rows of one partition go into one transaction, of at most 100. */
async function seed(client: TableClient): Promise<void> {
  const rows = Array.from({ length: GRANTS }, (_, index) =>
    toGrantRow({
      grant: seededGrant(index, Math.floor(clock.nowMs() / 1_000)),
      sealed: "x".repeat(1_500),
    }),
  );
  for (const partition of Map.groupBy(rows, ({ partitionKey }) => partitionKey).values()) {
    for (let at = 0; at < partition.length; at += 100) {
      const actions = partition.slice(at, at + 100).map((row): TransactionAction => ["create", { ...row }]);
      await client.submitTransaction(actions);
    }
  }
}

describe(`with ${GRANTS} grants`, () => {
  const tableName = newTableName();
  let first: ServiceUnderTest;
  let second: ServiceUnderTest;
  const administrator = () => bearer(userToken(world, { user: "erin" }));
  const revoke = (json: object) =>
    first.call("/manage/revocations", { headers: administrator(), json: { reason: "drill", dryRun: false, ...json } });
  const redeem = (handle: string, at: ServiceUnderTest) =>
    at.call("/oauth2/token", {
      form: { grant_type: "refresh_token", refresh_token: handle },
      headers: bearer(appToken(world)),
    });

  beforeAll(async () => {
    const settings = { GRANT_TABLE_NAME: tableName };
    [first, second] = [world.serve({ settings }), world.serve({ settings })];
    const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
    const client = new TableClient(world.tableUrl, tableName, key, { allowInsecureConnection: true });
    await client.createTable();
    await seed(client);
  }, TIMEOUT_MS);

  test(
    "a dry run counts, a list is complete, a revocation holds on both instances, and the reaper removes the rows",
    async () => {
      const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
      const issued = await first.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
      const handle = String(issued.json()["refresh_token"]);
      expect((await redeem(handle, second)).status).toBe(200);

      for (const [target, expected] of [
        [{ person: USER_IDS.alice }, Math.ceil(GRANTS / SHARE) + 1],
        [{ caller: CLIENT_IDS.daemon }, Math.floor(GRANTS / 2)],
        [{ api: "orders" }, Math.floor(GRANTS / 2)],
        [{ everything: true }, GRANTS + 1],
      ] as const) {
        const [kind] = Object.keys(target);
        const counted = await timed(`dry run by ${kind}`, () => revoke({ ...target, dryRun: true }));
        expect(counted.json(), kind).toMatchObject({ grants: expected, more: false });
      }
      const listed = new Set<string>();
      await timed("list of one person", async () => {
        let next: string | undefined = "";
        while (next !== undefined) {
          const after: string = next === "" ? "" : `&after=${next}`;
          const path = `/manage/grants?person=${USER_IDS.alice}${after}`;
          const page = (await first.call(path, { headers: administrator() })).json();
          for (const { id } of page["grants"] as { id: string }[]) listed.add(id);
          next = page["next"] as string | undefined;
        }
      });
      expect(listed.size).toBe(Math.ceil(GRANTS / SHARE) + 1);

      const revoked = await timed("revocation of one person, answered", () => revoke({ person: USER_IDS.alice }));
      expect(revoked.status).toBe(200);
      expect((await redeem(handle, first)).json()).toMatchObject({ code: "grant_revoked" });
      if (!IN_REAL_TIME) clock.advance(30_000);
      await timed("refused by the other instance", () =>
        eventually(async () => (await redeem(handle, second)).json()["code"] === "grant_revoked"),
      );
      await timed("revocation of everything, answered", () => revoke({ everything: true }));
      const store = createTableGrantStore(
        openGrantTable({
          cloudName: "local",
          tableEndpoint: world.tableUrl,
          tableName,
          identity: undefined,
        }),
      );
      const isLive = first.service.revocations.isGrantLive;
      const reaped = await timed("removal of all rows", () =>
        reapRevoked({ store, isLive }, { dryRun: false, limit: 4 * GRANTS }),
      );
      expect(reaped).toMatchObject({ ok: true, value: { deleted: GRANTS + 1, failed: 0 } });
      if (IN_REAL_TIME) process.stdout.write(`\n${times.join("\n")}\n`);
    },
    TIMEOUT_MS,
  );
});
