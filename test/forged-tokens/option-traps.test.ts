/**
 * Options of JWT libraries that turn a check off if they are empty. The service does not start with such a setting, so that
 * no validator runs without one of its rules.
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
const emptySettings = ["tenantId", "registrations", "authorityHost", "v1IssuerBase"].flatMap((setting) =>
  NOTHING.map((value) => ({ setting, value })),
);

describe("empty and malformed options", () => {
  it.each(emptySettings)(
    "JW-60 with the empty setting $setting = $value the service does not start",
    ({ setting, value }) => {
      expect(() => create({ [setting]: value })).toThrow(TypeError);
    },
  );

  it.each([
    { setting: "tenantId", value: "common", message: "tenantId must be a GUID" },
    { setting: "tenantId", value: "contoso.onmicrosoft.com", message: "tenantId must be a GUID" },
    { setting: "tenantId", value: "00000000-0000-0000-0000-000000000000", message: "tenantId must be a GUID" },
    { setting: "registrations", value: undefined, message: "registrations must be a non-empty list" },
    { setting: "registrations", value: [], message: "registrations must be a non-empty list" },
    {
      setting: "registrations",
      value: [{ clientId: `api://${SERVICE_ID}`, appIdUri: "api://gte" }],
      message: "clientId must be a GUID",
    },
    {
      setting: "registrations",
      value: [{ clientId: SERVICE_ID, appIdUri: "" }],
      message: "appIdUri must be a non-empty string",
    },
    {
      setting: "registrations",
      value: [
        { clientId: SERVICE_ID, appIdUri: "api://gte" },
        { clientId: "22222222-2222-4333-8444-555555555555", appIdUri: `api://${SERVICE_ID}` },
      ],
      message: "registrations must have different names",
    },
    {
      setting: "registrations",
      value: [{ clientId: SERVICE_ID }],
      message: "appIdUri must be a non-empty string",
    },
    {
      setting: "registrations",
      value: [
        { clientId: SERVICE_ID, appIdUri: "api://gte" },
        { clientId: "22222222-2222-4333-8444-555555555555", appIdUri: "api://GTE" },
      ],
      message: "registrations must have different names",
    },
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
    { setting: "graphResources", value: undefined, message: "graphResources must be a list of non-empty strings" },
    { setting: "allowGuests", value: undefined, message: "allowGuests must be true or false" },
    { setting: "allowGuests", value: "false", message: "allowGuests must be true or false" },
    { setting: "keys", value: undefined, message: "keys must be given" },
    { setting: "keys", value: {}, message: "keys must be given" },
  ])(
    "JW-60 with the malformed setting $setting = $value the service does not start: $message",
    ({ setting, value, message }) => {
      expect(() => create({ [setting]: value })).toThrow(new TypeError(message));
    },
  );

  it("JW-60 the list of v1 audiences cannot be changed after the start", () => {
    const v1Audiences = ["api://one"];
    const rules = createCallerRules({ ...strictSettings, v1Audiences });
    v1Audiences.push("api://two");
    expect([...rules.v1Audiences.keys()]).toEqual(["api://one"]);
    expect(Object.isFrozen(rules) && Object.isFrozen(rules.registrations)).toBe(true);
  });

  it("JW-60 GUIDs in upper case are accepted as settings", () => {
    expect(() =>
      create({
        tenantId: TENANT_ID.toUpperCase(),
        registrations: [{ clientId: SERVICE_ID.toUpperCase(), appIdUri: "api://gte" }],
      }),
    ).not.toThrow();
  });

  it("JW-60 validation without a valid clock throws and does not accept an expired token", async () => {
    for (const nowSeconds of [Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number]) {
      const validation = create({}).validate(new SecretValue(userToken({ exp: 1 })), nowSeconds);
      await expect(validation).rejects.toThrow(new TypeError("nowSeconds must be a number"));
    }
  });

  it("JW-61 a token with another algorithm that the key permits is refused (algorithm)", async () => {
    const token = mint({ header: { ...validHeader, alg: "PS256" }, sign: ps256(entraKey) });
    expect(await strictService.judge(token)).toBe("algorithm");
  });

  it("JW-62 a token with iat in the future is refused (issued_in_future), except within the clock tolerance", async () => {
    expect(await strictService.judge(userToken({ iat: NOW + 61 }))).toBe("issued_in_future");
    expect(await strictService.judge(userToken({ iat: NOW + 60 }))).toBe("accepted");
  });

  it("JW-63 with a regular expression as issuer the service does not start", () => {
    expect(() => create({ authorityHost: /^https:\/\/login\.microsoftonline\.com/ })).toThrow(TypeError);
  });
});
