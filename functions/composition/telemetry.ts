/**
 * OpenTelemetry, if the settings enable it. The SDK is a lazy chunk of the bundle. It is loaded after the first
 * response, and never if telemetry is off.
 */
import { randomUUID } from "node:crypto";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CacheSize } from "../../shared/cache/memory-cache.ts";
import type { Config, TelemetryConfig } from "../../shared/config/config.ts";
import { succeed } from "../../shared/core/result.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import { createLazyTelemetry, type Recorder, type Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Azure } from "./azure.ts";
import type { RegistrationWithCredential } from "./registration.ts";
import type { RegistrationsWithCredentials } from "./registrations.ts";

export interface TelemetryInput {
  readonly config: Config;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
  readonly tokenCacheSize: () => CacheSize;
  readonly registrations: RegistrationsWithCredentials;
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
    outboundFor(input, telemetry),
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
    apis: Object.keys(input.config.policy.apis),
    registrations: input.config.registrations.map(({ name }) => name),
    sender,
    gauges: { tokenCache: input.tokenCacheSize, credentials: () => credentialDays(input) },
  });
}

/** The configuration allows http only for a loopback endpoint, and only in the local cloud. */
async function outboundFor({ outbound }: TelemetryInput, { endpoint }: TelemetryConfig): Promise<Outbound> {
  if (endpoint.startsWith("https:")) return outbound;
  const { createLoopbackOutbound } = await import("../../shared/outbound/loopback-outbound.ts");
  return createLoopbackOutbound();
}

async function readHeaders({ azure }: TelemetryInput, secretName: string) {
  const secret = await (await azure.vault()).readSecret(secretName);
  return secret.ok ? succeed(secret.value.value) : secret;
}

/** Days to expiry of the credentials that are already loaded, without a call to Key Vault. */
async function credentialDays({ registrations, applicationOnly, nowMs }: TelemetryInput) {
  const all = [...registrations.all, ...(applicationOnly === undefined ? [] : [applicationOnly])];
  const described = await Promise.all(
    all.map(async ({ name, credential }) => ({ name, ...(await credential()).describe() })),
  );
  return described.flatMap(({ name, expiresAtSeconds }) =>
    expiresAtSeconds === undefined ? [] : [{ registration: name, days: (expiresAtSeconds * 1_000 - nowMs()) / DAY_MS }],
  );
}
