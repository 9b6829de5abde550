/**
 * A call to Entra inside two limits: the request budget of this policy entry and user, and the wait that Entra imposed
 * on this user or this caller. A limit of one user or one caller never delays another.
 */
import type { Failure } from "../core/failure.ts";
import { fail, type Result } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Registration } from "../entra/registration.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import type { RequestBudget } from "./request-budget.ts";
import type { ThrottleMemory } from "./throttle-memory.ts";

export interface ThrottlingContext {
  readonly requestBudget: RequestBudget;
  readonly throttles: ThrottleMemory;
}

/** On whose behalf the service calls Entra. */
export interface EntraCall {
  readonly registration: Registration;
  readonly entitlement: Entitlement;
  /** Names the user, or the sign-in; without a user, the calling application. */
  readonly user: string;
}

type CallEntra = () => Promise<Result<EntraToken, Failure>>;

/** Calls Entra, unless the budget is used up or a wait imposed by Entra is still running. */
export function throttledCall(
  { requestBudget, throttles }: ThrottlingContext,
  call: EntraCall,
  callEntra: CallEntra,
): Promise<Result<EntraToken, Failure>> {
  const { clientId } = call.registration;
  const budgetKey = budgetKeyOf(call);
  const perMinute = call.entitlement.bypassPerMinute;
  return withinRefusalBudget(requestBudget, { budgetKey, perMinute }, () =>
    withinThrottle(throttles, { user: `${clientId} ${call.user}`, caller: `${clientId} ${budgetKey}` }, callEntra),
  );
}

/** Spends one uncached request. Returns a failure when this caller has spent its budget for this user. */
export function spendBudget(
  { requestBudget }: ThrottlingContext,
  call: Pick<EntraCall, "entitlement" | "user">,
): Failure | undefined {
  const wait = requestBudget.take(budgetKeyOf(call), call.entitlement.bypassPerMinute);
  return wait === undefined ? undefined : { kind: "budget_used_up", retryAfterSeconds: wait };
}

// ---------------------------------------------------------------------------------------------------------------

function budgetKeyOf({ entitlement, user }: Pick<EntraCall, "entitlement" | "user">): string {
  return `${entitlement.entry} ${user}`;
}

/** AADSTS50196: one client repeats one request. Only that caller waits. */
const REQUEST_LOOP = 50196;

interface ThrottleKeys {
  /** Entra throttles a user of a registration, for every caller that acts for that user. */
  readonly user: string;
  /** A request loop is one caller's. */
  readonly caller: string;
}

/** While a wait imposed by Entra is running, the same user or caller gets 429 without another call to Entra. */
async function withinThrottle(
  throttles: ThrottleMemory,
  keys: ThrottleKeys,
  callEntra: CallEntra,
): Promise<Result<EntraToken, Failure>> {
  const wait = throttles.remaining(keys.user) ?? throttles.remaining(keys.caller);
  if (wait !== undefined) return fail({ kind: "throttled", retryAfterSeconds: wait });
  const answer = await callEntra();
  if (!answer.ok && answer.failure.kind === "throttled") {
    const loop = answer.failure.evidence?.codes.includes(REQUEST_LOOP) === true;
    throttles.remember(loop ? keys.caller : keys.user, answer.failure.retryAfterSeconds);
  }
  return answer;
}

/** The cache holds no refusals, so a refused request calls Entra again each time. This budget bounds those calls. */
async function withinRefusalBudget(
  budget: RequestBudget,
  { budgetKey, perMinute }: { readonly budgetKey: string; readonly perMinute: number },
  callEntra: CallEntra,
): Promise<Result<EntraToken, Failure>> {
  const refusals = `refused ${budgetKey}`;
  const wait = budget.wait(refusals, perMinute);
  if (wait !== undefined) return fail({ kind: "budget_used_up", retryAfterSeconds: wait });
  const answer = await callEntra();
  if (isRefusalOfCaller(answer)) budget.take(refusals, perMinute);
  return answer;
}

/** Entra refused the person or the presented token, not this service's credential or configuration. */
function isRefusalOfCaller(answer: Result<EntraToken, Failure>): boolean {
  if (answer.ok || answer.failure.kind !== "entra_refused") return false;
  const { verdict } = answer.failure;
  return verdict !== "credential_refused" && verdict !== "misconfigured";
}
