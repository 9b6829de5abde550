/**
 * Reads a successful response of Entra's token endpoint (RFC 6749 section 5.1). A result is complete and safe in a header.
 * Pure. The service does not parse the access token: it is not the audience of that token.
 */
import type { Failure } from "../core/failure.ts";
import { isJsonObject, type JsonObject } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { EntraToken, SignedInToken } from "./entra-token.ts";
import { isGuestAccount, readPerson } from "./read-person.ts";

/** RFC 6750 section 2.1, b64token: contains no character that ends a header line. */
const HEADER_SAFE = /^[A-Za-z0-9._~+/-]+=*$/;

/** The token in the body of a 200 response; undefined if the body is not a valid token response. */
export function readToken(text: string, nowMs: number): Result<EntraToken, Failure> | undefined {
  const body = parseJson(text);
  if (!isJsonObject(body)) return undefined;
  const { access_token, token_type, expires_in, refresh_in, scope, refresh_token, id_token, client_info } = body;
  const lifetime = lifetimeSeconds(expires_in);
  if (!isHeaderSafeToken(access_token) || lifetime === undefined || !isBearer(token_type)) return undefined;
  const nowSeconds = Math.floor(nowMs / 1_000);
  const refreshIn = lifetimeSeconds(refresh_in);
  return succeed({
    accessToken: new SecretValue(access_token),
    expiresAtSeconds: nowSeconds + lifetime,
    refreshAtSeconds: refreshIn === undefined ? undefined : nowSeconds + refreshIn,
    scopes: typeof scope === "string" ? scope.split(" ").filter((name) => name !== "") : [],
    refreshToken:
      typeof refresh_token === "string" && refresh_token !== "" ? new SecretValue(refresh_token) : undefined,
    user: readIdToken(id_token) ?? readClientInfo(client_info),
  });
}

/** The token in the response after a sign-in, with the user from its ID token; undefined if either is missing. */
export function readSignedInToken(text: string, nowMs: number): Result<SignedInToken, Failure> | undefined {
  const token = readToken(text, nowMs);
  if (token?.ok !== true) return token;
  const body = parseJson(text);
  const idToken = isJsonObject(body) ? body["id_token"] : undefined;
  const claims = typeof idToken === "string" ? decodeJsonObject(idToken.split(".")[1]) : undefined;
  const person = claims === undefined ? undefined : readPerson(claims);
  return person === undefined ? undefined : succeed({ ...token.value, person });
}

// ---------------------------------------------------------------------------------------------------------------

function isHeaderSafeToken(value: unknown): value is string {
  return typeof value === "string" && value.length <= TOKEN_MAX_BYTES && HEADER_SAFE.test(value);
}

function isBearer(value: unknown): boolean {
  return typeof value === "string" && value.toLowerCase() === "bearer";
}

/** A lifetime in whole seconds, from 1 to the maximum. Entra's v1 endpoint sends it as text. */
function lifetimeSeconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 1 && number <= SECONDS_MAX ? Math.floor(number) : undefined;
}

/** About thirty years. A longer lifetime is not plausible, and the resulting time would not be a valid `Date`. */
const SECONDS_MAX = 999_999_999;

/**
 * `oid` and `tid` of the ID token. Its signature needs no check, because it came directly from the token endpoint over TLS
 * (OpenID Connect Core section 3.1.3.7). For a guest, the ID token names the account in this tenant, and `client_info`
 * names the account in the home tenant.
 */
function readIdToken(value: unknown): EntraToken["user"] {
  const claims = typeof value === "string" ? decodeJsonObject(value.split(".")[1]) : undefined;
  const user = toUser(claims?.["tid"], claims?.["oid"]);
  return user === undefined || claims === undefined ? undefined : { ...user, guest: isGuestAccount(claims) };
}

/** `client_info` is base64url of `{"uid":"<oid>","utid":"<tid>"}`. Entra sends it because MSAL adds `client_info=1`. */
function readClientInfo(value: unknown): EntraToken["user"] {
  const info = typeof value === "string" ? decodeJsonObject(value) : undefined;
  return toUser(info?.["utid"], info?.["uid"]);
}

function toUser(tenantId: unknown, objectId: unknown): EntraToken["user"] {
  return typeof tenantId === "string" && typeof objectId === "string" ? { tenantId, objectId } : undefined;
}

function decodeJsonObject(encoded: string | undefined): JsonObject | undefined {
  const value = parseJson(Buffer.from(encoded ?? "", "base64url").toString("utf8"));
  return isJsonObject(value) ? value : undefined;
}
