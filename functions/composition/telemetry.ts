/**
 * OpenTelemetry, where the settings ask for it. The SDK is a lazy chunk of the bundle, read after the first answer and
 * never where telemetry is off.
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

export interface TelemetryInput {
  readonly config: Config;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
  readonly tokenCacheSize: () => CacheSize;
  readonly delegated: RegistrationWithCredential;
  readonly applicationOnly: RegistrationWithCredential | undefined;
}

const DAY_MS = 86_400_000;

export function createTelemetry(parts: TelemetryInput): Telemetry | undefined {
  const { telemetry } = parts.config;
  return telemetry === undefined
    ? undefined
    : createLazyTelemetry({
        load: () => load(parts, telemetry),
        onUnusable: () => parts.operatorLog.add({ event: "telemetry", name: "unusable" }),
      });
}

async function load(parts: TelemetryInput, telemetry: TelemetryConfig): Promise<Recorder> {
  const [{ createOpenTelemetry }, { createOtlpSender }, outbound] = await Promise.all([
    import("../../shared/telemetry/open-telemetry.ts"),
    import("../../shared/telemetry/otlp-sender.ts"),
    wayOut(parts, telemetry),
  ]);
  const { endpoint, headersSecretName } = telemetry;
  const sender = createOtlpSender({
    endpoint,
    outbound,
    headers: headersSecretName === undefined ? undefined : () => readHeaders(parts, headersSecretName),
    onChange: (change) => parts.operatorLog.add({ event: "telemetry", ...change }),
  });
  return createOpenTelemetry({
    config: telemetry,
    instanceId: randomUUID(),
    apis: Object.keys(parts.config.policy.apis),
    sender,
    gauges: { tokenCache: parts.tokenCacheSize, credentials: () => credentials(parts) },
  });
}

/** The configuration allows http on this machine only, and there only in the local cloud. */
async function wayOut({ outbound }: TelemetryInput, { endpoint }: TelemetryConfig): Promise<Outbound> {
  if (endpoint.startsWith("https:")) return outbound;
  const { createLoopbackOutbound } = await import("../../shared/outbound/loopback-outbound.ts");
  return createLoopbackOutbound();
}

async function readHeaders({ azure }: TelemetryInput, secretName: string) {
  const secret = await (await azure.vault()).readSecret(secretName);
  return secret.ok ? succeed(secret.value.value) : secret;
}

/** What is known of the credentials without asking anybody for them. */
async function credentials({ delegated, applicationOnly, nowMs }: TelemetryInput) {
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
