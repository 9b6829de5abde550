/**
 * Everything that sign-in keeps between requests, sealed and in the hands of others: no server state. One kind of box
 * for each, with its own key, type and life.
 */
import type { ApiScopes, CoveredApis } from "../api-scopes.ts";
import type { Sealer } from "../grants/seal.ts";
import {
  CODE_SECONDS,
  CONFIRMATION_SECONDS,
  LINK_SECONDS,
  PUSHED_REQUEST_SECONDS,
  SIGN_IN_SECONDS,
} from "../limits.ts";
import type { ReturnAddress } from "../return-address.ts";
import type { CodeContent } from "./authorization-code.ts";
import { createSealedBox, type SealedBox } from "./sealed-box.ts";

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
  readonly returnTo: ReturnAddress;
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
    | { readonly kind: "code"; readonly returnTo: ReturnAddress }
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
  readonly apis: CoveredApis;
  /** The handle that the grant will have, so that a form sent twice cannot make two grants. */
  readonly handle: string;
}

/** A person signs in to an application that wants to go on while they are away: Entra's code waits, not redeemed. */
export interface PendingCode extends Pending {
  readonly kind: "code";
  readonly returnTo: ReturnAddress;
  readonly entraCode: string;
  /** Ours, towards Entra. */
  readonly verifier: string;
  readonly nonce: string;
}

/** In a cookie while the confirmation page waits. */
export type PendingConfirmation = PendingGrant | PendingCode;

export interface Boxes {
  readonly pushedRequests: SealedBox<PushedRequest>;
  readonly links: SealedBox<SignInLink>;
  readonly transactions: SealedBox<Transaction>;
  readonly codes: SealedBox<CodeContent>;
  readonly confirmations: SealedBox<PendingConfirmation>;
}

export interface BoxesInput {
  readonly sealerFor: (purpose: string) => Sealer;
  readonly nowSeconds: () => number;
}

export function createBoxes({ sealerFor, nowSeconds }: BoxesInput): Boxes {
  const box = <T>(purpose: string, lifetimeSeconds: number): SealedBox<T> =>
    createSealedBox<T>({ sealer: sealerFor(purpose), lifetimeSeconds, nowSeconds });
  return {
    pushedRequests: box("pushed-request", PUSHED_REQUEST_SECONDS),
    links: box("signin-link", LINK_SECONDS),
    transactions: box("transaction", SIGN_IN_SECONDS),
    codes: box("code", CODE_SECONDS),
    confirmations: box("confirmation", CONFIRMATION_SECONDS),
  };
}
