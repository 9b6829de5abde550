/**
 * Refuses a parameter that the route would ignore although its name shows what the sender wants: the name of a parameter
 * in another case, with a typing error, from another route, or in the query instead of the body. Ignoring it would return
 * another token than the requested one. Other unknown parameters are ignored (RFC 6749 sections 3.1 and 3.2): proxies
 * and tracking add some.
 */
import { didYouMean } from "../core/did-you-mean.ts";
import type { Failure, RequestHint } from "../core/failure.ts";
import type { JsonObject } from "../core/json-object.ts";
import { type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { safeName } from "./read-body.ts";

/** Names of the JSON routes, and the parameter of a form that means the same. Undefined: forms have none. */
const JSON_NAMES = new Map<string, string | undefined>([
  ["scopes", "scope"],
  ["grant", "refresh_token"],
  ["api", "audience"],
  ["forceRefresh", undefined],
  ["minimumSeconds", undefined],
]);

/** Refuses the first parameter of an OAuth form that is not in `accepted` and resembles one, or a name of the JSON routes. */
export function refuseSimilarNames(names: Iterable<string>, accepted: readonly string[]): Result<true, Failure> {
  for (const name of names) {
    const similar = accepted.includes(name) ? undefined : (similarTo(name, accepted) ?? fromJsonRoute(name, accepted));
    if (similar !== undefined) return invalidRequest("parameter_not_supported", safeName(name), similar.hint);
  }
  return succeed(true);
}

/** The Functions host's own: `?code=<function key>&clientId=<its name>`. */
const HOST_NAMES = ["code", "clientId"];

/** A query with a parameter that belongs into the body. `instead` has the names that the query accepts, by body name. */
export function refuseBodyNames(
  request: Pick<IncomingRequest, "url">,
  bodyNames: readonly string[],
  instead: Readonly<Record<string, string>> = {},
): Result<true, Failure> {
  for (const name of queryOf(request).keys()) {
    if (HOST_NAMES.includes(name)) continue;
    const bodyName = bodyNames.includes(name) ? name : didYouMean(name, bodyNames);
    if (bodyName === undefined) continue;
    const meant = instead[bodyName] ?? (bodyName === name ? undefined : bodyName);
    return invalidRequest("parameter_in_query", safeName(name), meant === undefined ? undefined : { meant });
  }
  return succeed(true);
}

/** The first member of a JSON object that the route does not know. */
export function refuseUnknownMember(body: JsonObject, accepted: readonly string[]) {
  const unknown = Object.keys(body).find((name) => !accepted.includes(name));
  if (unknown === undefined) return undefined;
  const meant = didYouMean(unknown, accepted);
  return invalidRequest("parameter_not_supported", safeName(unknown), {
    ...(meant === undefined ? {} : { meant }),
    supported: accepted,
  });
}

// ------------------------------------------------------------------------------------------------------------------

interface Similar {
  readonly hint: RequestHint | undefined;
}

function similarTo(name: string, accepted: readonly string[]): Similar | undefined {
  const meant = didYouMean(name, accepted);
  return meant === undefined ? undefined : { hint: { meant } };
}

function fromJsonRoute(name: string, accepted: readonly string[]): Similar | undefined {
  const jsonName = JSON_NAMES.has(name) ? name : didYouMean(name, [...JSON_NAMES.keys()]);
  if (jsonName === undefined) return undefined;
  const meant = JSON_NAMES.get(jsonName);
  if (meant === undefined) return { hint: undefined };
  return accepted.includes(meant) ? { hint: { meant } } : undefined;
}
