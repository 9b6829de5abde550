/** The Entra client with the real MSAL: the requests that it sends, and the result for each response. */
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { ENTRA_ANSWER_MAX_BYTES, ENTRA_DEADLINE_MS } from "../../../shared/core/limits.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { ClientCredential } from "../../../shared/credential/client-credential.ts";
import type { EntraClient, EntraToken } from "../../../shared/entra/entra-token.ts";
import { NetworkRecorder } from "../../../shared/entra/network-recorder.ts";
import type { Outbound } from "../../../shared/outbound/outbound.ts";
import {
  CLIENT_ID,
  CORRELATION_ID,
  entraError,
  idToken,
  NOW_MS,
  TENANT_ID,
  tokenAnswer,
} from "./support/entra-answers.ts";
import { fakeEntra, secret } from "./support/fake-entra.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"];
const TOKEN_URL = `https://login.microsoftonline.com/${TENANT_ID}/oauth2/v2.0/token`;
const ASSERTION = "header.alice.signature";
const USER = { tenantId: TENANT_ID, objectId: "a11ce000-0000-4000-8000-000000000001" };
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';

interface Options {
  readonly claims?: string;
  readonly cae?: boolean;
  readonly assertion?: string;
}

type Call = (client: EntraClient, options?: Options) => Promise<Result<EntraToken, Failure>>;

function common({ claims, cae = false }: Options) {
  return { claims, cae, correlationId: CORRELATION_ID, scopes: SCOPES };
}

const onBehalfOf: Call = (client, options = {}) =>
  client.onBehalfOf({
    ...common(options),
    assertion: new SecretValue(options.assertion ?? ASSERTION),
    presentedAs: "assertion",
  });
const redeem: Call = (client, options = {}) =>
  client.redeemRefreshToken({ ...common(options), refreshToken: new SecretValue("1.refresh") });
const application: Call = (client, options = {}) =>
  client.clientCredentials({ ...common(options), scopes: ["https://graph.microsoft.com/.default"] });

const CALLS: readonly (readonly [string, Call])[] = [
  ["on-behalf-of", onBehalfOf],
  ["refresh token", redeem],
  ["client credentials", application],
];

describe.each(CALLS)("the request for %s", (_name, call) => {
  test("TC-1: is one POST with the correlation id to the token endpoint of the tenant, without discovery", async () => {
    const { client, posted } = fakeEntra();
    expect(await call(client)).toMatchObject({ ok: true });
    expect(posted).toHaveLength(1);
    expect(posted[0]).toMatchObject({
      method: "POST",
      url: `${TOKEN_URL}?client-request-id=${CORRELATION_ID}`,
      deadlineMs: ENTRA_DEADLINE_MS,
      maxBytes: ENTRA_ANSWER_MAX_BYTES,
    });
    const type = Object.entries(posted[0]?.headers ?? {}).find(([name]) => name.toLowerCase() === "content-type");
    expect(type?.[1]).toBe("application/x-www-form-urlencoded;charset=utf-8");
  });

  test("TC-2: contains the client id, and the client secret only in the body", async () => {
    const { client, posted, form } = fakeEntra();
    await call(client);
    expect(form().get("client_id")).toBe(CLIENT_ID);
    expect(form().get("client_secret")).toBe("secret-v1");
    expect(form().get("x-client-SKU")).toBe("msal.js.node");
    expect(form().has("client_assertion")).toBe(false);
    const { body: _body, ...rest } = posted[0] ?? {};
    expect(JSON.stringify(rest)).not.toMatch(/secret-v1|authorization/i);
  });

  test("contains a federated credential as client assertion, without a secret", async () => {
    const credential: ClientCredential = {
      kind: "federated",
      assertion: new SecretValue("mi.token.sig"),
      version: "f",
    };
    const { client, form } = fakeEntra({ credentials: [succeed(credential)] });
    await call(client);
    expect(form().get("client_assertion")).toBe("mi.token.sig");
    expect(form().get("client_assertion_type")).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    expect(form().has("client_secret")).toBe(false);
  });

  test("contains a client assertion for this endpoint that the certificate signed with PS256 and x5t#S256", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const thumbprintSha256 = "0f".repeat(32);
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const { client, form } = fakeEntra({
      credentials: [
        succeed({ kind: "certificate", privateKey: new SecretValue(pem), thumbprintSha256, version: "c" } as const),
      ],
    });
    await call(client);
    const [header = "", payload = "", signature = ""] = form().get("client_assertion")?.split(".") ?? [];
    expect(decode(header)).toMatchObject({
      alg: "PS256",
      "x5t#S256": Buffer.from(thumbprintSha256, "hex").toString("base64url"),
    });
    expect(decode(payload)).toMatchObject({ iss: CLIENT_ID, sub: CLIENT_ID, aud: TOKEN_URL });
    const key = { key: createPublicKey(publicKey.export({ type: "spki", format: "pem" })), padding: 6, saltLength: 32 };
    expect(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))).toBe(true);
    expect(form().has("client_secret")).toBe(false);
  });

  test("declares the client capability cp1 only with cae", async () => {
    const without = fakeEntra();
    await call(without.client);
    expect(without.form().get("claims") ?? "").not.toContain("cp1");
    const with_ = fakeEntra();
    await call(with_.client, { cae: true });
    expect(JSON.parse(with_.form().get("claims") ?? "")).toMatchObject({
      access_token: { xms_cc: { values: ["cp1"] } },
    });
  });

  test("TC-5: contains the claims of a challenge together with the client capability", async () => {
    const { client, form } = fakeEntra();
    await call(client, { claims: CLAIMS, cae: true });
    expect(JSON.parse(form().get("claims") ?? "")).toMatchObject({
      access_token: { nbf: { essential: true, value: "1604106651" }, xms_cc: { values: ["cp1"] } },
    });
  });
});

describe("the parameters of each flow", () => {
  test("TC-3, TC-4: on-behalf-of sends the assertion and the OpenID Connect scopes", async () => {
    const { client, form } = fakeEntra();
    await onBehalfOf(client);
    expect(form().get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    expect(form().get("requested_token_use")).toBe("on_behalf_of");
    expect(form().get("assertion")).toBe(ASSERTION);
    expect(form().get("scope")?.split(" ").sort()).toEqual([...SCOPES, "offline_access", "openid", "profile"].sort());
  });

  test("TC-3: the refresh token flow sends the refresh token and the OpenID Connect scopes", async () => {
    const { client, form } = fakeEntra();
    await redeem(client);
    expect(form().get("grant_type")).toBe("refresh_token");
    expect(form().get("refresh_token")).toBe("1.refresh");
    expect(form().get("scope")?.split(" ").sort()).toEqual([...SCOPES, "offline_access", "openid", "profile"].sort());
  });

  test("TC-3: client credentials send no OpenID Connect scopes", async () => {
    const { client, form } = fakeEntra();
    await application(client);
    expect(form().get("grant_type")).toBe("client_credentials");
    expect(form().get("scope")).toBe("https://graph.microsoft.com/.default");
  });
});

describe.each(CALLS)("a token response for %s", (_name, call) => {
  test("becomes a token with its refresh token, user and expiry", async () => {
    const answer = tokenAnswer({ refresh_token: "1.newer", id_token: idToken(idTokenClaims()) });
    const result = await call(fakeEntra({ answers: [answer] }).client);
    const token = result.ok ? result.value : undefined;
    expect(token?.accessToken.reveal()).toBe("graph.access.token");
    expect(token?.refreshToken?.reveal()).toBe("1.newer");
    expect(token).toMatchObject({ user: USER, expiresAtSeconds: NOW_MS / 1_000 + 4_000 });
  });

  test("is not cached by MSAL: a second identical call goes to Entra, too", async () => {
    const { client, posted } = fakeEntra();
    await call(client);
    await call(client);
    expect(posted).toHaveLength(2);
  });
});

describe.each(CALLS)("a failed call for %s", (_name, call) => {
  const invalid = { ok: false, failure: { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" } };

  test.each([
    ["TC-22: an empty object", "{}"],
    ["TC-22: an array", "[]"],
    ["null", "null"],
    ["an empty body", ""],
    ["HTML", "<html></html>"],
    ["SEC-20: a token with CR LF", tokenAnswer({ access_token: "a\r\nX: y" }).body],
    ["a malformed ID token", tokenAnswer({ id_token: "opaque" }).body],
  ])("a 200 response with %s is an invalid response of Entra", async (_what, body) => {
    const answer = { status: 200, headers: {}, body };
    expect(await call(fakeEntra({ answers: [answer] }).client)).toEqual(invalid);
  });

  test.each([201, 204, 302])(
    "a response with status %i and a token is an invalid response of Entra",
    async (status) => {
      expect(await call(fakeEntra({ answers: [{ ...tokenAnswer(), status }] }).client)).toMatchObject(invalid);
    },
  );

  test.each<[string, Parameters<typeof fail>[0], unknown]>([
    ["a timeout", { kind: "timeout" }, { dependency: "entra", problem: "timeout" }],
    [
      "a response over the size limit",
      { kind: "answer_too_large" },
      { dependency: "entra", problem: "answer_invalid" },
    ],
  ])("%s is a failed dependency and is not retried", async (_what, answer, failure) => {
    const { client, posted } = fakeEntra({ answers: [answer as { kind: "timeout" }] });
    expect(await call(client)).toEqual({ ok: false, failure: { kind: "dependency_failed", ...(failure as object) } });
    expect(posted).toHaveLength(1);
  });

  test("TC-21: a refusal has the status, Retry-After and claims of the response, which MSAL's errors lack", async () => {
    const throttled = { status: 429, headers: { "retry-after": "7" }, body: "Too Many Requests" };
    expect(await call(fakeEntra({ answers: [throttled] }).client)).toMatchObject({
      failure: { kind: "throttled", retryAfterSeconds: 7 },
    });
    const challenged = entraError({ code: 50076, error: "interaction_required", claims: CLAIMS });
    expect(await call(fakeEntra({ answers: [challenged] }).client)).toMatchObject({
      failure: { kind: "entra_refused", evidence: { claims: CLAIMS } },
    });
  });

  test("without a credential, no request is sent, and the failure is that of the credential source", async () => {
    const failure: Failure = { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
    const { client, posted } = fakeEntra({ credentials: [fail(failure)] });
    expect(await call(client)).toEqual({ ok: false, failure });
    expect(posted).toHaveLength(0);
  });

  test("a private key that MSAL cannot use is a misconfiguration, and no request is sent", async () => {
    const privateKey = new SecretValue("not a key");
    const { client, posted } = fakeEntra({
      credentials: [
        succeed({ kind: "certificate", privateKey, thumbprintSha256: "00".repeat(32), version: "c" } as const),
      ],
    });
    expect(await call(client)).toEqual({ ok: false, failure: { kind: "misconfigured", code: "credential_unusable" } });
    expect(posted).toHaveLength(0);
  });
});

describe("a refused credential", () => {
  const refusal = entraError({ code: 7000215, error: "invalid_client", status: 401 });

  test("is replaced by the other version for one retry, which succeeds", async () => {
    const { client, posted, refused, form } = fakeEntra({
      answers: [refusal, tokenAnswer()],
      credentials: [secret("v1"), secret("v2")],
      another: true,
    });
    expect(await onBehalfOf(client)).toMatchObject({ ok: true });
    expect(posted.map(({ body }) => new URLSearchParams(body).get("client_secret"))).toEqual([
      "secret-v1",
      "secret-v2",
    ]);
    expect(refused).toEqual(["v1"]);
    expect(form().get("assertion")).toBe(ASSERTION);
  });

  test("is retried once and not twice", async () => {
    const { client, posted, refused } = fakeEntra({
      answers: [refusal],
      credentials: [secret("v1"), secret("v2"), secret("v3")],
      another: true,
    });
    expect(await onBehalfOf(client)).toMatchObject({ failure: { verdict: "credential_refused" } });
    expect(posted).toHaveLength(2);
    expect(refused).toEqual(["v1"]);
  });

  test("is final if there is no other version", async () => {
    const { client, posted, refused } = fakeEntra({ answers: [refusal] });
    expect(await onBehalfOf(client)).toMatchObject({ failure: { verdict: "credential_refused" } });
    expect(posted).toHaveLength(1);
    expect(refused).toEqual(["v1"]);
  });

  test("ends with the failure of the credential source if the other version cannot be read", async () => {
    const failure: Failure = { kind: "misconfigured", code: "credential_expired" };
    const { client } = fakeEntra({ answers: [refusal], credentials: [secret("v1"), fail(failure)], another: true });
    expect(await onBehalfOf(client)).toEqual({ ok: false, failure });
  });

  test("is the only refusal that leads to another credential", async () => {
    const { client, posted, refused } = fakeEntra({
      answers: [entraError({ code: 65001, error: "invalid_grant" })],
      another: true,
    });
    await onBehalfOf(client);
    expect(posted).toHaveLength(1);
    expect(refused).toEqual([]);
  });
});

describe("TC-20: throttling in MSAL is off", () => {
  test.each([429, 503])("a %i for one user does not block the next user's call to Entra", async (status) => {
    const refusal = entraError({ code: 90055, error: "temporarily_unavailable", status });
    const answer = { ...refusal, headers: { "retry-after": "600" } };
    // A wait this long is the caller's, so the service does not try again.
    const { client, posted } = fakeEntra({ answers: [answer, tokenAnswer()] });
    expect(await onBehalfOf(client, { assertion: "header.alice.signature" })).toMatchObject({ ok: false });
    expect(await onBehalfOf(client, { assertion: "header.bob.signature" })).toMatchObject({ ok: true });
    expect(posted).toHaveLength(2);
  });
});

test("a discovery request of MSAL fails", async () => {
  const recorder = new NetworkRecorder({
    outbound: { send: () => Promise.reject(new Error("never")) },
    deadlineMs: ENTRA_DEADLINE_MS,
  });
  await expect(recorder.sendGetRequestAsync()).rejects.toThrow("unexpected discovery request");
});

test("a request of MSAL without headers and body is sent unchanged", async () => {
  const posted: unknown[] = [];
  const outbound: Outbound = {
    send(request) {
      posted.push(request);
      return Promise.resolve(succeed(tokenAnswer()));
    },
  };
  const recorder = new NetworkRecorder({ outbound, deadlineMs: ENTRA_DEADLINE_MS });
  await recorder.sendPostRequestAsync(TOKEN_URL);
  expect(posted).toEqual([
    { method: "POST", url: TOKEN_URL, headers: {}, deadlineMs: ENTRA_DEADLINE_MS, maxBytes: ENTRA_ANSWER_MAX_BYTES },
  ]);
});

function idTokenClaims() {
  return { tid: USER.tenantId, oid: USER.objectId, sub: "subject", aud: CLIENT_ID, iss: "issuer", ver: "2.0" };
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
}
