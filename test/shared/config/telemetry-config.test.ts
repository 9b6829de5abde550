import { describe, expect, test } from "vitest";
import { SETTINGS, type SettingName } from "../../../shared/config/settings.ts";
import { telemetryProblems, toTelemetryConfig } from "../../../shared/config/telemetry-config.ts";

const HTTPS = "https://otlp.example";
const values = (given: Partial<Record<SettingName, string>>) =>
  new Map(Object.entries({ CLOUD: "public", OTEL_EXPORTER_OTLP_ENDPOINT: HTTPS, ...given }) as [SettingName, string][]);

describe("OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  test.each([
    ["public", "http://127.0.0.1:4318"],
    ["usgov", "http://localhost:4318"],
    ["local", "http://otlp.example"],
    ["local", "http://127.0.0.1.example:4318"],
    ["local", "http://10.0.0.1:4318"],
  ])(
    "in cloud %s, %s is refused: http is only for this machine in the local cloud",
    (CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT) => {
      expect(telemetryProblems(values({ CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT }))).toEqual([
        "OTEL_EXPORTER_OTLP_ENDPOINT must use https: http is allowed only with CLOUD=local and a host on this machine",
      ]);
    },
  );

  test.each([
    ["public", HTTPS],
    ["local", HTTPS],
    ["local", "http://127.0.0.1:4318"],
    ["local", "http://[::1]:4318/otlp"],
    ["local", "http://localhost:4318"],
  ])("in cloud %s, %s is accepted", (CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT) => {
    expect(telemetryProblems(values({ CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT }))).toEqual([]);
  });
});

test("OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME without KEY_VAULT_URL is a problem", () => {
  const given = { OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "otlp-headers" };
  expect(telemetryProblems(values(given))).toEqual([
    "KEY_VAULT_URL is missing: OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME names a secret in Key Vault",
  ]);
  expect(telemetryProblems(values({ ...given, KEY_VAULT_URL: "https://kv.vault.azure.net" }))).toEqual([]);
});

describe("the form of the OTEL settings", () => {
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
  ] as const)("%s refuses %s", (name, value) => {
    expect(accepts(name, value)).toBe(false);
  });
  test.each(["0", "1", "0.25", "1.0"])("OTEL_TRACES_SAMPLER_ARG accepts %s", (ratio) => {
    expect(accepts("OTEL_TRACES_SAMPLER_ARG", ratio)).toBe(true);
  });
  test.each(Object.keys(SETTINGS).filter((name) => name.startsWith("OTEL_")) as SettingName[])(
    "%s accepts its documented example",
    (name) => {
      expect(accepts(name, SETTINGS[name].example)).toBe(true);
    },
  );
});

test("telemetry is off without an endpoint, even if other OTEL settings are set", () => {
  expect(toTelemetryConfig(new Map([["OTEL_SERVICE_NAME", "x"]]))).toBeUndefined();
});

test("the telemetry configuration contains the values of the OTEL settings", () => {
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
