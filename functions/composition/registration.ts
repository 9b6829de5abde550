/** One app registration: its credential, and the Entra client that uses it. MSAL is a lazy chunk of the bundle. */

import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { FixedConfig, RegistrationConfig } from "../../shared/config/config.ts";
import { fail } from "../../shared/core/result.ts";
import type { ClientCredentialSource } from "../../shared/credential/client-credential.ts";
import type { CredentialEvent } from "../../shared/credential/credential-event.ts";
import { fromCredentialFailure } from "../../shared/credential/credential-failure.ts";
import type { CredentialSource } from "../../shared/entra/entra-client.ts";
import type { Registration } from "../../shared/entra/registration.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";

export interface RegistrationInput {
  readonly config: FixedConfig;
  readonly registration: RegistrationConfig;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  readonly operatorLog: OperatorLog;
}

export interface RegistrationWithCredential extends Registration {
  /** For people: in logs and metrics. */
  readonly name: string;
  credential(): Promise<ClientCredentialSource>;
}

export function createRegistration(input: RegistrationInput): RegistrationWithCredential {
  const { config, registration, outbound, nowMs, steadyMs, pause } = input;
  const credential = once(() => createCredential(input));
  const entra = once(async () => {
    const [{ createEntraClient }, source] = await Promise.all([
      import("../../shared/entra/entra-client.ts"),
      credential(),
    ]);
    return createEntraClient({
      cloud: config.cloud,
      tenantId: config.tenantId,
      clientId: registration.clientId,
      callbackUrl: `${config.serviceUrl}/oauth2/callback`,
      credential: toCredentialSource(source),
      outbound,
      nowMs,
      steadyMs,
      pause,
    });
  });
  return { name: registration.name, clientId: registration.clientId, credential, entra };
}

// ------------------------------------------------------------------------------------------------------------------

async function createCredential({
  config,
  registration,
  azure,
  nowMs,
  pause,
  operatorLog,
}: RegistrationInput): Promise<ClientCredentialSource> {
  const { name, credential } = registration;
  const onEvent = (event: CredentialEvent) => operatorLog.add({ event: "credential", registration: name, ...event });
  switch (credential.kind) {
    case "key-vault-secret": {
      const { createClientSecret } = await import("../../shared/credential/client-secret.ts");
      return createClientSecret({ vault: await azure.vault(), name: credential.secretName, now: nowMs, onEvent });
    }
    case "key-vault-certificate": {
      const { createClientCertificate } = await import("../../shared/credential/client-certificate.ts");
      const vault = await azure.vault();
      return createClientCertificate({ vault, name: credential.certificateName, now: nowMs, onEvent });
    }
    case "managed-identity": {
      const { createFederatedCredential } = await import("../../shared/credential/federated-credential.ts");
      const identity = await azure.identity();
      const { federationAudience } = config.cloud;
      return createFederatedCredential({ identity, federationAudience, now: nowMs, pause, onEvent });
    }
  }
}

function toCredentialSource(source: ClientCredentialSource): CredentialSource {
  return {
    async current() {
      const current = await source.current();
      return current.ok ? current : fail(fromCredentialFailure(current.failure));
    },
    refused: source.refused,
    lookAgainSeconds: source.lookAgainSeconds,
    accepted: source.accepted,
  };
}
