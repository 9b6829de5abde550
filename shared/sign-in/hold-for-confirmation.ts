/**
 * A person has signed in, and a permission is to be kept. What it hangs on waits in a sealed cookie of this browser, and
 * nowhere else, until the person has said yes:
 *
 *   a grant for an application that is not there → everything is checked that can be (policy again, Entra's code, who it
 *   was, what Entra gave), and the refresh token waits
 *   an application's own sign-in                 → Entra's code waits; it is redeemed by the application, once, as ever
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { PendingConfirmation, PendingGrant, Transaction } from "../authorize/boxes.ts";
import { cookiesFor, makeRoom } from "../authorize/cookies.ts";
import { newSecret } from "../authorize/pkce.ts";
import type { Cookie } from "../cookie.ts";
import { coverApis } from "../cover-apis.ts";
import type { SignedInToken } from "../entra/entra-token.ts";
import type { Failure } from "../failure.ts";
import { qualifiedScopes } from "../flows/flow.ts";
import { newHandle } from "../grants/handle.ts";
import { CONFIRMATION_SECONDS } from "../limits.ts";
import { checkReleasedScopes } from "../policy/check-released-scopes.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { ReturnAddress } from "../return-address.ts";
import { SecretValue } from "../secret-value.ts";
import { boxFailure, refuseSignIn, type SignInRooms } from "./sign-in-rooms.ts";
import { toSignInInput } from "./target.ts";

export interface HoldRequest {
  readonly transaction: Transaction;
  readonly expectedUser: string | undefined;
  /** Entra's. */
  readonly code: string;
  readonly cookieHeader: string;
  readonly note: (facts: Partial<AuditFacts>) => void;
}

export async function holdForConfirmation(
  rooms: SignInRooms,
  { transaction, expectedUser, code, cookieHeader, note }: HoldRequest,
): Promise<Result<readonly Cookie[], Failure>> {
  const decision = decideSignIn(rooms.policy, toSignInInput(transaction.target));
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const token = await redeem(rooms, transaction, decision.value, code);
  if (!token.ok) {
    return token;
  }
  note({ scopesReturned: token.value.scopes });
  const user = checkUser(rooms, token.value, expectedUser);
  if (!user.ok) {
    return user;
  }
  note({ subjectObjectId: user.value.objectId });
  const released = checkReleasedScopes(decision.value, token.value.scopes);
  if (!released.ok) {
    return fail({ kind: "scope_surplus", entry: decision.value.entry, surplus: released.failure.surplus });
  }
  const covered = await coverApis(rooms, {
    entitlement: decision.value,
    token: token.value,
    scopes: released.value,
    correlationId: transaction.correlationId,
    trace: rooms.trace,
    note,
  });
  if (!covered.ok) {
    return covered;
  }
  const { apis, refreshToken } = covered.value;
  const { person } = token.value;
  if (refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  const { tenantId, objectId } = user.value;
  const pending: PendingGrant = {
    kind: "grant",
    ...common(rooms, transaction),
    user: { tenantId, objectId },
    person: { name: person.name, username: person.username },
    refreshToken: refreshToken.reveal(),
    apis,
    handle: newHandle().secret.reveal(),
  };
  return hold(rooms, pending, cookieHeader);
}

export interface HoldCode {
  readonly transaction: Transaction;
  readonly returnTo: ReturnAddress;
  /** Entra's. */
  readonly code: string;
  readonly cookieHeader: string;
}

export function holdCode(
  rooms: SignInRooms,
  { transaction, returnTo, code, cookieHeader }: HoldCode,
): Promise<Result<readonly Cookie[], Failure>> {
  const { verifier, nonce } = transaction;
  const pending = { kind: "code", ...common(rooms, transaction), returnTo, entraCode: code, verifier, nonce } as const;
  return hold(rooms, pending, cookieHeader);
}

function common(rooms: SignInRooms, { id, target, correlationId }: Transaction) {
  return { id, target, formToken: newSecret(), createdAtSeconds: rooms.nowSeconds(), correlationId };
}

async function redeem(
  { delegated, trace }: SignInRooms,
  { verifier, nonce, correlationId }: Transaction,
  entitlement: Entitlement,
  code: string,
): Promise<Result<SignedInToken, Failure>> {
  const entra = await delegated.entra();
  return entra.redeemCode({
    code: new SecretValue(code),
    codeVerifier: new SecretValue(verifier),
    nonce,
    scopes: qualifiedScopes(entitlement),
    claims: undefined,
    correlationId,
    trace,
    cae: false,
  });
}

/** This tenant, the person that was expected, and a guest only where guests may come. */
function checkUser(
  { tenantId, allowGuests }: SignInRooms,
  { user, person }: SignedInToken,
  expectedUser: string | undefined,
): Result<PendingGrant["user"], Failure> {
  if (user === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  if (user.tenantId !== tenantId || (expectedUser !== undefined && user.objectId !== expectedUser)) {
    return refuseSignIn("wrong_user");
  }
  return person.guest && !allowGuests ? refuseSignIn("guest") : succeed(user);
}

async function hold(
  rooms: SignInRooms,
  pending: PendingConfirmation,
  cookieHeader: string,
): Promise<Result<readonly Cookie[], Failure>> {
  const sealed = await (await rooms.signIn.boxes()).confirmations.seal(pending);
  if (!sealed.ok) {
    return boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
  }
  const content = { sealed: sealed.value, maxAgeSeconds: CONFIRMATION_SECONDS };
  const cookies = cookiesFor("confirm", pending.id, content);
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed([...makeRoom(cookieHeader, "confirm"), ...cookies]);
}
