/**
 * The handler around every route: admits the request, checks the method, applies the deadline, translates failures and writes one audit
 * event. It contains no business rule. Each route has its own file in `routes/`.
 */
import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { Release } from "../shared/admission/fair-queue.ts";
import type { AuditEvent, AuditFacts, AuditOutcome } from "../shared/audit/audit-event.ts";
import type { AuditTrail } from "../shared/audit/audit-trail.ts";
import { describeFailure, outcomeOf } from "../shared/audit/describe-failure.ts";
import type { Cookie } from "../shared/core/cookie.ts";
import type { Failure } from "../shared/core/failure.ts";
import { REQUEST_DEADLINE_MS } from "../shared/core/limits.ts";
import { beginSpan, type RequestTrace } from "../shared/core/request-trace.ts";
import { fail, type Result } from "../shared/core/result.ts";
import type { OutgoingResponse } from "../shared/http/outgoing-response.ts";
import { readCorrelationId } from "../shared/http/read-token-parameters.ts";
import type { Dialect } from "../shared/http/wire.ts";
import { type WrittenFailure, writeFailure } from "../shared/http/write-failure.ts";
import { type Language, languageOf } from "../shared/pages/language.ts";
import { refusalResponse } from "../shared/pages/refusal-page.ts";
import type { Service } from "./composition/compose.ts";
import { writeOperatorLog } from "./write-operator-log.ts";

/** What a route gets in addition to the request. */
export interface RouteContext {
  /** Collects the facts of this request's audit event. */
  readonly audit: AuditTrail;
  /** GUID: the caller's, or a new one. */
  readonly correlationId: string;
  /** Of the page that a browser gets. */
  readonly language: Language;
  /** Undefined: the request came without a trace. */
  readonly trace: RequestTrace | undefined;
  /** Aborts when the deadline passes and the caller gets 504. */
  readonly signal: AbortSignal;
}

export interface Route {
  /** Name of the function and of the route in the audit event. */
  readonly name: string;
  /** Azure Functions route template. */
  readonly template: string;
  readonly methods: readonly string[];
  readonly dialect: Dialect;
  /** `issued`: the route returns a token. `none`: no audit event (probes, metadata documents). */
  readonly audit: AuditOutcome | "none";
  /** Default: `REQUEST_DEADLINE_MS`. */
  readonly deadlineMs?: number;
  run(request: HttpRequest, context: RouteContext): Promise<Result<OutgoingResponse, Failure>>;
}

export function createHandler(service: Service, route: Route): HttpHandler {
  const observe = service.telemetry?.forRoute(route.name);
  return async (request, context) => {
    const startedMs = service.nowMs();
    const trace = beginSpan(context.traceContext?.traceParent);
    const facts: AuditFacts = { route: route.name, correlationId: readCorrelationId(request) };
    if (trace !== undefined) {
      facts.traceId = trace.traceId;
    }
    const trail = createTrail(facts);
    const handling: Handling = { service, route, request, context, facts, trail, trace, startedMs, observe };
    const entered = await admit(handling);
    if (entered?.ok === false) return refuseEarly(handling, entered.failure);
    try {
      return await answer(handling);
    } finally {
      entered?.value();
    }
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** One request. */
interface Handling {
  readonly service: Service;
  readonly route: Route;
  readonly request: HttpRequest;
  readonly context: InvocationContext;
  readonly facts: AuditFacts;
  readonly trail: RequestTrail;
  readonly trace: RequestTrace | undefined;
  readonly startedMs: number;
  readonly observe: ReturnType<NonNullable<Service["telemetry"]>["forRoute"]> | undefined;
}

interface RequestTrail {
  readonly audit: AuditTrail;
  /** Called with the facts that are added after the audit event is written. */
  onLate: AuditTrail["add"] | undefined;
}

function createTrail(facts: AuditFacts): RequestTrail {
  const trail: RequestTrail = {
    onLate: undefined,
    audit: {
      add(more) {
        Object.assign(facts, more);
        trail.onLate?.(more);
      },
    },
  };
  return trail;
}

/**
 * Undefined: the request begins without a place in the queue. Probes and metadata documents wait for nothing, and a bug in
 * the queue must not stop the service.
 */
async function admit({
  service,
  route,
  request,
  context,
  trail,
}: Handling): Promise<Result<Release, Failure> | undefined> {
  if (route.audit === "none") return undefined;
  try {
    return await service.admission.enter(request, trail.audit);
  } catch (error) {
    logBug(context, route, error);
    return undefined;
  }
}

async function answer(handling: Handling): Promise<HttpResponseInit> {
  const { service, route, request, context, facts, trail, trace, startedMs, observe } = handling;
  if (route.audit === "issued") {
    service.warmUp(trace);
  }
  const deadline = createDeadline(route.deadlineMs ?? REQUEST_DEADLINE_MS);
  const language = languageFor(route, request);
  const routeContext = {
    language,
    audit: trail.audit,
    correlationId: facts.correlationId ?? "",
    trace,
    signal: deadline.signal,
  };
  const result = await runRoute(route, request, routeContext, context, deadline.passed);
  deadline.cancel();
  const endedMs = service.nowMs();
  const { response, event } = conclude(service, route, { result, facts, language, startedMs, endedMs });
  if (route.audit !== "none" || !result.ok || facts.callerKind !== undefined) {
    const line = JSON.stringify(event);
    // A failure of the service or of a dependency is logged at level Error, so that operators notice it.
    event.outcome === "failed" ? context.error(line) : context.log(line);
    observe?.({ ...event, startedMs, endedMs, trace });
  }
  trail.onLate = (more) => {
    if (more.grantMade !== undefined || more.grantRevoked !== undefined) {
      const time = new Date(service.nowMs()).toISOString();
      context.error(JSON.stringify({ ...event, ...facts, time, code: AFTER_DEADLINE }));
    }
  };
  writeOperatorLog(service.operatorLog, context);
  return toFunctions(response);
}

/**
 * Nothing of the request was checked, so there is no audit event: writing one for each refused request would take more
 * time than the refusal saves. The operator event `load` has their number.
 */
function refuseEarly(handling: Handling, failure: Failure): HttpResponseInit {
  const { service, route, request, context, facts, trace, startedMs, observe } = handling;
  const endedMs = service.nowMs();
  const ended = { result: fail(failure), facts, language: languageFor(route, request), startedMs, endedMs };
  const { response, event } = conclude(service, route, ended);
  observe?.({ ...event, startedMs, endedMs, trace });
  writeOperatorLog(service.operatorLog, context);
  return toFunctions(response);
}

/** A grant was issued or ended after the caller got its response. A second event of the same request records it. */
const AFTER_DEADLINE = "after_deadline";

function languageFor({ dialect }: Route, { headers }: HttpRequest): Language {
  return dialect === "page" ? languageOf(headers.get("accept-language")) : "en";
}

async function runRoute(
  route: Route,
  request: HttpRequest,
  routeContext: RouteContext,
  context: InvocationContext,
  deadlinePassed: Promise<Result<never, Failure>>,
): Promise<Result<OutgoingResponse, Failure>> {
  if (!route.methods.includes(request.method)) return fail({ kind: "method_not_allowed", allow: route.methods });
  try {
    return await Promise.race([route.run(request, routeContext), deadlinePassed]);
  } catch (error) {
    logBug(context, route, error);
    return fail({ kind: "internal" });
  }
}

function logBug(context: InvocationContext, { name: route }: Route, error: unknown): void {
  context.error(JSON.stringify({ event: "bug", route, ...withoutMessage(error) }));
}

/** Work that still runs at the deadline may complete a shared call to Entra, but it creates no grant. */
function createDeadline(milliseconds: number) {
  const controller = new AbortController();
  const { promise: passed, resolve } = Promise.withResolvers<Result<never, Failure>>();
  const timer = setTimeout(() => {
    controller.abort();
    resolve(fail({ kind: "deadline_passed" }));
  }, milliseconds);
  return { passed, signal: controller.signal, cancel: () => clearTimeout(timer) };
}

/** What is known about a request when it ends. */
interface Ended {
  readonly result: Result<OutgoingResponse, Failure>;
  readonly facts: AuditFacts;
  readonly language: Language;
  readonly startedMs: number;
  readonly endedMs: number;
}

function conclude(
  service: Service,
  route: Route,
  { result, facts, language, startedMs, endedMs }: Ended,
): { response: OutgoingResponse; event: AuditEvent } {
  const { policyHash } = service.config;
  const base = {
    event: "exchange",
    time: new Date(endedMs).toISOString(),
    ...(policyHash === undefined ? {} : { policy: policyHash }),
  } as const;
  const milliseconds = endedMs - startedMs;
  const options = { dialect: route.dialect, understandsChallenge: facts.callerUnderstandsChallenge === true };
  if (result.ok && result.value.refusal === undefined) {
    const outcome = route.audit === "issued" ? "issued" : "answered";
    const { status } = result.value;
    return { response: result.value, event: { ...base, outcome, code: "ok", status, ...facts, milliseconds } };
  }
  const failure = result.ok ? (result.value.refusal ?? { kind: "internal" }) : result.failure;
  const written = writeFailure(failure, options, service.identity, facts.correlationId ?? "");
  const { wire } = written;
  const response = result.ok ? result.value : toDialectResponse(route, written, language, facts.correlationId ?? "");
  const described = describeFailure(failure);
  return {
    response,
    event: {
      ...base,
      outcome: outcomeOf(failure, wire.status),
      code: wire.code,
      status: response.status,
      ...facts,
      ...described,
      milliseconds,
    },
  };
}

/** A browser gets a page, a program gets JSON. */
function toDialectResponse(
  { dialect }: Route,
  { response, wire }: WrittenFailure,
  language: Language,
  correlationId: string,
): OutgoingResponse {
  return dialect === "page" ? refusalResponse(wire, correlationId, { language }) : response;
}

/**
 * The name and the stack frames of an unexpected error. Its message can contain secrets, or lines that look like stack
 * frames, so it is never logged.
 */
function withoutMessage(error: unknown): { name: string; at: readonly string[] } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  const { name, message, stack = "" } = error;
  const heading = stack.indexOf(message);
  const frames = heading < 0 ? [] : stack.slice(heading + message.length).split("\n");
  return {
    name,
    at: frames
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
  };
}

function toFunctions({ status, headers, body, cookies = [] }: OutgoingResponse): HttpResponseInit {
  return { status, headers, ...(body === undefined ? {} : { body }), cookies: cookies.map(toCookie) };
}

/** Only for this host, not readable by scripts, and sent when Entra's page returns to the service (Lax). */
function toCookie({ name, value, maxAgeSeconds }: Cookie) {
  return { name, value, maxAge: maxAgeSeconds, path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;
}
