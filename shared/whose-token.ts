/**
 * Stage 1 of 5, second half: who calls, and whose permission the token will carry. A user may exchange only itself; only
 * an application may present another's token, and that token must pass every check as a *user's*. Policy decides later
 * whether it may.
 */
import type { AuditFacts } from "./audit/audit-event.ts";
import { type Authenticator, authenticate, subjectFailure } from "./authenticate.ts";
import { codeRefusal, toOpenedCode } from "./authorize/authorization-code.ts";
import type { BoxRefused } from "./authorize/sealed-box.ts";
import type { Caller, UserCaller } from "./caller/caller.ts";
import type { Ask, ExchangeRequest } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import type { GrantKeeper } from "./keep-grant.ts";
import type { Permission } from "./permission.ts";
import { fail, type Result, succeed } from "./result.ts";
import type { SecretValue } from "./secret-value.ts";
import type { SignInParts } from "./sign-in/sign-in-rooms.ts";

/** The caller, and the permission it brought. */
export interface Presenter {
  readonly caller: Caller;
  readonly permission: Permission;
}

interface Rooms extends Authenticator {
  readonly grants: Pick<GrantKeeper, "open">;
  readonly signIn: SignInParts | undefined;
}

type Note = (facts: Partial<AuditFacts>) => void;
type OnBehalfOf = Extract<Ask, { flow: "on-behalf-of" }>;

export async function whoseToken(
  stages: Rooms,
  request: ExchangeRequest,
  note: Note,
): Promise<Result<Presenter, Failure>> {
  const { proof, ask, trace } = request;
  const rooms = { ...stages, trace };
  note({ flow: ask.flow });
  if (proof?.method === "subject_itself") {
    return ask.flow === "on-behalf-of" ? subjectAsCaller(rooms, request, ask, note) : fail({ kind: "caller_missing" });
  }
  const caller = await authenticate(rooms, proof);
  if (!caller.ok) {
    return caller;
  }
  noteCaller(caller.value, note);
  if (!isClaimed(caller.value, request)) {
    return fail({ kind: "request_invalid", problem: "client_id_mismatch", parameter: "client_id" });
  }
  const permission = await permissionOf(rooms, caller.value, ask);
  if (!permission.ok) {
    return permission;
  }
  notePermission(permission.value, note);
  return succeed({ caller: caller.value, permission: permission.value });
}

function permissionOf(rooms: Rooms, caller: Caller, ask: Ask): Promise<Result<Permission, Failure>> {
  switch (ask.flow) {
    case "on-behalf-of":
      return subjectPermission(rooms, caller, ask);
    case "refresh-token":
      return grantPermission(rooms, caller, ask.refreshToken);
    case "authorization-code":
      return codePermission(rooms, caller, ask);
    case "client-credentials":
      return Promise.resolve(
        caller.kind === "application"
          ? succeed({ source: "application" } as const)
          : fail({ kind: "policy_refused", reason: "application_required" } as const),
      );
  }
}

/** The token to exchange is the only proof: it is the caller and the subject at once. */
async function subjectAsCaller(
  rooms: Rooms,
  request: ExchangeRequest,
  { subject, presentedAs }: OnBehalfOf,
  note: Note,
): Promise<Result<Presenter, Failure>> {
  const user = subject === undefined ? undefined : await userOf(rooms, subject, presentedAs);
  if (user === undefined) {
    return fail({ kind: "caller_missing" });
  }
  if (!user.ok) {
    return user;
  }
  const permission = { source: "user", subject: user.value, presentedAs } as const;
  noteCaller(user.value, note);
  notePermission(permission, note);
  return isClaimed(user.value, request)
    ? succeed({ caller: user.value, permission })
    : fail({ kind: "request_invalid", problem: "client_id_mismatch", parameter: "client_id" });
}

async function subjectPermission(
  rooms: Rooms,
  caller: Caller,
  { subject, presentedAs }: OnBehalfOf,
): Promise<Result<Permission, Failure>> {
  if (caller.kind === "user") {
    const itself = subject === undefined || subject.reveal() === caller.token.reveal();
    return itself
      ? succeed({ source: "user", subject: caller, presentedAs })
      : fail({ kind: "subject_refused", reason: "not_the_caller", presentedAs });
  }
  if (subject === undefined) {
    return fail({ kind: "policy_refused", reason: "user_required" });
  }
  const user = await userOf(rooms, subject, presentedAs);
  return user.ok ? succeed({ source: "user", subject: user.value, presentedAs }) : user;
}

/** A presented token that must be a user's. */
async function userOf(
  { callers, nowSeconds, trace }: Rooms,
  subject: SecretValue,
  presentedAs: "subject_token" | "assertion",
): Promise<Result<UserCaller, Failure>> {
  const validated = await callers.validate(subject, nowSeconds(), trace);
  if (!validated.ok) {
    return fail(subjectFailure(validated.failure, presentedAs));
  }
  return validated.value.kind === "user"
    ? succeed(validated.value)
    : fail({ kind: "subject_refused", reason: "not_a_user", presentedAs });
}

/** A handle of ours opens a grant; anything else can only be a refresh token of Entra's, which policy judges. */
async function grantPermission(
  { grants }: Rooms,
  caller: Caller,
  refreshToken: SecretValue,
): Promise<Result<Permission, Failure>> {
  if (!refreshToken.reveal().startsWith("gte_")) {
    return succeed({ source: "imported", refreshToken });
  }
  const grant = await grants.open(refreshToken, caller);
  return grant.ok ? succeed({ source: "grant", grant: grant.value }) : grant;
}

/** Our own code: sealed, in time, and this client's. Who found it in a log or a history cannot redeem it. */
async function codePermission(
  { signIn }: Rooms,
  { clientId }: Caller,
  { code, redirectUri, codeVerifier }: Extract<Ask, { flow: "authorization-code" }>,
): Promise<Result<Permission, Failure>> {
  if (signIn === undefined) {
    return fail({ kind: "code_refused", reason: "malformed" });
  }
  const opened = await (await signIn.boxes()).codes.open(code.reveal());
  if (!opened.ok) {
    return fail(codeFailure(opened.failure));
  }
  const reason = codeRefusal(opened.value, { clientId, redirectUri, codeVerifier });
  return reason === undefined
    ? succeed({ source: "code", code: toOpenedCode(opened.value) })
    : fail({ kind: "code_refused", reason });
}

function codeFailure(failure: Failure | BoxRefused): Failure {
  switch (failure.kind) {
    case "box_broken":
      return { kind: "code_refused", reason: "malformed" };
    case "box_expired":
      return { kind: "code_refused", reason: "expired" };
    default:
      return failure;
  }
}

function isClaimed(caller: Caller, { claimedClientId }: ExchangeRequest): boolean {
  return claimedClientId === undefined || claimedClientId.toLowerCase() === caller.clientId.toLowerCase();
}

/** What the audit trail says of a caller. */
export function noteCaller(caller: Caller, note: Note): void {
  note({
    callerKind: caller.kind,
    callerClientId: caller.clientId,
    callerObjectId: caller.objectId,
    callerUnderstandsChallenge: caller.understandsClaimsChallenge,
    ...(caller.tokenId === undefined ? {} : { callerTokenId: caller.tokenId }),
  });
}

function notePermission(permission: Permission, note: Note): void {
  if (permission.source === "user") {
    const { subject } = permission;
    note({
      subjectObjectId: subject.objectId,
      subjectClientId: subject.clientId,
      ...(subject.tokenId === undefined ? {} : { subjectTokenId: subject.tokenId }),
    });
  }
  if (permission.source === "grant") {
    note({ subjectObjectId: permission.grant.grant.user.objectId, grantId: permission.grant.grant.id });
  }
}
