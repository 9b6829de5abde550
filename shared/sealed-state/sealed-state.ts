/**
 * The sealed state of a sign-in. Between its requests, the service stores nothing: browsers and clients hold the state,
 * sealed. Each purpose has its own key, type and lifetime.
 */
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import {
  CODE_SECONDS,
  CONFIRMATION_SECONDS,
  LINK_SECONDS,
  PUSHED_REQUEST_SECONDS,
  SESSION_SECONDS,
  SIGN_IN_SECONDS,
} from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { CodeContent } from "./authorization-code.ts";
import { createStateSealer, type StateSealer } from "./state-sealer.ts";

/** An API of a sign-in: bare scope names, and the resource URI that is their prefix in the request to Entra. */
export interface TargetApi extends ApiScopes {
  readonly resource: string;
  /**
   * Further scopes that policy would release, because Entra does not downscope. The confirmation page shows them too.
   */
  readonly beyond: readonly string[];
}

/** What policy allowed at the start of the sign-in. Policy decides again before the service issues anything. */
export interface Target {
  /** Name of the policy entry. */
  readonly entry: string;
  readonly clientId: string;
  /** The blueprint of that entry, if it names one instead of the client. */
  readonly blueprint: string | undefined;
  /** Client id of the registration that the person signs in for. */
  readonly registration: string;
  /** Several only if the sign-in issues a grant. The token is for the first. */
  readonly apis: readonly [TargetApi, ...TargetApi[]];
  /** `acceptSurplus` of the entry. */
  readonly surplus: boolean;
  readonly offlineAccess: boolean;
}

/** Parameters of Entra's sign-in page, passed on unchanged. */
export interface SignInHints {
  readonly prompt: string | undefined;
  readonly loginHint: string | undefined;
  readonly domainHint: string | undefined;
  /** Claims request, JSON text. */
  readonly claims: string | undefined;
}

/** Sealed in `request_uri` (RFC 9126). */
export interface PushedRequest {
  readonly target: Target;
  readonly returnTo: RedirectTarget;
  readonly hints: SignInHints;
}

/** The grant that a link is about. */
export interface LinkedHandle {
  /** `oid` of the only user who may use the link. */
  readonly expectedUser: string | undefined;
  /** The grant's handle. Only the application gets it, with the link. */
  readonly handle: string;
  /** The grant exists, and the link makes it live again. */
  readonly heals: boolean;
}

/** Sealed in `/signin/{link}`: a person may allow a grant for exactly this application, API and scopes. */
export interface SignInLink extends LinkedHandle {
  readonly target: Target;
  readonly claims: string | undefined;
}

/** Sealed in a cookie while the browser is at Entra. */
export interface Transaction {
  readonly id: string;
  /** Sent to Entra, which returns it with its response. */
  readonly state: string;
  readonly nonce: string;
  /** The service's PKCE verifier for Entra. */
  readonly verifier: string;
  readonly correlationId: string;
  readonly target: Target;
  readonly purpose:
    | { readonly kind: "code"; readonly returnTo: RedirectTarget }
    | ({ readonly kind: "grant" } & LinkedHandle);
}

interface Pending {
  readonly id: string;
  readonly target: Target;
  /** A hidden field of the form. It shows that the form comes from the page that this browser was shown. */
  readonly formToken: string;
  readonly createdAtSeconds: number;
  readonly correlationId: string;
}

/**
 * A person allows a grant for an application that is not present. Until approval, the refresh token is stored only
 * here.
 */
export interface PendingGrant extends Pending, Pick<LinkedHandle, "handle" | "heals"> {
  readonly kind: "grant";
  readonly user: { readonly tenantId: string; readonly objectId: string };
  readonly person: { readonly name: string; readonly username: string };
  readonly refreshToken: string;
  /** The consented APIs. The page shows them, and the grant will have them. */
  readonly apis: ConsentedApis;
}

/** A person signs in to an application that requests offline access. Entra's code is not redeemed yet. */
export interface PendingCode extends Pending {
  readonly kind: "code";
  readonly returnTo: RedirectTarget;
  readonly entraCode: string;
  /** The service's PKCE verifier for Entra. */
  readonly verifier: string;
  readonly nonce: string;
}

/** Sealed in a cookie until the person answers the confirmation page. */
export type PendingConfirmation = PendingGrant | PendingCode;

/** Sealed in a cookie while the browser is at Entra, before a person sees `/me`. It leads to no grant. */
export interface Visit {
  readonly id: string;
  /** Sent to Entra, which returns it with its response. */
  readonly state: string;
  readonly nonce: string;
  /** The service's PKCE verifier for Entra. */
  readonly verifier: string;
  readonly correlationId: string;
  /** Client id of the registration that the person signs in to. */
  readonly registration: string;
}

/** Sealed in a cookie: who signed in to see `/me`. It has no token. */
export interface Session {
  readonly id: string;
  readonly user: { readonly tenantId: string; readonly objectId: string };
  readonly person: { readonly name: string; readonly username: string };
  /** Client id of the registration that the person signed in to. */
  readonly registration: string;
  /** A hidden field of each form. It shows that the form comes from the page that this browser was shown. */
  readonly formToken: string;
}

export interface SealedState {
  readonly pushedRequests: StateSealer<PushedRequest>;
  readonly links: StateSealer<SignInLink>;
  readonly transactions: StateSealer<Transaction>;
  readonly codes: StateSealer<CodeContent>;
  readonly confirmations: StateSealer<PendingConfirmation>;
  readonly visits: StateSealer<Visit>;
  readonly sessions: StateSealer<Session>;
}

export interface SealedStateInput {
  readonly sealerFor: (purpose: string) => Sealer;
  readonly nowSeconds: () => number;
}

export function createSealedState({ sealerFor, nowSeconds }: SealedStateInput): SealedState {
  const stateSealer = <T>(purpose: string, lifetimeSeconds: number): StateSealer<T> =>
    createStateSealer<T>({ sealer: sealerFor(purpose), lifetimeSeconds, nowSeconds });
  return {
    pushedRequests: stateSealer("pushed-request-2", PUSHED_REQUEST_SECONDS),
    links: stateSealer("signin-link-3", LINK_SECONDS),
    transactions: stateSealer("transaction-3", SIGN_IN_SECONDS),
    codes: stateSealer("code-2", CODE_SECONDS),
    confirmations: stateSealer("confirmation-3", CONFIRMATION_SECONDS),
    visits: stateSealer("visit-1", SIGN_IN_SECONDS),
    sessions: stateSealer("session-1", SESSION_SECONDS),
  };
}
