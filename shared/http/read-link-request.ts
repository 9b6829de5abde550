/**
 * `POST /signin/links` → a link request. The JSON members are `caller?`, `expectedUser?`, `claims?` (the claims
 * challenge that the sign-in must satisfy), `codeChallenge?` (S256) and the APIs of the grant: `api` with `scopes?` for one API, or `apis`
 * (scopes by API name) for several. Without scopes, the grant gets the scopes that the policy lists.
 */

import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import { GUID } from "../core/guid.ts";
import { isJsonObject } from "../core/json-object.ts";
import { APIS_PER_GRANT_MAX, URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import type { LinkRequest } from "../sign-in/create-link.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { readJsonBody } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readClaims, readScopeList } from "./read-token-parameters.ts";
import { refuseBodyNames, refuseUnknownMember } from "./similar-names.ts";

/** APIs and callers by their names in the policy, and a user by object id. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
const FORMS: Readonly<Record<string, RegExp>> = {
  api: NAME,
  caller: NAME,
  expectedUser: GUID,
  // RFC 7636 section 4.2: SHA-256 in base64url.
  codeChallenge: /^[A-Za-z0-9_-]{43}$/,
};

export const LINK_MEMBERS = [...Object.keys(FORMS), "scopes", "apis", "claims"];

export async function readLinkRequest(request: IncomingRequest): Promise<Result<LinkRequest, Failure>> {
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const query = refuseBodyNames(request, LINK_MEMBERS);
  if (!query.ok) return query;
  const body = await readJsonBody(request);
  if (!body.ok) return body;
  const unknown = refuseUnknownMember(body.value, LINK_MEMBERS);
  if (unknown !== undefined) return unknown;
  const { scopes, apis, claims, ...texts } = body.value;
  const invalid = findInvalid(texts);
  if (invalid !== undefined) return invalid;
  const { api, caller, expectedUser, codeChallenge } = texts as Readonly<Record<string, string | undefined>>;
  const requested = apis === undefined ? readOneApi(api, scopes) : readApis(apis, { api, scopes });
  if (!requested.ok) return requested;
  const challenge = readUrlClaims(claims);
  if (!challenge.ok) return challenge;
  return succeed({
    clientAuthentication: clientAuthentication.value,
    caller,
    apis: requested.value,
    expectedUser: expectedUser?.toLowerCase(),
    claims: challenge.value,
    codeChallenge,
  });
}

// ------------------------------------------------------------------------------------------------------------------

/** The first member with an invalid value. */
function findInvalid(texts: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(texts)) {
    if (typeof value !== "string" || FORMS[name]?.test(value) !== true)
      return invalidRequest("parameter_invalid", name);
  }
  return undefined;
}

function readOneApi(api: string | undefined, scopes: unknown): Result<ConsentedApis, Failure> {
  if (api === undefined) return invalidRequest("parameter_missing", "api");
  const read = readApiScopes(api, scopes, "scopes");
  return read.ok ? succeed([read.value]) : read;
}

/** `apis` replaces `api` and `scopes`. A request with both is refused. */
function readApis(apis: unknown, single: Readonly<Record<string, unknown>>): Result<ConsentedApis, Failure> {
  if (Object.values(single).some((value) => value !== undefined)) return invalidRequest("parameter_invalid", "apis");
  const entries = isJsonObject(apis) ? Object.entries(apis) : [];
  if (entries.length > APIS_PER_GRANT_MAX || !entries.every(([name]) => NAME.test(name))) {
    return invalidRequest("parameter_invalid", "apis");
  }
  const read: ApiScopes[] = [];
  for (const [name, scopes] of entries) {
    const apiScopes = readApiScopes(name, scopes, "apis");
    if (!apiScopes.ok) return apiScopes;
    read.push(apiScopes.value);
  }
  const [first, ...others] = read;
  return first === undefined ? invalidRequest("parameter_invalid", "apis") : succeed([first, ...others]);
}

function readApiScopes(api: string, value: unknown, parameter: string): Result<ApiScopes, Failure> {
  const scopes = readScopeList(value, parameter);
  return scopes.ok ? succeed({ api, scopes: scopes.value.scopes ?? [] }) : scopes;
}

/** Claims with the lower size limit of a URL, because the link contains them. */
function readUrlClaims(value: unknown): Result<string | undefined, Failure> {
  const claims = readClaims(value, "claims");
  return claims.ok && Buffer.byteLength(claims.value ?? "") > URL_CLAIMS_MAX_BYTES
    ? invalidRequest("parameter_invalid", "claims")
    : claims;
}
