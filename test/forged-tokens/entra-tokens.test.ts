/** Tokens as Entra issues them in both versions, and what the service reads from them. */
import { describe, expect, it } from "vitest";
import {
  ABSENT,
  applicationClaims,
  applicationToken,
  change,
  mint,
  userClaims,
  userToken,
  v1UserClaims,
  v1UserToken,
  withHeader,
} from "./support/mint.ts";
import { strictService, v1Service } from "./support/service.ts";
import {
  CLIENT_ID,
  entraKey,
  HOUR,
  NOW,
  SERVICE_ID,
  SERVICE_PRINCIPAL_ID,
  TENANT_ID,
  USER_ID,
  V1_AUDIENCE,
  V1_ISSUER,
} from "./support/tenant.ts";

describe("access tokens", () => {
  it("E-30 E-32 E-34 a user's v2 token is accepted, with its claims as the caller", async () => {
    const token = userToken();
    const caller = await strictService.caller(token);
    expect(caller).toEqual({
      kind: "user",
      scopes: ["access_as_user"],
      tenantId: TENANT_ID,
      objectId: USER_ID,
      clientId: CLIENT_ID,
      registration: SERVICE_ID,
      confidential: true,
      roles: [],
      tokenId: "uTi-0123456789",
      expiresAtSeconds: NOW + HOUR,
      understandsClaimsChallenge: false,
      claims: userClaims,
      token: caller.token,
      tokenDigest: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(caller.token.reveal()).toBe(token);
    expect(JSON.stringify(caller)).not.toContain(token);
  });

  it("E-33 an application's v2 token without idtyp and appid is accepted", async () => {
    const caller = await strictService.caller(applicationToken());
    expect(caller).toMatchObject({
      kind: "application",
      objectId: SERVICE_PRINCIPAL_ID,
      clientId: CLIENT_ID,
      confidential: true,
      roles: ["Exchange.Call"],
      claims: applicationClaims,
    });
    expect(caller).not.toHaveProperty("scopes");
  });

  it("E-33 tokens with the optional claim idtyp are accepted", async () => {
    expect(await strictService.caller(applicationToken({ idtyp: "app" }))).toMatchObject({ kind: "application" });
    expect(await strictService.caller(userToken({ idtyp: "user" }))).toMatchObject({ kind: "user" });
  });

  it("E-30 E-31 E-32 E-42 a user's v1 token is accepted if its audience is configured", async () => {
    expect(await v1Service.caller(v1UserToken())).toMatchObject({
      kind: "user",
      clientId: CLIENT_ID,
      confidential: false,
      claims: v1UserClaims,
    });
    expect(await v1Service.caller(v1UserToken({ appidacr: "1" }))).toMatchObject({ confidential: true });
  });

  it("E-31 an application's v1 token is accepted if its audience is configured", async () => {
    const changes = {
      iss: V1_ISSUER,
      aud: V1_AUDIENCE,
      ver: "1.0",
      azp: ABSENT,
      azpacr: ABSENT,
      appid: CLIENT_ID,
      appidacr: "2",
      idp: V1_ISSUER,
    };
    const token = mint({ payload: change(applicationClaims, changes) });
    expect(await v1Service.caller(token)).toMatchObject({
      kind: "application",
      clientId: CLIENT_ID,
      confidential: true,
    });
  });

  it("E-31 v2 tokens are accepted if v1 tokens are allowed, too", async () => {
    expect(await v1Service.judge(userToken())).toBe("accepted");
    expect(await v1Service.judge(applicationToken())).toBe("accepted");
  });

  it("E-35 several scopes of a token are read in their order", async () => {
    const caller = await strictService.caller(userToken({ scp: "Files.Read access_as_user User.Read" }));
    expect(caller).toMatchObject({ scopes: ["Files.Read", "access_as_user", "User.Read"] });
  });

  it.each([ABSENT, 1, null])("E-35 a token with uti %s has no token id", async (uti) => {
    expect(await strictService.caller(userToken({ uti }))).toHaveProperty("tokenId", undefined);
  });

  it("E-36 a token with x5t in its header, as v1 tokens have it, is accepted", async () => {
    expect(await strictService.judge(withHeader({ x5t: entraKey.keyId }))).toBe("accepted");
  });

  it("E-37 a token with typ at+jwt is refused (header_type), because Entra sends JWT", async () => {
    expect(await strictService.judge(withHeader({ typ: "at+jwt" }))).toBe("header_type");
  });

  it("E-38 a token with nonce in its header, as Graph tokens have it, is refused (graph_token)", async () => {
    expect(await strictService.judge(withHeader({ nonce: "x" }))).toBe("graph_token");
  });

  it.each([59, 60, 90, 20 * 60, 28 * 60])(
    "E-39 a token with a lifetime of %i minutes is accepted with its expiry",
    async (minutes) => {
      const caller = await strictService.caller(userToken({ exp: NOW + minutes * 60 }));
      expect(caller.expiresAtSeconds).toBe(NOW + minutes * 60);
    },
  );

  it.each([
    [["cp1"], true],
    [["CP1"], true],
    [["protapp", "Cp1"], true],
    [["cp2"], false],
    [[], false],
    ["cp1", false],
    [[1, null], false],
    [{ 0: "cp1" }, false],
    [ABSENT, false],
  ])(
    "E-40 a caller with xms_cc %j understands claims challenges: %s",
    async (capabilities, understandsClaimsChallenge) => {
      const token = userToken({ xms_cc: capabilities });
      expect(await strictService.caller(token)).toMatchObject({ understandsClaimsChallenge });
    },
  );

  it("E-41 unknown claims of any type are ignored", async () => {
    const unknown = { wids: ["x"], groups: [1], extn: { a: [null] }, "http://schemas.example/x": true, acrs: ["c1"] };
    expect(await strictService.judge(userToken(unknown))).toBe("accepted");
    expect(await strictService.judge(applicationToken(unknown))).toBe("accepted");
  });
});
