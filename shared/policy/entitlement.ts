import type { FlowName } from "../core/flow-name.ts";

declare const decided: unique symbol;

/** An API of the policy, as a flow and an answer need it. */
export interface Api {
  readonly name: string;
  /** Resource URI, the prefix of its scopes at Entra. */
  readonly resource: string;
  readonly contentType: string;
}

/** What policy allows of one API. */
export interface ApiAllowance {
  readonly api: Api;
  /** Bare scope names to ask Entra for, sorted. */
  readonly scopes: readonly string[];
  /** Bare scope names that may be released to this caller. */
  readonly releasable: readonly string[];
  /** Release a token although it carries scopes outside `releasable`. */
  readonly acceptSurplus: boolean;
}

/** What policy would allow: first of all the API that the token is for. */
export interface Allowance extends ApiAllowance {
  /** Name of the policy entry that allowed it, for the audit trail. */
  readonly entry: string;
  readonly flow: FlowName;
  /** Other APIs that the permission shall cover; none unless it is kept. */
  readonly also: readonly ApiAllowance[];
  /** Keep the permission as a grant. */
  readonly offlineAccess: boolean;
  readonly grantMaxDays: number;
  readonly importRefreshTokens: boolean;
  /** Declare the client capability `cp1` to Entra: long-lived tokens that Graph may challenge. */
  readonly cae: boolean;
  /** Cache bypasses per user and minute. */
  readonly bypassPerMinute: number;
}

/** What policy allows for a request that was made: the only input that a flow accepts. Only `decide.ts` makes one. */
export interface Entitlement extends Allowance {
  readonly [decided]: true;
}
