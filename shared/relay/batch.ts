/**
 * JSON batching: every inner request is decided like a request of its own, and the batch is written again from what was
 * decided, because a reader may take a repeated or differently spelled member for the other one.
 *
 * Source: https://learn.microsoft.com/graph/json-batching
 */
import {
  type DownstreamTarget,
  foldCase,
  parseTarget,
  RELAY_METHODS,
  toRelativeUrl,
} from "../core/downstream-target.ts";
import type { BatchProblem, Failure } from "../core/failure.ts";
import { isJsonObject, type JsonObject } from "../core/json-object.ts";
import { BATCH_REQUESTS_MAX } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { forwardedHeaders } from "../http/forwarded-headers.ts";
import { allowedCall, describeCall, describeRule } from "../policy/downstream-rules.ts";
import type { AllowedDownstream, Entitlement } from "../policy/entitlement.ts";
import { parseExactly, writeExactly } from "./exact-json.ts";

/** True if the rule is for a batch: its literal last segment. */
export function isBatch({ target }: AllowedDownstream): boolean {
  return foldCase(target.segments.at(-1) ?? "") === "$batch";
}

export interface CheckedBatch {
  readonly body: Uint8Array;
  readonly count: number;
}

/** Decides about each inner request with the rules of the batch, and writes the batch again. */
export function checkBatch(
  { entry, api, downstream }: Entitlement & { readonly downstream: AllowedDownstream },
  body: Uint8Array | undefined,
): Result<CheckedBatch, Failure> {
  const requests = readRequests(body);
  if (!requests.ok) return refused(requests.failure);
  const base = downstream.target.segments.slice(0, -1);
  const written: JsonObject[] = [];
  const refusedCalls: string[] = [];
  for (const request of requests.value) {
    const read = readInner(request, base);
    if (!read.ok) return refused(read.failure);
    const allowed = allowedCall(api.resource, downstream.rules, read.value);
    if (allowed === undefined) refusedCalls.push(describeCall(read.value));
    else written.push(writeInner(request, allowed.target, base.length));
  }
  if (refusedCalls.length > 0) {
    const listed = downstream.rules.map(describeRule);
    return fail({
      kind: "policy_refused",
      reason: "downstream_not_allowed",
      entry,
      api: api.name,
      requested: refusedCalls,
      listed,
    });
  }
  const text = writeExactly({ requests: written });
  return text === undefined ? refused("not_json") : succeed({ body: text, count: written.length });
}

/** A redirect inside a batch's response is not passed on either: see `relay-response.ts`. */
export function withoutInnerRedirects(body: Buffer): Buffer {
  if (!/"status"\s{0,8}:\s{0,8}"?3\d\d/.test(body.toString("latin1"))) return body;
  const parsed = parseExactly(body);
  if (!isJsonObject(parsed) || !Array.isArray(parsed["responses"])) return body;
  const responses = parsed["responses"].map((response: unknown) =>
    isRedirect(response) ? refuseInner(response) : response,
  );
  return writeExactly({ ...parsed, responses }) ?? body;
}

// ---------------------------------------------------------------------------------------------------------------

function refused(batch: BatchProblem) {
  return fail({ kind: "request_invalid", problem: "batch_invalid", hint: { batch } } as const);
}

function readRequests(body: Uint8Array | undefined): Result<readonly JsonObject[], BatchProblem> {
  const parsed = body === undefined ? undefined : parseExactly(body);
  if (!isJsonObject(parsed) || Object.keys(parsed).join() !== "requests") return fail("not_json");
  const { requests } = parsed;
  if (!Array.isArray(requests) || !requests.every(isJsonObject)) return fail("not_json");
  if (requests.length === 0 || requests.length > BATCH_REQUESTS_MAX) return fail("too_many");
  const ids = new Set(requests.map(({ id }) => id));
  return ids.size === requests.length ? succeed(requests) : fail("form");
}

const MEMBERS = ["id", "method", "url", "headers", "body", "dependsOn"];
const ID = /^[\w.:-]{1,128}$/;

/** The inner request with its whole path: `url` is relative to the version of the batch. */
function readInner(request: JsonObject, base: readonly string[]) {
  const { id, method, url, headers = {}, dependsOn = [] } = request;
  const wellFormed =
    Object.keys(request).every((name) => MEMBERS.includes(name)) &&
    isId(id) &&
    typeof url === "string" &&
    isJsonObject(headers) &&
    Array.isArray(dependsOn) &&
    dependsOn.every(isId);
  if (!wellFormed) return fail("form" as const);
  const known = RELAY_METHODS.find((name) => name === method);
  if (known === undefined) return fail("method" as const);
  const target = parseTarget(`${base.map((segment) => `/${segment}`).join("")}/${url.replace(/^\//, "")}`);
  if (!target.ok) return fail("target" as const);
  const nested = target.value.segments.some((segment) => foldCase(segment) === "$batch");
  return nested ? fail("nested" as const) : succeed({ method: known, target: target.value });
}

function isId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

function writeInner(request: JsonObject, target: DownstreamTarget, baseLength: number): JsonObject {
  const { id, method, headers, body, dependsOn } = request;
  const url = toRelativeUrl({ ...target, segments: target.segments.slice(baseLength) });
  return {
    id,
    method,
    url,
    ...(isJsonObject(headers) ? { headers: innerHeaders(headers) } : {}),
    ...(body === undefined ? {} : { body }),
    ...(dependsOn === undefined ? {} : { dependsOn }),
  };
}

/** The same headers that a request of its own may have. */
function innerHeaders(headers: JsonObject): Record<string, string> {
  const sent = new Map(Object.entries(headers).map(([name, value]) => [foldCase(name), value]));
  return forwardedHeaders({
    get(name) {
      const value = sent.get(name);
      return typeof value === "string" && /^[\x20-\x7e]{1,1024}$/.test(value) ? value : null;
    },
  });
}

function isRedirect(response: unknown): response is JsonObject {
  if (!isJsonObject(response)) return false;
  const status = Number(JSON.stringify(response["status"]).replaceAll('"', ""));
  return status >= 300 && status < 400 && status !== 304;
}

function refuseInner({ id }: JsonObject): JsonObject {
  const error = { code: "downstream_redirect", message: "The service does not pass on redirects to other hosts." };
  return { id, status: 502, headers: { "Content-Type": "application/json" }, body: { error } };
}
