/** The settings of OpenTelemetry: their contradictions, and their part of the `Config`. Pure. */
import { isLoopbackUrl } from "../core/loopback.ts";
import { type TelemetryConfig, TRACE_SAMPLERS } from "./config.ts";
import type { SettingName } from "./settings.ts";

type Values = ReadonlyMap<SettingName, string>;

/** Plain http is allowed only in the local cloud and only to this machine. */
export function telemetryProblems(values: Values): string[] {
  const problems: string[] = [];
  const endpoint = values.get("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (endpoint === undefined) return problems;
  if (!endpoint.startsWith("https://") && !(values.get("CLOUD") === "local" && isLoopbackUrl(endpoint))) {
    problems.push(
      "OTEL_EXPORTER_OTLP_ENDPOINT must use https: http is allowed only with CLOUD=local and a host on this machine",
    );
  }
  if (values.has("OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME") && !values.has("KEY_VAULT_URL")) {
    problems.push("KEY_VAULT_URL is missing: OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME names a secret in Key Vault");
  }
  return problems;
}

/** Undefined without an endpoint: telemetry is then off. */
export function toTelemetryConfig(values: Values): TelemetryConfig | undefined {
  const endpoint = values.get("OTEL_EXPORTER_OTLP_ENDPOINT");
  const sampler = TRACE_SAMPLERS.find((name) => name === values.get("OTEL_TRACES_SAMPLER"));
  return endpoint === undefined
    ? undefined
    : {
        endpoint,
        serviceName: values.get("OTEL_SERVICE_NAME") ?? "",
        headersSecretName: values.get("OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME"),
        sampler: sampler ?? "parentbased_always_on",
        samplerRatio: Number(values.get("OTEL_TRACES_SAMPLER_ARG")),
      };
}
