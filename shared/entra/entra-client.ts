/**
 * Stage 4 of 5: Entra. MSAL Node is the protocol client and nothing else: a fresh confidential client for every call,
 * because MSAL's own cache is slow with many users and its throttle makes one user's 429 everybody's. Our cache decides
 * what is asked; this file asks. Loaded lazily: it is the only importer of MSAL.
 */
import { ConfidentialClientApplication, type Configuration } from "@azure/msal-node";
import type { Cloud } from "../config/clouds.ts";
import type { ClientCredential } from "../credential/client-credential.ts";
import type { Failure } from "../failure.ts";
import type { Outbound, OutboundFailure } from "../outbound/outbound.ts";
import { fail, type Result } from "../result.ts";
import type { EntraClient, EntraToken } from "./entra-token.ts";
import { NetworkRecorder } from "./network-recorder.ts";
import { type FailedRequest, readRefusal } from "./read-answer.ts";
import { readToken } from "./read-token.ts";

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
  readonly credential: CredentialSource;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
}

/** What varies between the calls: how MSAL is asked, and what to say if it fails. */
interface Call {
  readonly cae: boolean;
  readonly failed: FailedRequest;
  ask(client: ConfidentialClientApplication): Promise<unknown>;
}

/** Makes the client of one registration. */
export function createEntraClient(options: EntraClientOptions): EntraClient {
  const authority = authorityOf(options);
  return {
    onBehalfOf: ({ assertion, presentedAs, scopes, claims, correlationId, cae }) =>
      acquire(options, authority, {
        cae,
        failed: { scopes, grantKind: "assertion", presentedAs },
        ask: (client) =>
          client.acquireTokenOnBehalfOf({
            oboAssertion: assertion.reveal(),
            scopes: [...scopes],
            correlationId,
            skipCache: true,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
    redeemRefreshToken: ({ refreshToken, scopes, claims, correlationId, cae }) =>
      acquire(options, authority, {
        cae,
        failed: { scopes, grantKind: "refresh_token" },
        ask: (client) =>
          client.acquireTokenByRefreshToken({
            refreshToken: refreshToken.reveal(),
            scopes: [...scopes],
            correlationId,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
    clientCredentials: ({ scopes, claims, correlationId, cae }) =>
      acquire(options, authority, {
        cae,
        failed: { scopes, grantKind: "application" },
        ask: (client) =>
          client.acquireTokenByClientCredential({
            scopes: [...scopes],
            correlationId,
            skipCache: true,
            ...(claims === undefined ? {} : { claims }),
          }),
      }),
  };
}

/** One call, and one more when Entra refused our credential and the vault holds another. */
async function acquire(
  options: EntraClientOptions,
  authority: Authority,
  call: Call,
): Promise<Result<EntraToken, Failure>> {
  for (let attempt = 1; ; attempt++) {
    const credential = await options.credential.current();
    if (!credential.ok) {
      return credential;
    }
    const result = await askOnce(options, authority, credential.value, call);
    if (result.ok || !isCredentialRefused(result.failure) || attempt > CREDENTIAL_RETRIES) {
      return result;
    }
    if (!(await options.credential.refused(credential.value.version))) {
      return result;
    }
  }
}

/** A new secret may be refused while Entra's replicas catch up; the one before it is then tried. Never more. */
const CREDENTIAL_RETRIES = 1;

async function askOnce(
  options: EntraClientOptions,
  authority: Authority,
  credential: ClientCredential,
  call: Call,
): Promise<Result<EntraToken, Failure>> {
  const recorder = new NetworkRecorder(options.outbound);
  let msalError: unknown;
  try {
    await call.ask(new ConfidentialClientApplication(configuration(options, authority, credential, recorder, call)));
  } catch (error) {
    msalError = error;
  }
  const { answer } = recorder;
  if (answer === undefined) {
    return fail(unanswered(recorder.failure));
  }
  if (answer.status !== 200) {
    return fail(readRefusal(answer, call.failed, options.nowMs()));
  }
  // MSAL takes a 200 without a token for a success, and throws for an id token that it cannot read.
  const token = msalError === undefined ? readToken(answer.body, options.nowMs()) : undefined;
  return token ?? fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
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

interface Authority {
  readonly url: string;
  readonly host: string;
  /** The authority's discovery document, as MSAL takes it: with it given, MSAL makes no discovery request. */
  readonly metadata: string;
  readonly cloudDiscovery: string;
}

function authorityOf({ cloud, tenantId }: EntraClientOptions): Authority {
  const url = `${cloud.authorityHost}/${tenantId}`;
  const { host } = new URL(url);
  return {
    url,
    host,
    metadata: JSON.stringify({
      issuer: `${url}/v2.0`,
      authorization_endpoint: `${url}/oauth2/v2.0/authorize`,
      token_endpoint: `${url}/oauth2/v2.0/token`,
      end_session_endpoint: `${url}/oauth2/v2.0/logout`,
      jwks_uri: `${url}/discovery/v2.0/keys`,
    }),
    cloudDiscovery: JSON.stringify({
      tenant_discovery_endpoint: `${url}/v2.0/.well-known/openid-configuration`,
      "api-version": "1.1",
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    }),
  };
}

function configuration(
  options: EntraClientOptions,
  authority: Authority,
  credential: ClientCredential,
  networkClient: NetworkRecorder,
  call: Call,
): Configuration {
  return {
    auth: {
      clientId: options.clientId,
      authority: authority.url,
      authorityMetadata: authority.metadata,
      cloudDiscoveryMetadata: authority.cloudDiscovery,
      knownAuthorities: [authority.host],
      ...(call.cae ? { clientCapabilities: ["cp1"] } : {}),
      ...msalCredential(credential),
    },
    system: { networkClient },
  };
}

function msalCredential(credential: ClientCredential): Partial<Configuration["auth"]> {
  switch (credential.kind) {
    case "secret":
      return { clientSecret: credential.value.reveal() };
    case "certificate":
      return {
        clientCertificate: {
          thumbprintSha256: credential.thumbprintSha256,
          privateKey: credential.privateKey.reveal(),
        },
      };
    case "federated":
      return { clientAssertion: credential.assertion.reveal() };
  }
}
