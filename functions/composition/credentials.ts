/**
 * The proof of clients' own credentials at Entra. The memory and the budget belong to the process; the policy says which
 * clients may use them. MSAL is a lazy chunk of the bundle.
 */
import type { CredentialProof, OwnCredentialOf } from "../../shared/caller/authenticate.ts";
import { createCredentialMemory } from "../../shared/client-authentication/credential-memory.ts";
import { createCredentialProof } from "../../shared/client-authentication/credential-proof.ts";
import { createGuessBudget } from "../../shared/client-authentication/guess-budget.ts";
import type { FixedConfig } from "../../shared/config/config.ts";
import { succeed } from "../../shared/core/result.ts";
import type { ClientCredential } from "../../shared/credential/client-credential.ts";
import type { CredentialSource } from "../../shared/entra/entra-client.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { CallerRule, Policy } from "../../shared/policy/rules.ts";
import { createThrottleMemory } from "../../shared/throttling/throttle-memory.ts";

export interface CredentialsInput {
  readonly config: FixedConfig;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** Call the result once for each policy: what the process remembers stays. */
export function createCredentials(input: CredentialsInput): (policy: Policy) => CredentialProof {
  const { cloud, tenantId, delegated } = input.config;
  const nowSeconds = () => Math.floor(input.nowMs() / 1_000);
  const authority = `${cloud.authorityHost}/${tenantId}`;
  const memories = { entra_secret: createCredentialMemory(), entra_assertion: createCredentialMemory() };
  const budget = createGuessBudget(nowSeconds);
  const throttles = createThrottleMemory(nowSeconds);
  return (policy) =>
    createCredentialProof({
      policy,
      memories,
      budget,
      throttles,
      nowSeconds,
      appIdUriOf: (entry) => appIdUriOf(policy, entry, delegated.appIdUri),
      assertionAudiences: [`${authority}/oauth2/v2.0/token`, `${authority}/v2.0`, `${authority}/oauth2/token`],
      entraAs: (credential) => entraAs(input, credential),
    });
}

// ------------------------------------------------------------------------------------------------------------------

function appIdUriOf({ registrations }: Policy, { registration }: CallerRule, appIdUri: string): string {
  const found = registration === undefined ? undefined : registrations[registration];
  return found === undefined ? appIdUri : (found.appIdUri ?? `api://${found.clientId}`);
}

/** A client for this one credential. MSAL keeps nothing after the call. */
async function entraAs({ config, outbound, nowMs, steadyMs, pause }: CredentialsInput, credential: OwnCredentialOf) {
  const { createEntraClient } = await import("../../shared/entra/entra-client.ts");
  return createEntraClient({
    cloud: config.cloud,
    tenantId: config.tenantId,
    clientId: credential.clientId,
    callbackUrl: `${config.serviceUrl}/oauth2/callback`,
    credential: sourceOf(credential),
    outbound,
    nowMs,
    steadyMs,
    pause,
  });
}

/** The caller's credential has one version, and the service reports nothing about it. */
function sourceOf(credential: OwnCredentialOf): CredentialSource {
  return {
    current: () => Promise.resolve(succeed(toClientCredential(credential))),
    refused: () => Promise.resolve(false),
    lookAgainSeconds: () => undefined,
    accepted: () => undefined,
  };
}

function toClientCredential({ method, value }: OwnCredentialOf): ClientCredential {
  const version = "presented";
  return method === "entra_secret"
    ? { kind: "secret", version, value }
    : { kind: "federated", version, assertion: value };
}
