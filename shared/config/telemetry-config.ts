/** OpenTelemetry's settings: what does not go together, and the part of the `Config` that they make. Pure. */
import { type TelemetryConfig, TRACE_SAMPLERS } from "./config.ts";
import type { SettingName } from "./settings.ts";

type Values = ReadonlyMap<SettingName, string>;

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/** Without TLS only on the machine itself, and only in the local cloud. */
export function telemetryProblems(values: Values): string[] {
  const problems: string[] = [];
  const endpoint = values.get("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (endpoint === undefined) return problems;
  const { protocol, hostname } = new URL(endpoint);
  if (protocol !== "https:" && !(values.get("CLOUD") === "local" && LOOPBACK.includes(hostname))) {
    problems.push("OTEL_EXPORTER_OTLP_ENDPOINT must be https");
  }
  if (values.has("OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME") && !values.has("KEY_VAULT_URL")) {
    problems.push("KEY_VAULT_URL is missing: OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME is a secret in it");
  }
  return problems;
}

/** Undefined without an endpoint: telemetry is off. */
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
