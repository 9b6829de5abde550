/** Sign-in at Entra with real MSAL: where the browser goes, how the code is redeemed, what a browser's error may decide. */
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

describe("TC-6: where the browser goes", () => {
  test("Entra's authorize endpoint, back to our one callback, with S256, state and nonce", async () => {
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

  test("hints and claims where there are any", async () => {
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

  test("a credential that is missing is better missed now", async () => {
    const failure: Failure = { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
    expect(await fakeEntra({ credentials: [fail(failure)] }).client.signInUrl(SIGN_IN)).toEqual(fail(failure));
  });

  test("a credential that MSAL cannot use, too", async () => {
    const value = new SecretValue("");
    const { client } = fakeEntra({ credentials: [succeed({ kind: "secret", value, version: "v" } as const)] });
    expect(await client.signInUrl(SIGN_IN)).toEqual(fail({ kind: "misconfigured", code: "credential_unusable" }));
  });
});

describe("the code is redeemed", () => {
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

  test("with our verifier and our callback", async () => {
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
    ["another sign-in's nonce", { id_token: idToken({ ...CLAIMS, nonce: "other" }) }],
    ["no nonce", { id_token: idToken({ ...CLAIMS, nonce: undefined }) }],
    ["no id token", {}],
    ["an id token about nobody", { id_token: idToken({ ...CLAIMS, oid: undefined }) }],
    ["no access token", { id_token: idToken(CLAIMS), access_token: undefined }],
    ["no scopes", { id_token: idToken(CLAIMS), scope: "" }],
  ])("%s: an answer that says nothing", async (_name, members) => {
    expect(await redeem(tokenAnswer(members)).redeemed).toEqual(
      fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" }),
    );
  });

  test("E-66: a code that was used is a dead grant", async () => {
    expect(await redeem(entraError({ code: 54005, error: "invalid_grant" })).redeemed).toMatchObject({
      failure: { verdict: "grant_dead" },
    });
  });
});

test("a token whose id token says who it was; any other is none", () => {
  const { body } = tokenAnswer({ id_token: idToken({ ...CLAIMS, name: "Alice" }) });
  expect(readSignedInToken(body, NOW_MS)).toMatchObject({ value: { person: { name: "Alice" } } });
  expect(readSignedInToken("{}", NOW_MS)).toBeUndefined();
  expect(readSignedInToken(tokenAnswer({ id_token: 7 }).body, NOW_MS)).toBeUndefined();
});

describe("who signed in", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    [
      "a name and a user name",
      { name: "Alice", preferred_username: "alice" },
      { name: "Alice", username: "alice", guest: false },
    ],
    ["no name", { preferred_username: "alice" }, { name: "alice", username: "alice", guest: false }],
    ["neither", { name: "", preferred_username: 7 }, { name: OID, username: "", guest: false }],
    ["a long name is cut", { name: "n".repeat(300) }, { name: "n".repeat(200), username: "", guest: false }],
    ["a member by acct", { acct: 0 }, { guest: false }],
    ["a guest by acct", { acct: 1 }, { guest: true }],
    ["an acct that nobody knows", { acct: "x" }, { guest: true }],
    ["a member by idp", { idp: ISSUER }, { guest: false }],
    ["a member by the v1 name of the tenant", { idp: `https://sts.windows.net/${TENANT_ID}/` }, { guest: false }],
    ["a guest by idp", { idp: "https://sts.windows.net/c0470500-0000-4000-8000-0000000000ff/" }, { guest: true }],
    ["a guest with a private account", { idp: "live.com" }, { guest: true }],
    ["an idp that is no text", { idp: 7 }, { guest: true }],
  ])("%s", (_name, claims, person) => {
    expect(readPerson({ ...CLAIMS, ...claims })).toMatchObject(person as object);
  });

  test("an id token about nobody", () => {
    expect(readPerson({ ...CLAIMS, oid: 7 })).toBeUndefined();
  });
});

describe("an error that comes through the browser, whose owner can write it", () => {
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
  ])("%s, %s: %s", (error, description, verdict) => {
    expect(read(error, description)).toMatchObject({ kind: "entra_refused", verdict, scopes: SCOPES });
  });

  test.each([
    ["login_required", "login_required"],
    ["account_selection_required", "account_selection_required"],
    ["interaction_required", undefined],
    ["access_denied", undefined],
  ])("the finer word of OpenID Connect is kept: %s", (error, finer) => {
    const told = read(error);
    expect(told.kind === "entra_refused" ? told.openIdError : told.kind).toBe(finer);
  });

  test.each(["temporarily_unavailable", "server_error"])("%s is Entra's", (error) => {
    expect(read(error)).toMatchObject({ kind: "dependency_failed", problem: "unavailable" });
  });

  test("only known words and numbers are taken over", () => {
    const told = read("access_denied", `AADSTS65004: <b>x</b> Trace ID: ${TRACE_ID.toUpperCase()} more`, "cancel");
    expect(told).toMatchObject({
      evidence: { codes: [65004], suberror: "cancel", traceId: TRACE_ID, claims: undefined },
    });
    const forged = read("access_denied", "AADSTS1: <script>", "<script>");
    expect(forged).toMatchObject({ evidence: { codes: [], suberror: undefined, traceId: undefined } });
    expect(JSON.stringify([told, forged])).not.toMatch(/<b>|script/);
  });
});
