/**
 * First half of stage 6: what a permission that is to be kept covers. Entra's refresh token is bound to a person and to
 * us, not to an API, so one grant can serve several; but what was consented for each of them Entra tells only with a
 * token. So the refresh token is redeemed once for every further API. Those tokens are dropped; what they carry is held
 * against policy like any other, and is what the grant will have. If one API is refused, nothing is kept.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */
import type { ApiScopes, CoveredApis } from "./api-scopes.ts";
import { askEntra, type EntraGuards, takeBypass } from "./ask-entra.ts";
import { byApi } from "./asked-facts.ts";
import type { AuditFacts } from "./audit/audit-event.ts";
import { identityKey } from "./cache/cache-key.ts";
import type { EntraToken } from "./entra/entra-token.ts";
import type { Failure } from "./failure.ts";
import { qualifiedScopes } from "./flows/flow.ts";
import { checkReleasedScopes } from "./policy/check-released-scopes.ts";
import type { ApiAllowance, Entitlement } from "./policy/entitlement.ts";
import type { Registration } from "./registration.ts";
import type { RequestTrace } from "./request-trace.ts";
import { fail, type Result, succeed } from "./result.ts";
import type { SecretValue } from "./secret-value.ts";

export interface CoverApis {
  readonly entitlement: Entitlement;
  /** The token that came with the refresh token. */
  readonly token: EntraToken;
  /** True scopes of that token, bare, after the release check. */
  readonly scopes: readonly string[];
  readonly correlationId: string;
  readonly trace?: RequestTrace | undefined;
  /** True once the caller has been told that it took too long. */
  readonly isOver?: (() => boolean) | undefined;
  readonly note: (facts: Partial<AuditFacts>) => void;
}

interface CoverRooms extends EntraGuards {
  readonly delegated: Registration;
}

/** A permission ready to be kept. */
export interface Covered {
  readonly apis: CoveredApis;
  /** Entra's newest; undefined: it sent none. */
  readonly refreshToken: SecretValue | undefined;
}

export async function coverApis(rooms: CoverRooms, request: CoverApis): Promise<Result<Covered, Failure>> {
  const { entitlement, token, scopes, note } = request;
  const first = { api: entitlement.api.name, scopes: givenScopes(entitlement, scopes) };
  const others: ApiScopes[] = [];
  let { refreshToken } = token;
  for (const allowance of entitlement.also) {
    if (request.isOver?.() === true) {
      return fail({ kind: "deadline_passed" });
    }
    if (refreshToken === undefined) {
      return answerInvalid();
    }
    const redeemed = await redeem(rooms, request, { allowance, refreshToken });
    if (!redeemed.ok) {
      return redeemed;
    }
    const released = checkReleasedScopes(allowance, redeemed.value.scopes);
    if (!released.ok) {
      return fail({
        kind: "scope_surplus",
        entry: entitlement.entry,
        surplus: released.failure.surplus,
        api: allowance.api.name,
      });
    }
    others.push({ api: allowance.api.name, scopes: givenScopes(allowance, released.value) });
    refreshToken = redeemed.value.refreshToken ?? refreshToken;
  }
  if (others.length > 0) {
    note({ alsoReturned: byApi(others) });
  }
  return succeed({ apis: [first, ...others], refreshToken });
}

interface Further {
  readonly allowance: ApiAllowance;
  readonly refreshToken: SecretValue;
}

async function redeem(
  rooms: CoverRooms,
  { entitlement, token, correlationId, trace }: CoverApis,
  { allowance, refreshToken }: Further,
): Promise<Result<EntraToken, Failure>> {
  if (token.user === undefined) {
    return answerInvalid();
  }
  const user = identityKey(token.user);
  const refused = takeBypass(rooms, { entitlement, user });
  if (refused !== undefined) {
    return fail(refused);
  }
  const registration = rooms.delegated;
  const redeemed = await askEntra(rooms, { registration, entitlement, user }, async () =>
    (await registration.entra()).redeemRefreshToken({
      refreshToken,
      scopes: qualifiedScopes(allowance),
      claims: undefined,
      correlationId,
      trace,
      cae: false,
    }),
  );
  return redeemed.ok && !isSamePerson(redeemed.value, token) ? answerInvalid() : redeemed;
}

function isSamePerson({ user: now }: EntraToken, { user: before }: EntraToken): boolean {
  return now !== undefined && now.tenantId === before?.tenantId && now.objectId === before.objectId;
}

/**
 * What a grant has of one API: the scopes that were released. Entra does not downscope, so that may be more than was asked
 * (never more than policy lets out), and asking less would make a grant that never opens.
 */
function givenScopes({ scopes }: ApiAllowance, released: readonly string[]): readonly string[] {
  const asked = scopes.filter((scope) => scope === ".default");
  return [...asked, ...released].sort();
}

function answerInvalid(): Result<never, Failure> {
  return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
}
