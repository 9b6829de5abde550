/**
 * The frame around every route: method, deadline, translation of failures, one audit event. It knows no rule. What a
 * route does is in `routes/`, one file each.
 */
import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AuditEvent, AuditFacts, AuditOutcome } from "../shared/audit/audit-event.ts";
import { describeFailure, outcomeOf } from "../shared/audit/describe-failure.ts";
import type { Failure } from "../shared/failure.ts";
import type { OutgoingResponse } from "../shared/http/outgoing-response.ts";
import { readCorrelationId } from "../shared/http/read-wish.ts";
import type { Dialect } from "../shared/http/wire.ts";
import { writeFailure } from "../shared/http/write-failure.ts";
import { REQUEST_DEADLINE_MS } from "../shared/limits.ts";
import { fail, type Result } from "../shared/result.ts";
import type { Service } from "./composition/compose.ts";

/** What a route gets besides the request. */
export interface RouteContext {
  /** Adds to the audit event of this request. */
  readonly note: (facts: Partial<AuditFacts>) => void;
  /** GUID: the caller's, or a new one. */
  readonly correlationId: string;
}

export interface Route {
  /** Name of the function and of the route in the audit event. */
  readonly name: string;
  /** Route template of Functions. */
  readonly template: string;
  readonly methods: readonly string[];
  readonly dialect: Dialect;
  /** `issued`: an answer with a token. `none`: no audit event (probes, documents). */
  readonly audit: AuditOutcome | "none";
  run(request: HttpRequest, context: RouteContext): Promise<Result<OutgoingResponse, Failure>>;
}

export function createHandler(service: Service, route: Route): HttpHandler {
  return async (request, context) => {
    const startedMs = service.nowMs();
    const facts: AuditFacts = { route: route.name, correlationId: readCorrelationId(request) };
    const traceId = traceIdOf(context);
    if (traceId !== undefined) {
      facts.traceId = traceId;
    }
    const note = (more: Partial<AuditFacts>) => void Object.assign(facts, more);
    const result = await runRoute(route, request, { note, correlationId: facts.correlationId ?? "" }, context);
    const { response, event } = conclude(service, route, facts, result);
    if (route.audit !== "none" || !result.ok) {
      const milliseconds = service.nowMs() - startedMs;
      context.log(JSON.stringify({ ...event, milliseconds }));
    }
    for (const waiting of service.operatorLog.drain()) {
      context.warn(JSON.stringify(waiting));
    }
    return toFunctions(response);
  };
}

async function runRoute(
  route: Route,
  request: HttpRequest,
  routeContext: RouteContext,
  context: InvocationContext,
): Promise<Result<OutgoingResponse, Failure>> {
  if (!route.methods.includes(request.method)) {
    return fail({ kind: "method_not_allowed", allow: route.methods });
  }
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<Result<OutgoingResponse, Failure>>((resolve) => {
    timer = setTimeout(() => resolve(fail({ kind: "deadline_passed" })), REQUEST_DEADLINE_MS);
  });
  try {
    return await Promise.race([route.run(request, routeContext), deadline]);
  } catch (error) {
    context.error(JSON.stringify({ event: "bug", route: route.name, ...withoutMessage(error) }));
    return fail({ kind: "internal" });
  } finally {
    clearTimeout(timer);
  }
}

function conclude(
  service: Service,
  route: Route,
  facts: AuditFacts,
  result: Result<OutgoingResponse, Failure>,
): { response: OutgoingResponse; event: Omit<AuditEvent, "milliseconds"> } {
  const base = { event: "exchange", time: new Date(service.nowMs()).toISOString() } as const;
  if (result.ok) {
    const outcome = route.audit === "issued" ? "issued" : "answered";
    return { response: result.value, event: { ...base, outcome, code: "ok", status: result.value.status, ...facts } };
  }
  const asker = { dialect: route.dialect, understandsChallenge: facts.callerUnderstandsChallenge === true };
  const { response, wire } = writeFailure(result.failure, asker, service.identity, facts.correlationId ?? "");
  const described = describeFailure(result.failure);
  return {
    response,
    event: { ...base, outcome: outcomeOf(wire.status), code: wire.code, status: wire.status, ...facts, ...described },
  };
}

/** An unexpected error's kind and place. Its message may hold anything, so it stays here. */
function withoutMessage(error: unknown): { name: string; at: readonly string[] } {
  if (!(error instanceof Error)) {
    return { name: typeof error, at: [] };
  }
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { name: error.name, at: frames.slice(0, 8).map((line) => line.trim()) };
}

/** W3C trace context: version, trace id, span id, flags. */
function traceIdOf(context: InvocationContext): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(context.traceContext?.traceParent ?? "")?.[1];
}

function toFunctions(response: OutgoingResponse): HttpResponseInit {
  const { status, headers, body } = response;
  return body === undefined ? { status, headers } : { status, headers, body };
}
