import type { FlowName } from "../core/flow-name.ts";
/**
 * The audit event: one for every decision, structured, never sampled. Identifiers and codes only: no token, secret,
 * name, address or text that somebody else wrote. The schema is stable; docs/audit.md documents it.
 */

/** Gathered while a request goes its way; whatever is known at the end is written. */
export interface AuditFacts {
  route: string;
  flow?: FlowName;
  api?: string;
  callerKind?: "user" | "application";
  /** `azp`/`appid` of the caller. */
  callerClientId?: string;
  /** `oid` of the caller. */
  callerObjectId?: string;
  /** The caller's token has `xms_cc` `cp1`: it can answer a claims challenge. */
  callerUnderstandsChallenge?: boolean;
  /** `uti` of the caller's token. */
  callerTokenId?: string;
  /** `azp`/`appid` of the client that obtained the exchanged token, the caller's own for a user who exchanges itself. */
  subjectClientId?: string;
  /** `oid` of the user whose permission was used. */
  subjectObjectId?: string;
  /** `uti` of the exchanged token. */
  subjectTokenId?: string;
  /** Name of the policy entry that allowed or refused. */
  policyEntry?: string;
  scopesAsked?: readonly string[];
  scopesReturned?: readonly string[];
  /** Other APIs that a kept permission shall cover: scopes asked, by API. */
  alsoAsked?: Readonly<Record<string, readonly string[]>>;
  /** And the scopes that Entra gave for them. */
  alsoReturned?: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of the handle, hex. */
  grantId?: string;
  grantMade?: boolean;
  /** A grant was named to be ended: whether one was. */
  grantRevoked?: boolean;
  /** `azp`/`appid` of the client whose grant was ended. */
  grantClientId?: string;
  cache?: "hit" | "joined" | "miss" | "bypass" | "shared";
  /** The token is valid, but a newer one was due and Entra could not give it. */
  warning?: "entra_unavailable" | "entra_throttled";
  correlationId?: string;
  /** W3C trace id of the request. */
  traceId?: string;
  /** Entra's trace id, for a support request to Microsoft. */
  entraTraceId?: string;
  /** AADSTS numbers. */
  aadsts?: readonly number[];
}

/** How it ended: a token or another answer was given; the caller was refused; we or a dependency failed. */
export type AuditOutcome = "issued" | "answered" | "refused" | "failed";

export interface AuditEvent extends AuditFacts {
  readonly event: "exchange";
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly outcome: AuditOutcome;
  /** Stable code of the failure; "ok" otherwise. */
  readonly code: string;
  /** Finer reason within the code, where there is one. */
  readonly reason?: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly milliseconds: number;
}
