/**
 * Before Entra is asked, whatever for: has this caller had its share, and has Entra told this user to wait? What Entra says
 * of one user or one caller never holds up another.
 */
import type { BypassBudget } from "./cache/bypass-budget.ts";
import type { ThrottleMemory } from "./cache/throttle-memory.ts";
import type { EntraToken } from "./entra/entra-token.ts";
import type { Failure } from "./failure.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Registration } from "./registration.ts";
import { fail, type Result } from "./result.ts";

export interface EntraGuards {
  readonly bypassBudget: BypassBudget;
  readonly throttles: ThrottleMemory;
}

/** For whom Entra is asked. */
export interface Asker {
  readonly registration: Registration;
  readonly entitlement: Entitlement;
  /** The user where there is one, each sign-in its own, else the calling application. */
  readonly user: string;
}

/** Asks, unless the caller was refused too often or Entra has told somebody in question to wait. */
export function askEntra(
  { bypassBudget, throttles }: EntraGuards,
  asker: Asker,
  ask: () => Promise<Result<EntraToken, Failure>>,
): Promise<Result<EntraToken, Failure>> {
  const { clientId } = asker.registration;
  const who = whoOf(asker);
  return unlessRefusedTooOften(bypassBudget, { who, perMinute: asker.entitlement.bypassPerMinute }, () =>
    unlessThrottled(throttles, { user: `${clientId} ${asker.user}`, caller: `${clientId} ${who}` }, ask),
  );
}

/** One question that passes by the cache. Gives a failure where this caller has used up its share for this user. */
export function takeBypass(
  { bypassBudget }: EntraGuards,
  asker: Pick<Asker, "entitlement" | "user">,
): Failure | undefined {
  const wait = bypassBudget.take(whoOf(asker), asker.entitlement.bypassPerMinute);
  return wait === undefined ? undefined : { kind: "budget_used_up", retryAfterSeconds: wait };
}

function whoOf({ entitlement, user }: Pick<Asker, "entitlement" | "user">): string {
  return `${entitlement.entry} ${user}`;
}

/** AADSTS50196: one client repeats one request. That is this caller's doing, and no reason for others to wait. */
const REQUEST_LOOP = 50196;

interface ThrottleKeys {
  /** Entra throttles a user of a registration, whoever calls for that user. */
  readonly user: string;
  /** A request loop is one caller's. */
  readonly caller: string;
}

/** Whoever Entra told to wait waits, without another call; nobody else does. */
async function unlessThrottled(
  throttles: ThrottleMemory,
  keys: ThrottleKeys,
  ask: () => Promise<Result<EntraToken, Failure>>,
): Promise<Result<EntraToken, Failure>> {
  const wait = throttles.remaining(keys.user) ?? throttles.remaining(keys.caller);
  if (wait !== undefined) {
    return fail({ kind: "throttled", retryAfterSeconds: wait });
  }
  const asked = await ask();
  if (!asked.ok && asked.failure.kind === "throttled") {
    const loop = asked.failure.evidence?.codes.includes(REQUEST_LOOP) === true;
    throttles.remember(loop ? keys.caller : keys.user, asked.failure.retryAfterSeconds);
  }
  return asked;
}

/** No refusal is kept, so the same wish asks Entra again; not without end. What is in the cache is not touched by it. */
async function unlessRefusedTooOften(
  budget: BypassBudget,
  { who, perMinute }: { readonly who: string; readonly perMinute: number },
  ask: () => Promise<Result<EntraToken, Failure>>,
): Promise<Result<EntraToken, Failure>> {
  const refusals = `refused ${who}`;
  const wait = budget.wait(refusals, perMinute);
  if (wait !== undefined) {
    return fail({ kind: "budget_used_up", retryAfterSeconds: wait });
  }
  const asked = await ask();
  if (isTheirs(asked)) {
    budget.take(refusals, perMinute);
  }
  return asked;
}

/** Entra refused because of the person or what was presented; not because of us. */
function isTheirs(asked: Result<EntraToken, Failure>): boolean {
  if (asked.ok || asked.failure.kind !== "entra_refused") {
    return false;
  }
  const { verdict } = asked.failure;
  return verdict !== "credential_refused" && verdict !== "misconfigured";
}
