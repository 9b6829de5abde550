/**
 * Admission of requests under one version of the policy: which lane a request waits in, and whether its caller is over
 * its limit. The queue and the counters outlive every version.
 */
import type { HttpRequest } from "@azure/functions";
import {
  type Admitted,
  createFairQueue,
  type FairQueue,
  type NotAdmitted,
  type Release,
} from "../../shared/admission/fair-queue.ts";
import { createRequestRates, type RequestRates, type RequestRatesInput } from "../../shared/admission/request-rates.ts";
import type { AuditTrail } from "../../shared/audit/audit-trail.ts";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { Caller } from "../../shared/caller/caller.ts";
import type { CallerValidator } from "../../shared/caller/validate-caller.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { UNPROVEN_REQUESTS_AT_ONCE_MAX } from "../../shared/core/limits.ts";
import { fail, type Result, succeed } from "../../shared/core/result.ts";
import { readPresentedToken } from "../../shared/http/read-presented-token.ts";
import { entryFor } from "../../shared/policy/find-entry.ts";
import { requestLimits } from "../../shared/policy/request-limits.ts";
import type { CallerRule, Policy } from "../../shared/policy/rules.ts";

export interface Admission {
  /**
   * Before anything of the request is checked: a function to call when the request ends, or the failure. `audit` is the
   * trail of this request, by which `countRequest` finds it.
   */
  enter(request: HttpRequest, audit: AuditTrail): Promise<Result<Release, Failure>>;
  /** After authentication: counts the request as its caller's. Returns a failure if the caller has reached a limit. */
  countRequest(caller: Caller, audit: AuditTrail): Failure | undefined;
}

/** What outlives a version of the policy. */
export interface AdmissionState {
  readonly queue: FairQueue;
  readonly rates: RequestRates;
  readonly reportRefused: (refused: RefusedEarly) => void;
}

/** A request that was refused before it began. */
export interface RefusedEarly {
  readonly reason: NotAdmitted;
  /** Name of the policy entry; undefined: the token of the request proves no caller. */
  readonly entry: string | undefined;
}

interface AdmissionInput extends AdmissionState {
  readonly callers: CallerValidator;
  readonly policy: Policy;
  readonly nowSeconds: () => number;
}

interface Lane {
  readonly name: string;
  readonly atOnce: number;
  readonly entry: string | undefined;
}

export function createAdmission({
  queue,
  rates,
  reportRefused,
  callers,
  policy,
  nowSeconds,
}: AdmissionInput): Admission {
  const admitted = new WeakMap<AuditTrail, Admitted>();
  const laneOfRequest = async (request: HttpRequest): Promise<Lane> => {
    const token = await readPresentedToken(request);
    const caller = token === undefined ? undefined : callers.recognise(token, nowSeconds());
    const entry = caller === undefined ? undefined : entryFor(policy, caller);
    return caller === undefined || entry === undefined ? UNPROVEN : laneOf(caller, entry);
  };
  return {
    async enter(request, audit) {
      const lane = await laneOfRequest(request);
      const entered = await queue.enter(lane.name, lane.atOnce);
      if (entered.ok) {
        admitted.set(audit, entered.value);
        return succeed(entered.value.release);
      }
      reportRefused({ reason: entered.failure, entry: lane.entry });
      return fail(toFailure(entered.failure, lane));
    },
    countRequest(caller, audit) {
      const entry = entryFor(policy, caller);
      if (entry === undefined) return undefined;
      const lane = laneOf(caller, entry);
      if (admitted.get(audit)?.move(lane.name, lane.atOnce) === false) return toFailure("lane_full", lane);
      const limits = requestLimits(entry);
      if (limits.perMinute === undefined) return undefined;
      const wait = rates.spend(lane.name, limits.perMinute);
      return wait === undefined
        ? undefined
        : {
            kind: "too_many_requests",
            quota: { name: "requests", limit: limits.perMinute, windowSeconds: 60 },
            retryAfterSeconds: wait,
          };
    },
  };
}

export function createAdmissionState(
  { steadyMs, ...rates }: RequestRatesInput & { readonly steadyMs: () => number },
  operatorLog: OperatorLog,
): AdmissionState {
  return {
    queue: createFairQueue({ steadyMs }),
    rates: createRequestRates(rates),
    reportRefused: createReport(rates.nowMs, operatorLog),
  };
}

/** At most one operator event in this time; it counts the refusals since the previous one. */
const REPORT_EVERY_MS = 10_000;

function createReport(nowMs: () => number, operatorLog: OperatorLog): AdmissionState["reportRefused"] {
  let count = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return ({ reason, entry }) => {
    count += 1;
    if (nowMs() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = nowMs();
    operatorLog.add({ event: "load", name: "refused", reason, count, ...(entry === undefined ? {} : { entry }) });
    count = 0;
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** All requests whose token proves no caller of the policy yet: those of strangers, and the first one with each token. */
const UNPROVEN: Lane = { name: "unproven", atOnce: UNPROVEN_REQUESTS_AT_ONCE_MAX, entry: undefined };

/** All agents of a blueprint's entry share one lane: an agent costs its blueprint nothing to make. */
function laneOf({ kind, clientId }: Pick<Caller, "kind" | "clientId">, entry: CallerRule): Lane {
  const client = entry.blueprint === undefined ? clientId.toLowerCase() : `blueprint ${entry.blueprint}`;
  return { name: `${kind} ${client}`, atOnce: requestLimits(entry).atOnce, entry: entry.name };
}

/** Only a proven caller has its own limit (429); all others share the instance's (503). */
function toFailure(reason: NotAdmitted, { atOnce, entry }: Lane): Failure {
  return reason === "lane_full" && entry !== undefined
    ? { kind: "too_many_requests", quota: { name: "at-once", limit: atOnce }, retryAfterSeconds: 1 }
    : { kind: "overloaded", retryAfterSeconds: 1 };
}
