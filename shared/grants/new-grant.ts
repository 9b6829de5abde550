/** The content of a row that a person has just allowed. */
import type { ConsentedApis } from "../core/api-scopes.ts";
import type { Grant, GrantBinding } from "../core/grant.ts";
import { type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { GrantHandle } from "./grant-handle.ts";
import type { GrantContent } from "./grant-types.ts";
import { type KeepAliveInput, keepAliveColumns } from "./keep-alive-columns.ts";
import { sealGrant } from "./sealed-grant.ts";

/** The members of a grant without a history. */
export const UNUSED = {
  codeChallenge: undefined,
  verifiedAtSeconds: undefined,
  lastRedeemedAtSeconds: undefined,
  lastRenewedAtSeconds: undefined,
  lastError: undefined,
  deadSinceSeconds: undefined,
  expiringReportedAtSeconds: undefined,
  keepAliveAfterSeconds: undefined,
  confirmation: undefined,
  declinedConfirmation: undefined,
} as const satisfies Partial<Grant>;

/** What Entra and the policy entry say about a grant that a person allows. */
export interface GrantTerms {
  readonly binding: GrantBinding;
  readonly registration: string;
  readonly user: UserIdentity;
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** `grantMaxDays` of the policy entry. */
  readonly maxDays: number;
  /** Of the policy entry. */
  readonly keepAliveDays?: number | undefined;
  /** Of the policy entry. Default: no limit. */
  readonly maxGrantsPerUser?: number;
  readonly policyEntry: string;
}

interface NewContent {
  readonly grant: Grant;
  readonly refreshToken: SecretValue;
  readonly keepAliveDays?: number | undefined;
}

/** Seals the refresh token with the handle and, if the grant is kept alive, the handle with the service's key. */
export async function sealContent(
  input: KeepAliveInput & { readonly sealer: Sealer },
  handle: GrantHandle,
  { grant, refreshToken, keepAliveDays }: NewContent,
): Promise<Result<GrantContent, SealFailure>> {
  const sealed = await sealGrant(input.sealer, handle, grant, refreshToken);
  if (!sealed.ok) return sealed;
  const columns = await keepAliveColumns(input, { grant, handle, keepAliveDays });
  if (!columns.ok) return columns;
  const { sealedHandle, keepAliveAfterSeconds } = columns.value;
  return succeed({ grant: { ...grant, keepAliveAfterSeconds }, sealed: sealed.value, sealedHandle });
}
