/**
 * The audit event: one structured event for every decision, never sampled. It contains identifiers and codes only: no
 * token, secret, name, address or text from outside. The schema is stable; docs/audit.md documents it.
 */
import type { FlowName } from "../core/flow-name.ts";

/** The facts that a request collects. The event contains those that are known when the request ends. */
export interface AuditFacts {
  route: string;
  flow?: FlowName;
  api?: string;
  /** How the client authenticated. Absent: the request had no credentials, or none that the policy accepts. */
  clientAuthentication?:
    | "bearer"
    | "client_assertion"
    | "subject_itself"
    | "entra_secret"
    | "entra_assertion"
    | "ignored_with_subject";
  callerKind?: "user" | "application";
  /** `azp`/`appid` of the caller. */
  callerClientId?: string;
  /** The caller's client is an agent identity that acts for itself, or for a person. */
  agent?: "autonomous" | "for_person";
  /** Client id of the agent identity blueprint of that client. */
  blueprint?: string;
  /** `oid` of the caller. */
  callerObjectId?: string;
  /** The caller's token has `xms_cc` `cp1`: the caller can answer a claims challenge. */
  callerUnderstandsChallenge?: boolean;
  /** `uti` of the caller's token. */
  callerTokenId?: string;
  /**
   * `azp`/`appid` of the client to which the exchanged token was issued. For a user's own token, the caller's client.
   */
  subjectClientId?: string;
  /** `oid` of the user on whose behalf the token was requested. */
  subjectObjectId?: string;
  /** `uti` of the exchanged token. */
  subjectTokenId?: string;
  /** The party of `actor_token` (RFC 8693 section 4.1): `azp`/`appid` and `oid` of its token. */
  act?: { readonly clientId: string; readonly objectId: string };
  /** Name of the policy entry that allowed or refused the request. */
  policyEntry?: string;
  /** Name of the registration of that entry: `default`, or a name of the policy. */
  registration?: string;
  /** The requested scopes of `api`. */
  scopesAsked?: readonly string[];
  scopesReturned?: readonly string[];
  /** The requested scopes of the other APIs in the same grant, by API. */
  alsoAsked?: Readonly<Record<string, readonly string[]>>;
  /** The scopes that Entra returned for them, by API. */
  alsoReturned?: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of the handle, hex. */
  grantId?: string;
  grantMade?: boolean;
  /** A person allowed the grant again, and its handle is live again. */
  grantHealed?: boolean;
  /** Id of the grant that ended because the new one is at the limit of `maxGrantsPerUser`; if several ended, a blank between. */
  grantReplaced?: string;
  /** Present on a revocation: whether a grant was ended. */
  grantRevoked?: boolean;
  /** `azp`/`appid` of the client whose grant was ended. */
  grantClientId?: string;
  /** An administrator's revocation: what it concerns, its id, and how many grants were counted. */
  revocationKind?: "person" | "caller" | "entry" | "api" | "grant" | "everything";
  revocationKey?: string;
  revocationDryRun?: boolean;
  revocationId?: string;
  revocationGrants?: number;
  cache?: "hit" | "joined" | "miss" | "bypass" | "shared";
  /** The token is valid, but it was due for renewal and Entra could not renew it. */
  warning?: "entra_unavailable" | "entra_throttled";
  /** Method of the request to the API. */
  relayMethod?: string;
  /** Path of the policy rule that allowed it, never the path itself. */
  relayRule?: string;
  /** Number of requests in a batch. */
  relayBatch?: number;
  /** Status of the API's response. */
  relayStatus?: number;
  /** Size of the body that was sent to the API, and of the body that it returned. */
  relayBytesSent?: number;
  relayBytesReceived?: number;
  /** The API's own id of the request (Graph's `request-id`), for a support request to Microsoft. */
  relayRequestId?: string;
  correlationId?: string;
  /** W3C trace id of the request. */
  traceId?: string;
  /** Entra's trace id, for a support request to Microsoft. */
  entraTraceId?: string;
  /** AADSTS error codes. */
  aadsts?: readonly number[];
}

/**
 * Issued: a token. Answered: another response. Refused: an error of the caller. Failed: an error of the service or a
 * dependency.
 */
export type AuditOutcome = "issued" | "answered" | "refused" | "failed";

export interface AuditEvent extends AuditFacts {
  readonly event: "exchange";
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly outcome: AuditOutcome;
  /** Stable code of the failure, or "ok". */
  readonly code: string;
  /** A more precise reason than `code`, for some codes. */
  readonly reason?: string;
  /** HTTP status of the response. */
  readonly status: number;
  /** Hash of the policy that the request ran under. Absent: none was loaded. */
  readonly policy?: string;
  readonly milliseconds: number;
}
