/**
 * Options that switch a check off when they are empty. Here an empty setting stops the start, so
 * that no request ever meets a validator with a rule missing.
 */
import { describe, expect, it } from "vitest";
import { type CallerSettings, createCallerRules } from "../../shared/caller/caller-rules.ts";
import { createCallerValidator } from "../../shared/caller/validate-caller.ts";
import { fail } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import { mint, ps256, userToken, validHeader } from "./support/mint.ts";
import { strictService, strictSettings } from "./support/service.ts";
import { entraKey, NOW, SERVICE_ID, TENANT_ID } from "./support/tenant.ts";

const keys = { find: async () => fail("key_unknown" as const) };
const create = (changes: Readonly<Record<string, unknown>>) =>
  createCallerValidator({ ...strictSettings, keys, ...changes } as CallerSettings & { keys: typeof keys });

const NOTHING = [undefined, null, "", 0, [], [undefined], {}];
const emptySettings = ["tenantId", "clientId", "authorityHost", "v1IssuerBase"].flatMap((setting) =>
  NOTHING.map((value) => ({ setting, value })),
);

describe("option traps", () => {
  it.each(emptySettings)("JW-60 $setting = $value stops the start", ({ setting, value }) => {
    expect(() => create({ [setting]: value })).toThrow(TypeError);
  });

  it.each([
    { setting: "tenantId", value: "common", message: "tenantId must be a GUID" },
    { setting: "tenantId", value: "contoso.onmicrosoft.com", message: "tenantId must be a GUID" },
    { setting: "tenantId", value: "00000000-0000-0000-0000-000000000000", message: "tenantId must be a GUID" },
    { setting: "clientId", value: `api://${SERVICE_ID}`, message: "clientId must be a GUID" },
    { setting: "authorityHost", value: "http://login.microsoftonline.com", message: "authorityHost must be https" },
    {
      setting: "authorityHost",
      value: "https://login.microsoftonline.com/",
      message: "authorityHost must be an origin",
    },
    { setting: "v1IssuerBase", value: "sts.windows.net", message: "v1IssuerBase must be an origin" },
    { setting: "v1Audiences", value: undefined, message: "v1Audiences must be a list of non-empty strings" },
    { setting: "v1Audiences", value: [""], message: "v1Audiences must be a list of non-empty strings" },
    { setting: "v1Audiences", value: [undefined], message: "v1Audiences must be a list of non-empty strings" },
    { setting: "v1Audiences", value: "api://x", message: "v1Audiences must be a list of non-empty strings" },
    { setting: "allowGuests", value: undefined, message: "allowGuests must be true or false" },
    { setting: "allowGuests", value: "false", message: "allowGuests must be true or false" },
    { setting: "keys", value: undefined, message: "keys must be given" },
    { setting: "keys", value: {}, message: "keys must be given" },
  ])("JW-60 $setting = $value: $message", ({ setting, value, message }) => {
    expect(() => create({ [setting]: value })).toThrow(new TypeError(message));
  });

  it("JW-60 the list of v1 audiences cannot be changed afterwards", () => {
    const v1Audiences = ["api://one"];
    const rules = createCallerRules({ ...strictSettings, v1Audiences });
    v1Audiences.push("api://two");
    expect(rules.v1Audiences).toEqual(["api://one"]);
    expect(Object.isFrozen(rules) && Object.isFrozen(rules.v1Audiences)).toBe(true);
  });

  it("JW-60 GUIDs may be configured in either case", () => {
    expect(() => create({ tenantId: TENANT_ID.toUpperCase(), clientId: SERVICE_ID.toUpperCase() })).not.toThrow();
  });

  it("JW-60 an unset clock is a programmer's mistake, not a token that never expires", async () => {
    for (const nowSeconds of [Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number]) {
      const validation = create({}).validate(new SecretValue(userToken({ exp: 1 })), nowSeconds);
      await expect(validation).rejects.toThrow(new TypeError("nowSeconds must be a number"));
    }
  });

  it("JW-61 an algorithm that the key permits is refused all the same", async () => {
    const token = mint({ header: { ...validHeader, alg: "PS256" }, sign: ps256(entraKey) });
    expect(await strictService.judge(token)).toBe("algorithm");
  });

  it("JW-62 iat in the future is refused, within the tolerance accepted", async () => {
    expect(await strictService.judge(userToken({ iat: NOW + 61 }))).toBe("issued_in_future");
    expect(await strictService.judge(userToken({ iat: NOW + 60 }))).toBe("accepted");
  });

  it("JW-63 an issuer pattern is no setting", () => {
    expect(() => create({ authorityHost: /^https:\/\/login\.microsoftonline\.com/ })).toThrow(TypeError);
  });
});
