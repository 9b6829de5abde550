/**
 * Tokens that are almost valid: every confusion and every forgery that a tenant can mint. The local tenant mints them
 * all, most of them with its real key.
 */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { CLIENT_IDS, OBJECT_IDS, TENANT_ID, USER_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { OTHER_TENANT_ID } from "../../local/tenant/keys/key-ring.ts";
import { CONSUMERS_TENANT_ID } from "../../local/tenant/keys/signing-key.ts";
import type { TokenRefusal } from "../../shared/core/token-refusal.ts";
import type { LocalWorld } from "./service-under-test.ts";

type State = LocalWorld["tenant"]["state"];

export interface ConfusedToken {
  readonly id: string;
  readonly title: string;
  readonly mint: (state: State) => string;
  /** The reason in the audit trail. */
  readonly reason: TokenRefusal;
}

const row = (id: string, title: string, reason: TokenRefusal, mint: ConfusedToken["mint"]): ConfusedToken => ({
  id,
  title,
  reason,
  mint,
});
type Claims = Record<string, unknown>;
const user = (id: string, title: string, reason: TokenRefusal, claims: Claims) =>
  row(id, title, reason, (state) => state.mintUserToken({ claims }));
/** The times are those of the mint: the files of a worker share this table. */
const timed = (id: string, title: string, reason: TokenRefusal, claims: (nowSeconds: number) => Claims) =>
  row(id, title, reason, (state) => state.mintUserToken({ claims: claims(Math.floor(Date.now() / 1_000)) }));
const application = (id: string, title: string, reason: TokenRefusal, claims: Record<string, unknown>) =>
  row(id, title, reason, (state) => state.mintAppToken({ claims }));
const headed = (id: string, title: string, reason: TokenRefusal, header: Record<string, unknown>) =>
  row(id, title, reason, (state) => state.mintUserToken({ header }));

const ROLE = ["Exchange.Call"];

/** A JSON value as base64url, as in the parts of a token. */
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const parts = (token: string) => token.split(".") as [string, string, string];

export const CONFUSED_TOKENS: readonly ConfusedToken[] = [
  row("TK-1", "a valid token of another tenant for the service", "key_unknown", (state) =>
    state.mintUserToken({
      key: "other-tenant",
      claims: { iss: `${state.url}/${OTHER_TENANT_ID}/v2.0`, tid: OTHER_TENANT_ID },
    }),
  ),
  row("TK-1", "another tenant's issuer and tid, signed with this tenant's key", "issuer", (state) =>
    state.mintUserToken({ claims: { iss: `${state.url}/${OTHER_TENANT_ID}/v2.0`, tid: OTHER_TENANT_ID } }),
  ),
  user("TK-2", "this tenant's issuer with another tid", "tenant", { tid: OTHER_TENANT_ID }),
  row("TK-2", "another issuer with this tenant's tid", "issuer", (state) =>
    state.mintUserToken({ claims: { iss: `${state.url}/${OTHER_TENANT_ID}/v2.0` } }),
  ),
  application("TK-2", "an application with another tid", "tenant", { tid: OTHER_TENANT_ID }),
  row("TK-3", "the consumer tenant's key with this tenant's issuer (Storm-0558)", "key_unknown", (state) =>
    state.mintUserToken({ key: "consumers" }),
  ),
  row("TK-3", "the consumer tenant's key and issuer", "key_unknown", (state) =>
    state.mintUserToken({
      key: "consumers",
      claims: { iss: `${state.url}/${CONSUMERS_TENANT_ID}/v2.0`, tid: CONSUMERS_TENANT_ID },
    }),
  ),
  row("TK-4", "a token for another application", "audience", (state) =>
    state.mintUserToken({ resource: "orders", claims: { scp: "access_as_user" } }),
  ),
  row("TK-4", "a token for Key Vault", "audience", (state) => state.mintAppToken({ resource: "vault" })),
  user("TK-4", "the service's api:// URI as audience", "audience", { aud: `api://${CLIENT_IDS.service}` }),
  user("TK-4", "the service's client id with a slash as audience", "audience", { aud: `${CLIENT_IDS.service}/` }),
  user("TK-4", "the service's client id in upper case as audience", "audience", {
    aud: CLIENT_IDS.service.toUpperCase(),
  }),
  user("TK-4", "an array with the service's client id as audience", "audience", { aud: [CLIENT_IDS.service] }),
  user("TK-4", "an array with the service's and Graph's ids as audience", "audience", {
    aud: [CLIENT_IDS.service, CLIENT_IDS.graph],
  }),
  user("TK-4", "the app-only registration as audience", "audience", { aud: CLIENT_IDS.appOnly }),
  row("TK-5", "a v1 token for the service", "version", (state) =>
    state.mintUserToken({
      claims: { iss: `${state.url}/${TENANT_ID}/`, ver: "1.0", appid: CLIENT_IDS.web },
      without: ["azp"],
    }),
  ),
  row("TK-6", "an ID token for another client", "id_token", (state) => state.mintIdToken({ client: "web" })),
  row("TK-21", "a key that Entra publishes only for another application", "key_unknown", (state) => {
    state.setOwnKey({ clientId: CLIENT_IDS.orders, own: true });
    const token = state.mintUserToken({ resource: "orders", claims: { aud: CLIENT_IDS.service } });
    state.setOwnKey({ clientId: CLIENT_IDS.orders, own: false });
    return token;
  }),
  row("TK-5", "a v1 token with the issuer of the public cloud", "issuer", (state) =>
    state.mintUserToken({
      claims: { iss: `https://sts.windows.net/${TENANT_ID}/`, ver: "1.0", appid: CLIENT_IDS.web },
      without: ["azp"],
    }),
  ),
  user("TK-5", "ver 1.0 with a v2 issuer", "version", { ver: "1.0" }),
  row("TK-5", "no ver", "version", (state) => state.mintUserToken({ without: ["ver"] })),
  row("TK-6", "an ID token for the service's registration", "id_token", (state) =>
    state.mintIdToken({ client: "service" }),
  ),
  row("TK-6", "an ID token with the service's scope added", "id_token", (state) =>
    state.mintIdToken({ client: "service", claims: { scp: "access_as_user", azp: CLIENT_IDS.web } }),
  ),
  row("TK-7", "neither scp nor roles", "kind_unclear", (state) => state.mintUserToken({ without: ["scp"] })),
  row("TK-7", "an application without a role", "role_missing", (state) => state.mintAppToken({ client: "stranger" })),
  row("TK-7", "an application with another role", "role_missing", (state) =>
    state.mintAppToken({ claims: { roles: ["Policy.Explain"] } }),
  ),
  row("TK-8", "a user with the service's app role and without scp", "kind_unclear", (state) =>
    state.mintUserToken({ claims: { roles: ROLE, idtyp: "app" }, without: ["scp"] }),
  ),
  application("TK-8", "an application with idtyp user", "kind_unclear", { idtyp: "user" }),
  row("TK-9", "a user with the service's app role and another scope", "scope_missing", (state) =>
    state.mintUserToken({ claims: { roles: ROLE, scp: "User.Read" } }),
  ),
  user("TK-10", "a scope that starts with the service's scope", "scope_missing", { scp: "access_as_user_x" }),
  user("TK-10", "a scope that ends with the service's scope", "scope_missing", { scp: "xaccess_as_user" }),
  user("TK-10", "the service's scope in another case", "scope_missing", { scp: "Access_As_User" }),
  user("TK-10", "scp as an array", "claim_type", { scp: ["access_as_user"] }),
  user("TK-10", "an empty scp", "scope_missing", { scp: "" }),
  user("TK-10", "scp with two spaces", "claim_type", { scp: "a  access_as_user" }),
  user("TK-10", "scp with a tab", "claim_type", { scp: "a\taccess_as_user" }),
  application("TK-11", "roles as a string", "claim_type", { roles: "Exchange.Call" }),
  application("TK-11", "roles as a string that contains the service's role", "claim_type", {
    roles: "NotExchange.CallEither",
  }),
  row("TK-12", "a guest", "guest", (state) => state.mintUserToken({ user: "dave" })),
  user("TK-12", "a guest by acct only", "guest", { acct: 1 }),
  user("TK-12", "a guest by idp only", "guest", { idp: `https://sts.windows.net/${OTHER_TENANT_ID}/` }),
  row("TK-14", "a token without azp", "client", (state) => state.mintUserToken({ without: ["azp"] })),
  user("TK-14", "a token with azp and appid", "client", { appid: CLIENT_IDS.daemon }),
  user("TK-14", "azp that is not a GUID", "client", { azp: "web" }),
  row("TK-16", "a Graph token, with its nonce", "graph_token", (state) => state.mintUserToken({ resource: "graph" })),
  timed("TK-17", "an expired token", "expired", (now) => ({ exp: now - 3_600, iat: now - 7_200, nbf: now - 7_200 })),
  timed("TK-17", "a token that is not valid yet", "not_yet_valid", (now) => ({ nbf: now + 3_600, exp: now + 7_200 })),
  timed("TK-17", "a token issued in the future", "issued_in_future", (now) => ({ iat: now + 3_600, exp: now + 7_200 })),
  timed("TK-17", "a token with exp before iat", "lifetime", (now) => ({ iat: now + 30, exp: now + 10 })),
  timed("TK-17", "a token valid for two days", "lifetime", (now) => ({ exp: now + 48 * 3_600 })),
  row("TK-17", "a token without exp", "claim_type", (state) => state.mintUserToken({ without: ["exp"] })),
  user("TK-17", "exp that is not a number", "claim_type", { exp: "tomorrow" }),
  user("TK-18", "the issuer of a sovereign cloud", "issuer", {
    iss: `https://login.microsoftonline.us/${TENANT_ID}/v2.0`,
  }),
  user("TK-18", "the issuer of the public cloud", "issuer", {
    iss: `https://login.microsoftonline.com/${TENANT_ID}/v2.0`,
  }),
  user("TK-18", "the issuer of B2C", "issuer", { iss: `https://contoso.b2clogin.com/${TENANT_ID}/v2.0/` }),
  user("TK-18", "the issuer of External ID", "issuer", { iss: `https://contoso.ciamlogin.com/${TENANT_ID}/v2.0` }),
  row("TK-18", "an issuer that starts with the real host", "issuer", (state) =>
    state.mintUserToken({ claims: { iss: `${state.url}.evil.example/${TENANT_ID}/v2.0` } }),
  ),
  row("TK-18", "the common issuer", "issuer", (state) =>
    state.mintUserToken({ claims: { iss: `${state.url}/common/v2.0` } }),
  ),
  row("TK-18", "the issuer as an array", "issuer", (state) =>
    state.mintUserToken({ claims: { iss: [`${state.url}/${TENANT_ID}/v2.0`] } }),
  ),
  row("TK-19", "no tid", "tenant", (state) => state.mintUserToken({ without: ["tid"] })),
  row("TK-19", "no oid", "identity", (state) => state.mintUserToken({ without: ["oid"] })),
  user("TK-19", "oid that is a user name", "identity", { oid: "alice@contoso.local" }),
  user("TK-19", "the nil oid", "identity", { oid: "00000000-0000-0000-0000-000000000000" }),
  row("TK-19", "no sub", "identity", (state) => state.mintUserToken({ without: ["sub"] })),
  user("TK-22", "a token bound to a key", "sender_constrained", { cnf: { jkt: "x" } }),
  user("TK-23", "a token with act", "actor_token", { act: { sub: USER_IDS.bob } }),
  user("TK-23", "a token with an actor token in it (CVE-2025-55241)", "actor_token", {
    actortoken: `${part({ alg: "none" })}.${part({})}.`,
  }),
  row("TK-25", "an authorization code", "not_compact", (state) =>
    state.issueCode({ user: "alice", client: "service", redirectUri: "http://localhost", scope: "openid" }),
  ),
  row("TK-25", "a grant handle", "not_compact", () => `gte_${"A".repeat(43)}`),
  row("TK-26", "a token issued to the service itself", "own_client", (state) =>
    state.mintUserToken({ client: "service", scopes: ["access_as_user"] }),
  ),
  row("TK-27", "a v1 token for Graph without the nonce", "graph_token", (state) =>
    state.mintUserToken({ resource: "graph", header: { nonce: undefined } }),
  ),

  row("JW-1", "alg none, no signature", "not_compact", (state) => state.mintUserToken({ sign: "none" })),
  row("JW-1", "alg none, a signature", "algorithm", (state) =>
    state.mintUserToken({ header: { alg: "none" }, signature: "AAAA" }),
  ),
  headed("JW-3", "alg in lower case", "algorithm", { alg: "rs256" }),
  headed("JW-3", "alg as an array", "algorithm", { alg: ["RS256"] }),
  ...(["spki-pem", "jwk", "modulus"] as const).map((hmacSecret) =>
    row("JW-4", `HS256 with our public key as ${hmacSecret}`, "algorithm", (state) =>
      state.mintUserToken({ sign: "HS256", hmacSecret }),
    ),
  ),
  row("JW-5", "PS256 with the right key", "algorithm", (state) => state.mintUserToken({ sign: "PS256" })),
  row("JW-5", "RS512 with the right key", "algorithm", (state) => state.mintUserToken({ sign: "RS512" })),
  row("JW-5", "RS512 under alg RS256", "signature", (state) =>
    state.mintUserToken({ sign: "RS512", header: { alg: "RS256" } }),
  ),
  row("JW-6", "an attacker's key in the header with the real kid", "header_not_allowed", (state) => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const [header, payload] = parts(state.mintUserToken());
    const forged = part({
      ...JSON.parse(Buffer.from(header, "base64url").toString()),
      jwk: publicKey.export({ format: "jwk" }),
    });
    return `${forged}.${payload}.${sign("sha256", Buffer.from(`${forged}.${payload}`), privateKey).toString("base64url")}`;
  }),
  ...["jku", "x5u"].map((name) =>
    headed("JW-21", `${name} with an attacker's URL`, "header_not_allowed", { [name]: "https://localhost:1/keys" }),
  ),
  headed("JW-7", "kid with a path", "key_unknown", { kid: "../../keys" }),
  headed("JW-7", "kid that is a number", "key_id", { kid: 7 }),
  headed("JW-7", "the kid __proto__", "key_unknown", { kid: "__proto__" }),
  headed("JW-20", "no kid", "key_id", { kid: undefined }),
  headed("JW-8", "crit", "header_not_allowed", { crit: ["exp"] }),
  headed("JW-9", "b64 set to false", "header_not_allowed", { b64: false, crit: ["b64"] }),
  headed("JW-32", "another typ", "header_type", { typ: "at+jwt" }),
  row("JW-6", "an unpublished key", "key_unknown", (state) => state.mintUserToken({ key: "unpublished" })),
  row("JW-19", "a key of 1024 bits", "key_unknown", (state) => state.mintUserToken({ key: "weak" })),
  row("SEC-18", "ES256 with r = s = 0 (psychic signature)", "algorithm", (state) =>
    state.mintUserToken({ header: { alg: "ES256" }, signature: Buffer.alloc(64).toString("base64url") }),
  ),
  row("JW-6", "payload of one token, signature of another", "signature", (state) => {
    const [header, , signature] = parts(state.mintUserToken({ user: "alice" }));
    return `${header}.${parts(state.mintUserToken({ user: "bob" }))[1]}.${signature}`;
  }),
  row("JW-31", "different unused last bits of the signature", "not_compact", (state) =>
    withOtherUnusedBits(state.mintUserToken()),
  ),
  row("JW-15", "padding", "not_compact", (state) => `${state.mintUserToken()}==`),
  row("JW-11", "two parts", "not_compact", (state) => parts(state.mintUserToken()).slice(0, 2).join(".")),
  row("JW-11", "five parts, as a JWE", "not_compact", (state) => `${state.mintUserToken()}.AAAA.AAAA`),
  row("JW-23", "a repeated claim", "not_json", (state) => withRepeatedClaim(state)),
  row("JW-23", "a repeated header member", "not_json", (state) =>
    state.mint({
      header: `{"alg":"none","alg":"RS256","typ":"JWT","kid":"${state.listKeys().active}"}`,
      payload: "{}",
    }),
  ),
  row("JW-10", "payload null", "not_json", (state) =>
    state.mint({ header: { alg: "RS256", typ: "JWT", kid: state.listKeys().active }, payload: "null" }),
  ),
  row("JW-29", "a token of 20 KB", "too_long", (state) =>
    state.mintUserToken({ claims: { filler: "x".repeat(20_000) } }),
  ),
  row("JW-4", "HS256 with an empty secret", "algorithm", (state) => {
    const text = `${part({ alg: "HS256", typ: "JWT" })}.${parts(state.mintUserToken())[1]}`;
    return `${text}.${createHmac("sha256", "").update(text).digest("base64url")}`;
  }),
  application("TK-8", "an application whose oid and sub differ", "kind_unclear", { oid: OBJECT_IDS.web }),
];

/** Changes unused bits: an RS256 signature has 256 bytes, so the last four bits of its base64url are unused. */
function withOtherUnusedBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.at(-1) ?? "");
  return token.slice(0, -1) + alphabet[last ^ 1];
}

/** A valid signature over a payload with two `oid` members. */
function withRepeatedClaim(state: State): string {
  const [header, payload] = parts(state.mintUserToken());
  const text = Buffer.from(payload, "base64url").toString("utf8");
  const doubled = `${text.slice(0, -1)},"oid":"${USER_IDS.bob}"}`;
  return state.mint({ header: JSON.parse(Buffer.from(header, "base64url").toString("utf8")), payload: doubled });
}
