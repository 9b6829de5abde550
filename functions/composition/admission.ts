/**
 * Admission of requests under one version of the policy: which lane a request waits in, and whether its caller is over
 * its limit. The queue and the counters outlive every version.
 */
import type { HttpRequest } from "@azure/functions";
import { createFairQueue, type FairQueue, type Leave, type NotAdmitted } from "../../shared/admission/fair-queue.ts";
import { createRequestRates, type RequestRates, type RequestRatesInput } from "../../shared/admission/request-rates.ts";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { Caller } from "../../shared/caller/caller.ts";
import type { CallerValidator } from "../../shared/caller/validate-caller.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { UNPROVEN_REQUESTS_AT_ONCE_MAX } from "../../shared/core/limits.ts";
import { fail, type Result } from "../../shared/core/result.ts";
import { readPresentedToken } from "../../shared/http/read-presented-token.ts";
import { entryFor } from "../../shared/policy/find-entry.ts";
import { type RequestLimits, requestLimits } from "../../shared/policy/request-limits.ts";
import type { Policy } from "../../shared/policy/rules.ts";

export interface Admission {
  /** Before anything of the request is checked: leave to begin, or the failure that the client gets. */
  enter(request: HttpRequest): Promise<Result<Leave, Failure>>;
  /** After authentication: counts the request. Returns a failure if the caller has reached its limit. */
  countRequest(caller: Caller): Failure | undefined;
}

/** What outlives a version of the policy. */
export interface AdmissionState {
  readonly queue: FairQueue;
  readonly rates: RequestRates;
  readonly shedReport: (shed: Shed) => void;
}

/** A request that was refused before it began. */
export interface Shed {
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

export function createAdmission({ queue, rates, shedReport, callers, policy, nowSeconds }: AdmissionInput): Admission {
  const laneOf = async (request: HttpRequest): Promise<Lane> => {
    const token = await readPresentedToken(request);
    const caller = token === undefined ? undefined : callers.recognise(token, nowSeconds());
    const entry = caller === undefined ? undefined : entryFor(policy, caller);
    return caller === undefined || entry === undefined
      ? UNPROVEN
      : { name: nameOf(caller), atOnce: requestLimits(entry).atOnce, entry: entry.name };
  };
  return {
    async enter(request) {
      const lane = await laneOf(request);
      const entered = await queue.enter(lane.name, lane.atOnce);
      if (entered.ok) return entered;
      shedReport({ reason: entered.failure, entry: lane.entry });
      return fail(toFailure(entered.failure, lane));
    },
    countRequest(caller) {
      const entry = entryFor(policy, caller);
      const limits: Partial<RequestLimits> = entry === undefined ? {} : requestLimits(entry);
      if (limits.perMinute === undefined) return undefined;
      const wait = rates.spend(nameOf(caller), limits.perMinute);
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
    shedReport: createShedReport(rates.nowMs, operatorLog),
  };
}

/** One operator event for all requests that were refused in this time, so that a flood does not fill the log. */
const REPORT_EVERY_MS = 10_000;

function createShedReport(nowMs: () => number, operatorLog: OperatorLog): AdmissionState["shedReport"] {
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

/** All requests whose token proves no caller of the policy yet: those of strangers, and each caller's first one. */
const UNPROVEN: Lane = { name: "unproven", atOnce: UNPROVEN_REQUESTS_AT_ONCE_MAX, entry: undefined };

function nameOf({ kind, clientId }: Pick<Caller, "kind" | "clientId">): string {
  return `${kind} ${clientId.toLowerCase()}`;
}

/** Only a caller that its token proves has a limit of its own to be over. */
function toFailure(reason: NotAdmitted, { atOnce, entry }: Lane): Failure {
  return reason === "lane_full" && entry !== undefined
    ? { kind: "too_many_requests", quota: { name: "at-once", limit: atOnce }, retryAfterSeconds: 1 }
    : { kind: "overloaded", retryAfterSeconds: 1 };
}
