/** A valid caller, grant request, key source and clock. Each test changes one member. */

import { fail, succeed } from "../../../../shared/core/result.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import type { CreateGrant } from "../../../../shared/grants/create-grant.ts";
import type { GrantCaller } from "../../../../shared/grants/grant-types.ts";
import { GRANT_PURPOSE } from "../../../../shared/grants/sealed-grant.ts";
import { HANDLE_PURPOSE } from "../../../../shared/grants/sealed-handle.ts";
import { createSealer, type Sealer } from "../../../../shared/sealing/sealer.ts";
import { createSealingKeys, type SealingKeySource } from "../../../../shared/sealing/sealing-keys.ts";

export const REGISTRATION = "77777777-7777-4777-8777-777777777777";
export const TENANT = "11111111-1111-4111-8111-111111111111";
export const CLIENT = "22222222-2222-4222-8222-222222222222";
export const USER = "33333333-3333-4333-8333-333333333333";
export const OTHER = "44444444-4444-4444-8444-444444444444";
export const EPOCH_MS = 1_800_000_000_000;
export const DAY_MS = 86_400_000;

export const userCaller: GrantCaller = { kind: "user", tenantId: TENANT, clientId: CLIENT, objectId: USER };
/** The `objectId` of an application is its service principal, never the grant's user. */
export const applicationCaller: GrantCaller = {
  kind: "application",
  tenantId: TENANT,
  clientId: CLIENT,
  objectId: OTHER,
};

export function grantRequest(changes: Partial<CreateGrant> = {}): CreateGrant {
  return {
    binding: { kind: "user", tenantId: TENANT, clientId: CLIENT },
    registration: REGISTRATION,
    user: { tenantId: TENANT, objectId: USER },
    apis: [{ api: "graph", scopes: ["Mail.Send", "User.Read"] }],
    refreshToken: new SecretValue("1.AVerySecretRefreshToken-one"),
    maxDays: 30,
    policyEntry: "nightly-mail",
    requestedBy: { clientId: CLIENT, userObjectId: undefined },
    ...changes,
  };
}

/** A redemption by the caller of an entry without `keepAliveDays`. */
export const BY_CALLER = { by: "caller", keepAliveDays: undefined } as const;

export const VERSION_1 = "a".repeat(32);
export const VERSION_2 = "b".repeat(32);

/** A vault secret with the given versions, oldest first: base64 of 32 bytes each. */
export interface FakeKeySource extends SealingKeySource {
  readonly reads: (string | undefined)[];
  versions: Map<string, string>;
  /** While set, every read fails with this kind. */
  down: string | undefined;
}

export function fakeKeySource(versions: readonly string[] = [VERSION_1]): FakeKeySource {
  const source: FakeKeySource = {
    reads: [],
    versions: new Map(versions.map((version) => [version, Buffer.alloc(32, version).toString("base64")])),
    down: undefined,
    async read(version) {
      source.reads.push(version);
      if (source.down !== undefined) return fail({ kind: source.down });
      const wanted = version ?? [...source.versions.keys()].at(-1) ?? "";
      const value = source.versions.get(wanted);
      return value === undefined
        ? fail({ kind: "secret_missing" })
        : succeed({ version: wanted, value: new SecretValue(value) });
    },
  };
  return source;
}

export function testSealer(source: SealingKeySource = fakeKeySource(), purpose = GRANT_PURPOSE): Sealer {
  return createSealer({ purpose, keys: createSealingKeys({ source, now: () => EPOCH_MS, onStale: () => undefined }) });
}

/** Both sealers of grants, and no revocation. */
export function testSealers(source: SealingKeySource = fakeKeySource()) {
  return { sealer: testSealer(source), handleSealer: testSealer(source, HANDLE_PURPOSE), isLive };
}

/** The value of a successful result. A failure becomes the test's error message. */
export function expectOk<T>(result: { ok: true; value: T } | { ok: false; failure: unknown }): T {
  if (!result.ok) throw new Error(`Expected success, got ${JSON.stringify(result.failure)}`);
  return result.value;
}

/** No administrator has revoked anything. */
const isLive = async () => succeed(true);
