/**
 * Genuine tokens of Entra in the wrong place, and claims that say two things. All are signed with Entra's own
 * key unless the row is about the key.
 */
import { describe, expect, it } from "vitest";
import {
  ABSENT,
  applicationToken,
  change,
  mint,
  userClaims,
  userToken,
  v1UserClaims,
  v1UserToken,
  withHeader,
} from "./support/mint.ts";
import { guestService, type Row, row, strictService, v1Service } from "./support/service.ts";
import {
  AUTHORITY_HOST,
  attackerKey,
  CONSUMERS_TENANT_ID,
  consumersKey,
  HOUR,
  NOW,
  OTHER_TENANT_ID,
  SERVICE_ID,
  TENANT_ID,
  USER_ID,
  V1_AUDIENCE,
  V1_ISSUER,
  V2_ISSUER,
} from "./support/tenant.ts";

const otherIssuer = `${AUTHORITY_HOST}/${OTHER_TENANT_ID}/v2.0`;
const GRAPH = "https://graph.microsoft.com";
const GRAPH_ID = "00000003-0000-0000-c000-000000000000";

const tenantRows: readonly Row[] = [
  row("TK-1", "other tenant, same audience", userToken({ iss: otherIssuer, tid: OTHER_TENANT_ID }), "issuer"),
  row(
    "TK-1",
    "other tenant's v1 issuer",
    v1UserToken({ iss: `https://sts.windows.net/${OTHER_TENANT_ID}/` }),
    "issuer",
    v1Service,
  ),
  row("TK-2", "iss of tenant A, tid of tenant B", userToken({ tid: OTHER_TENANT_ID }), "tenant"),
  row("TK-2", "iss of tenant B, tid of tenant A", userToken({ iss: otherIssuer }), "issuer"),
  row("TK-2", "v1: iss of tenant A, tid of tenant B", v1UserToken({ tid: OTHER_TENANT_ID }), "tenant", v1Service),
  row("TK-2", "application: tid of tenant B", applicationToken({ tid: OTHER_TENANT_ID }), "tenant"),
  row("TK-3", "consumer key under our issuer (Storm-0558)", mint({ key: consumersKey }), "key_unknown"),
  row(
    "TK-3",
    "consumer key under the consumers' issuer",
    mint({
      key: consumersKey,
      payload: change(userClaims, { iss: `${AUTHORITY_HOST}/${CONSUMERS_TENANT_ID}/v2.0`, tid: CONSUMERS_TENANT_ID }),
    }),
    "key_unknown",
  ),
  ...[
    `https://login.microsoftonline.us/${TENANT_ID}/v2.0`,
    `https://login.partner.microsoftonline.cn/${TENANT_ID}/v2.0`,
    `https://contoso.b2clogin.com/${TENANT_ID}/v2.0/`,
    `https://contoso.ciamlogin.com/${TENANT_ID}/v2.0`,
    `https://sts.chinacloudapi.cn/${TENANT_ID}/`,
    `https://login.microsoftonline.com.evil.example/${TENANT_ID}/v2.0`,
    `https://login.microsoftonline.com@evil.example/${TENANT_ID}/v2.0`,
    `https://sts.windows.net.evil.example/${TENANT_ID}/`,
    `https://login.microsoftonline.com/common/v2.0`,
    "https://login.microsoftonline.com/{tenantid}/v2.0",
    `https://login.microsoftonline.com//${TENANT_ID}/v2.0`,
    `https://login.microsoftonline.com:443/${TENANT_ID}/v2.0`,
    `${V2_ISSUER}#`,
    V1_ISSUER,
  ].map((iss) => row("TK-18", iss, userToken({ iss }), "issuer")),
];

const audienceRows: readonly Row[] = [
  row("TK-4", "another app", userToken({ aud: "99999999-0000-4000-8000-000000000000" }), "audience"),
  row("TK-4", "Graph", userToken({ aud: GRAPH }), "audience"),
  row("TK-4", "Graph by id", userToken({ aud: GRAPH_ID }), "audience"),
  row("TK-4", "Key Vault", applicationToken({ aud: "https://vault.azure.net" }), "audience"),
  row("TK-4", "api:// of ours, only the GUID configured", userToken({ aud: V1_AUDIENCE }), "audience"),
  row("TK-4", "v2 token with the v1 audience, both configured", userToken({ aud: V1_AUDIENCE }), "audience", v1Service),
  row(
    "TK-4",
    "v1 token with the GUID, only api:// configured",
    v1UserToken({ aud: SERVICE_ID }),
    "audience",
    v1Service,
  ),
  row("TK-4", "trailing slash", userToken({ aud: `${SERVICE_ID}/` }), "audience"),
  row("TK-4", "v1 audience with a trailing slash", v1UserToken({ aud: `${V1_AUDIENCE}/` }), "audience", v1Service),
  row("TK-4", "v1 audience in other case", v1UserToken({ aud: V1_AUDIENCE.toUpperCase() }), "audience", v1Service),
  row("TK-5", "v1 token where only v2 is expected", v1UserToken(), "issuer"),
  row("TK-5", "v1 token by issuer and ver, GUID audience", v1UserToken({ aud: SERVICE_ID }), "issuer"),
  row("TK-5", "v2 issuer, ver 1.0", userToken({ ver: "1.0" }), "version"),
  row("TK-5", "v2 issuer, ver 1.0, v1 allowed", userToken({ ver: "1.0" }), "version", v1Service),
  row("TK-5", "v1 issuer, ver 2.0", v1UserToken({ ver: "2.0" }), "version", v1Service),
  row("TK-5", "ver missing", userToken({ ver: ABSENT }), "version"),
  row("TK-5", "ver a number", userToken({ ver: 2 }), "version"),
  row("TK-27", "result of on-behalf-of sent back", userToken({ aud: GRAPH, iss: V1_ISSUER, ver: "1.0" }), "issuer"),
  row("TK-27", "the same where v1 is allowed", v1UserToken({ aud: GRAPH }), "audience", v1Service),
];

/** What an ID token for our own registration looks like. */
const idTokenChanges = { azp: ABSENT, azpacr: ABSENT, scp: ABSENT, nonce: "n-0S6" };

const kindRows: readonly Row[] = [
  row("TK-6", "ID token", userToken(idTokenChanges), "id_token"),
  row("TK-6", "ID token without nonce", userToken({ ...idTokenChanges, nonce: ABSENT }), "id_token"),
  row("TK-6", "ID token with our app role", userToken({ ...idTokenChanges, roles: ["Exchange.Call"] }), "id_token"),
  row("TK-6", "ID token with at_hash and a client", userToken({ scp: ABSENT, at_hash: "x" }), "id_token"),
  row("TK-6", "nonce beside a client and a scope", userToken({ nonce: "n-0S6" }), "id_token"),
  row("TK-6", "c_hash beside a scope", userToken({ c_hash: "x" }), "id_token"),
  row("TK-7", "neither scp nor roles, user", userToken({ scp: ABSENT }), "kind_unclear"),
  row("TK-7", "neither scp nor roles, application", applicationToken({ roles: ABSENT }), "role_missing"),
  row(
    "TK-8",
    "user's subject, our app role, no scp",
    userToken({ scp: ABSENT, roles: ["Exchange.Call"] }),
    "kind_unclear",
  ),
  row(
    "TK-8",
    "the same with idtyp app",
    userToken({ scp: ABSENT, roles: ["Exchange.Call"], idtyp: "app" }),
    "kind_unclear",
  ),
  row("TK-8", "application with idtyp user", applicationToken({ idtyp: "user" }), "kind_unclear"),
  row("TK-8", "application with another idtyp", applicationToken({ idtyp: "device" }), "kind_unclear"),
  row("TK-8", "application with idtyp null", applicationToken({ idtyp: null }), "kind_unclear"),
  row("TK-8", "application with oid and sub different", applicationToken({ sub: USER_ID }), "kind_unclear"),
  row("TK-8", "application with an empty scp", applicationToken({ scp: "" }), "scope_missing"),
  row("TK-8", "application with scp null", applicationToken({ scp: null }), "claim_type"),
  row(
    "TK-8",
    "application with idtyp app and scp",
    applicationToken({ idtyp: "app", scp: "access_as_user" }),
    "kind_unclear",
  ),
  row(
    "TK-9",
    "scp of something else and our app role",
    userToken({ scp: "User.Read", roles: ["Exchange.Call"] }),
    "scope_missing",
  ),
  ...[
    "access_as_user_x",
    "xaccess_as_user",
    "Access_As_User",
    "ACCESS_AS_USER",
    "access_as_user.default",
    "access_as_use",
  ].map((scp) => row("TK-10", `scp ${scp}`, userToken({ scp }), "scope_missing")),
  row("TK-10", "scp array", userToken({ scp: ["access_as_user"] }), "claim_type"),
  row("TK-10", "scp object", userToken({ scp: { access_as_user: true } }), "claim_type"),
  row("TK-10", "scp empty", userToken({ scp: "" }), "scope_missing"),
  row("TK-10", "two spaces", userToken({ scp: "access_as_user  x" }), "claim_type"),
  row("TK-10", "leading space", userToken({ scp: " access_as_user" }), "claim_type"),
  row("TK-10", "trailing space", userToken({ scp: "access_as_user " }), "claim_type"),
  row("TK-10", "tab", userToken({ scp: "x\taccess_as_user" }), "claim_type"),
  row("TK-10", "newline", userToken({ scp: "access_as_user\n" }), "claim_type"),
  row("TK-10", "no-break space", userToken({ scp: "access_as_user\u00a0x" }), "claim_type"),
  row("TK-11", "roles a string", applicationToken({ roles: "Exchange.Call" }), "claim_type"),
  row("TK-11", "roles an object", applicationToken({ roles: { 0: "Exchange.Call" } }), "claim_type"),
  row("TK-11", "roles with a stranger", applicationToken({ roles: ["Exchange.Call", 1] }), "claim_type"),
  row("TK-11", "roles null", applicationToken({ roles: null }), "claim_type"),
  row("TK-11", "roles a string in a user's token", userToken({ roles: "x" }), "claim_type"),
  row(
    "TK-11",
    "role containing ours",
    applicationToken({ roles: ["Exchange.Call.All", "exchange.call"] }),
    "role_missing",
  ),
];

const guestRows: readonly Row[] = [
  row("TK-12", "acct 1", userToken({ acct: 1 }), "guest"),
  row("TK-12", "acct 1 as text", userToken({ acct: "1" }), "guest"),
  row("TK-12", "acct unheard of", userToken({ acct: 2 }), "guest"),
  row("TK-12", "acct null", userToken({ acct: null }), "guest"),
  row("TK-12", "acct 0", userToken({ acct: 0 }), "accepted"),
  row("TK-12", "acct 0 as text", userToken({ acct: "0" }), "accepted"),
  row("TK-12", "idp another tenant", userToken({ idp: `https://sts.windows.net/${OTHER_TENANT_ID}/` }), "guest"),
  row("TK-12", "idp a personal account", userToken({ idp: "live.com" }), "guest"),
  row("TK-12", "idp not a string", userToken({ idp: [V2_ISSUER] }), "guest"),
  row("TK-12", "idp this tenant, v1 spelling", userToken({ idp: V1_ISSUER }), "accepted"),
  row("TK-12", "idp this tenant, v2 spelling", userToken({ idp: V2_ISSUER }), "accepted"),
  row("TK-12", "guest where guests are allowed", userToken({ acct: 1, idp: "live.com" }), "accepted", guestService),
  row("TK-12", "application tokens name this tenant as idp", applicationToken({ idp: V1_ISSUER }), "accepted"),
];

const clientRows: readonly Row[] = [
  row("TK-14", "azp missing", userToken({ azp: ABSENT }), "client"),
  row("TK-14", "azp missing, appid in its place", userToken({ azp: ABSENT, appid: USER_ID }), "client"),
  row("TK-14", "both present and different", userToken({ appid: USER_ID }), "client"),
  row("TK-14", "both present and equal", userToken({ appid: userClaims["azp"] }), "accepted"),
  row("TK-14", "azp no GUID", userToken({ azp: "client" }), "client"),
  row("TK-14", "azp array", userToken({ azp: [userClaims["azp"]] }), "client"),
  row("TK-14", "azp nil GUID", userToken({ azp: "00000000-0000-0000-0000-000000000000" }), "client"),
  row("TK-14", "azp in upper case", userToken({ azp: "AAAAAAAA-3333-4444-8555-666666666666" }), "client"),
  row(
    "TK-14",
    "v1: appid missing, azp in its place",
    v1UserToken({ appid: ABSENT, azp: USER_ID }),
    "client",
    v1Service,
  ),
  row("TK-14", "v1: both present and different", v1UserToken({ azp: USER_ID }), "client", v1Service),
  row("TK-14", "application without a client", applicationToken({ azp: ABSENT }), "id_token"),
  row("TK-26", "issued to ourselves", userToken({ azp: SERVICE_ID }), "own_client"),
  row("TK-26", "application, issued to ourselves", applicationToken({ azp: SERVICE_ID }), "own_client"),
  row("TK-26", "v1, issued to ourselves", v1UserToken({ appid: SERVICE_ID }), "own_client", v1Service),
];

const timeRows: readonly Row[] = [
  row("TK-17", "expired by 61 s", userToken({ exp: NOW - 61 }), "expired"),
  row("TK-17", "expired by 1 s, tolerated", userToken({ exp: NOW - 1 }), "accepted"),
  row("TK-17", "not yet valid", userToken({ nbf: NOW + 61 }), "not_yet_valid"),
  row("TK-17", "valid in 60 s, tolerated", userToken({ nbf: NOW + 60 }), "accepted"),
  row("TK-17", "exp before iat", userToken({ exp: NOW - 10, iat: NOW }), "lifetime"),
  row("TK-17", "exp equal to iat", userToken({ exp: NOW, iat: NOW }), "lifetime"),
  row(
    "TK-17",
    "28 hours and the five minutes before issue",
    userToken({ iat: NOW - 300, exp: NOW + 28 * HOUR }),
    "accepted",
  ),
  row("TK-17", "over 28 hours", userToken({ iat: NOW - 300, exp: NOW + 28 * HOUR + 301 }), "lifetime"),
];

const identityRows: readonly Row[] = [
  ...[ABSENT, null, 1, "", "x", [TENANT_ID], TENANT_ID.toUpperCase(), `${TENANT_ID} `].map((tid) =>
    row("TK-19", `tid ${spell(tid)}`, userToken({ tid }), "tenant"),
  ),
  ...[ABSENT, null, 1, "", "x", [USER_ID], `${USER_ID}\n`, "00000000-0000-0000-0000-000000000000"].map((oid) =>
    row("TK-19", `oid ${spell(oid)}`, userToken({ oid }), "identity"),
  ),
  ...[ABSENT, null, 1, "", ["x"]].map((sub) => row("TK-19", `sub ${spell(sub)}`, userToken({ sub }), "identity")),
  row("TK-19", "application with neither oid nor sub", applicationToken({ oid: ABSENT, sub: ABSENT }), "identity"),
];

const boundRows: readonly Row[] = [
  row("TK-16", "Graph token: nonce in the header", withHeader({ nonce: "AQABAAAAAAD" }), "header_not_allowed"),
  row(
    "TK-16",
    "Graph token as issued: the signature covers another header",
    mint({ header: { typ: "JWT", nonce: "x", alg: "RS256", kid: "x" }, payload: change(v1UserClaims, { aud: GRAPH }) }),
    "header_not_allowed",
  ),
  row("TK-21", "app's own signing key", mint({ key: attackerKey }), "key_unknown"),
  row("TK-22", "cnf with a key", userToken({ cnf: { jwk: { kty: "RSA" } } }), "sender_constrained"),
  row("TK-22", "cnf with a thumbprint (DPoP, mTLS)", userToken({ cnf: { jkt: "x" } }), "sender_constrained"),
  row("TK-22", "cnf null", userToken({ cnf: null }), "sender_constrained"),
  row("TK-22", "SHR envelope: typ pop", withHeader({ typ: "pop" }), "header_type"),
  row("TK-23", "act", userToken({ act: { sub: "x" } }), "actor_token"),
  row("TK-23", "actortoken", userToken({ actortoken: "x.y." }), "actor_token"),
  row("TK-23", "actort", userToken({ actort: "x" }), "actor_token"),
  row(
    "TK-23",
    "unsigned envelope around an actor token (CVE-2025-55241)",
    mint({
      header: { alg: "none", typ: "JWT" },
      payload: change(userClaims, { actortoken: applicationToken() }),
      sign: () => Buffer.alloc(0),
    }),
    "not_compact",
  ),
  row("TK-24", "re-created app: the same URI", v1UserToken({ aud: V1_AUDIENCE }), "issuer"),
  row("TK-25", "refresh token", "0.AXkAa1b2.AgABAwEAAAAm-06blBE1TpVMil8KPQ41.AgDs", "not_compact"),
  row("TK-25", "refresh token of today", "1.AXkAa1b2-c3d4_AgABAwEAAAAm", "not_compact"),
  row("TK-25", "opaque string with two dots", "0AXk.AgAB.AAIA", "not_json"),
  row(
    "TK-25",
    "authorization code",
    "OAAABAAAAiL9Kn2Z27UubvWFPbm0gLWQJVzCTE9UkP3pSx1aXxUjq3n8b2JRLk4OxVXr",
    "not_compact",
  ),
];

describe.each([
  ["tenant and issuer", tenantRows],
  ["audience and version", audienceRows],
  ["kind of caller", kindRows],
  ["guests", guestRows],
  ["client", clientRows],
  ["times", timeRows],
  ["identity", identityRows],
  ["bound, nested and opaque tokens", boundRows],
])("token confusions: %s", (_title, rows) => {
  it.each(rows)("$id $what → $verdict", async ({ token, verdict, service }) => {
    expect(await (service ?? strictService).judge(token)).toBe(verdict);
  });
});

describe("token confusions: accepted, and what must not come of it", () => {
  it("TK-9 a user with an app role named like the application permission stays a user", async () => {
    const caller = await strictService.caller(userToken({ roles: ["Exchange.Call"] }));
    expect(caller).toMatchObject({ kind: "user", roles: ["Exchange.Call"] });
  });

  it("TK-12 the same guest is another caller in another tenant: identity is tid and oid", async () => {
    const caller = await guestService.caller(userToken({ acct: 1 }));
    expect([caller.tenantId, caller.objectId]).toEqual([TENANT_ID, USER_ID]);
  });

  it("TK-13 mutable claims of another user change nothing but the copy for /Validate", async () => {
    const mutable = {
      upn: "boss@contoso.example",
      email: "boss@contoso.example",
      preferred_username: "boss@contoso.example",
      unique_name: "boss",
    };
    const {
      claims: _claims,
      token: _token,
      tokenDigest: _digest,
      ...identity
    } = await strictService.caller(userToken(mutable));
    const { claims: _plain, token: _own, tokenDigest: _other, ...plain } = await strictService.caller(userToken());
    expect(identity).toEqual(plain);
    expect(JSON.stringify(identity)).not.toContain("boss");
  });

  it.each([
    ["0", false],
    ["1", true],
    ["2", true],
    ["3", false],
    [1, false],
    [ABSENT, false],
  ])("TK-15 azpacr %s: confidential %s", async (azpacr, confidential) => {
    expect(await strictService.caller(userToken({ azpacr }))).toMatchObject({ confidential });
    // The other version's claim is not read.
    expect(await strictService.caller(userToken({ azpacr, appidacr: "1" }))).toMatchObject({ confidential });
    expect(await v1Service.caller(v1UserToken({ appidacr: azpacr, azpacr: "1" }))).toMatchObject({ confidential });
  });

  it("TK-20 groups overage: never read, never fetched", async () => {
    const requestsBefore = strictService.requests.length;
    const overage = {
      hasgroups: true,
      _claim_names: { groups: "src1" },
      _claim_sources: { src1: { endpoint: "https://attacker.example/groups" } },
    };
    expect(await strictService.judge(userToken(overage))).toBe("accepted");
    expect(await strictService.judge(applicationToken({ ...overage, roles: ABSENT }))).toBe("role_missing");
    expect(strictService.requests.length).toBe(requestsBefore);
  });
});

function spell(value: unknown): string {
  return value === ABSENT ? "missing" : JSON.stringify(value);
}
