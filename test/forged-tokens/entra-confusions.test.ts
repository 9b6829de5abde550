/**
 * Tokens of Entra for another purpose, and tokens with contradictory claims. All are signed with Entra's key, except in rows
 * about the key.
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
  CLIENT_ID,
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
  row(
    "TK-1",
    "a token of another tenant for the audience of the service",
    userToken({ iss: otherIssuer, tid: OTHER_TENANT_ID }),
    "issuer",
  ),
  row(
    "TK-1",
    "a v1 token of another tenant",
    v1UserToken({ iss: `https://sts.windows.net/${OTHER_TENANT_ID}/` }),
    "issuer",
    v1Service,
  ),
  row("TK-2", "a token with iss of this tenant and tid of another one", userToken({ tid: OTHER_TENANT_ID }), "tenant"),
  row("TK-2", "a token with iss of another tenant and tid of this one", userToken({ iss: otherIssuer }), "issuer"),
  row(
    "TK-2",
    "a v1 token with iss of this tenant and tid of another one",
    v1UserToken({ tid: OTHER_TENANT_ID }),
    "tenant",
    v1Service,
  ),
  row(
    "TK-2",
    "an application's token with tid of another tenant",
    applicationToken({ tid: OTHER_TENANT_ID }),
    "tenant",
  ),
  row(
    "TK-3",
    "a token signed with the key for personal accounts and the issuer of this tenant (Storm-0558)",
    mint({ key: consumersKey }),
    "key_unknown",
  ),
  row(
    "TK-3",
    "a token signed with the key for personal accounts and their issuer",
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
  ].map((iss) => row("TK-18", `a token with iss ${iss}`, userToken({ iss }), "issuer")),
  row("TK-18", "a v2 token with the v1 issuer of this tenant", userToken({ iss: V1_ISSUER }), "version"),
];

const audienceRows: readonly Row[] = [
  row("TK-4", "a token for another app", userToken({ aud: "99999999-0000-4000-8000-000000000000" }), "audience"),
  row("TK-4", "a token for Microsoft Graph", userToken({ aud: GRAPH }), "graph_token"),
  row("TK-4", "a token for Microsoft Graph by its id", userToken({ aud: GRAPH_ID }), "graph_token"),
  row("TK-4", "a token for Key Vault", applicationToken({ aud: "https://vault.azure.net" }), "audience"),
  row("TK-4", "a v2 token for the App ID URI of the service", userToken({ aud: V1_AUDIENCE }), "audience"),
  row(
    "TK-4",
    "a v2 token for the v1 audience where v1 tokens are allowed",
    userToken({ aud: V1_AUDIENCE }),
    "audience",
    v1Service,
  ),
  row(
    "TK-4",
    "a v1 token for the client id where only the App ID URI is allowed",
    v1UserToken({ aud: SERVICE_ID }),
    "audience",
    v1Service,
  ),
  row("TK-4", "a token for the audience with a trailing slash", userToken({ aud: `${SERVICE_ID}/` }), "audience"),
  row(
    "TK-4",
    "a v1 token for the audience with a trailing slash",
    v1UserToken({ aud: `${V1_AUDIENCE}/` }),
    "audience",
    v1Service,
  ),
  row(
    "TK-4",
    "a v1 token for the audience in upper case",
    v1UserToken({ aud: V1_AUDIENCE.toUpperCase() }),
    "audience",
    v1Service,
  ),
  row("TK-5", "a v1 token where only v2 tokens are allowed", v1UserToken(), "version"),
  row(
    "TK-5",
    "a v1 token for the client id where only v2 tokens are allowed",
    v1UserToken({ aud: SERVICE_ID }),
    "version",
  ),
  row(
    "TK-5",
    "a v1 token for the App ID URI with a slash where only v2 tokens are allowed",
    v1UserToken({ aud: `${V1_AUDIENCE}/` }),
    "version",
  ),
  row(
    "TK-5",
    "a v1 token for another API where only v2 tokens are allowed",
    v1UserToken({ aud: "https://management.azure.com/" }),
    "audience",
  ),
  row("TK-5", "a token with the v2 issuer and ver 1.0", userToken({ ver: "1.0" }), "version"),
  row(
    "TK-5",
    "a token with the v2 issuer and ver 1.0 where v1 tokens are allowed",
    userToken({ ver: "1.0" }),
    "version",
    v1Service,
  ),
  row("TK-5", "a token with the v1 issuer and ver 2.0", v1UserToken({ ver: "2.0" }), "version", v1Service),
  row("TK-5", "a token without ver", userToken({ ver: ABSENT }), "version"),
  row("TK-5", "a token with a number as ver", userToken({ ver: 2 }), "version"),
  row(
    "TK-27",
    "a Graph token that the on-behalf-of flow returned",
    userToken({ aud: GRAPH, iss: V1_ISSUER, ver: "1.0" }),
    "graph_token",
  ),
  row(
    "TK-27",
    "a Graph token that the on-behalf-of flow returned, where v1 tokens are allowed,",
    v1UserToken({ aud: GRAPH }),
    "graph_token",
    v1Service,
  ),
];

/** The differences of an ID token for the service from an access token. */
const idTokenChanges = { azp: ABSENT, azpacr: ABSENT, scp: ABSENT, nonce: "n-0S6" };

const kindRows: readonly Row[] = [
  row("TK-6", "an ID token", userToken(idTokenChanges), "id_token"),
  row("TK-6", "an ID token for the client", userToken({ ...idTokenChanges, aud: CLIENT_ID }), "id_token"),
  row("TK-6", "an expired ID token", userToken({ ...idTokenChanges, exp: NOW - HOUR }), "id_token"),
  row(
    "TK-6",
    "a v1 ID token",
    v1UserToken({ aud: SERVICE_ID, appid: ABSENT, appidacr: ABSENT, scp: ABSENT, nonce: "n-0S6" }),
    "id_token",
  ),
  row("TK-6", "an ID token without nonce", userToken({ ...idTokenChanges, nonce: ABSENT }), "id_token"),
  row(
    "TK-6",
    "an ID token with the app role of the service",
    userToken({ ...idTokenChanges, roles: ["Exchange.Call"] }),
    "id_token",
  ),
  row("TK-6", "an ID token with at_hash and a client", userToken({ scp: ABSENT, at_hash: "x" }), "id_token"),
  row("TK-6", "a token with nonce, a client and a scope", userToken({ nonce: "n-0S6" }), "id_token"),
  row("TK-6", "a token with c_hash and a scope", userToken({ c_hash: "x" }), "id_token"),
  row("TK-7", "a user's token with neither scp nor roles", userToken({ scp: ABSENT }), "kind_unclear"),
  row("TK-7", "an application's token with neither scp nor roles", applicationToken({ roles: ABSENT }), "role_missing"),
  row(
    "TK-8",
    "a user's token with the app role and without scp",
    userToken({ scp: ABSENT, roles: ["Exchange.Call"] }),
    "kind_unclear",
  ),
  row(
    "TK-8",
    "a user's token with the app role and idtyp app and without scp",
    userToken({ scp: ABSENT, roles: ["Exchange.Call"], idtyp: "app" }),
    "kind_unclear",
  ),
  row("TK-8", "an application's token with idtyp user", applicationToken({ idtyp: "user" }), "kind_unclear"),
  row("TK-8", "an application's token with idtyp device", applicationToken({ idtyp: "device" }), "kind_unclear"),
  row("TK-8", "an application's token with idtyp null", applicationToken({ idtyp: null }), "kind_unclear"),
  row("TK-8", "an application's token with different oid and sub", applicationToken({ sub: USER_ID }), "kind_unclear"),
  row("TK-8", "an application's token with an empty scp", applicationToken({ scp: "" }), "scope_missing"),
  row("TK-8", "an application's token with scp null", applicationToken({ scp: null }), "claim_type"),
  row(
    "TK-8",
    "an application's token with idtyp app and scp",
    applicationToken({ idtyp: "app", scp: "access_as_user" }),
    "kind_unclear",
  ),
  row(
    "TK-9",
    "a user's token with another scope and the app role",
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
  ].map((scp) => row("TK-10", `a token with scp ${scp}`, userToken({ scp }), "scope_missing")),
  row("TK-10", "a token with an array as scp", userToken({ scp: ["access_as_user"] }), "claim_type"),
  row("TK-10", "a token with an object as scp", userToken({ scp: { access_as_user: true } }), "claim_type"),
  row("TK-10", "a token with an empty scp", userToken({ scp: "" }), "scope_missing"),
  row("TK-10", "a token with two spaces in scp", userToken({ scp: "access_as_user  x" }), "claim_type"),
  row("TK-10", "a token with a leading space in scp", userToken({ scp: " access_as_user" }), "claim_type"),
  row("TK-10", "a token with a trailing space in scp", userToken({ scp: "access_as_user " }), "claim_type"),
  row("TK-10", "a token with a tab in scp", userToken({ scp: "x\taccess_as_user" }), "claim_type"),
  row("TK-10", "a token with a newline in scp", userToken({ scp: "access_as_user\n" }), "claim_type"),
  row("TK-10", "a token with a no-break space in scp", userToken({ scp: "access_as_user\u00a0x" }), "claim_type"),
  row(
    "TK-11",
    "an application's token with a string as roles",
    applicationToken({ roles: "Exchange.Call" }),
    "claim_type",
  ),
  row(
    "TK-11",
    "an application's token with an object as roles",
    applicationToken({ roles: { 0: "Exchange.Call" } }),
    "claim_type",
  ),
  row(
    "TK-11",
    "an application's token with a number in roles",
    applicationToken({ roles: ["Exchange.Call", 1] }),
    "claim_type",
  ),
  row("TK-11", "an application's token with null as roles", applicationToken({ roles: null }), "claim_type"),
  row("TK-11", "a user's token with a string as roles", userToken({ roles: "x" }), "claim_type"),
  row(
    "TK-11",
    "an application's token with roles similar to the app role",
    applicationToken({ roles: ["Exchange.Call.All", "exchange.call"] }),
    "role_missing",
  ),
];

const guestRows: readonly Row[] = [
  row("TK-12", "a token with acct 1", userToken({ acct: 1 }), "guest"),
  row("TK-12", "a token with acct 1 as a string", userToken({ acct: "1" }), "guest"),
  row("TK-12", "a token with an unknown acct", userToken({ acct: 2 }), "guest"),
  row("TK-12", "a token with acct null", userToken({ acct: null }), "guest"),
  row("TK-12", "a token with acct 0", userToken({ acct: 0 }), "accepted"),
  row("TK-12", "a token with acct 0 as a string", userToken({ acct: "0" }), "accepted"),
  row(
    "TK-12",
    "a token with another tenant as idp",
    userToken({ idp: `https://sts.windows.net/${OTHER_TENANT_ID}/` }),
    "guest",
  ),
  row("TK-12", "a token with a personal account as idp", userToken({ idp: "live.com" }), "guest"),
  row("TK-12", "a token with an array as idp", userToken({ idp: [V2_ISSUER] }), "guest"),
  row("TK-12", "a token with the v1 issuer of this tenant as idp", userToken({ idp: V1_ISSUER }), "accepted"),
  row("TK-12", "a token with the v2 issuer of this tenant as idp", userToken({ idp: V2_ISSUER }), "accepted"),
  row(
    "TK-12",
    "a guest's token where guests are allowed",
    userToken({ acct: 1, idp: "live.com" }),
    "accepted",
    guestService,
  ),
  row("TK-12", "an application's token with this tenant as idp", applicationToken({ idp: V1_ISSUER }), "accepted"),
];

const clientRows: readonly Row[] = [
  row("TK-14", "a token without azp", userToken({ azp: ABSENT }), "client"),
  row("TK-14", "a v2 token with appid instead of azp", userToken({ azp: ABSENT, appid: USER_ID }), "client"),
  row("TK-14", "a token with different azp and appid", userToken({ appid: USER_ID }), "client"),
  row("TK-14", "a token with equal azp and appid", userToken({ appid: userClaims["azp"] }), "accepted"),
  row("TK-14", "a token with an azp that is not a GUID", userToken({ azp: "client" }), "client"),
  row("TK-14", "a token with an array as azp", userToken({ azp: [userClaims["azp"]] }), "client"),
  row(
    "TK-14",
    "a token with the nil GUID as azp",
    userToken({ azp: "00000000-0000-0000-0000-000000000000" }),
    "client",
  ),
  row("TK-14", "a token with azp in upper case", userToken({ azp: "AAAAAAAA-3333-4444-8555-666666666666" }), "client"),
  row(
    "TK-14",
    "a v1 token with azp instead of appid",
    v1UserToken({ appid: ABSENT, azp: USER_ID }),
    "client",
    v1Service,
  ),
  row("TK-14", "a v1 token with different azp and appid", v1UserToken({ azp: USER_ID }), "client", v1Service),
  row("TK-14", "an application's token without azp", applicationToken({ azp: ABSENT }), "id_token"),
  row("TK-26", "a user's token that was issued to the service itself", userToken({ azp: SERVICE_ID }), "own_client"),
  row(
    "TK-26",
    "an application's token that was issued to the service itself",
    applicationToken({ azp: SERVICE_ID }),
    "own_client",
  ),
  row(
    "TK-26",
    "a v1 token that was issued to the service itself",
    v1UserToken({ appid: SERVICE_ID }),
    "own_client",
    v1Service,
  ),
];

const timeRows: readonly Row[] = [
  row("TK-17", "a token that expired 61 s ago", userToken({ exp: NOW - 61 }), "expired"),
  row("TK-17", "a token that expired 1 s ago, within the clock tolerance,", userToken({ exp: NOW - 1 }), "accepted"),
  row("TK-17", "a token that becomes valid in 61 s", userToken({ nbf: NOW + 61 }), "not_yet_valid"),
  row(
    "TK-17",
    "a token that becomes valid in 60 s, within the clock tolerance,",
    userToken({ nbf: NOW + 60 }),
    "accepted",
  ),
  row("TK-17", "a token with exp before iat", userToken({ exp: NOW - 10, iat: NOW }), "lifetime"),
  row("TK-17", "a token with exp equal to iat", userToken({ exp: NOW, iat: NOW }), "lifetime"),
  row(
    "TK-17",
    "a token with a lifetime of 28 hours and five minutes",
    userToken({ iat: NOW - 300, exp: NOW + 28 * HOUR }),
    "accepted",
  ),
  row(
    "TK-17",
    "a token with a lifetime of more than 28 hours and five minutes",
    userToken({ iat: NOW - 300, exp: NOW + 28 * HOUR + 301 }),
    "lifetime",
  ),
];

const identityRows: readonly Row[] = [
  ...[ABSENT, null, 1, "", "x", [TENANT_ID], TENANT_ID.toUpperCase(), `${TENANT_ID} `].map((tid) =>
    row("TK-19", `a token with tid ${spell(tid)}`, userToken({ tid }), "tenant"),
  ),
  ...[ABSENT, null, 1, "", "x", [USER_ID], `${USER_ID}\n`, "00000000-0000-0000-0000-000000000000"].map((oid) =>
    row("TK-19", `a token with oid ${spell(oid)}`, userToken({ oid }), "identity"),
  ),
  ...[ABSENT, null, 1, "", ["x"]].map((sub) =>
    row("TK-19", `a token with sub ${spell(sub)}`, userToken({ sub }), "identity"),
  ),
  row(
    "TK-19",
    "an application's token with neither oid nor sub",
    applicationToken({ oid: ABSENT, sub: ABSENT }),
    "identity",
  ),
];

const boundRows: readonly Row[] = [
  row(
    "TK-16",
    "a token with nonce in its header, as Graph tokens have it,",
    withHeader({ nonce: "AQABAAAAAAD" }),
    "graph_token",
  ),
  row(
    "TK-16",
    "a Graph token as Entra issues it",
    mint({ header: { typ: "JWT", nonce: "x", alg: "RS256", kid: "x" }, payload: change(v1UserClaims, { aud: GRAPH }) }),
    "graph_token",
  ),
  row("TK-21", "a token signed with a key that Entra never published", mint({ key: attackerKey }), "key_unknown"),
  row("TK-22", "a token with a key in cnf", userToken({ cnf: { jwk: { kty: "RSA" } } }), "sender_constrained"),
  row("TK-22", "a token with a thumbprint in cnf (DPoP, mTLS)", userToken({ cnf: { jkt: "x" } }), "sender_constrained"),
  row("TK-22", "a token with cnf null", userToken({ cnf: null }), "sender_constrained"),
  row("TK-22", "a signed HTTP request with typ pop", withHeader({ typ: "pop" }), "header_type"),
  row("TK-23", "a token with act", userToken({ act: { sub: "x" } }), "actor_token"),
  row("TK-23", "a token with actortoken", userToken({ actortoken: "x.y." }), "actor_token"),
  row("TK-23", "a token with actort", userToken({ actort: "x" }), "actor_token"),
  row(
    "TK-23",
    "an unsigned token that contains an actor token (CVE-2025-55241)",
    mint({
      header: { alg: "none", typ: "JWT" },
      payload: change(userClaims, { actortoken: applicationToken() }),
      sign: () => Buffer.alloc(0),
    }),
    "not_compact",
  ),
  row(
    "TK-24",
    "a v1 token for the App ID URI of an app that was created again",
    v1UserToken({ aud: V1_AUDIENCE }),
    "version",
  ),
  ...["Bearer ", "bearer ", "Bearer+", "Bearer: "].map((prefix) =>
    row("TK-25", `a valid token after ${prefix}`, `${prefix}${userToken()}`, "bearer_prefix"),
  ),
  row("TK-25", "a refresh token", "0.AXkAa1b2.AgABAwEAAAAm-06blBE1TpVMil8KPQ41.AgDs", "not_compact"),
  row("TK-25", "a refresh token in the current form", "1.AXkAa1b2-c3d4_AgABAwEAAAAm", "not_compact"),
  row("TK-25", "an opaque string with two dots", "0AXk.AgAB.AAIA", "not_json"),
  row(
    "TK-25",
    "an authorization code",
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
  it.each(rows)("$id $what $outcome", async ({ token, verdict, service }) => {
    expect(await (service ?? strictService).judge(token)).toBe(verdict);
  });
});

describe("token confusions: accepted tokens", () => {
  it("TK-9 a user's token with the app role is the token of a user, not of an application", async () => {
    const caller = await strictService.caller(userToken({ roles: ["Exchange.Call"] }));
    expect(caller).toMatchObject({ kind: "user", roles: ["Exchange.Call"] });
  });

  it("TK-12 a guest is identified by tid and oid of this tenant", async () => {
    const caller = await guestService.caller(userToken({ acct: 1 }));
    expect([caller.tenantId, caller.objectId]).toEqual([TENANT_ID, USER_ID]);
  });

  it("TK-13 mutable claims with the names of another user do not change the identity of the caller", async () => {
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
  ])("TK-15 a token with azpacr %s is of a confidential client: %s", async (azpacr, confidential) => {
    expect(await strictService.caller(userToken({ azpacr }))).toMatchObject({ confidential });
    // The claim of the other token version is ignored.
    expect(await strictService.caller(userToken({ azpacr, appidacr: "1" }))).toMatchObject({ confidential });
    expect(await v1Service.caller(v1UserToken({ appidacr: azpacr, azpacr: "1" }))).toMatchObject({ confidential });
  });

  it("TK-20 a groups overage is ignored, and the groups are not requested", async () => {
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
