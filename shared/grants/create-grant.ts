/**
 * Creates a grant. The caller gets its handle, or no grant stays behind: a row whose write failed for its caller is removed
 * later, and so is one that an authorization code made which was used before.
 */
import { type Grant, type GrantRequester, grantEnd } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { type GrantHandle, newHandle } from "./grant-handle.ts";
import type { GrantContent, GrantFailure } from "./grant-types.ts";
import { type GrantTerms, sealContent, UNUSED } from "./new-grant.ts";
import type { RedemptionInput } from "./record-redemption.ts";
import { endReplaced, grantToReplace, NO_LIMIT } from "./room-for-grant.ts";

/** How long the service knows which grant a code made: longer than its own codes and Entra's live. */
export const CODE_ROW_SECONDS = 3600;

export interface CreateGrant extends GrantTerms {
  readonly requestedBy: GrantRequester;
  /** Hex SHA-256 of the authorization code that makes the grant. */
  readonly codeId?: string | undefined;
}

export interface CreatedGrant {
  readonly handle: SecretValue;
  readonly grant: Grant;
  /** Of `endReplaced` in room-for-grant.ts. To be called when the caller is about to get the handle, and not before. */
  endReplaced(): Promise<Result<readonly Grant[], GrantFailure>>;
}

export interface CreateInput extends RedemptionInput {
  readonly newHandle?: () => GrantHandle;
  /** See `remove-orphan.ts`. */
  readonly removeOrphan?: (grant: Grant) => Promise<void>;
}

export async function createGrant(
  input: CreateInput,
  request: CreateGrant,
): Promise<Result<CreatedGrant, GrantFailure>> {
  const { refreshToken, maxDays, keepAliveDays, maxGrantsPerUser = NO_LIMIT, codeId, ...record } = request;
  const handle = (input.newHandle ?? newHandle)();
  const createdAtSeconds = input.nowSeconds();
  const grant: Grant = {
    id: handle.id,
    ...record,
    createdAtSeconds,
    allowedAtSeconds: createdAtSeconds,
    expiresAtSeconds: grantEnd(createdAtSeconds, maxDays),
    ...UNUSED,
  };
  const content = await sealContent(input, handle, { grant, refreshToken, keepAliveDays });
  if (!content.ok) return content;
  const limited = { ...record, maxGrantsPerUser };
  const replaced = await grantToReplace(input, limited);
  if (!replaced.ok) return replaced;
  const stored = await storeNew(input, content.value, codeId);
  if (!stored.ok) return stored;
  return succeed({
    handle: handle.secret,
    grant: content.value.grant,
    endReplaced: () => endReplaced(input, { ...limited, id: grant.id, replaced: replaced.value }),
  });
}

/** No caller waits for it, and it reports its own outcome. */
export function removeLater({ removeOrphan }: Pick<CreateInput, "removeOrphan">, grant: Grant): void {
  removeOrphan?.(grant).catch(() => undefined);
}

// ---------------------------------------------------------------------------------------------------------------

/** The grant, and the row of the code that makes it. If one write fails, the caller gets no handle, and the row is removed. */
async function storeNew(
  input: CreateInput,
  content: GrantContent,
  codeId: string | undefined,
): Promise<Result<true, GrantFailure>> {
  const { grant } = content;
  const created = await input.store.create(content);
  if (!created.ok) {
    // Another grant has this id: it is not the one of this request.
    if (created.failure.kind !== "grant_exists") removeLater(input, grant);
    return created;
  }
  if (codeId === undefined) return succeed(true);
  const claim = { codeId, grantId: grant.id, expiresAtSeconds: input.nowSeconds() + CODE_ROW_SECONDS };
  const claimed = await input.store.claimCode(claim);
  if (claimed.ok && claimed.value === undefined) return succeed(true);
  removeLater(input, grant);
  return claimed.ok ? fail({ kind: "code_used" }) : claimed;
}
