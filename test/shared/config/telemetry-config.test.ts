import { describe, expect, test } from "vitest";
import { SETTINGS, type SettingName } from "../../../shared/config/settings.ts";
import { telemetryProblems, toTelemetryConfig } from "../../../shared/config/telemetry-config.ts";

const HTTPS = "https://otlp.example";
const values = (given: Partial<Record<SettingName, string>>) =>
  new Map(Object.entries({ CLOUD: "public", OTEL_EXPORTER_OTLP_ENDPOINT: HTTPS, ...given }) as [SettingName, string][]);

describe("without TLS: this machine, in the local cloud", () => {
  test.each([
    ["public", "http://127.0.0.1:4318"],
    ["usgov", "http://localhost:4318"],
    ["local", "http://otlp.example"],
    ["local", "http://127.0.0.1.example:4318"],
    ["local", "http://10.0.0.1:4318"],
  ])("refused: %s %s", (CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT) => {
    expect(telemetryProblems(values({ CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT }))).toEqual([
      "OTEL_EXPORTER_OTLP_ENDPOINT must be https",
    ]);
  });

  test.each([
    ["public", HTTPS],
    ["local", HTTPS],
    ["local", "http://127.0.0.1:4318"],
    ["local", "http://[::1]:4318/otlp"],
    ["local", "http://localhost:4318"],
  ])("taken: %s %s", (CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT) => {
    expect(telemetryProblems(values({ CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT }))).toEqual([]);
  });
});

test("headers from the vault need a vault", () => {
  const given = { OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "otlp-headers" };
  expect(telemetryProblems(values(given))).toEqual([
    "KEY_VAULT_URL is missing: OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME is a secret in it",
  ]);
  expect(telemetryProblems(values({ ...given, KEY_VAULT_URL: "https://kv.vault.azure.net" }))).toEqual([]);
});

describe("the form of the settings", () => {
  const accepts = (name: SettingName, value: string) => SETTINGS[name].form.safeParse(value).success;
  test.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "otlp.example"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:secret@otlp.example"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example/?key=secret"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://otlp.example"],
    ["OTEL_SERVICE_NAME", "a b"],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
    ["OTEL_TRACES_SAMPLER_ARG", "-1"],
  ] as const)("%s is not %s", (name, value) => {
    expect(accepts(name, value)).toBe(false);
  });
  test.each(["0", "1", "0.25", "1.0"])("a ratio of %s", (ratio) => {
    expect(accepts("OTEL_TRACES_SAMPLER_ARG", ratio)).toBe(true);
  });
  test.each(Object.keys(SETTINGS).filter((name) => name.startsWith("OTEL_")) as SettingName[])(
    "the example of %s is one",
    (name) => {
      expect(accepts(name, SETTINGS[name].example)).toBe(true);
    },
  );
});

test("off without an endpoint, whatever else is set", () => {
  expect(toTelemetryConfig(new Map([["OTEL_SERVICE_NAME", "x"]]))).toBeUndefined();
});

test("the settings as they are", () => {
  expect(
    toTelemetryConfig(
      values({
        OTEL_SERVICE_NAME: "tokens",
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.25",
        OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "otlp-headers",
      }),
    ),
  ).toEqual({
    endpoint: HTTPS,
    serviceName: "tokens",
    headersSecretName: "otlp-headers",
    sampler: "traceidratio",
    samplerRatio: 0.25,
  });
});
