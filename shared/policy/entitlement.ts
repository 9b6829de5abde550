import type { FlowName } from "../core/flow-name.ts";
import type { AllowedCall, DownstreamRule } from "./downstream-rules.ts";

declare const decided: unique symbol;

/** An API of the policy, with what a flow and a response need. */
export interface Api {
  readonly name: string;
  /** Resource URI: the prefix of the API's scopes in requests to Entra. */
  readonly resource: string;
  readonly contentType: string;
  /** Where the relay sends requests. Undefined: the host of the resource. */
  readonly baseUrl?: string;
  /** Scope → what it allows, in the words of the policy. */
  readonly scopeDescriptions: Readonly<Record<string, string>>;
}

/** What policy allows of one API. */
export interface ApiAllowance {
  readonly api: Api;
  /** Bare scope names to request from Entra, sorted. */
  readonly scopes: readonly string[];
  /** Bare scope names that may be released to this caller. */
  readonly releasable: readonly string[];
  /** Release a token although it carries scopes outside `releasable`. */
  readonly acceptSurplus: boolean;
}

/** What policy would allow. The inherited members are about the API of the token. */
export interface Allowance extends ApiAllowance {
  /** Name of the policy entry that allowed it, for the audit trail. */
  readonly entry: string;
  /** Name of the entry's registration, for the audit trail. */
  readonly registration: string;
  readonly flow: FlowName;
  /** Further APIs of the grant. Empty unless the request issues a grant. */
  readonly also: readonly ApiAllowance[];
  /** Issue a grant. */
  readonly offlineAccess: boolean;
  readonly grantMaxDays: number;
  readonly maxGrantsPerUser: number;
  /** The service keeps its grants alive. Undefined: only their caller does. */
  readonly keepAliveDays: number | undefined;
  readonly importRefreshTokens: boolean;
  /** The person confirms before every authorization code. */
  readonly requireConfirmation: boolean;
  /** Declare the client capability `cp1` to Entra: long-lived tokens that Graph may challenge. */
  readonly cae: boolean;
  /** Cache bypasses per user and minute. */
  readonly bypassPerMinute: number;
  /** Requests that the cache cannot answer, per user and minute. */
  readonly missesPerMinute: number;
  /** The token is for this call of the relay and is not released. Undefined: it is released. */
  readonly downstream?: AllowedDownstream;
}

/** The call that a rule allows, and every rule of the entry for this API. */
export interface AllowedDownstream extends AllowedCall {
  readonly rules: readonly DownstreamRule[];
}

/** What policy allows for an authenticated request. A flow accepts nothing else. Only `decide.ts` makes one. */
export interface Entitlement extends Allowance {
  readonly [decided]: true;
}
