/** The sign-in with the real MSAL: the authorization URL, the redemption of the code and the error redirect. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { SignInUrlRequest } from "../../../shared/entra/entra-token.ts";
import { readPerson } from "../../../shared/entra/read-person.ts";
import { readSignInError } from "../../../shared/entra/read-sign-in-error.ts";
import { readSignedInToken } from "../../../shared/entra/read-token.ts";
import {
  CLIENT_ID,
  CORRELATION_ID,
  entraError,
  idToken,
  NOW_MS,
  TENANT_ID,
  TRACE_ID,
  tokenAnswer,
} from "./support/entra-answers.ts";
import { CALLBACK_URL, fakeEntra } from "./support/fake-entra.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read"];
const OID = "a11ce000-0000-4000-8000-000000000001";
const ISSUER = `https://login.microsoftonline.com/${TENANT_ID}/v2.0`;
const CLAIMS = { tid: TENANT_ID, oid: OID, sub: "s", aud: CLIENT_ID, iss: ISSUER, ver: "2.0", nonce: "our-nonce" };

const SIGN_IN: SignInUrlRequest = {
  scopes: SCOPES,
  claims: undefined,
  correlationId: CORRELATION_ID,
  cae: false,
  state: "our-state",
  nonce: "our-nonce",
  codeChallenge: "c".repeat(43),
  prompt: undefined,
  loginHint: undefined,
  domainHint: undefined,
};

async function urlFor(changes: Partial<SignInUrlRequest> = {}) {
  const { client, posted } = fakeEntra();
  const url = await client.signInUrl({ ...SIGN_IN, ...changes });
  expect(posted).toEqual([]);
  return new URL(url.ok ? url.value : "none:");
}

describe("TC-6: the authorization URL", () => {
  test("points to Entra's authorization endpoint, with the callback of the service, S256, state and nonce", async () => {
    const url = await urlFor();
    expect(url.origin + url.pathname).toBe(`https://login.microsoftonline.com/${TENANT_ID}/oauth2/v2.0/authorize`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: CLIENT_ID,
      redirect_uri: CALLBACK_URL,
      response_type: "code",
      response_mode: "query",
      state: "our-state",
      nonce: "our-nonce",
      code_challenge: "c".repeat(43),
      code_challenge_method: "S256",
      "client-request-id": CORRELATION_ID,
    });
    expect(url.searchParams.get("scope")?.split(" ")).toEqual(expect.arrayContaining([...SCOPES, "offline_access"]));
    expect(url.href).not.toMatch(/secret|prompt=|login_hint=|domain_hint=/);
  });

  test("contains the requested prompt, hints and claims", async () => {
    const claims = '{"id_token":{"acr":{"essential":true}}}';
    const url = await urlFor({
      prompt: "login",
      loginHint: "alice@contoso.example",
      domainHint: "contoso.example",
      claims,
    });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      prompt: "login",
      login_hint: "alice@contoso.example",
      domain_hint: "contoso.example",
    });
    expect(JSON.parse(url.searchParams.get("claims") ?? "")).toMatchObject({ id_token: { acr: { essential: true } } });
  });

  test("is not built if the credential is missing", async () => {
    const failure: Failure = { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
    expect(await fakeEntra({ credentials: [fail(failure)] }).client.signInUrl(SIGN_IN)).toEqual(fail(failure));
  });

  test("is not built if MSAL cannot use the credential", async () => {
    const value = new SecretValue("");
    const { client } = fakeEntra({ credentials: [succeed({ kind: "secret", value, version: "v" } as const)] });
    expect(await client.signInUrl(SIGN_IN)).toEqual(fail({ kind: "misconfigured", code: "credential_unusable" }));
  });
});

describe("the redemption of the code", () => {
  const redeem = (answer = tokenAnswer({ id_token: idToken(CLAIMS), refresh_token: "1.r" }), claims?: string) => {
    const entra = fakeEntra({ answers: [answer] });
    const redeemed = entra.client.redeemCode({
      code: new SecretValue("entra.code"),
      codeVerifier: new SecretValue("verifier"),
      nonce: "our-nonce",
      scopes: SCOPES,
      claims,
      correlationId: CORRELATION_ID,
      cae: false,
    });
    return { ...entra, redeemed };
  };

  test("sends the service's own code verifier and callback", async () => {
    const { redeemed, form } = redeem(undefined, '{"id_token":{"acr":null}}');
    expect(await redeemed).toMatchObject({ value: { person: { name: OID, guest: false }, user: { objectId: OID } } });
    expect(Object.fromEntries(form())).toMatchObject({
      grant_type: "authorization_code",
      code: "entra.code",
      code_verifier: "verifier",
      redirect_uri: CALLBACK_URL,
      client_secret: "secret-v1",
    });
    expect(JSON.parse(form().get("claims") ?? "")).toMatchObject({ id_token: { acr: null } });
  });

  test.each<[string, Record<string, unknown>]>([
    ["an ID token with the nonce of another sign-in", { id_token: idToken({ ...CLAIMS, nonce: "other" }) }],
    ["an ID token without nonce", { id_token: idToken({ ...CLAIMS, nonce: undefined }) }],
    ["no ID token", {}],
    ["an ID token without oid", { id_token: idToken({ ...CLAIMS, oid: undefined }) }],
    ["no access token", { id_token: idToken(CLAIMS), access_token: undefined }],
    ["no scopes", { id_token: idToken(CLAIMS), scope: "" }],
  ])("refuses a response with %s", async (_name, members) => {
    expect(await redeem(tokenAnswer(members)).redeemed).toEqual(
      fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" }),
    );
  });

  test("E-66: of a used code fails with code_refused", async () => {
    expect(await redeem(entraError({ code: 54005, error: "invalid_grant" })).redeemed).toMatchObject({
      failure: { verdict: "code_refused" },
    });
  });
});

test("a token of a sign-in requires an ID token that names the user", () => {
  const { body } = tokenAnswer({ id_token: idToken({ ...CLAIMS, name: "Alice" }) });
  expect(readSignedInToken(body, NOW_MS)).toMatchObject({ value: { person: { name: "Alice" } } });
  expect(readSignedInToken("{}", NOW_MS)).toBeUndefined();
  expect(readSignedInToken(tokenAnswer({ id_token: 7 }).body, NOW_MS)).toBeUndefined();
});

describe("the user of an ID token", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    [
      "with name and preferred_username",
      { name: "Alice", preferred_username: "alice" },
      { name: "Alice", username: "alice", guest: false },
    ],
    ["without name", { preferred_username: "alice" }, { name: "alice", username: "alice", guest: false }],
    ["without both", { name: "", preferred_username: 7 }, { name: OID, username: "", guest: false }],
    [
      "with a long name, which is truncated",
      { name: "n".repeat(300) },
      { name: "n".repeat(200), username: "", guest: false },
    ],
    ["with acct 0, which is not a guest", { acct: 0 }, { guest: false }],
    ["with acct 1, which is a guest", { acct: 1 }, { guest: true }],
    ["with an unknown acct, which is a guest", { acct: "x" }, { guest: true }],
    ["with this tenant as idp, which is not a guest", { idp: ISSUER }, { guest: false }],
    [
      "with the v1 issuer of this tenant as idp, which is not a guest",
      { idp: `https://sts.windows.net/${TENANT_ID}/` },
      { guest: false },
    ],
    [
      "with another tenant as idp, which is a guest",
      { idp: "https://sts.windows.net/c0470500-0000-4000-8000-0000000000ff/" },
      { guest: true },
    ],
    ["with a personal account as idp, which is a guest", { idp: "live.com" }, { guest: true }],
    ["with an idp that is not a string, which is a guest", { idp: 7 }, { guest: true }],
  ])("%s", (_name, claims, person) => {
    expect(readPerson({ ...CLAIMS, ...claims })).toMatchObject(person as object);
  });

  test("is undefined without a valid oid", () => {
    expect(readPerson({ ...CLAIMS, oid: 7 })).toBeUndefined();
  });
});

describe("an error redirect, which the user can forge", () => {
  const read = (error: string, description?: string, subcode?: string) =>
    readSignInError({ error, description, subcode }, SCOPES);

  test.each<[string, string | undefined, string]>([
    ["access_denied", "AADSTS65004: User declined to consent", "denied"],
    ["access_denied", undefined, "denied"],
    ["consent_required", undefined, "consent_required"],
    ["interaction_required", undefined, "interaction_required"],
    ["login_required", undefined, "interaction_required"],
    ["account_selection_required", undefined, "interaction_required"],
    ["invalid_grant", "AADSTS53003: blocked", "denied"],
    ["invalid_client", "AADSTS7000215: claims to be about our secret", "misconfigured"],
    ["anything", "AADSTS65001: consent", "misconfigured"],
    ["anything", "not AADSTS65004", "misconfigured"],
  ])("error %s with description %j is %s", (error, description, verdict) => {
    expect(read(error, description)).toMatchObject({ kind: "entra_refused", verdict, scopes: SCOPES });
  });

  test.each([
    ["login_required", "login_required"],
    ["account_selection_required", "account_selection_required"],
    ["interaction_required", undefined],
    ["access_denied", undefined],
  ])("error %s has the OpenID Connect error %s", (error, openIdError) => {
    const failure = read(error);
    expect(failure.kind === "entra_refused" ? failure.openIdError : failure.kind).toBe(openIdError);
  });

  test.each(["temporarily_unavailable", "server_error"])("error %s means that Entra is unavailable", (error) => {
    expect(read(error)).toMatchObject({ kind: "dependency_failed", problem: "unavailable" });
  });

  test("only known words and numbers become evidence", () => {
    const genuine = read("access_denied", `AADSTS65004: <b>x</b> Trace ID: ${TRACE_ID.toUpperCase()} more`, "cancel");
    expect(genuine).toMatchObject({
      evidence: { codes: [65004], suberror: "cancel", traceId: TRACE_ID, claims: undefined },
    });
    const forged = read("access_denied", "AADSTS1: <script>", "<script>");
    expect(forged).toMatchObject({ evidence: { codes: [], suberror: undefined, traceId: undefined } });
    expect(JSON.stringify([genuine, forged])).not.toMatch(/<b>|script/);
  });
});
