/**
 * Grants as rows of one table: keys, columns, and the strict way back. Three kinds of row:
 *
 * - the grant: partition `grant-<first two digits of the id>` (256 partitions share the load), row key the id;
 * - its index entries: partition = whose it is, row key = newest first, then the id; nothing else but the expiry. An
 *   application's grant has one under the application, and one under the person in whose name it is;
 * - the mark of a grant that was revoked while the form that made it could still be sent again: in the grant's place.
 *
 * A key contains ids only, never a handle. Pure: no SDK, no I/O, no clock.
 */

import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Grant } from "../core/grant.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { GrantCaller } from "./grant.ts";

/** 64-bit column: seconds since 1970 leave 32 bits in 2038. */
interface Int64 {
  readonly type: "Int64";
  readonly value: string;
}

export interface RowKeys {
  readonly partitionKey: string;
  readonly rowKey: string;
}

export interface IndexRow extends RowKeys {
  readonly expiresAtSeconds: Int64;
}

/** In the place of a grant. */
export interface RevokedRow extends RowKeys {
  readonly revoked: true;
  readonly expiresAtSeconds: Int64;
}

export interface GrantRow extends RowKeys {
  readonly bindingKind: string;
  readonly bindingTenantId: string;
  readonly bindingClientId: string;
  readonly userTenantId: string;
  readonly userObjectId: string;
  /** JSON: array of `{ api, scopes }`. */
  readonly apis: string;
  readonly policyEntry: string;
  readonly createdAtSeconds: Int64;
  readonly expiresAtSeconds: Int64;
  readonly lastRedeemedAtSeconds?: Int64;
  readonly sealed: string;
}

/** More than the ten digits of seconds that this format will ever see, so that the difference keeps its width. */
const SECONDS_END = 9_999_999_999;
const CURSOR = /^\d{10}-[0-9a-f]{64}$/;

export function grantKeys(id: string): RowKeys {
  return { partitionKey: `grant-${id.slice(0, 2)}`, rowKey: id };
}

/** The partition of a caller's index entries: a user's own through one client, or all of an application. */
export function indexPartition({ kind, tenantId, clientId, objectId }: GrantCaller): string {
  return kind === "user" ? `user-${tenantId}-${clientId}-${objectId}` : `application-${tenantId}-${clientId}`;
}

/** The partition of what applications may do in a person's name, whichever they are. */
export function personPartition({ tenantId, objectId }: UserIdentity): string {
  return `person-${tenantId}-${objectId}`;
}

/** Where a grant is listed; never empty. */
export function indexKeys({ binding, user, createdAtSeconds, id }: Grant): readonly RowKeys[] {
  const rowKey = `${String(SECONDS_END - createdAtSeconds).padStart(10, "0")}-${id}`;
  const own = { partitionKey: indexPartition({ ...binding, objectId: user.objectId }), rowKey };
  return binding.kind === "user" ? [own] : [own, { partitionKey: personPartition(user), rowKey }];
}

export function isIndexRowKey(text: string): boolean {
  return CURSOR.test(text);
}

/** The grant's id in an index row key. */
export function idOfIndexRowKey(rowKey: string): string {
  return rowKey.slice(11);
}

export function toIndexRows(grant: Grant): readonly IndexRow[] {
  return indexKeys(grant).map((keys) => ({ ...keys, expiresAtSeconds: int64(grant.expiresAtSeconds) }));
}

export function toRevokedRow(id: string, untilSeconds: number): RevokedRow {
  return { ...grantKeys(id), revoked: true, expiresAtSeconds: int64(untilSeconds) };
}

export function isRevokedRow(row: Readonly<Record<string, unknown>>): boolean {
  return row["revoked"] === true;
}

export function toGrantRow(grant: Grant, sealed: string): GrantRow {
  const { lastRedeemedAtSeconds } = grant;
  return {
    ...grantKeys(grant.id),
    bindingKind: grant.binding.kind,
    bindingTenantId: grant.binding.tenantId,
    bindingClientId: grant.binding.clientId,
    userTenantId: grant.user.tenantId,
    userObjectId: grant.user.objectId,
    apis: JSON.stringify(grant.apis),
    policyEntry: grant.policyEntry,
    createdAtSeconds: int64(grant.createdAtSeconds),
    expiresAtSeconds: int64(grant.expiresAtSeconds),
    ...(lastRedeemedAtSeconds === undefined ? {} : { lastRedeemedAtSeconds: int64(lastRedeemedAtSeconds) }),
    sealed,
  };
}

/** `undefined`: not a row that we wrote. What it says is believed only after the seal was compared with it. */
export function readGrantRow(row: Readonly<Record<string, unknown>>): { grant: Grant; sealed: string } | undefined {
  try {
    return {
      grant: {
        id: text(row["rowKey"]),
        binding: {
          kind: kind(row["bindingKind"]),
          tenantId: text(row["bindingTenantId"]),
          clientId: text(row["bindingClientId"]),
        },
        user: { tenantId: text(row["userTenantId"]), objectId: text(row["userObjectId"]) },
        apis: consent(JSON.parse(text(row["apis"]))),
        policyEntry: text(row["policyEntry"]),
        createdAtSeconds: seconds(row["createdAtSeconds"]),
        expiresAtSeconds: seconds(row["expiresAtSeconds"]),
        lastRedeemedAtSeconds:
          row["lastRedeemedAtSeconds"] === undefined ? undefined : seconds(row["lastRedeemedAtSeconds"]),
      },
      sealed: text(row["sealed"]),
    };
  } catch {
    // One of the readers below, or JSON.parse: either way the row is not ours.
    return undefined;
  }
}

function text(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("not a text");
  return value;
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(text);
}

function consent(value: unknown): ConsentedApis {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  const [first, ...others] = value.map(apiScopes);
  if (first === undefined) throw new TypeError("an empty list");
  return [first, ...others];
}

function apiScopes(value: unknown): ApiScopes {
  if (typeof value !== "object" || value === null || !("api" in value && "scopes" in value)) {
    throw new TypeError("not an API with its scopes");
  }
  return { api: text(value.api), scopes: texts(value.scopes) };
}

function kind(value: unknown): "user" | "application" {
  if (value !== "user" && value !== "application") throw new TypeError("not a kind");
  return value;
}

/** The SDK gives a 64-bit column as a bigint. */
function seconds(value: unknown): number {
  if (typeof value !== "bigint") throw new TypeError("not a 64-bit number");
  return Number(value);
}

function int64(value: number): Int64 {
  return { type: "Int64", value: String(value) };
}
