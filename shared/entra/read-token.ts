/**
 * Reads a successful answer of Entra's token endpoint: typed, complete and safe to put in a header, or nothing. Pure.
 * The access token itself is for the API and stays closed: a client never parses a token that it is not the audience of.
 */
import type { Failure } from "../core/failure.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { EntraToken, SignedInToken } from "./entra-token.ts";
import { isGuest, readPerson } from "./read-person.ts";

/** RFC 6750 section 2.1, b64token: nothing that could end a header line. */
const HEADER_SAFE = /^[A-Za-z0-9._~+/-]+=*$/;

/** The token in the body of a 200 answer; undefined when the body is not one. */
export function readToken(text: string, nowMs: number): Result<EntraToken, Failure> | undefined {
  const body: unknown = JSON.parse(text);
  if (typeof body !== "object" || body === null) return undefined;
  const { access_token, token_type, expires_in, refresh_in, scope, refresh_token, id_token, client_info } =
    body as Record<string, unknown>;
  const lifetime = seconds(expires_in);
  if (!isHeaderSafeToken(access_token) || lifetime === undefined || !isBearer(token_type)) return undefined;
  const nowSeconds = Math.floor(nowMs / 1_000);
  const refreshIn = seconds(refresh_in);
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

/** The same after a sign-in, where the id token also says who it was. */
export function readSignedInToken(text: string, nowMs: number): Result<SignedInToken, Failure> | undefined {
  const token = readToken(text, nowMs);
  if (token?.ok !== true) return token;
  const { id_token } = JSON.parse(text) as { id_token?: unknown };
  const claims = typeof id_token === "string" ? decodeObject(id_token.split(".")[1]) : undefined;
  const person = claims === undefined ? undefined : readPerson(claims);
  return person === undefined ? undefined : succeed({ ...token.value, person });
}

function isHeaderSafeToken(value: unknown): value is string {
  return typeof value === "string" && value.length <= TOKEN_MAX_BYTES && HEADER_SAFE.test(value);
}

function isBearer(value: unknown): boolean {
  return typeof value === "string" && value.toLowerCase() === "bearer";
}

/** Whole seconds, at least one, few enough for a date; Entra's v1 endpoint sends them as text. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 1 && number <= SECONDS_MAX ? Math.floor(number) : undefined;
}

/** Thirty years. Anything longer is no life of a token, and would be no date when it is written. */
const SECONDS_MAX = 999_999_999;

/**
 * `oid` and `tid` of the id token. Its signature needs no check: it came straight from the token endpoint over TLS
 * (OpenID Connect Core section 3.1.3.7). For guests it names the account in this tenant, `client_info` the one at home.
 */
function readIdToken(value: unknown): EntraToken["user"] {
  const claims = typeof value === "string" ? decodeObject(value.split(".")[1]) : undefined;
  const user = userNamed(claims?.["tid"], claims?.["oid"]);
  return user === undefined || claims === undefined ? undefined : { ...user, guest: isGuest(claims) };
}

/** `client_info` is base64url of `{"uid":"<oid>","utid":"<tid>"}`, sent because MSAL asks with `client_info=1`. */
function readClientInfo(value: unknown): EntraToken["user"] {
  const info = typeof value === "string" ? decodeObject(value) : undefined;
  return userNamed(info?.["utid"], info?.["uid"]);
}

function userNamed(tenantId: unknown, objectId: unknown): EntraToken["user"] {
  return typeof tenantId === "string" && typeof objectId === "string" ? { tenantId, objectId } : undefined;
}

function decodeObject(encoded: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded ?? "", "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
