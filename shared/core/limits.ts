/** Every deadline and size limit of the service, each with its reason. The name ends with the unit. */

/** One request. It ends long before Power Automate (120 s) and Azure's load balancer (230 s) give up. */
export const REQUEST_DEADLINE_MS = 10_000;
/** One request through the relay: two exchanges and two calls, and it still ends before Power Automate gives up. */
export const RELAY_REQUEST_DEADLINE_MS = 90_000;
/** One call of the relay to an API. Graph ends its own slow requests after about this time. */
export const RELAY_CALL_DEADLINE_MS = 30_000;
/** One call to Entra's token endpoint. It leaves two seconds for the rest of the request. */
export const ENTRA_DEADLINE_MS = 8_000;
/**
 * The redemption of an authorization code. The caller gets 504 after `ENTRA_DEADLINE_MS`, and the redemption continues:
 * Entra redeems a code only once, so the repeated request needs this result.
 */
export const CODE_REDEMPTION_DEADLINE_MS = 30_000;
/** Reading Entra's signing keys: a small, cached document. */
export const KEY_SET_DEADLINE_MS = 3_000;
/** One read of a Key Vault secret, retried once. */
export const VAULT_DEADLINE_MS = 3_000;
/** One read of the policy blob with the token for it. Requests wait for it only if the policy is missing or overdue. */
export const POLICY_DEADLINE_MS = 3_000;
/** One operation on the grant table. */
export const GRANT_STORE_DEADLINE_MS = 2_000;
/** One call to Redis, which usually takes one or two milliseconds. After this time a call to Entra is as fast. */
export const REDIS_DEADLINE_MS = 50;
/**
 * The first lookup of a new instance, which also loads the client, reads the key and connects. With the shorter
 * deadline, an instance that scale-out adds would call Entra for tokens that Redis has. The credential and MSAL load at
 * the same time, so the wait costs little.
 */
export const REDIS_FIRST_DEADLINE_MS = 250;
/** One export of telemetry. No request waits for it. */
export const TELEMETRY_DEADLINE_MS = 5_000;
/** The last export, before the host ends the process. */
export const TELEMETRY_STOP_MS = 2_000;
/** One request to a receiver of events. No caller waits for it. */
export const EVENT_DEADLINE_MS = 10_000;
/** What is not written or sent yet, before the host ends the process. A timer sends what is written. */
export const EVENTS_STOP_MS = 2_000;

/**
 * Requests that one instance works on or keeps waiting. Each holds some 20 KB, and an instance answers as many cached
 * requests in about a second.
 */
export const REQUESTS_AT_ONCE_MAX = 512;
/** A caller with fewer requests than this is admitted to a full instance. */
export const REQUESTS_AT_ONCE_RESERVED = 8;
/** Not even such a caller is admitted beyond this number. */
export const REQUESTS_AT_ONCE_ABSOLUTE_MAX = 1_024;
/** Requests at once whose token proves no caller: those of strangers, and the first one with each token: half of the instance. */
export const UNPROVEN_REQUESTS_AT_ONCE_MAX = 256;
/** A request that has waited this long for its turn is refused: the rest of its deadline may not be enough. */
export const ADMISSION_WAIT_MAX_MS = 3_000;

/** A form or JSON body: two tokens of the maximum size and their parameters. */
export const BODY_MAX_BYTES = 64 * 1024;
/** Calls of the relay that run at once for one policy entry, on one instance: a quarter of the connections to a host. */
export const RELAY_CALLS_MAX = 128;
/** A body through the relay, in each direction. Graph takes at most 4 MB in one request that is no upload session. */
export const RELAY_BODY_MAX_BYTES = 5 * 1024 * 1024;
/** Requests in one batch: Graph's own limit. */
export const BATCH_REQUESTS_MAX = 20;
/** JSON values in one batch. Reading them takes some 20 ms, in which the instance does nothing else. */
export const BATCH_VALUES_MAX = 50_000;
/** Paging links in one response: a page of 999 entries, each with a link of its own. Each takes some 30 µs. */
export const RELAY_LINKS_MAX = 1_000;
/** A token. Entra's tokens are below 8 KB unless they list many groups. Proxies allow headers of 8 to 32 KB. */
export const TOKEN_MAX_BYTES = 16 * 1024;
/** Parameters in one form or query: several times as many as a request needs. */
export const PARAMETERS_MAX = 64;
/** The `claims` parameter (JSON), as in Entra's claims challenge. */
export const CLAIMS_MAX_BYTES = 4 * 1024;
/** A response of Entra's token endpoint: an access token, an ID token and a refresh token. */
export const ENTRA_ANSWER_MAX_BYTES = 256 * 1024;
/** Entra's key set: about ten keys of 2 KB each. jose has no limit. */
export const KEY_SET_MAX_BYTES = 512 * 1024;
/** The policy blob: some thousand entries. */
export const POLICY_MAX_BYTES = 1024 * 1024;
/** The response to a telemetry export: an empty object, or the part that was rejected. */
export const TELEMETRY_ANSWER_MAX_BYTES = 64 * 1024;
/** The response of a receiver of events, of which only the status counts. */
export const EVENT_ANSWER_MAX_BYTES = 16 * 1024;

/** Life of a pushed authorization request (RFC 9126 section 2.2). The client redirects the browser immediately. */
export const PUSHED_REQUEST_SECONDS = 60;
/** One sign-in at Entra, with time for a slow second factor. Entra's own codes have the same life. */
export const SIGN_IN_SECONDS = 600;
/**
 * Life of the service's authorization code. The client redeems it immediately; RFC 6749 section 4.1.2 allows ten
 * minutes.
 */
export const CODE_SECONDS = 60;
/** Life of a sign-in link, unless the policy says otherwise. Most people open it soon. */
export const LINK_SECONDS = 600;
/**
 * How long a handle waits for the person. Until then its application gets a new link with each refusal, so a holiday
 * does not end the request.
 */
export const REQUESTED_GRANT_SECONDS = 14 * 24 * 3600;
/**
 * How long a person may take to answer the confirmation page. Until then a sealed cookie holds the sign-in's result.
 */
export const CONFIRMATION_SECONDS = 600;

/** How long a person may use `/me` after a sign-in: enough to read and to end, short on a shared computer. */
export const SESSION_SECONDS = 600;
/** `claims` in a pushed request or link. They are part of a URL, and proxies limit URLs to 8 KB. */
export const URL_CLAIMS_MAX_BYTES = 1024;
/** Entra's authorization codes are about 1 KB. The service's own code contains one and is part of a URL. */
export const ENTRA_CODE_MAX_CHARACTERS = 4 * 1024;

/** Tolerated clock difference between Entra and the service. Entra's own on-behalf-of check tolerates none. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** APIs in one grant. Each one costs a call to Entra. */
export const APIS_PER_GRANT_MAX = 10;
