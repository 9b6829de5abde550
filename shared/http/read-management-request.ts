/**
 * `GET /manage/grants` and `POST /manage/revocations`: what an administrator asks about. Both name exactly one target by
 * the same members. A cold start does not load this file.
 */
import type { Failure } from "../core/failure.ts";
import { isGrantId } from "../core/grant.ts";
import { isGuid } from "../core/guid.ts";
import type { JsonObject } from "../core/json-object.ts";
import { type Result, succeed } from "../core/result.ts";
import { REVOCATION_KINDS, type RevocationKind, type RevocationTarget } from "../core/revocation.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { collectParameters, readJsonBody, singleValue } from "./read-body.ts";
import { refuseBodyNames, refuseUnknownMember } from "./similar-names.ts";

export interface ManagedRevocation {
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly dryRun: boolean;
}

export interface ManagedSearch {
  readonly target: RevocationTarget;
  /** `next` of the previous page. */
  readonly after: string | undefined;
}

const MEMBERS = [...REVOCATION_KINDS, "reason", "dryRun"];
/** One line, which a person reads in a list. No control or format characters. */
const REASON = /^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;
/** A name of the policy. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

export async function readManagedRevocation(request: IncomingRequest): Promise<Result<ManagedRevocation, Failure>> {
  const query = refuseBodyNames(request, MEMBERS);
  if (!query.ok) return query;
  const body = await readJsonBody(request);
  if (!body.ok) return body;
  const unknown = refuseUnknownMember(body.value, MEMBERS);
  if (unknown !== undefined) return unknown;
  const target = readTarget(REVOCATION_KINDS.flatMap((kind) => memberOf(body.value, kind)));
  if (!target.ok) return target;
  const { reason, dryRun } = body.value;
  if (reason === undefined) return invalidRequest("parameter_missing", "reason");
  if (typeof reason !== "string" || !REASON.test(reason)) return invalidRequest("parameter_invalid", "reason");
  // No default: a request that forgets it must neither end grants nor seem to have ended them.
  if (dryRun === undefined) return invalidRequest("parameter_missing", "dryRun");
  if (typeof dryRun !== "boolean") return invalidRequest("parameter_invalid", "dryRun");
  return succeed({ target: target.value, reason, dryRun });
}

/** Without a target: every grant. */
export function readManagedSearch(request: IncomingRequest): Result<ManagedSearch, Failure> {
  const parameters = collectParameters(queryOf(request), []);
  if (!parameters.ok) return parameters;
  const named = REVOCATION_KINDS.flatMap((kind) => {
    const value = singleValue(parameters.value, kind);
    return value === undefined ? [] : [{ kind, value: kind === "everything" ? value === "true" : value }];
  });
  const target = named.length === 0 ? succeed({ kind: "everything", key: "" } as const) : readTarget(named);
  if (!target.ok) return target;
  const after = singleValue(parameters.value, "after");
  if (after !== undefined && !isGrantId(after)) return invalidRequest("parameter_invalid", "after");
  return succeed({ target: target.value, after });
}

// ---------------------------------------------------------------------------------------------------------------

interface Named {
  readonly kind: RevocationKind;
  readonly value: unknown;
}

function memberOf(body: JsonObject, kind: RevocationKind): Named[] {
  return body[kind] === undefined ? [] : [{ kind, value: body[kind] }];
}

function readTarget([first, second]: readonly Named[]): Result<RevocationTarget, Failure> {
  if (first === undefined) return invalidRequest("parameter_missing", undefined, { supported: REVOCATION_KINDS });
  // Several members could mean both or either, so the request is refused.
  if (second !== undefined) return invalidRequest("parameter_not_supported", second.kind, { supported: [first.kind] });
  const { kind, value } = first;
  const key = readKey(first);
  return key === undefined || value === undefined ? invalidRequest("parameter_invalid", kind) : succeed({ kind, key });
}

/** None of these forms has a quotation mark or another character that a query of the table could take for its own. */
function readKey({ kind, value }: Named): string | undefined {
  if (kind === "everything") return value === true ? "" : undefined;
  if (typeof value !== "string") return undefined;
  switch (kind) {
    case "person":
    case "caller":
      return isGuid(value) ? value.toLowerCase() : undefined;
    case "grant":
      return isGrantId(value) ? value : undefined;
    case "entry":
    case "api":
      return NAME.test(value) ? value : undefined;
  }
}
