/**
 * Proves a client's own Entra credential: Entra issues an app-only token of this service for it (client credentials, RFC
 * 6749 section 4.4), or refuses. The service then checks the token like any caller's, so tenant, audience, app role and
 * policy count here as well.
 *
 *   policy lists client and method → remembered → wait that Entra imposed → budget for guesses → Entra → remembered
 *
 * A stranger learns nothing: without an entry that lists the client and the method, Entra is not called, and the answer
 * is the same for every client id, existing or not.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { CredentialProof, OwnCredentialOf, OwnCredentialUse } from "../caller/authenticate.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraClient } from "../entra/entra-token.ts";
import type { CallerRule, Policy } from "../policy/rules.ts";
import type { ThrottleMemory } from "../throttling/throttle-memory.ts";
import { callerFailure, isRefusal } from "./caller-failure.ts";
import type { CredentialMemory } from "./credential-memory.ts";
import type { GuessBudget } from "./guess-budget.ts";
import { entryWith, type OwnCredential } from "./listed-methods.ts";

export interface CredentialProofInput {
  readonly policy: Policy;
  /** One for each method, so that a client with a new assertion for each request evicts no secret. */
  readonly memories: Readonly<Record<OwnCredential, CredentialMemory>>;
  readonly budget: GuessBudget;
  /** The waits that Entra imposed on this path only: of a client and method, and of a known credential by its key. */
  readonly throttles: ThrottleMemory;
  /** App ID URI of the registration for which the entry's caller gets its tokens. */
  readonly appIdUriOf: (entry: CallerRule) => string;
  /** What `aud` of an assertion for Entra may be: its token endpoints and issuer. */
  readonly assertionAudiences: readonly string[];
  /** A client of Entra that authenticates with the presented credential and keeps nothing. */
  readonly entraAs: (credential: OwnCredentialOf) => Promise<Pick<EntraClient, "clientCredentials">>;
  readonly nowSeconds: () => number;
}

export function createCredentialProof(input: CredentialProofInput): CredentialProof {
  const { policy, memories, budget, nowSeconds, appIdUriOf } = input;
  /** Concurrent requests with one credential share one call to Entra. */
  const running = new Map<string, Promise<Result<SecretValue, Failure>>>();
  return {
    async prove(credential, use, audit) {
      const entry = entryWith(policy, credential.clientId, credential.method);
      if (entry === undefined) return undefined;
      recordAttempt(audit, credential, entry);
      const unusable = assertionProblem(input, credential);
      if (unusable !== undefined) return fail(unusable);
      const memory = memories[credential.method];
      const key = memory.keyOf(credential, appIdUriOf(entry));
      const token = memory.token(key, nowSeconds());
      if (token !== undefined) return succeed(token);
      const joined = running.get(key);
      if (joined !== undefined) return joined;
      const asking = askWithinBudget(input, { key, credential, entry, use }).finally(() => running.delete(key));
      running.set(key, asking);
      return asking;
    },
    discard(credential) {
      const { clientId, method } = credential;
      const entry = entryWith(policy, clientId, method);
      if (entry === undefined) return;
      const memory = memories[method];
      memory.forget(memory.keyOf(credential, appIdUriOf(entry)));
      // Otherwise a client without the app role could make the service ask Entra for each of its requests.
      budget.take(clientId, method);
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

interface Question {
  readonly key: string;
  readonly credential: OwnCredentialOf;
  readonly entry: CallerRule;
  readonly use: OwnCredentialUse;
}

/** The client is not proved yet, so only the entry names it in the audit event. */
function recordAttempt(audit: AuditTrail, { method }: OwnCredentialOf, { name }: CallerRule): void {
  audit.add({ clientAuthentication: method, policyEntry: name });
}

/** What Entra would refuse anyway is refused here, with the reason. */
function assertionProblem({ assertionAudiences, nowSeconds }: CredentialProofInput, { assertion }: OwnCredentialOf) {
  if (assertion === undefined) return undefined;
  const refuse = (reason: "audience" | "expired"): Failure => ({
    kind: "client_refused",
    method: "client_assertion",
    reason,
  });
  const isForEntra = assertion.audiences.every((audience) => assertionAudiences.some((one) => one === audience));
  if (!isForEntra || assertion.audiences.length === 0) return refuse("audience");
  return assertion.expiresAtSeconds > nowSeconds() ? undefined : refuse("expired");
}

/** Only success gives the question back: throttling and outages of Entra are no time for free guesses. */
async function askWithinBudget(input: CredentialProofInput, question: Question): Promise<Result<SecretValue, Failure>> {
  const { budget, nowSeconds, throttles } = input;
  const { key, credential } = question;
  const { clientId, method } = credential;
  const memory = input.memories[method];
  const known = memory.isKnown(key, nowSeconds());
  // Entra's wait for a stranger's guess does not stop the client whose secret is known.
  const who = known ? key : `${method} ${clientId}`;
  const throttled = throttles.remaining(who);
  if (throttled !== undefined) return fail(orUnproved({ kind: "throttled", retryAfterSeconds: throttled }, known));
  const wait = known ? undefined : budget.take(clientId, method);
  if (wait !== undefined) return fail({ kind: "client_budget_used_up", retryAfterSeconds: wait });
  const answer = await askEntra(input, question, known);
  if (answer.ok) {
    if (!known) budget.giveBack(clientId, method);
    return answer;
  }
  const { failure } = answer;
  if (isRefusal(failure)) memory.forget(key);
  const retryAfterSeconds = imposedWait(failure);
  if (retryAfterSeconds !== undefined) throttles.remember(who, retryAfterSeconds);
  return fail(orUnproved(failure, known));
}

/** Entra throttles, or names the end of its outage. */
function imposedWait(failure: Failure): number | undefined {
  return failure.kind === "throttled" || failure.kind === "dependency_failed" ? failure.retryAfterSeconds : undefined;
}

/** Anyone who knows a listed client id can cause the failure, so it is no evidence that exchanges fail. */
function orUnproved(failure: Failure, known: boolean): Failure {
  const marked = failure.kind === "throttled" || failure.kind === "dependency_failed";
  return marked && !known ? { ...failure, unproved: true } : failure;
}

async function askEntra(
  { memories, appIdUriOf, entraAs }: CredentialProofInput,
  { key, credential, entry, use }: Question,
  known: boolean,
): Promise<Result<SecretValue, Failure>> {
  const entra = await entraAs(credential);
  const scopes = [`${appIdUriOf(entry)}/.default`];
  const { correlationId, trace } = use;
  const answer = await entra.clientCredentials({ scopes, claims: undefined, correlationId, trace, cae: false });
  if (!answer.ok) return fail(callerFailure(answer.failure, { method: credential.method, known }));
  const { accessToken, expiresAtSeconds } = answer.value;
  // An assertion counts no longer than its signer said.
  const untilSeconds = Math.min(expiresAtSeconds, credential.assertion?.expiresAtSeconds ?? expiresAtSeconds);
  memories[credential.method].remember(key, accessToken, untilSeconds);
  return succeed(accessToken);
}
