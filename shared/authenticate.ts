/**
 * Stage 1 of 5 as the routes use it: who calls, by exactly one proof. A user calls with its own token; an application
 * with an app-only token, as a bearer or as a client assertion.
 */
import type { ApplicationCaller, Caller } from "./caller/caller.ts";
import type { ValidationFailure } from "./caller/token-refusal.ts";
import type { CallerValidator } from "./caller/validate-caller.ts";
import type { Proof } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import type { RequestTrace } from "./request-trace.ts";
import { fail, type Result } from "./result.ts";

export interface Authenticator {
  readonly callers: CallerValidator;
  readonly nowSeconds: () => number;
  /** Of the request at hand: goes along if Entra has to be asked for its keys. */
  readonly trace?: RequestTrace | undefined;
}

/** The caller that a bearer or a client assertion proves. */
export async function authenticate(
  { callers, nowSeconds, trace }: Authenticator,
  proof: Exclude<Proof, { method: "subject_itself" }> | undefined,
): Promise<Result<Caller, Failure>> {
  if (proof === undefined) {
    return fail({ kind: "caller_missing" });
  }
  const validated = await callers.validate(proof.token, nowSeconds(), trace);
  if (!validated.ok) {
    return fail(callerFailure(validated.failure));
  }
  if (proof.method === "client_assertion" && !isApplication(validated.value)) {
    // RFC 7523 section 3.2: a client assertion is about the client, and a user's token is about a user.
    return fail({ kind: "caller_refused", reason: "kind_unclear" });
  }
  return validated;
}

/** A validation failure of the caller's own token. */
export function callerFailure(failure: ValidationFailure): Failure {
  return failure.kind === "keys_unavailable" ? keysUnavailable() : { kind: "caller_refused", reason: failure.reason };
}

/** A validation failure of the token to exchange. */
export function subjectFailure(failure: ValidationFailure, presentedAs: "subject_token" | "assertion"): Failure {
  return failure.kind === "keys_unavailable"
    ? keysUnavailable()
    : { kind: "subject_refused", reason: failure.reason, presentedAs };
}

function keysUnavailable(): Failure {
  return { kind: "dependency_failed", dependency: "key_set", problem: "unavailable" };
}

function isApplication(caller: Caller): caller is ApplicationCaller {
  return caller.kind === "application";
}
