/**
 * Stage 4 of 5: Entra. MSAL Node is the protocol client and nothing else: a fresh confidential client for every call,
 * because MSAL's own cache is slow with many users and its throttle makes one user's 429 everybody's. Our cache decides
 * what is asked; this file asks. Loaded lazily: it is the only importer of MSAL.
 */
import { ConfidentialClientApplication } from "@azure/msal-node";
import type { Cloud } from "../config/clouds.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ClientCredential } from "../credential/client-credential.ts";
import type { Outbound, OutboundFailure } from "../outbound/outbound.ts";
import type { CodeRequest, EntraClient, EntraToken, SignedInToken, SignInUrlRequest } from "./entra-token.ts";
import { type Authority, authorityOf, msalConfiguration } from "./msal-configuration.ts";
import { NetworkRecorder } from "./network-recorder.ts";
import { type FailedRequest, readRefusal } from "./read-answer.ts";
import { readSignedInToken, readToken } from "./read-token.ts";

/** Gives the credential of the registration and learns when Entra refuses it. */
export interface CredentialSource {
  current(): Promise<Result<ClientCredential, Failure>>;
  /** Entra refused this version; true when another one is worth one more try. */
  refused(version: string): Promise<boolean>;
}

export interface EntraClientOptions {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly clientId: string;
  /** Where Entra sends browsers back to: the one redirect URI of the registration. */
  readonly callbackUrl: string;
  readonly credential: CredentialSource;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
}

/** What varies between the calls: how MSAL is asked, and what to say if it fails. */
interface Call<T extends EntraToken> {
  readonly cae: boolean;
  readonly trace: RequestTrace | undefined;
  readonly failed: FailedRequest;
  ask(client: ConfidentialClientApplication): Promise<unknown>;
  /** The token in the body of a 200 answer. */
  read(body: string, nowMs: number): Result<T, Failure> | undefined;
}

/** Makes the client of one registration. */
export function createEntraClient(options: EntraClientOptions): EntraClient {
  const authority = authorityOf(options);
  return {
    onBehalfOf: ({ assertion, presentedAs, scopes, claims, correlationId, trace, cae }) =>
      acquire(options, authority, {
        cae,
        trace,
        failed: { scopes, grantKind: "assertion", presentedAs },
        read: readToken,
        ask: (client) =>
          client.acquireTokenOnBehalfOf({
            oboAssertion: assertion.reveal(),
            scopes: [...scopes],
            correlationId,
            skipCache: true,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
    redeemRefreshToken: ({ refreshToken, scopes, claims, correlationId, trace, cae }) =>
      acquire(options, authority, {
        cae,
        trace,
        failed: { scopes, grantKind: "refresh_token" },
        read: readToken,
        ask: (client) =>
          client.acquireTokenByRefreshToken({
            refreshToken: refreshToken.reveal(),
            scopes: [...scopes],
            correlationId,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
    clientCredentials: ({ scopes, claims, correlationId, trace, cae }) =>
      acquire(options, authority, {
        cae,
        trace,
        failed: { scopes, grantKind: "application" },
        read: readToken,
        ask: (client) =>
          client.acquireTokenByClientCredential({
            scopes: [...scopes],
            correlationId,
            skipCache: true,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
    redeemCode: (request) => acquire(options, authority, codeCall(options, request)),
    signInUrl: (request) => signInUrl(options, authority, request),
  };
}

/** MSAL holds the id token's nonce against ours. */
function codeCall({ callbackUrl }: EntraClientOptions, request: CodeRequest): Call<SignedInToken> {
  const { code, codeVerifier, nonce, scopes, claims, correlationId, trace, cae } = request;
  return {
    cae,
    trace,
    failed: { scopes, grantKind: "code" },
    read: readSignedInToken,
    ask: (client) =>
      client.acquireTokenByCode({
        code: code.reveal(),
        codeVerifier: codeVerifier.reveal(),
        nonce,
        redirectUri: callbackUrl,
        scopes: [...scopes],
        correlationId,
        ...(claims === undefined ? {} : { claims }),
      }),
  };
}

/** MSAL builds the URL. It wants a credential although none is used: better missed now than after the sign-in. */
async function signInUrl(
  options: EntraClientOptions,
  authority: Authority,
  request: SignInUrlRequest,
): Promise<Result<string, Failure>> {
  const credential = await options.credential.current();
  if (!credential.ok) return credential;
  const { scopes, state, nonce, codeChallenge, prompt, loginHint, domainHint, claims, correlationId } = request;
  try {
    const configuration = msalConfiguration({
      clientId: options.clientId,
      authority,
      credential: credential.value,
      networkClient: new NetworkRecorder(options.outbound),
      cae: request.cae,
    });
    const url = await new ConfidentialClientApplication(configuration).getAuthCodeUrl({
      scopes: [...scopes],
      redirectUri: options.callbackUrl,
      responseMode: "query",
      state,
      nonce,
      codeChallenge,
      codeChallengeMethod: "S256",
      correlationId,
      ...(prompt === undefined ? {} : { prompt }),
      ...(loginHint === undefined ? {} : { loginHint }),
      ...(domainHint === undefined ? {} : { domainHint }),
      ...(claims === undefined ? {} : { claims }),
    });
    return succeed(url);
  } catch {
    return fail({ kind: "misconfigured", code: "credential_unusable" });
  }
}

/** One call, and one more when Entra refused our credential and the vault holds another. */
async function acquire<T extends EntraToken>(
  options: EntraClientOptions,
  authority: Authority,
  call: Call<T>,
): Promise<Result<T, Failure>> {
  for (let attempt = 1; ; attempt++) {
    const credential = await options.credential.current();
    if (!credential.ok) return credential;
    const result = await acquireOnce(options, authority, credential.value, call);
    if (result.ok || !isCredentialRefused(result.failure) || attempt > CREDENTIAL_RETRIES) return result;
    if (!(await options.credential.refused(credential.value.version))) return result;
  }
}

/** A new secret may be refused while Entra's replicas catch up; the one before it is then tried. Never more. */
const CREDENTIAL_RETRIES = 1;

async function acquireOnce<T extends EntraToken>(
  options: EntraClientOptions,
  authority: Authority,
  credential: ClientCredential,
  call: Call<T>,
): Promise<Result<T, Failure>> {
  const recorder = new NetworkRecorder(options.outbound, call.trace);
  let msalError: unknown;
  try {
    const { clientId } = options;
    const { cae } = call;
    const configuration = msalConfiguration({ clientId, authority, credential, networkClient: recorder, cae });
    await call.ask(new ConfidentialClientApplication(configuration));
  } catch (error) {
    msalError = error;
  }
  const { answer } = recorder;
  if (answer === undefined) return fail(unanswered(recorder.failure));
  if (answer.status !== 200) return fail(readRefusal(answer, call.failed, options.nowMs()));
  // MSAL takes a 200 without a token for a success, and throws for an id token that it cannot read.
  const token = msalError === undefined ? call.read(answer.body, options.nowMs()) : undefined;
  return token !== undefined && saysWhatItMay(token, call)
    ? token
    : fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
}

/** Entra names the scopes of every delegated token. Without them nobody could hold the token against a caller's list. */
function saysWhatItMay(token: Result<EntraToken, Failure>, { failed }: Pick<Call<EntraToken>, "failed">): boolean {
  return token.ok && (failed.grantKind === "application" || token.value.scopes.length > 0);
}

function unanswered(failure: OutboundFailure | undefined): Failure {
  switch (failure?.kind) {
    case "timeout":
      return { kind: "dependency_failed", dependency: "entra", problem: "timeout" };
    case "network":
      return { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };
    case "answer_too_large":
      return { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" };
    case undefined:
      // MSAL refused before it sent anything: a private key or an option that it cannot use.
      return { kind: "misconfigured", code: "credential_unusable" };
  }
}

function isCredentialRefused(failure: Failure): boolean {
  return failure.kind === "entra_refused" && failure.verdict === "credential_refused";
}
