/**
 * What Entra can answer instead of a token, and what the service must answer then: an error table with every AADSTS
 * code, independent of the service's own, and answers that are not valid errors. Used by `errors.test.ts` and by the
 * search for leaked secrets.
 */
import type { ResponseScript } from "../../local/tenant/control/scripted-responses.ts";

/** What a failure class looks like on the OAuth routes and on the others. */
export interface Expected {
  readonly oauth: { readonly status: number; readonly error: string };
  readonly problem: { readonly status: number; readonly error: string };
  readonly code: string;
  readonly action: string;
}

const both = (status: number, error: string, code: string, action: string): Expected => ({
  oauth: { status, error },
  problem: { status, error },
  code,
  action,
});

const refused = (error: string, code: string, action: string, problemError = error): Expected => ({
  oauth: { status: 400, error },
  problem: { status: 403, error: problemError },
  code,
  action,
});

export const CLASSES = {
  /** RFC 8693 has `invalid_request` for an invalid subject token. RFC 7523 has `invalid_grant`, tested separately. */
  subject: {
    oauth: { status: 400, error: "invalid_request" },
    problem: { status: 401, error: "invalid_token" },
    code: "subject_refused",
    action: "new_caller_token",
  },
  user: refused("interaction_required", "interaction_required", "sign_in"),
  consent: refused("invalid_grant", "consent_required", "ask_admin"),
  denied: refused("invalid_grant", "access_denied", "ask_admin"),
  grantEnded: refused("invalid_grant", "grant_dead", "sign_in"),
  codeEnded: both(400, "invalid_grant", "code_refused", "sign_in"),
  consentBySignIn: refused("invalid_grant", "consent_required", "sign_in"),
  credential: both(500, "server_error", "credential_refused", "ask_admin"),
  registration: both(500, "server_error", "registration_refused", "ask_admin"),
  throttled: both(429, "temporarily_unavailable", "throttled", "retry"),
  unavailable: both(503, "temporarily_unavailable", "entra_unavailable", "retry"),
  invalidAnswer: both(502, "server_error", "entra_answer_invalid", "retry"),
} as const satisfies Record<string, Expected>;

export type FailureClass = keyof typeof CLASSES;

/** The failure class of every AADSTS code. */
export const AADSTS_CLASSES: Readonly<Record<FailureClass, readonly number[]>> = {
  subject: [50013, 500133, 50027, 240002],
  user: [50076, 50079, 50158, 53000, 53001, 53002, 50055],
  consent: [65001],
  denied: [50105, 53003, 65004, 50020, 50034, 50053, 50057, 50126],
  grantEnded: [50173, 70000, 70008, 700082, 700084, 70043, 9002313, 54005, 501481, 70018, 70019, 70020],
  credential: [7000215, 7000222, 700024, 700027, 70021, 700211, 700212, 700213],
  registration: [
    500131, 70003, 70011, 700016, 700022, 700030, 700038, 7000112, 7000114, 7000218, 500011, 501051, 50011, 50194,
    90002, 90009, 90013, 90014, 90019, 900144, 900023, 900561, 9001023, 1002012, 28000, 28002, 28003, 50049, 500112,
    700021, 700023, 700025, 9000411,
  ],
  throttled: [50196, 90055],
  unavailable: [90006, 90033, 90090, 70016],
  invalidAnswer: [],
  codeEnded: [],
  consentBySignIn: [],
};

export const AADSTS_ROWS: readonly (readonly [code: number, failureClass: FailureClass])[] = Object.entries(
  AADSTS_CLASSES,
).flatMap(([name, codes]) => codes.map((code) => [code, name as FailureClass] as const));

/** The flow of the call to Entra. In all but the first, the only assertion that Entra can refuse is the service's credential. */
export type RequestedFlow = "on-behalf-of" | "refresh-token" | "authorization-code" | "client-credentials";

const FLOW_CLASSES: Readonly<Record<RequestedFlow, Partial<Record<FailureClass, FailureClass>>>> = {
  // The user signs in again at the client: there is no grant.
  "on-behalf-of": { grantEnded: "user" },
  "refresh-token": { subject: "credential" },
  "authorization-code": { subject: "credential", grantEnded: "codeEnded", consent: "consentBySignIn" },
  // No user can sign in for an application.
  "client-credentials": { subject: "credential", user: "denied", grantEnded: "denied" },
};

/** The class that a code of this class has in this flow. */
export function classIn(flow: RequestedFlow, name: FailureClass): FailureClass {
  return FLOW_CLASSES[flow][name] ?? name;
}

/** The page that a user sees for each class. */
export const CLASS_PAGES: Readonly<Record<FailureClass, readonly [status: number, title: string]>> = {
  subject: [403, "This is not possible"],
  user: [403, "Another sign-in step is required"],
  consent: [403, "Consent is missing"],
  denied: [403, "No access was granted"],
  grantEnded: [403, "This sign-in was already used"],
  codeEnded: [400, "This sign-in was already used"],
  consentBySignIn: [403, "Consent is missing"],
  credential: [500, "This did not work"],
  registration: [500, "This did not work"],
  throttled: [429, "This did not work"],
  unavailable: [503, "This did not work"],
  invalidAnswer: [502, "This did not work"],
};

type EntraAnswer = Omit<ResponseScript, "endpoint">;

/** A valid token answer with changes. */
const answer = (more: Record<string, unknown>): EntraAnswer => ({
  status: 200,
  body: {
    token_type: "Bearer",
    scope: "https://graph.microsoft.com/User.Read",
    expires_in: 3_600,
    access_token: "opaque-but-fine",
    ...more,
  },
});

/** Answers that are not an error in Entra's usual form. None waits for a deadline, which other tests inject. */
export type OddAnswer = readonly [title: string, order: EntraAnswer, failureClass: FailureClass, retryAfter?: string];

export const ODD_ANSWERS: readonly OddAnswer[] = [
  ["429 as plain text (E-110)", { throttleSeconds: 7 }, "throttled", "7"],
  ["429 as plain text without Retry-After", { status: 429, body: "Too Many Requests" }, "throttled", "60"],
  ["429 as JSON", { aadsts: 90055, headers: { "Retry-After": "11" } }, "throttled", "11"],
  ["429 with a body that is a token", { ...answer({}), status: 429 }, "throttled", "60"],
  ["400 with 50196 and Retry-After", { aadsts: 50196, headers: { "Retry-After": "90" } }, "throttled", "90"],
  [
    "429 with Retry-After of a day, which is capped",
    { status: 429, body: "", headers: { "Retry-After": "86400" } },
    "throttled",
    "3600",
  ],
  [
    "429 with Retry-After that is not a time",
    { status: 429, body: "", headers: { "Retry-After": "soon" } },
    "throttled",
    "60",
  ],
  ["429 with a negative Retry-After", { status: 429, body: "", headers: { "Retry-After": "-5" } }, "throttled", "60"],
  [
    "429 with Retry-After in the past",
    { status: 429, body: "", headers: { "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT" } },
    "throttled",
    "1",
  ],
  ["429 with Retry-After 0", { status: 429, body: "", headers: { "Retry-After": "0" } }, "throttled", "1"],
  ["503 with Retry-After", { status: 503, body: "", headers: { "Retry-After": "5" } }, "unavailable", "5"],
  [
    "500 as HTML",
    { status: 500, body: "<html>Server Error</html>", headers: { "Content-Type": "text/html" } },
    "unavailable",
  ],
  [
    "502 as HTML",
    { status: 502, body: "<html>Bad Gateway</html>", headers: { "Content-Type": "text/html" } },
    "unavailable",
  ],
  ["an empty 504", { status: 504, body: "" }, "unavailable"],
  ["400 with temporarily_unavailable", { status: 400, body: { error: "temporarily_unavailable" } }, "unavailable"],
  ["400 with server_error", { status: 400, body: { error: "server_error" } }, "unavailable"],
  ["with a broken connection", { drop: true }, "unavailable"],
  ["an empty 200", { status: 200, body: "" }, "invalidAnswer"],
  [
    "200 as HTML",
    { status: 200, body: "<html>Sign in</html>", headers: { "Content-Type": "text/html" } },
    "invalidAnswer",
  ],
  ["200 {} (TC-22)", { status: 200, body: {} }, "invalidAnswer"],
  ["200 []", { status: 200, body: [] }, "invalidAnswer"],
  ["200 null", { status: 200, body: "null", headers: { "Content-Type": "application/json" } }, "invalidAnswer"],
  ["200 without a token", answer({ access_token: undefined }), "invalidAnswer"],
  ["200 with an empty token", answer({ access_token: "" }), "invalidAnswer"],
  ["200 with a token that is a number", answer({ access_token: 7 }), "invalidAnswer"],
  ["200 with a line break in the token (SEC-20)", answer({ access_token: "abc\r\nX-Injected: 1" }), "invalidAnswer"],
  ["200 with a space in the token", answer({ access_token: "abc def" }), "invalidAnswer"],
  ["200 with a quotation mark in the token", answer({ access_token: 'abc"' }), "invalidAnswer"],
  ["200 with a token of 20 KB", answer({ access_token: "a".repeat(20_000) }), "invalidAnswer"],
  ["200 with a token of another type", answer({ token_type: "pop" }), "invalidAnswer"],
  ["200 without token_type", answer({ token_type: undefined }), "invalidAnswer"],
  ["200 without a lifetime", answer({ expires_in: undefined }), "invalidAnswer"],
  ["200 with a lifetime of zero", answer({ expires_in: 0 }), "invalidAnswer"],
  ["200 with a lifetime that is not a number", answer({ expires_in: "soon" }), "invalidAnswer"],
  ["200 without scope", answer({ scope: undefined }), "invalidAnswer"],
  ["200 with an answer of 300 KB", answer({ filler: "x".repeat(300_000) }), "invalidAnswer"],
  [
    "200 with an error instead",
    { status: 200, body: { error: "invalid_grant", error_codes: [65001] } },
    "invalidAnswer",
  ],
  ["302", { status: 302, body: "", headers: { Location: "https://evil.example/" } }, "invalidAnswer"],
  ["an empty 400", { status: 400, body: "" }, "invalidAnswer"],
  [
    "400 as HTML",
    { status: 400, body: "<html>Bad Request</html>", headers: { "Content-Type": "text/html" } },
    "invalidAnswer",
  ],
  ["400 with an error that is a number", { status: 400, body: { error: 7 } }, "invalidAnswer"],
  ["an empty 401", { status: 401, body: "" }, "invalidAnswer"],
  [
    "400 with an unknown error",
    { status: 400, body: { error: "something_new", error_codes: [999999] } },
    "registration",
  ],
  ["400 interaction_required without an error code", { status: 400, body: { error: "interaction_required" } }, "user"],
  ["400 login_required", { status: 400, body: { error: "login_required" } }, "user"],
  ["400 consent_required", { status: 400, body: { error: "consent_required" } }, "consent"],
  ["400 access_denied", { status: 400, body: { error: "access_denied" } }, "denied"],
  ["400 with a suberror only", { status: 400, body: { error: "invalid_grant", suberror: "basic_action" } }, "user"],
  [
    "400 with error codes that are not numbers",
    { status: 400, body: { error: "interaction_required", error_codes: ["65001", {}, null] } },
    "user",
  ],
];
