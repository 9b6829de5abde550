/**
 * Reads grant handles. White space and line ends at both ends are removed, because people copy handles from pages and
 * files. A value of another form is refused before the policy sees it: automations often send an expression that was not
 * resolved, and its remedy is neither a new sign-in nor a change of the policy.
 */
import type { GrantRequest } from "../core/exchange-request.ts";
import type { Failure, HandleMistake } from "../core/failure.ts";
import { isGrantHandle } from "../core/grant.ts";
import { type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import { invalidRequest } from "./invalid-request.ts";

const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

type RefreshTokenRequest = Extract<GrantRequest, { flow: "refresh-token" }>;

/** A handle, and nothing else. */
export function readHandle(value: unknown, parameter: string): Result<SecretValue, Failure> {
  const text = typeof value === "string" ? value.trim() : "";
  if (isGrantHandle(text)) return succeed(new SecretValue(text));
  const looksLike = typeof value === "string" || value === null ? mistakeIn(text) : "other";
  return invalidRequest("handle_malformed", parameter, { looksLike });
}

/** A handle, or a refresh token of Entra: the service cannot recognize those, but it recognizes common mistakes. */
export function readRefreshToken(value: string, parameter: string): Result<RefreshTokenRequest, Failure> {
  const text = value.trim();
  const flow = "refresh-token";
  if (isGrantHandle(text)) return succeed({ flow, presented: "handle", refreshToken: new SecretValue(text) });
  const looksLike = mistakeIn(text);
  return looksLike === "entra_token" || looksLike === "other"
    ? succeed({ flow, presented: "entra_token", refreshToken: new SecretValue(text) })
    : invalidRequest("handle_malformed", parameter, { looksLike });
}

/** RFC 7636 section 4.1: the verifier of a challenge. Undefined: none was sent. */
export function readVerifier(value: unknown, parameter: string): Result<SecretValue | undefined, Failure> {
  if (value === undefined) return succeed(undefined);
  return typeof value === "string" && VERIFIER.test(value)
    ? succeed(new SecretValue(value))
    : invalidRequest("parameter_invalid", parameter);
}

/**
 * The mistake in a value that must be a handle or the id of a grant, if the value is neither a handle nor a token of
 * another kind.
 */
export function handleMistake(text: string): HandleMistake | undefined {
  const looksLike = mistakeIn(text);
  return looksLike === "entra_token" || looksLike === "other" ? undefined : looksLike;
}

// ------------------------------------------------------------------------------------------------------------------

/**
 * `@{…}` and `@…(…)` (Logic Apps, Power Automate), `@Microsoft.KeyVault(…)`, `parameters('…')`, `${…}`, `$(…)`, `{{…}}`,
 * `<…>`, `$env:NAME`, `$NAME` and `%NAME%`. No token contains a brace, an angle bracket or `$(`, or begins with `@`.
 */
const EXPRESSION = /^@|[{}<>]|\$\(|^\$(env:)?\w+$|^%\w+%$|^\w+\(.*\)$/is;
const QUOTED = /^(["'`\u2018\u201c]).*(["'`\u2019\u201d])$/s;
/** A JWT, or a refresh token of Entra in its current forms. */
const ENTRA_TOKEN = /^(eyJ|[01]\.A)[\w.-]+$/;

function mistakeIn(text: string): HandleMistake {
  if (text === "") return "empty";
  if (QUOTED.test(text)) return "quoted";
  if (EXPRESSION.test(text)) return "expression";
  if (/^gte_/i.test(text)) return "incomplete";
  return ENTRA_TOKEN.test(text) ? "entra_token" : "other";
}
