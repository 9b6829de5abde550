/**
 * OpenTelemetry, if the settings enable it. The SDK is a lazy chunk of the bundle. It is loaded after the first
 * response, and never if telemetry is off.
 */
import { randomUUID } from "node:crypto";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CacheSize } from "../../shared/cache/memory-cache.ts";
import type { FixedConfig, TelemetryConfig } from "../../shared/config/config.ts";
import { succeed } from "../../shared/core/result.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import { createLazyTelemetry, type Recorder, type Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Azure } from "./azure.ts";
import { outboundFor } from "./outbound-for.ts";
import type { RegistrationWithCredential } from "./registration.ts";

export interface TelemetryInput {
  readonly config: FixedConfig;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
  /** The names of the APIs in the policy. */
  readonly apis: () => readonly string[];
  readonly tokenCacheSize: () => CacheSize;
  readonly delegated: RegistrationWithCredential;
  readonly applicationOnly: RegistrationWithCredential | undefined;
}

const DAY_MS = 86_400_000;

export function createTelemetry(input: TelemetryInput): Telemetry | undefined {
  const { telemetry } = input.config;
  return telemetry === undefined
    ? undefined
    : createLazyTelemetry({
        load: () => load(input, telemetry),
        onUnusable: () => input.operatorLog.add({ event: "telemetry", name: "unusable" }),
      });
}

// ------------------------------------------------------------------------------------------------------------------

async function load(input: TelemetryInput, telemetry: TelemetryConfig): Promise<Recorder> {
  const [{ createOpenTelemetry }, { createOtlpSender }, outbound] = await Promise.all([
    import("../../shared/telemetry/open-telemetry.ts"),
    import("../../shared/telemetry/otlp-sender.ts"),
    outboundFor(input.outbound, telemetry.endpoint),
  ]);
  const { endpoint, headersSecretName } = telemetry;
  const sender = createOtlpSender({
    endpoint,
    outbound,
    headers: headersSecretName === undefined ? undefined : () => readHeaders(input, headersSecretName),
    onChange: (change) => input.operatorLog.add({ event: "telemetry", ...change }),
  });
  return createOpenTelemetry({
    config: telemetry,
    instanceId: randomUUID(),
    apis: input.apis,
    sender,
    gauges: { tokenCache: input.tokenCacheSize, credentials: () => credentialDays(input) },
  });
}

async function readHeaders({ azure }: TelemetryInput, secretName: string) {
  const secret = await (await azure.vault()).readSecret(secretName);
  return secret.ok ? succeed(secret.value.value) : secret;
}

/** Days to expiry of the credentials that are already loaded, without a call to Key Vault. */
async function credentialDays({ delegated, applicationOnly, nowMs }: TelemetryInput) {
  const registrations = [
    { registration: "delegated", source: await delegated.credential() },
    ...(applicationOnly === undefined
      ? []
      : [{ registration: "application", source: await applicationOnly.credential() } as const]),
  ] as const;
  return registrations.flatMap(({ registration, source }) => {
    const { expiresAtSeconds } = source.describe();
    return expiresAtSeconds === undefined
      ? []
      : [{ registration, days: (expiresAtSeconds * 1_000 - nowMs()) / DAY_MS }];
  });
}
