/**
 * Every deadline and size limit of the service, each with its reason. Times are milliseconds, sizes are bytes unless
 * the name says otherwise.
 */

/** Whole request. Power Automate gives up at 120 s and Azure's load balancer at 230 s; callers deserve an answer long before. */
export const REQUEST_DEADLINE_MS = 10_000;
/** One call to Entra's token endpoint. Leaves the request two seconds for everything else. */
export const ENTRA_DEADLINE_MS = 8_000;
/** Reading Entra's signing keys: a small, cached document. */
export const KEY_SET_DEADLINE_MS = 3_000;
/** One read of a Key Vault secret, retried once. */
export const VAULT_DEADLINE_MS = 3_000;
/** One operation on the grant table. */
export const GRANT_STORE_DEADLINE_MS = 2_000;
/** One question to Redis, which answers in one or two: past this, Entra is as quick. */
export const REDIS_DEADLINE_MS = 50;
/**
 * The first look-up of a new instance: it also loads the client, reads the key and connects. Without this once, an instance
 * that scale-out adds would ask Entra for what the others know; credential and MSAL load meanwhile, so little is lost.
 */
export const REDIS_FIRST_DEADLINE_MS = 250;
/** One export of telemetry. Nobody waits for it. */
export const TELEMETRY_DEADLINE_MS = 5_000;
/** The last export, while the host waits for the process to end. */
export const TELEMETRY_STOP_MS = 2_000;

/** A form or JSON body. Two tokens of the largest size and their parameters fit. */
export const BODY_MAX_BYTES = 64 * 1024;
/** A token. Entra's are below 8 KB unless groups are many; proxies stop at 8 to 32 KB of headers. */
export const TOKEN_MAX_BYTES = 16 * 1024;
/** Parameters in one form or query. */
export const PARAMETERS_MAX = 64;
/** A `claims` request parameter (JSON), see Entra's claims challenge. */
export const CLAIMS_MAX_BYTES = 4 * 1024;
/** An answer of Entra's token endpoint: a token, an id token, a refresh token. */
export const ENTRA_ANSWER_MAX_BYTES = 256 * 1024;
/** Entra's key set: about ten keys of 2 KB each. jose itself has no limit. */
export const KEY_SET_MAX_BYTES = 512 * 1024;
/** What a telemetry endpoint says to an export: an empty object, or which part it did not take. */
export const TELEMETRY_ANSWER_MAX_BYTES = 64 * 1024;

/** Life of a pushed authorization request (RFC 9126 section 2.2): the browser is sent on at once. */
export const PUSHED_REQUEST_SECONDS = 60;
/** One sign-in at Entra, with a second factor and perhaps a lost telephone. Entra's own code lives as long. */
export const SIGN_IN_SECONDS = 600;
/** Life of our authorization code: the client redeems it at once (RFC 6749 section 4.1.2 says at most ten minutes). */
export const CODE_SECONDS = 60;
/** Life of a sign-in link: it is opened by whoever asked for it, not kept in a mailbox. */
export const LINK_SECONDS = 600;
/** How long a confirmation page waits for its answer; the refresh token waits in a sealed cookie meanwhile. */
export const CONFIRMATION_SECONDS = 600;
/** `claims` in a pushed request or link: they travel in a URL, which proxies cut at 8 KB. */
export const URL_CLAIMS_MAX_BYTES = 1024;
/** Entra's authorization codes are about 1 KB; ours carries one in a URL. */
export const ENTRA_CODE_MAX_CHARACTERS = 4 * 1024;

/** Clock difference tolerated between Entra and us, seconds. Entra's own on-behalf-of check tolerates none. */
export const CLOCK_TOLERANCE_SECONDS = 60;
