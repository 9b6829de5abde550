/**
 * `POST /signin/links` → a link request. JSON: `caller?`, `expectedUser?`, `claims?` (a demand of Entra's that the
 * sign-in shall meet), and what the grant shall cover: `api` with `scopes?` for one API, or `apis`, from name to scopes,
 * for several. No scopes ask for the list.
 */

import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { GUID } from "../core/guid.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { LinkRequest } from "../sign-in/create-link.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readJsonObject, safeName } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readClaims, readScopeList, readScopes } from "./read-token-parameters.ts";

/** What each member must look like; names are those of the policy, a user is an object id. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
const FORMS: Readonly<Record<string, RegExp>> = { api: NAME, caller: NAME, expectedUser: GUID };
/** More than anybody needs in one grant; each costs a call to Entra. */
const APIS_MAX = 10;

export async function readLinkRequest(request: IncomingRequest): Promise<Result<LinkRequest, Failure>> {
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const body = await readJsonObject(request);
  if (!body.ok) return body;
  const { scopes, apis, claims, ...texts } = body.value;
  const wrong = findWrong(texts);
  if (wrong !== undefined) return wrong;
  const { api, caller, expectedUser } = texts as { api?: string; caller?: string; expectedUser?: string };
  const asked = apis === undefined ? readOneApi(api, scopes) : readApis(apis, { api, scopes });
  if (!asked.ok) return asked;
  const demand = readDemand(claims);
  return demand.ok
    ? succeed({
        clientAuthentication: clientAuthentication.value,
        caller,
        apis: asked.value,
        expectedUser: expectedUser?.toLowerCase(),
        claims: demand.value,
      })
    : demand;
}

/** It travels in the link. */
function readDemand(value: unknown): Result<string | undefined, Failure> {
  const read = readClaims(value, "claims");
  return read.ok && Buffer.byteLength(read.value ?? "") > URL_CLAIMS_MAX_BYTES
    ? problem("parameter_invalid", "claims")
    : read;
}

function readOneApi(api: string | undefined, scopes: unknown): Result<ConsentedApis, Failure> {
  if (api === undefined) return problem("parameter_missing", "api");
  const read = readApiScopes(api, scopes, "scopes");
  return read.ok ? succeed([read.value]) : read;
}

/** Instead of `api` and `scopes`, never beside them. */
function readApis(apis: unknown, beside: Readonly<Record<string, unknown>>): Result<ConsentedApis, Failure> {
  if (Object.values(beside).some((value) => value !== undefined)) return problem("parameter_invalid", "apis");
  const entries = typeof apis === "object" && apis !== null && !Array.isArray(apis) ? Object.entries(apis) : [];
  if (entries.length > APIS_MAX || !entries.every(([name]) => NAME.test(name))) {
    return problem("parameter_invalid", "apis");
  }
  const read: ApiScopes[] = [];
  for (const [name, scopes] of entries) {
    const one = readApiScopes(name, scopes, "apis");
    if (!one.ok) return one;
    read.push(one.value);
  }
  const [first, ...others] = read;
  return first === undefined ? problem("parameter_invalid", "apis") : succeed([first, ...others]);
}

function readApiScopes(api: string, value: unknown, parameter: string): Result<ApiScopes, Failure> {
  const listed = readScopeList(value, parameter);
  const scopes = listed.ok ? readScopes(listed.value, parameter) : listed;
  return scopes.ok ? succeed({ api, scopes: scopes.value.scopes ?? [] }) : scopes;
}

/** The first member that is unknown, or not the text it must be. */
function findWrong(texts: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(texts)) {
    const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined;
    if (form === undefined) return problem("parameter_not_supported", safeName(name));
    if (typeof value !== "string" || !form.test(value)) return problem("parameter_invalid", name);
  }
  return undefined;
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
