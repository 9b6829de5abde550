/**
 * A call to Entra inside two limits: the request budget of this policy entry, API and user, and the wait that Entra
 * imposed on this user or this caller. A limit of one user or one caller never delays another.
 */
import type { Failure } from "../core/failure.ts";
import { fail, type Result } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Registration } from "../entra/registration.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import type { EntraRefused, RefusalMemory } from "./refusal-memory.ts";
import type { RequestBudget } from "./request-budget.ts";
import type { ThrottleMemory } from "./throttle-memory.ts";

export interface ThrottlingContext {
  readonly requestBudget: RequestBudget;
  readonly throttles: ThrottleMemory;
  readonly refusals: RefusalMemory;
}

/** On whose behalf the service calls Entra. */
export interface EntraCall {
  readonly registration: Registration;
  readonly entitlement: Entitlement;
  /** Name of the API of the token. */
  readonly api: string;
  /** Names the user, or the sign-in; without a user, the calling application. */
  readonly user: string;
  /** Digest of everything that Entra's refusal depends on. Undefined: the request cannot be repeated. */
  readonly refusalKey: string | undefined;
}

type CallEntra = () => Promise<Result<EntraToken, Failure>>;

/** Calls Entra, unless the budget is used up or a wait imposed by Entra is still running. */
export function throttledCall(
  context: ThrottlingContext,
  call: EntraCall,
  callEntra: CallEntra,
): Promise<Result<EntraToken, Failure>> {
  const { clientId } = call.registration;
  const { entitlement, user } = call;
  return withinRefusalBudget(context, call, () =>
    withinThrottle(
      context.throttles,
      { user: `${clientId} ${user}`, caller: `${clientId} ${entitlement.entry} ${user}` },
      callEntra,
    ),
  );
}

type BudgetedCall = Pick<EntraCall, "registration" | "entitlement" | "api" | "user" | "refusalKey">;

/**
 * Spends one uncached request. Returns a failure when this caller has spent its budget for this user and API: Entra's
 * last refusal of the same request, if there is one.
 */
export function spendBudget(context: ThrottlingContext, call: BudgetedCall): Failure | undefined {
  return spend(context, call, budgetKeyOf(call), call.entitlement.bypassPerMinute);
}

/**
 * Spends one request that the cache could not answer. It has a separate budget, because these requests are normal, but
 * a caller that makes many of them for one user, with ever different scopes or tokens, would make Entra throttle that user
 * for every caller.
 */
export function spendMiss(context: ThrottlingContext, call: BudgetedCall): Failure | undefined {
  return spend(context, call, `miss ${budgetKeyOf(call)}`, call.entitlement.missesPerMinute);
}

// ---------------------------------------------------------------------------------------------------------------

function spend(
  { requestBudget, refusals }: ThrottlingContext,
  { refusalKey }: BudgetedCall,
  budgetKey: string,
  perMinute: number,
): Failure | undefined {
  const wait = requestBudget.take(budgetKey, perMinute);
  if (wait === undefined) return undefined;
  const last = refusalKey === undefined ? undefined : refusals.last(refusalKey, wait);
  return last ?? { kind: "budget_used_up", retryAfterSeconds: wait };
}

function budgetKeyOf({ registration, entitlement, api, user }: BudgetedCall): string {
  return JSON.stringify([registration.clientId, entitlement.entry, api, user]);
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

/** Calls to Entra in a minute that a user may cause after the refusal budget is used up. */
const CALLS_AFTER_BUDGET = 20;

/**
 * The cache holds no refusals, so a refused request calls Entra again each time. The refusal budget bounds those calls.
 * When it is used up, the service repeats Entra's last refusal of the same request and calls Entra again every few
 * seconds. A second budget bounds these calls. So consent or a new token takes effect soon, and the cause stays known.
 */
async function withinRefusalBudget(
  context: ThrottlingContext,
  call: EntraCall,
  callEntra: CallEntra,
): Promise<Result<EntraToken, Failure>> {
  const { requestBudget, refusals } = context;
  const { refusalKey } = call;
  const budgetKey = `refused ${budgetKeyOf(call)}`;
  const { bypassPerMinute } = call.entitlement;
  if (requestBudget.wait(budgetKey, bypassPerMinute) !== undefined) {
    const repeated = repeatedRefusal(context, call);
    if (repeated !== undefined) return fail(repeated);
  }
  const answer = await callEntra();
  const refusal = refusalOfCaller(answer);
  if (refusal !== undefined) requestBudget.take(budgetKey, bypassPerMinute);
  if (refusalKey !== undefined && refusal !== undefined) refusals.remember(refusalKey, refusal);
  if (refusalKey !== undefined && answer.ok) refusals.forget(refusalKey);
  return answer;
}

/** The answer without a call to Entra. Undefined: Entra may be called again. */
function repeatedRefusal({ requestBudget, refusals }: ThrottlingContext, call: EntraCall): Failure | undefined {
  const { refusalKey } = call;
  const fresh = refusalKey === undefined ? undefined : refusals.fresh(refusalKey);
  if (fresh !== undefined) return fresh;
  const wait = requestBudget.take(`again ${budgetKeyOf(call)}`, CALLS_AFTER_BUDGET);
  if (wait === undefined) return undefined;
  const last = refusalKey === undefined ? undefined : refusals.last(refusalKey, wait);
  return last ?? { kind: "budget_used_up", retryAfterSeconds: wait };
}

/**
 * Entra refused the person, the presented token or what was requested. A refused credential of this service does not
 * count: it affects every caller, and the next version of the credential may work at once.
 */
function refusalOfCaller(answer: Result<EntraToken, Failure>): EntraRefused | undefined {
  if (answer.ok || answer.failure.kind !== "entra_refused") return undefined;
  return answer.failure.verdict === "credential_refused" ? undefined : answer.failure;
}
