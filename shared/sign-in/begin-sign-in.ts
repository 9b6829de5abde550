/**
 * The browser arrives with a pushed request (`GET /oauth2/authorize`) or with a link (`GET /signin/{link}`). In both
 * cases the service seals a transaction into a cookie of this browser and redirects to Entra's sign-in page.
 *
 *   unseal the reference or link → transaction (state, nonce, verifier) → cookie → Entra's URL
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import { SIGN_IN_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { Registration } from "../entra/registration.ts";
import { decideSignIn } from "../policy/decide.ts";
import { cookiesFor, evictOldest, newTransactionId } from "../sealed-state/cookies.ts";
import { challengeOf, newSecret, sameText } from "../sealed-state/pkce.ts";
import type { SignInHints, Target, Transaction } from "../sealed-state/sealed-state.ts";
import { evaluateCode } from "./evaluate-code.ts";
import { REQUEST_URI_PREFIX } from "./push-request.ts";
import { registrationOfTarget } from "./registration-of-target.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
import { scopesForEntra, targetFacts, toSignInInput } from "./target.ts";

/** What the browser sends. */
export interface BrowserRequest {
  readonly cookieHeader: string;
  readonly correlationId: string;
}

export interface AuthorizeRequest extends BrowserRequest {
  readonly clientId: string;
  readonly requestUri: string;
}

export interface OpenLinkRequest extends BrowserRequest {
  readonly link: string;
}

/** The redirect to Entra, with the cookies that hold the transaction. */
export interface SignInRedirect {
  readonly location: string;
  readonly cookies: readonly Cookie[];
}

/** Begins a sign-in from a pushed request of this client (RFC 9126 section 4), if policy still allows it. */
export async function beginAuthorize(
  context: SignInContext,
  browserRequest: AuthorizeRequest,
  audit: AuditTrail,
): Promise<Result<SignInRedirect, Failure>> {
  const { clientId, requestUri } = browserRequest;
  if (!requestUri.startsWith(REQUEST_URI_PREFIX)) return refuseSignIn("request_invalid");
  const { pushedRequests } = await context.signIn.sealedState();
  const unsealed = await pushedRequests.unseal(requestUri.slice(REQUEST_URI_PREFIX.length));
  if (!unsealed.ok) {
    return fromStateFailure(unsealed.failure, { invalid: "request_invalid", expired: "request_expired" });
  }
  const { target, returnTo, hints } = unsealed.value;
  if (!sameText(target.clientId, clientId.toLowerCase())) return refuseSignIn("request_invalid");
  audit.add(targetFacts(context.policy, target));
  const registration = registrationOfTarget(context, target);
  if (!registration.ok) return registration;
  const allowed = evaluateCode(context.policy, target, returnTo);
  if (!allowed.ok) return allowed;
  const purpose = { kind: "code", returnTo } as const;
  return startSignIn(context, { target, registration: registration.value, purpose, hints, browserRequest });
}

/**
 * Begins a sign-in from a link. Policy may have changed since the link was created, so policy decides again. Nothing is
 * consumed: programs that check the links of a mail may open it as often as they like.
 */
export async function beginLink(
  context: SignInContext,
  browserRequest: OpenLinkRequest,
  audit: AuditTrail,
): Promise<Result<SignInRedirect, Failure>> {
  const unsealed = await (await context.signIn.sealedState()).links.unseal(browserRequest.link);
  if (!unsealed.ok) return fromStateFailure(unsealed.failure, { invalid: "link_invalid", expired: "link_expired" });
  const { target, claims, ...linked } = unsealed.value;
  audit.add(targetFacts(context.policy, target));
  const registration = registrationOfTarget(context, target);
  if (!registration.ok) return registration;
  const decision = decideSignIn(context.policy, toSignInInput(target));
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const answerable = await context.grants.checkAnswerable({
    handle: new SecretValue(linked.handle),
    heals: linked.heals,
  });
  if (!answerable.ok) return answerable;
  // No login hint: the person who opens the link chooses the account deliberately.
  const hints = { prompt: "select_account", loginHint: undefined, domainHint: undefined, claims };
  const purpose = { kind: "grant", ...linked } as const;
  return startSignIn(context, { target, registration: registration.value, purpose, hints, browserRequest });
}

// ---------------------------------------------------------------------------------------------------------------

interface StartSignIn {
  readonly target: Target;
  readonly registration: Registration;
  readonly purpose: Transaction["purpose"];
  readonly hints: SignInHints;
  readonly browserRequest: BrowserRequest;
}

async function startSignIn(context: SignInContext, start: StartSignIn): Promise<Result<SignInRedirect, Failure>> {
  const { target, registration, purpose, hints, browserRequest } = start;
  const id = newTransactionId(context.nowSeconds());
  const transaction: Transaction = {
    id,
    state: `${id}.${newSecret()}`,
    nonce: newSecret(),
    verifier: newSecret(),
    correlationId: browserRequest.correlationId,
    target,
    purpose,
  };
  const url = await (await registration.entra()).signInUrl({
    scopes: scopesForEntra(target),
    state: transaction.state,
    nonce: transaction.nonce,
    codeChallenge: challengeOf(transaction.verifier),
    correlationId: browserRequest.correlationId,
    cae: false,
    ...hints,
  });
  if (!url.ok) return url;
  const sealed = await (await context.signIn.sealedState()).transactions.seal(transaction);
  if (!sealed.ok) return fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
  const cookies = cookiesFor("signin", id, { sealed: sealed.value, maxAgeSeconds: SIGN_IN_SECONDS });
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed({ location: url.value, cookies: [...evictOldest(browserRequest.cookieHeader, "signin"), ...cookies] });
}
