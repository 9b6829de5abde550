/** `POST /signin/links`: JSON `{ api, scopes?, caller?, expectedUser? }` → a link request. */
import type { Failure, RequestProblem } from "../failure.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { LinkRequest } from "../sign-in/make-link.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readJsonObject, safeName } from "./read-body.ts";
import { readBearer } from "./read-proof.ts";
import { readScopeList, readScopes } from "./read-wish.ts";

/** What each member must look like; names are those of the policy, a user is an object id. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FORMS: Readonly<Record<string, RegExp>> = { api: NAME, caller: NAME, expectedUser: GUID };

export async function readLinkRequest(request: IncomingRequest): Promise<Result<LinkRequest, Failure>> {
  const proof = readBearer(request);
  if (!proof.ok) {
    return proof;
  }
  const body = await readJsonObject(request);
  if (!body.ok) {
    return body;
  }
  const { scopes: askedScopes, ...texts } = body.value;
  const wrong = findWrong(texts);
  if (wrong !== undefined) {
    return wrong;
  }
  const { api, caller, expectedUser } = texts as { api?: string; caller?: string; expectedUser?: string };
  if (api === undefined) {
    return problem("parameter_missing", "api");
  }
  const listed = readScopeList(askedScopes);
  const scopes = listed.ok ? readScopes(listed.value, "scopes") : listed;
  if (!scopes.ok) {
    return scopes;
  }
  return succeed({
    proof: proof.value,
    caller,
    wish: { audiences: [api], resources: [], scopes: scopes.value.scopes },
    expectedUser: expectedUser?.toLowerCase(),
  });
}

/** The first member that is unknown, or not the text it must be. */
function findWrong(texts: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(texts)) {
    const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined;
    if (form === undefined) {
      return problem("parameter_not_supported", safeName(name));
    }
    if (typeof value !== "string" || !form.test(value)) {
      return problem("parameter_invalid", name);
    }
  }
  return undefined;
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
