/**
 * Calls Entra. MSAL Node implements the protocol only. Each call gets a new confidential client, because MSAL's cache is
 * slow with many users, and its throttling would extend one user's 429 to all users. The cache of the service decides
 * which calls are necessary (cache/). Loaded lazily: only this folder imports MSAL.
 */
import { ConfidentialClientApplication } from "@azure/msal-node";
import type { Cloud } from "../config/clouds.ts";
import type { Failure } from "../core/failure.ts";
import { ENTRA_DEADLINE_MS } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ClientCredential } from "../credential/client-credential.ts";
import type { Outbound, OutboundFailure } from "../outbound/outbound.ts";
import type { CodeRequest, EntraClient, EntraToken, SignedInToken, SignInUrlRequest } from "./entra-token.ts";
import { urlForIdentity } from "./identity-scopes.ts";
import { type Authority, authorityOf, msalConfiguration } from "./msal-configuration.ts";
import { NetworkRecorder } from "./network-recorder.ts";
import { type FailedRequest, isPassingFault, readRefusal } from "./read-answer.ts";
import { readSignedInToken, readToken } from "./read-token.ts";
import { passingFailure, type Sent, withSecondAttempt } from "./second-attempt.ts";

/** The credential of the registration, and what Entra decided about it. */
export interface CredentialSource {
  current(): Promise<Result<ClientCredential, Failure>>;
  /** Reports a version that Entra refused with these numbers. True if there is another version to try. */
  refused(version: string, codes: readonly number[]): Promise<boolean>;
  /** The seconds until another version may be there. Undefined: none is expected. */
  lookAgainSeconds(): number | undefined;
  /** Reports a version that Entra accepted. */
  accepted(version: string): void;
}

export interface EntraClientOptions {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly clientId: string;
  /** The only redirect URI of the registration. Entra redirects browsers to it. */
  readonly callbackUrl: string;
  readonly credential: CredentialSource;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock, for the deadline. */
  readonly steadyMs: () => number;
  /** Waits before the second attempt. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** Creates the client of one registration. */
export function createEntraClient(options: EntraClientOptions): EntraClient {
  const authority = authorityOf(options);
  return {
    onBehalfOf: ({ assertion, presentedAs, scopes, claims, correlationId, trace, cae }) =>
      acquire(options, authority, {
        cae,
        trace,
        failed: { scopes, grantKind: "assertion", presentedAs },
        read: readToken,
        send: (client) =>
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
        send: (client) =>
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
        send: (client) =>
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

// ---------------------------------------------------------------------------------------------------------------

/** The differences between the calls: the method of MSAL, the evidence for a failure, and how to read the response. */
interface Call<T extends EntraToken> {
  readonly cae: boolean;
  readonly trace: RequestTrace | undefined;
  readonly identityOnly?: boolean | undefined;
  readonly failed: FailedRequest;
  /** Default: `ENTRA_DEADLINE_MS`. */
  readonly deadlineMs?: number | undefined;
  send(client: ConfidentialClientApplication): Promise<unknown>;
  /** The token in the body of a 200 response. */
  read(body: string, nowMs: number): Result<T, Failure> | undefined;
}

/** MSAL compares the nonce of the ID token with `nonce`. */
function codeCall({ callbackUrl }: EntraClientOptions, request: CodeRequest): Call<SignedInToken> {
  const { code, codeVerifier, nonce, scopes, claims, correlationId, trace, cae } = request;
  return {
    cae,
    trace,
    identityOnly: request.identityOnly,
    failed: { scopes, grantKind: "code" },
    deadlineMs: request.deadlineMs,
    read: readSignedInToken,
    send: (client) =>
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

/** MSAL requires a credential although the URL contains none. A missing one thus fails before the user signs in. */
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
      networkClient: new NetworkRecorder({ outbound: options.outbound, deadlineMs: ENTRA_DEADLINE_MS }),
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
    return succeed(request.identityOnly === true ? urlForIdentity(url) : url);
  } catch {
    return fail({ kind: "misconfigured", code: "credential_unusable" });
  }
}

/** Calls Entra, and once more if Entra refuses the credential and there is another version. One deadline for both. */
async function acquire<T extends EntraToken>(
  options: EntraClientOptions,
  authority: Authority,
  call: Call<T>,
): Promise<Result<T, Failure>> {
  let deadlineAtMs: number | undefined;
  for (let attempt = 1; ; attempt++) {
    const credential = await options.credential.current();
    if (!credential.ok) return credential;
    deadlineAtMs ??= options.steadyMs() + (call.deadlineMs ?? ENTRA_DEADLINE_MS);
    const send = (deadlineMs: number) =>
      acquireOnce(options, authority, { credential: credential.value, deadlineMs, call });
    const result = await withSecondAttempt({ ...options, deadlineAtMs, grantKind: call.failed.grantKind }, send);
    const { version } = credential.value;
    if (isCredentialAccepted(result)) options.credential.accepted(version);
    if (attempt > CREDENTIAL_RETRIES || !(await isReplaced(options.credential, version, result))) {
      return withLookAgain(options.credential, result);
    }
  }
}

/** Entra refused the credential, and there is another version to try. */
async function isReplaced(
  credential: CredentialSource,
  version: string,
  result: Result<EntraToken, Failure>,
): Promise<boolean> {
  const codes = result.ok ? undefined : codesOfRefusedCredential(result.failure);
  return codes !== undefined && credential.refused(version, codes);
}

/** A refused credential that is probably being replaced: the caller tries again. */
function withLookAgain<T>({ lookAgainSeconds }: CredentialSource, result: Result<T, Failure>): Result<T, Failure> {
  if (result.ok || result.failure.kind !== "entra_refused") return result;
  if (codesOfRefusedCredential(result.failure) === undefined) return result;
  const retryAfterSeconds = lookAgainSeconds();
  return retryAfterSeconds === undefined ? result : fail({ ...result.failure, retryAfterSeconds });
}

/** Entra's replicas may refuse a new secret for a short time. The retry then uses the previous version. */
const CREDENTIAL_RETRIES = 1;

interface OneCall<T extends EntraToken> {
  readonly credential: ClientCredential;
  readonly deadlineMs: number;
  readonly call: Call<T>;
}

async function acquireOnce<T extends EntraToken>(
  { clientId, outbound, nowMs }: EntraClientOptions,
  authority: Authority,
  { credential, deadlineMs, call }: OneCall<T>,
): Promise<Sent<T>> {
  const { cae, trace, identityOnly, failed } = call;
  const recorder = new NetworkRecorder({ outbound, trace, deadlineMs, identityOnly });
  // Entra counts a token's lifetime from an earlier time than the arrival of the response.
  const sentAtMs = nowMs();
  let msalError: unknown;
  try {
    const configuration = msalConfiguration({ clientId, authority, credential, networkClient: recorder, cae });
    await call.send(new ConfidentialClientApplication(configuration));
  } catch (error) {
    msalError = error;
  }
  const { answer, failure } = recorder;
  if (answer === undefined) return { result: fail(fromOutboundFailure(failure)), passing: passingFailure(failure) };
  if (answer.status !== 200) {
    return {
      result: fail(readRefusal(answer, failed, nowMs())),
      passing: isPassingFault(answer) ? "answered" : undefined,
    };
  }
  // MSAL accepts a 200 without a token, and throws for an ID token that it cannot read.
  const token = msalError === undefined ? call.read(answer.body, sentAtMs) : undefined;
  return token !== undefined && hasScopes(token, call)
    ? { result: token, passing: undefined }
    : {
        result: fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" }),
        passing: undefined,
      };
}

/** Entra names the scopes of each delegated token. Without them, policy could not compare the token with the caller's list. */
function hasScopes(token: Result<EntraToken, Failure>, { failed }: Pick<Call<EntraToken>, "failed">): boolean {
  return token.ok && (failed.grantKind === "application" || token.value.scopes.length > 0);
}

function fromOutboundFailure(failure: OutboundFailure | undefined): Failure {
  switch (failure?.kind) {
    case "timeout":
      return { kind: "dependency_failed", dependency: "entra", problem: "timeout" };
    case "network":
      return { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };
    case "answer_too_large":
      return { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" };
    case undefined:
      // MSAL refused before it sent a request, for example because it cannot read the private key.
      return { kind: "misconfigured", code: "credential_unusable" };
  }
}

/** Entra's numbers, if it refused the credential of the service. */
function codesOfRefusedCredential(failure: Failure): readonly number[] | undefined {
  return failure.kind === "entra_refused" && failure.verdict === "credential_refused"
    ? failure.evidence.codes
    : undefined;
}

/** Entra decides about the user only after it has accepted the client. */
function isCredentialAccepted(result: Result<EntraToken, Failure>): boolean {
  if (result.ok) return true;
  const { failure } = result;
  return failure.kind === "entra_refused" && ["consent_required", "interaction_required"].includes(failure.verdict);
}
