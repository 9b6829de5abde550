/** Recording that a handle's verifier was presented, while another instance writes the same row. */
import { expect, test } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import {
  applicationCaller,
  CLIENT,
  EPOCH_MS,
  expectOk,
  grantRequest,
  TENANT,
  testSealers,
} from "./support/fixtures.ts";
import { memoryStore } from "./support/memory-store.ts";

async function opened() {
  const store = memoryStore();
  const grants = createGrants({ store, ...testSealers(), now: () => EPOCH_MS });
  const binding = { kind: "application", tenantId: TENANT, clientId: CLIENT } as const;
  const { handle } = expectOk(await grants.create(grantRequest({ binding })));
  const grant = expectOk(await grants.open(new SecretValue(handle.reveal()), applicationCaller));
  return { store, grants, grant };
}

/** Another instance writes the row before this one. */
function overtake({ store, grant }: Awaited<ReturnType<typeof opened>>, verifiedAtSeconds: number | undefined): void {
  store.beforeReplace = () => {
    const row = store.rows.get(grant.grant.id);
    if (row !== undefined)
      store.rows.set(grant.grant.id, { ...row, etag: "other", grant: { ...row.grant, verifiedAtSeconds } });
  };
}

test("is tried again if the other instance wrote the row without recording a verifier", async () => {
  const given = await opened();
  overtake(given, undefined);
  const recorded = expectOk(await given.grants.recordVerified(given.grant));
  expect(recorded.grant.verifiedAtSeconds).toBe(EPOCH_MS / 1_000);
});

test("succeeds if the other instance recorded the verifier", async () => {
  const given = await opened();
  overtake(given, 1_234);
  const recorded = expectOk(await given.grants.recordVerified(given.grant));
  expect(recorded.grant.verifiedAtSeconds).toBe(1_234);
});
