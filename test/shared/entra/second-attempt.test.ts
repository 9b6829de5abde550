/** One more attempt after a passing fault of Entra: for which faults and flows, after which wait, within which deadline. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { ENTRA_DEADLINE_MS } from "../../../shared/core/limits.ts";
import type { Result } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraClient, EntraToken } from "../../../shared/entra/entra-token.ts";
import type { OutboundFailure, OutboundResponse } from "../../../shared/outbound/outbound.ts";
import { CORRELATION_ID, entraError, idToken, NOW_MS, TENANT_ID, tokenAnswer } from "./support/entra-answers.ts";
import { fakeEntra } from "./support/fake-entra.ts";

type Call = (client: EntraClient) => Promise<Result<EntraToken, Failure>>;
type Fault = OutboundResponse | OutboundFailure;

const COMMON = {
  claims: undefined,
  cae: false,
  correlationId: CORRELATION_ID,
  scopes: ["https://graph.microsoft.com/User.Read"],
};
const onBehalfOf: Call = (client) =>
  client.onBehalfOf({ ...COMMON, assertion: new SecretValue("h.p.s"), presentedAs: "assertion" });
const refreshToken: Call = (client) =>
  client.redeemRefreshToken({ ...COMMON, refreshToken: new SecretValue("1.refresh") });
const application: Call = (client) => client.clientCredentials(COMMON);
const code: Call = (client) =>
  client.redeemCode({
    ...COMMON,
    code: new SecretValue("entra.code"),
    codeVerifier: new SecretValue("verifier"),
    nonce: "nonce",
  });

const CLAIMS = { tid: TENANT_ID, oid: "a11ce000-0000-4000-8000-000000000001", nonce: "nonce" };
const TOKEN = tokenAnswer({ id_token: idToken(CLAIMS) });
const plain = (status: number, headers: Record<string, string> = {}): OutboundResponse => ({
  status,
  headers,
  body: "",
});
const network = (errorCode: string): OutboundFailure => ({ kind: "network", code: errorCode });

const FLOWS: readonly (readonly [string, Call])[] = [
  ["on-behalf-of", onBehalfOf],
  ["a refresh token", refreshToken],
  ["client credentials", application],
];

const PASSING: readonly (readonly [string, Fault])[] = [
  ["500", plain(500)],
  ["502", plain(502)],
  ["503", plain(503)],
  ["504", plain(504)],
  ["90006", entraError({ code: 90006, error: "temporarily_unavailable", status: 400 })],
  ["90033", entraError({ code: 90033, error: "invalid_request", status: 400 })],
  ["90090", entraError({ code: 90090, error: "temporarily_unavailable", status: 503 })],
  ["a dropped connection", network("ECONNRESET")],
  ["a refused connection", network("ECONNREFUSED")],
];

describe.each(FLOWS)("for %s", (_flow, call) => {
  test.each(PASSING)("one %s is followed by a second attempt after one second", async (_fault, fault) => {
    const { client, posted, waits } = fakeEntra({ answers: [fault, TOKEN] });
    expect(await call(client)).toMatchObject({ ok: true });
    expect(posted).toHaveLength(2);
    expect(waits).toEqual([1_000]);
    expect(posted[1]?.deadlineMs).toBe(ENTRA_DEADLINE_MS - 1_000);
  });

  test.each(PASSING)("two of %s are a failed dependency after two attempts", async (_fault, fault) => {
    const { client, posted } = fakeEntra({ answers: [fault] });
    expect(await call(client)).toMatchObject({
      failure: { kind: "dependency_failed", dependency: "entra", problem: "unavailable" },
    });
    expect(posted).toHaveLength(2);
  });

  test.each<[string, Fault]>([
    ["400", entraError({ code: 65001, error: "invalid_grant" })],
    ["400 with server_error", plain(400)],
    ["401", entraError({ code: 700016, error: "unauthorized_client", status: 401 })],
    ["429", entraError({ code: 90033, error: "temporarily_unavailable", status: 429 })],
    ["a timeout", { kind: "timeout" }],
    ["a response that is too large", { kind: "answer_too_large" }],
    ["a 200 without a token", { ...plain(200), body: "{}" }],
  ])("%s is not followed by a second attempt", async (_fault, fault) => {
    const { client, posted } = fakeEntra({ answers: [fault, TOKEN] });
    expect(await call(client)).toMatchObject({ ok: false });
    expect(posted).toHaveLength(1);
  });

  test.each([
    ["0", [1_000]],
    ["1", [1_000]],
    ["2", [2_000]],
    ["3", []],
    ["3600", []],
  ])("Retry-After %s leads to the waits %j", async (seconds, expected) => {
    const { client, waits } = fakeEntra({ answers: [plain(503, { "retry-after": seconds }), TOKEN] });
    expect((await call(client)).ok).toBe(expected.length > 0);
    expect(waits).toEqual(expected);
  });

  test.each([
    [4_999, 2],
    [5_001, 1],
  ])("a 503 after %i ms leads to %i attempts, because the second one needs two seconds", async (answerMs, attempts) => {
    const { client, posted } = fakeEntra({ answers: [plain(503), TOKEN], answerMs });
    await call(client);
    expect(posted).toHaveLength(attempts);
  });
});

describe("for an authorization code, which Entra redeems once", () => {
  test.each(PASSING.filter(([name]) => name !== "a refused connection"))(
    "%s is not followed by a second attempt",
    async (_fault, fault) => {
      const { client, posted } = fakeEntra({ answers: [fault, TOKEN] });
      expect(await code(client)).toMatchObject({ ok: false });
      expect(posted).toHaveLength(1);
    },
  );

  test.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])(
    "%s is followed by a second attempt, because the code was not sent",
    async (errorCode) => {
      const { client, posted } = fakeEntra({ answers: [network(errorCode), TOKEN] });
      expect(await code(client)).toMatchObject({ ok: true });
      expect(posted).toHaveLength(2);
    },
  );
});

test("a token's lifetime counts from the time when its request was sent", async () => {
  const { client } = fakeEntra({ answers: [tokenAnswer({ expires_in: 4_000, refresh_in: 2_000 })], answerMs: 7_500 });
  expect(await onBehalfOf(client)).toMatchObject({
    value: { expiresAtSeconds: NOW_MS / 1_000 + 4_000, refreshAtSeconds: NOW_MS / 1_000 + 2_000 },
  });
});

test("a token's lifetime counts from the second attempt if the first one failed", async () => {
  const { client } = fakeEntra({ answers: [plain(503), tokenAnswer({ expires_in: 4_000 })] });
  expect(await onBehalfOf(client)).toMatchObject({ value: { expiresAtSeconds: NOW_MS / 1_000 + 1 + 4_000 } });
});
