/** The pure claim rules. No other code checks a claim. */
import { describe, expect, it } from "vitest";
import { checkCallerClaims } from "../../../shared/caller/caller-claims.ts";
import { createCallerRules } from "../../../shared/caller/caller-rules.ts";
import { fail } from "../../../shared/core/result.ts";
import type { TokenRefusal } from "../../../shared/core/token-refusal.ts";
import {
  ABSENT,
  applicationClaims,
  change,
  type Members,
  userClaims,
  v1UserClaims,
} from "../../forged-tokens/support/mint.ts";
import { strictSettings } from "../../forged-tokens/support/service.ts";
import {
  HOUR,
  NOW,
  OTHER_TENANT_ID,
  SERVICE_ID,
  USER_ID,
  V1_AUDIENCE,
  V1_ISSUER,
  V2_ISSUER,
} from "../../forged-tokens/support/tenant.ts";

const strict = createCallerRules(strictSettings);
const withV1 = createCallerRules({ ...strictSettings, v1Audiences: [V1_AUDIENCE] });

const rows: readonly [string, Members, TokenRefusal][] = [
  ["iss of another tenant", { iss: V2_ISSUER.replace("5a1d", "5a1e") }, "issuer"],
  ["iss missing", { iss: ABSENT }, "issuer"],
  ["iss array", { iss: [V2_ISSUER] }, "issuer"],
  ["v1 issuer without v1 audiences", { iss: V1_ISSUER, ver: "1.0" }, "version"],
  ["v1 issuer for another API", { iss: V1_ISSUER, ver: "1.0", aud: USER_ID }, "audience"],
  ["v1 issuer for Graph", { iss: V1_ISSUER, ver: "1.0", aud: "https://graph.microsoft.com/" }, "graph_token"],
  ["aud of Graph", { aud: "00000003-0000-0000-c000-000000000000" }, "graph_token"],
  ["ID token that has expired", { nonce: "x", exp: NOW - HOUR }, "id_token"],
  ["token with another audience that has expired", { aud: USER_ID, exp: NOW - HOUR }, "audience"],
  ["ver 1.0", { ver: "1.0" }, "version"],
  ["aud array", { aud: [SERVICE_ID] }, "audience"],
  ["aud of another API", { aud: USER_ID }, "audience"],
  ["aud missing", { aud: ABSENT }, "audience"],
  ["tid of another tenant", { tid: OTHER_TENANT_ID }, "tenant"],
  ["exp missing", { exp: ABSENT }, "claim_type"],
  ["exp text", { exp: "1" }, "claim_type"],
  ["exp infinite", { exp: Number.POSITIVE_INFINITY }, "claim_type"],
  ["exp not a number", { exp: Number.NaN }, "claim_type"],
  ["exp negative", { exp: -1 }, "claim_type"],
  ["exp at the end of the tolerance", { exp: NOW - 60 }, "expired"],
  ["nbf missing", { nbf: ABSENT }, "claim_type"],
  ["nbf after the tolerance", { nbf: NOW + 61 }, "not_yet_valid"],
  ["iat missing", { iat: ABSENT }, "claim_type"],
  ["iat after the tolerance", { iat: NOW + 61 }, "issued_in_future"],
  ["exp equal to iat", { exp: NOW, iat: NOW }, "lifetime"],
  ["28 h 10 min and a second", { iat: NOW, exp: NOW + 28 * HOUR + 601 }, "lifetime"],
  ["oid missing", { oid: ABSENT }, "identity"],
  ["azp of this service", { azp: SERVICE_ID }, "own_client"],
];

describe("claim rules", () => {
  it.each(rows)("%s → %s", (_what, changes, refusal) => {
    expect(checkCallerClaims(change(userClaims, changes), strict, NOW)).toEqual(fail(refusal));
    expect(checkCallerClaims(change(applicationClaims, changes), strict, NOW)).toEqual(fail(refusal));
  });

  it.each([undefined, null, 1, "x", [], [userClaims]])("payload %j → not_json", (payload) => {
    expect(checkCallerClaims(payload, strict, NOW)).toEqual(fail("not_json"));
  });

  it("ignore claims of the prototype", () => {
    const { scp: _scp, ...rest } = userClaims;
    expect(checkCallerClaims(Object.setPrototypeOf(rest, { scp: "access_as_user" }), strict, NOW)).toEqual(
      fail("kind_unclear"),
    );
    const { tid: _tid, ...without } = userClaims;
    expect(checkCallerClaims(Object.setPrototypeOf(without, userClaims), strict, NOW)).toEqual(fail("tenant"));
  });

  it("accept times up to the tolerance and the longest lifetime", () => {
    const accepted = (changes: Members) => checkCallerClaims(change(userClaims, changes), strict, NOW).ok;
    expect(accepted({ exp: NOW - 59 })).toBe(true);
    expect(accepted({ nbf: NOW + 60 })).toBe(true);
    expect(accepted({ iat: NOW + 60 })).toBe(true);
    expect(accepted({ iat: NOW, exp: NOW + 28 * HOUR + 600 })).toBe(true);
  });

  it("the v1 audience goes with the v1 issuer only", () => {
    expect(checkCallerClaims(v1UserClaims, withV1, NOW).ok).toBe(true);
    expect(checkCallerClaims(v1UserClaims, strict, NOW)).toEqual(fail("version"));
    expect(checkCallerClaims(change(v1UserClaims, { aud: SERVICE_ID }), withV1, NOW)).toEqual(fail("audience"));
    expect(checkCallerClaims(change(v1UserClaims, { aud: [V1_AUDIENCE] }), withV1, NOW)).toEqual(fail("audience"));
    expect(checkCallerClaims(change(userClaims, { aud: V1_AUDIENCE }), withV1, NOW)).toEqual(fail("audience"));
  });

  it("use only the given time, and change neither payload nor rules", () => {
    expect(checkCallerClaims(userClaims, strict, NOW + 24 * HOUR)).toEqual(fail("expired"));
    expect(checkCallerClaims(userClaims, strict, NOW - 24 * HOUR)).toEqual(fail("not_yet_valid"));
    expect(checkCallerClaims(Object.freeze({ ...userClaims }), Object.freeze({ ...strict }), NOW).ok).toBe(true);
  });
});
