/**
 * Everything that sign-in keeps between requests, sealed and in the hands of others: no server state. One kind of box
 * for each, with its own key, type and life.
 */
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import {
  CODE_SECONDS,
  CONFIRMATION_SECONDS,
  LINK_SECONDS,
  PUSHED_REQUEST_SECONDS,
  SIGN_IN_SECONDS,
} from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { CodeContent } from "./authorization-code.ts";
import { createStateSealer, type StateSealer } from "./state-sealer.ts";

/** An API as Entra is asked for it: bare scope names, and the resource URI that goes in front of them. */
export interface TargetApi extends ApiScopes {
  readonly resource: string;
  /** What policy would release besides, because Entra does not downscope. The page shows it, and no more than it is given. */
  readonly beyond: readonly string[];
}

/** What policy allowed when it was asked first. It is asked again before anything is given. */
export interface Target {
  /** Name of the policy entry. */
  readonly entry: string;
  readonly clientId: string;
  /** Several only for a permission that is kept; the token is for the first. */
  readonly apis: readonly [TargetApi, ...TargetApi[]];
  /** `acceptSurplus` of the entry. */
  readonly surplus: boolean;
  readonly offlineAccess: boolean;
}

/** How Entra is to ask the person; passed on as it is. */
export interface SignInHints {
  readonly prompt: string | undefined;
  readonly loginHint: string | undefined;
  readonly domainHint: string | undefined;
  /** Claims request, JSON text. */
  readonly claims: string | undefined;
}

/** Behind `request_uri` (RFC 9126). */
export interface PushedRequest {
  readonly target: Target;
  readonly returnTo: RedirectTarget;
  readonly hints: SignInHints;
}

/** Behind `/signin/{link}`: a person may make a grant for exactly this application, API and scopes. */
export interface SignInLink {
  readonly target: Target;
  /** `oid` of the only person that may use it. */
  readonly expectedUser: string | undefined;
  readonly claims: string | undefined;
}

/** In a cookie while the browser is at Entra. */
export interface Transaction {
  readonly id: string;
  /** Sent to Entra, comes back with the answer. */
  readonly state: string;
  readonly nonce: string;
  /** Ours, towards Entra. */
  readonly verifier: string;
  readonly correlationId: string;
  readonly target: Target;
  readonly purpose:
    | { readonly kind: "code"; readonly returnTo: RedirectTarget }
    | { readonly kind: "grant"; readonly expectedUser: string | undefined };
}

interface Pending {
  readonly id: string;
  readonly target: Target;
  /** Hidden in the form: it must come back from the page that was shown to this browser. */
  readonly formToken: string;
  readonly createdAtSeconds: number;
  readonly correlationId: string;
}

/** A person makes a grant for an application that is not there: the only place where the refresh token is. */
export interface PendingGrant extends Pending {
  readonly kind: "grant";
  readonly user: { readonly tenantId: string; readonly objectId: string };
  readonly person: { readonly name: string; readonly username: string };
  readonly refreshToken: string;
  /** What the permission truly covers: what the page shows is what the grant will have. */
  readonly apis: ConsentedApis;
  /** The handle that the grant will have, so that a form sent twice cannot make two grants. */
  readonly handle: string;
}

/** A person signs in to an application that wants to go on while they are away: Entra's code waits, not redeemed. */
export interface PendingCode extends Pending {
  readonly kind: "code";
  readonly returnTo: RedirectTarget;
  readonly entraCode: string;
  /** Ours, towards Entra. */
  readonly verifier: string;
  readonly nonce: string;
}

/** In a cookie while the confirmation page waits. */
export type PendingConfirmation = PendingGrant | PendingCode;

export interface SealedState {
  readonly pushedRequests: StateSealer<PushedRequest>;
  readonly links: StateSealer<SignInLink>;
  readonly transactions: StateSealer<Transaction>;
  readonly codes: StateSealer<CodeContent>;
  readonly confirmations: StateSealer<PendingConfirmation>;
}

export interface BoxesInput {
  readonly sealerFor: (purpose: string) => Sealer;
  readonly nowSeconds: () => number;
}

export function createSealedState({ sealerFor, nowSeconds }: BoxesInput): SealedState {
  const box = <T>(purpose: string, lifetimeSeconds: number): StateSealer<T> =>
    createStateSealer<T>({ sealer: sealerFor(purpose), lifetimeSeconds, nowSeconds });
  return {
    pushedRequests: box("pushed-request", PUSHED_REQUEST_SECONDS),
    links: box("signin-link", LINK_SECONDS),
    transactions: box("transaction", SIGN_IN_SECONDS),
    codes: box("code", CODE_SECONDS),
    confirmations: box("confirmation", CONFIRMATION_SECONDS),
  };
}
