/**
 * Every row of the AADSTS table as a scripted response: status, error, suberror and the exact members of the body.
 */
import { afterEach, describe, expect, test } from "vitest";
import { AADSTS } from "../../../local/tenant/errors/aadsts.ts";
import { SIGN_IN_CODES } from "../../../local/tenant/errors/aadsts-sign-in.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { onBehalfOfForm, postToken, send } from "./tenant-client.ts";

const tenant = useTenant();
afterEach(() => tenant.state.clearOrders());

/** The observed facts, independent of the table: [http, error, suberror]. */
const FACTS: Record<number, [number, string, string?]> = {
  50013: [400, "invalid_grant"],
  500131: [400, "invalid_grant"],
  500133: [400, "invalid_grant"],
  50076: [400, "invalid_grant", "basic_action"],
  50079: [400, "invalid_grant", "basic_action"],
  50158: [400, "interaction_required"],
  50105: [400, "invalid_grant"],
  50173: [400, "invalid_grant", "bad_token"],
  53000: [400, "interaction_required", "message_only"],
  53001: [400, "interaction_required", "message_only"],
  53002: [400, "interaction_required", "message_only"],
  53003: [400, "invalid_grant", "message_only"],
  65001: [400, "invalid_grant", "consent_required"],
  65004: [400, "access_denied", "cancel"],
  70000: [400, "invalid_grant"],
  70003: [400, "unsupported_grant_type"],
  70008: [400, "invalid_grant"],
  700082: [400, "invalid_grant", "bad_token"],
  700084: [400, "invalid_grant"],
  70011: [400, "invalid_scope"],
  70016: [400, "authorization_pending"],
  70018: [400, "bad_verification_code"],
  70019: [400, "expired_token"],
  70020: [400, "expired_token"],
  70043: [400, "invalid_grant", "token_expired"],
  700016: [400, "unauthorized_client"],
  700022: [400, "invalid_scope"],
  28002: [400, "invalid_request"],
  28003: [400, "invalid_request"],
  700024: [401, "invalid_client"],
  700027: [401, "invalid_client"],
  700030: [400, "unauthorized_client"],
  700038: [400, "unauthorized_client"],
  7000112: [400, "unauthorized_client"],
  7000114: [400, "unauthorized_client"],
  7000215: [401, "invalid_client"],
  7000218: [401, "invalid_client"],
  7000222: [401, "invalid_client"],
  500011: [400, "invalid_resource"],
  501051: [400, "invalid_grant"],
  501481: [400, "invalid_grant"],
  50011: [400, "invalid_request"],
  50020: [400, "invalid_grant"],
  50194: [400, "unauthorized_client"],
  50027: [400, "invalid_request"],
  50034: [400, "invalid_grant"],
  50053: [400, "invalid_grant"],
  50055: [400, "invalid_grant", "user_password_expired"],
  50057: [400, "invalid_grant"],
  50126: [400, "invalid_grant"],
  50196: [400, "invalid_grant"],
  54005: [400, "invalid_grant"],
  240002: [400, "invalid_request"],
  90002: [400, "invalid_request"],
  90009: [400, "invalid_request"],
  90013: [400, "invalid_request"],
  90019: [400, "invalid_request"],
  90014: [400, "invalid_request"],
  900144: [400, "invalid_request"],
  900023: [400, "invalid_request"],
  900561: [400, "invalid_request"],
  9001023: [400, "invalid_request"],
  9002313: [400, "invalid_grant", "bad_token"],
  1002012: [400, "invalid_scope"],
  90006: [503, "temporarily_unavailable"],
  90033: [503, "temporarily_unavailable"],
  90090: [503, "temporarily_unavailable"],
  90055: [429, "temporarily_unavailable"],
  700213: [401, "invalid_client"],
  70021: [401, "invalid_client"],
};

/** The codes with an error_uri (E-58). */
const WITH_URI = [7000215, 500011, 50076, 700082, 9002313, 7000218, 90002, 65001];

describe("a scripted AADSTS error", () => {
  test.each(Object.keys(FACTS).map(Number))("AADSTS%i has its status, error and body", async (code) => {
    tenant.state.order({ endpoint: "token", aadsts: code });
    const { status, body, headers } = await postToken(tenant, onBehalfOfForm(tenant));
    const [http, error, suberror] = FACTS[code] ?? [0, ""];
    expect([status, body["error"], body["suberror"]]).toEqual([http, error, suberror]);
    expect(body["error_codes"]).toEqual([code]);
    expect(body["error_description"]).toMatch(
      new RegExp(
        `^AADSTS${code}: .+\\. ?.* Trace ID: ${body["trace_id"]} Correlation ID: ${body["correlation_id"]} Timestamp: ${body["timestamp"]}$`,
      ),
    );
    expect(body["timestamp"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
    expect(headers.get("x-ms-request-id")).toBe(body["trace_id"]);
    expect(body["error_uri"]).toBe(WITH_URI.includes(code) ? `${tenant.url}/error?code=${code}` : undefined);
  });

  test("has a code of the observed facts, except those of pages, client assertions and forms", () => {
    const extra = Object.keys(AADSTS).filter((code) => !(code in FACTS || code in SIGN_IN_CODES));
    expect(extra).toEqual(["28000", "50049", "500112", "700021", "700023", "700025", "700211", "700212", "9000411"]);
  });

  test("throws for a code that is not in the table", () => {
    expect(() => tenant.state.order({ endpoint: "token", aadsts: 1 })).toThrow("AADSTS1");
  });
});

describe("the text of a scripted error", () => {
  test("contains claims as a string of JSON (E-59), unless they are omitted", async () => {
    tenant.state.order({ endpoint: "token", aadsts: 50076 });
    const usual = await postToken(tenant, onBehalfOfForm(tenant));
    expect(JSON.parse(String(usual.body["claims"]))).toHaveProperty("access_token.capolids");
    tenant.state.order({ endpoint: "token", aadsts: 50076, claims: null, error: "interaction_required" });
    const bare = await postToken(tenant, onBehalfOfForm(tenant));
    expect(bare.body).not.toHaveProperty("claims");
    expect(bare.body["error"]).toBe("interaction_required");
  });

  test("has line breaks in the old form (E-55)", async () => {
    tenant.state.order({ endpoint: "token", aadsts: 65001, tail: "crlf" });
    const { body } = await postToken(tenant, onBehalfOfForm(tenant));
    expect(body["error_description"]).toMatch(/\r\nTrace ID: \S+\r\nCorrelation ID: \S+\r\nTimestamp: /);
  });

  test("is plain text for 429 (E-110)", async () => {
    tenant.state.order({ endpoint: "token", throttleSeconds: 60 });
    const { status, text, headers } = await postToken(tenant, onBehalfOfForm(tenant));
    expect([status, text, headers.get("retry-after")]).toEqual([429, "Too Many Requests", "60"]);
    expect(headers.get("content-type")).toContain("text/plain");
  });

  test("can be JSON with Retry-After (E-111)", async () => {
    tenant.state.order({ endpoint: "token", aadsts: 90055, headers: { "Retry-After": "9" } });
    const { status, headers } = await postToken(tenant, onBehalfOfForm(tenant));
    expect([status, headers.get("retry-after")]).toEqual([429, "9"]);
  });
});

describe("client-request-id (E-50, E-57)", () => {
  const guid = "11111111-2222-4333-8444-555555555555";
  const url = () => `${tenant.url}/${tenant.state.tenantId}/oauth2/v2.0/token`;

  test("becomes the correlation id only if it is a GUID", async () => {
    const good = await send(url(), { method: "POST", headers: { "client-request-id": guid } });
    expect(good.body["correlation_id"]).toBe(guid);
    const bad = await send(url(), { method: "POST", headers: { "client-request-id": "me" } });
    expect(bad.body["correlation_id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is echoed only on request", async () => {
    const quiet = await send(url(), { method: "POST", headers: { "client-request-id": guid } });
    expect(quiet.headers.get("client-request-id")).toBeNull();
    const headers = { "client-request-id": guid, "return-client-request-id": "true" };
    expect((await send(url(), { method: "POST", headers })).headers.get("client-request-id")).toBe(guid);
  });

  test("is read from MSAL's query parameter (TC-1)", async () => {
    const { body, headers } = await send(`${url()}?client-request-id=${guid}`, { method: "POST" });
    expect(body["correlation_id"]).toBe(guid);
    expect(headers.get("cache-control")).toBe("no-store, no-cache");
    expect(headers.getSetCookie().map((one) => one.split("=")[0])).toEqual([
      "fpc",
      "x-ms-gateway-slice",
      "stsservicecookie",
    ]);
  });
});
