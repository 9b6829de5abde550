/**
 * JSON batching: every inner request is decided like a request of its own, and the batch is written again from what was
 * decided, because a reader may take a repeated or differently spelled member for the other one.
 *
 * Source: https://learn.microsoft.com/graph/json-batching
 */

import type { BatchProblem } from "../core/batch-problem.ts";
import {
  type DownstreamTarget,
  foldCase,
  parseTarget,
  RELAY_METHODS,
  toRelativeUrl,
} from "../core/downstream-target.ts";
import type { Failure } from "../core/failure.ts";
import { isJsonObject, type JsonObject } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { BATCH_REQUESTS_MAX, BATCH_VALUES_MAX } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { forwardedHeaders } from "../http/forwarded-headers.ts";
import { allowedCall, describeCall, describeRule } from "../policy/downstream-rules.ts";
import type { AllowedDownstream, Entitlement } from "../policy/entitlement.ts";
import { hasMoreValues, memberText, type Part, partsOf } from "./json-spans.ts";

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
  contentType: string | undefined,
): Result<CheckedBatch, Failure> {
  // What the service reads as UTF-8 must not be something else for the API.
  if (/charset\s*=\s*(?!"?utf-8"?\s*(;|$))/i.test(contentType ?? "")) return refused("charset");
  const requests = readRequests(body);
  if (!requests.ok) return refused(requests.failure);
  const base = downstream.target.segments.slice(0, -1);
  const written: string[] = [];
  const refusedCalls: string[] = [];
  for (const request of requests.value) {
    const read = readInner(request.members, base);
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
  return succeed({ body: Buffer.from(`{"requests":[${written.join()}]}`), count: written.length });
}

type PassHeaders = (headers: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;

/**
 * A batch's response with what the relay passes on of each inner one: headers by `passHeaders`, and no redirect, as in
 * `relay-response.ts`. Undefined: the body cannot be read.
 */
export function checkInnerResponses(body: Buffer, passHeaders: PassHeaders): Buffer | undefined {
  if (body.byteLength === 0) return body;
  const members = partsOf(body.toString("utf8"), MEMBERS_MAX);
  const list = members && memberText(members, "responses");
  if (members === undefined || list === undefined) return members && body;
  const responses = partsOf(list, BATCH_REQUESTS_MAX)?.map(({ text }) => checkInnerResponse(text, passHeaders));
  if (responses === undefined || responses.includes(undefined)) return undefined;
  const written = `[${responses.join()}]`;
  const others = members.filter(({ name }) => name !== "responses");
  return Buffer.from(writeMembers([...others, { name: "responses", text: written }]));
}

// ---------------------------------------------------------------------------------------------------------------

function refused(batch: BatchProblem) {
  return fail({ kind: "request_invalid", problem: "batch_invalid", hint: { batch } } as const);
}

/** An inner request. Its body is only passed on, so it stays text. */
interface InnerRequest {
  readonly members: JsonObject;
  readonly body: string | undefined;
}

function readRequests(body: Uint8Array | undefined): Result<readonly InnerRequest[], BatchProblem> {
  const text = body === undefined ? undefined : decodeUtf8(body);
  if (text === undefined) return fail("not_json");
  if (hasMoreValues(text, BATCH_VALUES_MAX)) return fail("too_many_values");
  const parsed = parseJson(text);
  if (!isJsonObject(parsed) || Object.keys(parsed).join() !== "requests") return fail("not_json");
  const { requests } = parsed;
  if (!Array.isArray(requests) || !requests.every(isJsonObject)) return fail("not_json");
  if (requests.length === 0 || requests.length > BATCH_REQUESTS_MAX) return fail("too_many");
  const ids = new Set(requests.map(({ id }) => id));
  if (ids.size !== requests.length) return fail("form");
  const bodies = bodiesOf(text);
  return succeed(requests.map((members, index) => ({ members, body: bodies[index] })));
}

/** The text of each inner body. The whole is valid JSON with few members at each of these levels. */
function bodiesOf(text: string): readonly (string | undefined)[] {
  const list = memberText(partsOf(text, BATCH_VALUES_MAX) ?? [], "requests") ?? "[]";
  const requests = partsOf(list, BATCH_REQUESTS_MAX) ?? [];
  return requests.map((request) => memberText(partsOf(request.text, BATCH_VALUES_MAX) ?? [], "body"));
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
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
    innerHeaders(headers).ok &&
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

function writeInner({ members, body }: InnerRequest, target: DownstreamTarget, baseLength: number): string {
  const { id, method, headers, dependsOn } = members;
  const url = toRelativeUrl({ ...target, segments: target.segments.slice(baseLength) });
  const forwarded = isJsonObject(headers) ? innerHeaders(headers) : undefined;
  const sent = { id, method, url, ...(forwarded?.ok === true ? { headers: forwarded.value } : {}) };
  const parts = Object.entries(sent).map(([name, value]) => ({ name, text: JSON.stringify(value) }));
  if (body !== undefined) parts.push({ name: "body", text: body });
  if (dependsOn !== undefined) parts.push({ name: "dependsOn", text: JSON.stringify(dependsOn) });
  return writeMembers(parts);
}

function writeMembers(parts: readonly Part[]): string {
  return `{${parts.map(({ name, text }) => `${JSON.stringify(name)}:${text}`).join()}}`;
}

/** The same headers that a request of its own may have. */
function innerHeaders(headers: JsonObject): Result<Record<string, string>, string> {
  const sent = new Map(Object.entries(headers).map(([name, value]) => [foldCase(name), value]));
  return forwardedHeaders({
    get(name) {
      const value = sent.get(name);
      return typeof value === "string" ? value : null;
    },
  });
}

/** Members of a batch's response or of one inner response: more than Graph sends. */
const MEMBERS_MAX = 32;

/** Undefined: the inner response cannot be read. */
function checkInnerResponse(response: string, passHeaders: PassHeaders): string | undefined {
  const members = partsOf(response, MEMBERS_MAX);
  if (members === undefined) return undefined;
  const status = Number(memberText(members, "status")?.replaceAll('"', ""));
  if (status >= 300 && status < 400 && status !== 304) return refuseInner(memberText(members, "id"));
  return writeMembers(
    members.map((member) =>
      member.name === "headers" ? { name: "headers", text: passedText(member.text, passHeaders) } : member,
    ),
  );
}

/** Headers of one response: more than Graph sends. */
const HEADERS_MAX_CHARACTERS = 16_384;

function passedText(text: string, passHeaders: PassHeaders): string {
  const headers = text.length > HEADERS_MAX_CHARACTERS ? undefined : parseJson(text);
  const texts = Object.entries(isJsonObject(headers) ? headers : {}).filter(
    (header): header is [string, string] => typeof header[1] === "string",
  );
  return JSON.stringify(passHeaders(Object.fromEntries(texts)));
}

function refuseInner(id = '""'): string {
  const error = { code: "downstream_redirect", message: "The service does not pass on redirects to other hosts." };
  const refusal = { status: 502, headers: { "Content-Type": "application/json" }, body: { error } };
  return `{"id":${id},${JSON.stringify(refusal).slice(1)}`;
}
