/**
 * Grants as rows of one table: keys, columns, and strict reading of rows. Four kinds of row:
 *
 * - the grant: partition `grant-<first two digits of the id>` (256 partitions share the load), row key the id;
 * - index entries: partition = the owner, row key = age (newest first), then the id; the columns are the client and the expiry. An
 *   application's grant has one entry for the application and one for the user on whose behalf it acts;
 * - codes: partition `code-<first two digits of the id>`, row key the SHA-256 of Entra's code; the grant that it made;
 * - requested grants: the keys of the grant that a person may allow, so that the grant replaces this row. Its content is
 *   sealed with the handle; the columns are the application and the expiry.
 *
 * A key contains ids only, never a handle. Pure: no SDK, no I/O, no clock.
 */

import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Grant } from "../core/grant.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import { type Int64, int64, type RowKeys, readSeconds, readString } from "./columns.ts";
import type { GrantCaller, GrantContent, StoredRequest } from "./grant-types.ts";

export interface IndexRow extends RowKeys {
  /** The grant's client, so that a person's grants for one application can be counted. */
  readonly bindingClientId: string;
  readonly expiresAtSeconds: Int64;
}

/** A requested grant, with the keys of the grant. */
export interface RequestRow extends RowKeys {
  readonly requested: true;
  readonly bindingTenantId: string;
  readonly bindingClientId: string;
  readonly expiresAtSeconds: Int64;
  readonly sealed: string;
}

export interface GrantRow extends RowKeys {
  readonly bindingKind: string;
  readonly bindingTenantId: string;
  readonly bindingClientId: string;
  readonly registration: string;
  readonly userTenantId: string;
  readonly userObjectId: string;
  /** JSON: array of `{ api, scopes }`. */
  readonly apis: string;
  readonly policyEntry: string;
  readonly createdAtSeconds: Int64;
  readonly allowedAtSeconds: Int64;
  readonly expiresAtSeconds: Int64;
  readonly codeChallenge?: string;
  readonly verifiedAtSeconds?: Int64;
  readonly lastRedeemedAtSeconds?: Int64;
  readonly lastRenewedAtSeconds?: Int64;
  /** The person who asked for the grant. Not set: the application. */
  readonly requestedByUser?: string;
  readonly requestedByClientId: string;
  readonly lastErrorCode?: string;
  readonly lastErrorAtSeconds?: Int64;
  readonly deadSinceSeconds?: Int64;
  readonly expiringReportedAtSeconds?: Int64;
  readonly keepAliveAfterSeconds?: Int64;
  readonly confirmation?: string;
  readonly declinedConfirmation?: string;
  readonly sealed: string;
  /** The handle, sealed by the service's key alone. Only with `keepAliveDays`. */
  readonly sealedHandle?: string;
}

/** The largest number of ten digits, so that the difference always has ten digits. */
const SECONDS_END = 9_999_999_999;
const CURSOR = /^\d{10}-[0-9a-f]{64}$/;

export function grantKeys(id: string): RowKeys {
  return { partitionKey: `grant-${id.slice(0, 2)}`, rowKey: id };
}

/** The partition of a caller's index entries: a user's grants through one client, or all grants of an application. */
export function indexPartition({ kind, tenantId, clientId, objectId }: GrantCaller): string {
  return kind === "user" ? `user-${tenantId}-${clientId}-${objectId}` : `application-${tenantId}-${clientId}`;
}

/** The partition of the index entries for all grants that applications hold on a user's behalf. */
export function userPartition({ tenantId, objectId }: UserIdentity): string {
  return `person-${tenantId}-${objectId}`;
}

/** The keys of a grant's index entries; never empty. */
export function indexKeys({ binding, user, createdAtSeconds, id }: Grant): readonly RowKeys[] {
  const rowKey = `${String(SECONDS_END - createdAtSeconds).padStart(10, "0")}-${id}`;
  const ownerKeys = { partitionKey: indexPartition({ ...binding, objectId: user.objectId }), rowKey };
  return binding.kind === "user" ? [ownerKeys] : [ownerKeys, { partitionKey: userPartition(user), rowKey }];
}

export function isIndexRowKey(text: string): boolean {
  return CURSOR.test(text);
}

/** The grant's id in an index row key. */
export function idOfIndexRowKey(rowKey: string): string {
  return rowKey.slice(11);
}

export function toIndexRows(grant: Grant): readonly IndexRow[] {
  const { binding, expiresAtSeconds } = grant;
  const columns = { bindingClientId: binding.clientId, expiresAtSeconds: int64(expiresAtSeconds) };
  return indexKeys(grant).map((keys) => ({ ...keys, ...columns }));
}

export function toRequestRow(
  { id, binding, expiresAtSeconds }: StoredRequest["requested"],
  sealed: string,
): RequestRow {
  return {
    ...grantKeys(id),
    requested: true,
    bindingTenantId: binding.tenantId,
    bindingClientId: binding.clientId,
    expiresAtSeconds: int64(expiresAtSeconds),
    sealed,
  };
}

export function isRequestRow(row: Readonly<Record<string, unknown>>): boolean {
  return row["requested"] === true;
}

/** Undefined: the service did not write this row. A row with a column of a grant is none of a requested grant. */
export function readRequestRow(row: Readonly<Record<string, unknown>>): Omit<StoredRequest, "etag"> | undefined {
  try {
    if (!isRequestRow(row) || "userObjectId" in row) return undefined;
    return {
      requested: {
        id: readString(row["rowKey"]),
        binding: {
          kind: "application",
          tenantId: readString(row["bindingTenantId"]),
          clientId: readString(row["bindingClientId"]),
        },
        expiresAtSeconds: readSeconds(row["expiresAtSeconds"]),
      },
      sealed: readString(row["sealed"]),
    };
  } catch {
    // A reader below threw: the service did not write this row.
    return undefined;
  }
}

export function toGrantRow({ grant, sealed, sealedHandle }: GrantContent): GrantRow {
  const { requestedBy, lastError } = grant;
  return {
    ...grantKeys(grant.id),
    bindingKind: grant.binding.kind,
    bindingTenantId: grant.binding.tenantId,
    bindingClientId: grant.binding.clientId,
    registration: grant.registration,
    userTenantId: grant.user.tenantId,
    userObjectId: grant.user.objectId,
    apis: JSON.stringify(grant.apis),
    policyEntry: grant.policyEntry,
    requestedByClientId: requestedBy.clientId,
    ...(requestedBy.userObjectId === undefined ? {} : { requestedByUser: requestedBy.userObjectId }),
    createdAtSeconds: int64(grant.createdAtSeconds),
    allowedAtSeconds: int64(grant.allowedAtSeconds),
    expiresAtSeconds: int64(grant.expiresAtSeconds),
    ...optionalTexts(grant),
    ...optionalTimes(grant),
    ...(lastError === undefined
      ? {}
      : { lastErrorCode: lastError.code, lastErrorAtSeconds: int64(lastError.atSeconds) }),
    sealed,
    ...(sealedHandle === undefined ? {} : { sealedHandle }),
  };
}

/**
 * Undefined: the service did not write this row. Its content is trusted only after comparison with the sealed record.
 */
export function readGrantRow(row: Readonly<Record<string, unknown>>): GrantContent | undefined {
  try {
    if ("requested" in row) return undefined;
    return {
      grant: {
        id: readString(row["rowKey"]),
        binding: {
          kind: readKind(row["bindingKind"]),
          tenantId: readString(row["bindingTenantId"]),
          clientId: readString(row["bindingClientId"]),
        },
        registration: readString(row["registration"]),
        user: { tenantId: readString(row["userTenantId"]), objectId: readString(row["userObjectId"]) },
        apis: readConsentedApis(JSON.parse(readString(row["apis"]))),
        policyEntry: readString(row["policyEntry"]),
        requestedBy: {
          clientId: readString(row["requestedByClientId"]),
          userObjectId: optional(row["requestedByUser"], readString),
        },
        createdAtSeconds: readSeconds(row["createdAtSeconds"]),
        allowedAtSeconds: readSeconds(row["allowedAtSeconds"]),
        expiresAtSeconds: readSeconds(row["expiresAtSeconds"]),
        codeChallenge: optional(row["codeChallenge"], readString),
        verifiedAtSeconds: optional(row["verifiedAtSeconds"], readSeconds),
        lastRedeemedAtSeconds: optional(row["lastRedeemedAtSeconds"], readSeconds),
        lastRenewedAtSeconds: optional(row["lastRenewedAtSeconds"], readSeconds),
        lastError: readLastError(row),
        deadSinceSeconds: optional(row["deadSinceSeconds"], readSeconds),
        expiringReportedAtSeconds: optional(row["expiringReportedAtSeconds"], readSeconds),
        keepAliveAfterSeconds: optional(row["keepAliveAfterSeconds"], readSeconds),
        confirmation: optional(row["confirmation"], readString),
        declinedConfirmation: optional(row["declinedConfirmation"], readString),
      },
      sealed: readString(row["sealed"]),
      sealedHandle: optional(row["sealedHandle"], readString),
    };
  } catch {
    // A reader below or JSON.parse threw: the service did not write this row.
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------------

const OPTIONAL_TIMES = [
  "verifiedAtSeconds",
  "lastRedeemedAtSeconds",
  "lastRenewedAtSeconds",
  "deadSinceSeconds",
  "expiringReportedAtSeconds",
  "keepAliveAfterSeconds",
] as const;
const OPTIONAL_TEXTS = ["codeChallenge", "confirmation", "declinedConfirmation"] as const;

function optionalTimes(grant: Grant): Partial<Pick<GrantRow, (typeof OPTIONAL_TIMES)[number]>> {
  const known = OPTIONAL_TIMES.flatMap((name) => {
    const value = grant[name];
    return value === undefined ? [] : [[name, int64(value)] as const];
  });
  return Object.fromEntries(known);
}

function optionalTexts(grant: Grant): Partial<Pick<GrantRow, (typeof OPTIONAL_TEXTS)[number]>> {
  const known = OPTIONAL_TEXTS.flatMap((name) => {
    const value = grant[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(known);
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function readLastError(row: Readonly<Record<string, unknown>>): Grant["lastError"] {
  const code = optional(row["lastErrorCode"], readString);
  return code === undefined ? undefined : { code, atSeconds: readSeconds(row["lastErrorAtSeconds"]) };
}

function readStrings(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(readString);
}

function readConsentedApis(value: unknown): ConsentedApis {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  const [first, ...others] = value.map(readStoredApi);
  if (first === undefined) throw new TypeError("an empty list");
  return [first, ...others];
}

function readStoredApi(value: unknown): ApiScopes {
  if (typeof value !== "object" || value === null || !("api" in value && "scopes" in value)) {
    throw new TypeError("not an API with its scopes");
  }
  return { api: readString(value.api), scopes: readStrings(value.scopes) };
}

function readKind(value: unknown): "user" | "application" {
  if (value !== "user" && value !== "application") throw new TypeError("not a kind");
  return value;
}
