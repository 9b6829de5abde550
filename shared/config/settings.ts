/**
 * Every setting of the service: name, form, default and meaning. `environment.ts` reads them, docs/configuration.md is
 * generated from them, and a test holds local.settings.sample.json and the Bicep template against them.
 */
import * as z from "zod/mini";
import { CLOUD_NAMES } from "./clouds.ts";
import { TRACE_SAMPLERS } from "./config.ts";

// Schemas run once, at the start: compiling them first costs more than it saves.
z.config({ jitless: true });

export interface Setting {
  /** What it must look like; the value is text. */
  readonly form: z.ZodMiniType<string>;
  /** The form in words, for the error that names it. */
  readonly mustBe: string;
  /** "always", "never", or when it is needed. */
  readonly required: "always" | "no" | string;
  readonly fallback?: string;
  readonly meaning: string;
  readonly example: string;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const text = (form: RegExp) => z.string().check(z.regex(form), z.maxLength(1_024));
/** A regular expression alone lets through what no URL parser takes, and a parser's error would show the value. */
const url = (form: RegExp) => z.string().check(z.regex(form), z.maxLength(1_024), z.refine(URL.canParse));
const oneOf = (...values: [string, ...string[]]) => z.enum(values);

const guid = { form: text(GUID), mustBe: "a GUID" };
const flag = { form: oneOf("true", "false"), mustBe: "true or false" };
const secretName = { form: text(/^[0-9a-zA-Z-]{1,127}$/), mustBe: "a Key Vault name: letters, digits, hyphens" };
const origin = {
  form: url(/^https?:\/\/[^/\\?#@\s]+$/),
  mustBe: "an origin: scheme and host, no path, no trailing slash",
};

export const SETTINGS = {
  CLOUD: {
    form: z.enum(CLOUD_NAMES),
    mustBe: `one of ${CLOUD_NAMES.join(", ")}`,
    required: "always",
    meaning: "Picks Entra's, Graph's and Azure's hosts. `local` is the embedded tenant and is refused in Azure.",
    example: "public",
  },
  TENANT_ID: {
    ...guid,
    required: "always",
    meaning: "The Entra tenant that this deployment serves. Tokens of any other are refused.",
    example: "11111111-2222-3333-4444-555555555555",
  },
  SERVICE_URL: {
    ...origin,
    required: "always",
    meaning: "Where callers reach the service. Every URL of ours is built from it, never from `Host`.",
    example: "https://func-gte-contoso.azurewebsites.net",
  },
  CLIENT_ID: {
    ...guid,
    required: "always",
    meaning: "The registration whose delegated rights are exchanged; the audience of caller tokens.",
    example: "66666666-7777-8888-9999-000000000000",
  },
  APP_ID_URI: {
    form: url(/^(api|https):\/\/[\w.~-]+(\/[\w.~-]+)*$/),
    mustBe: "an App ID URI: api:// or https://, no trailing slash",
    required: "no",
    meaning:
      "App ID URI of that registration. Callers ask Entra for the scope `access_as_user` under it. Unset: `api://` and CLIENT_ID.",
    example: "api://11111111-2222-3333-4444-555555555555/graph-token-exchange",
  },
  CLIENT_CREDENTIAL: {
    form: oneOf("key-vault-secret", "key-vault-certificate", "managed-identity"),
    mustBe: "one of key-vault-secret, key-vault-certificate, managed-identity",
    required: "always",
    meaning: "How the service proves to Entra that it is the registration. `managed-identity` needs no secret at all.",
    example: "managed-identity",
  },
  POLICY: {
    form: z.string().check(z.minLength(2), z.maxLength(256 * 1024)),
    mustBe: "JSON of at most 256 KiB",
    required: "always",
    meaning: "Who may have what, as JSON: see [the policy](#the-policy). Denied by default.",
    example: '{"apis":{"graph":{"resource":"https://graph.microsoft.com","scopes":["User.Read"]}},"callers":[]}',
  },
  KEY_VAULT_URL: {
    ...origin,
    required: "for key-vault credentials, for grants and for Redis",
    meaning: "The Key Vault with the client credential, the sealing key and the cache key.",
    example: "https://kv-gte-contoso.vault.azure.net",
  },
  CLIENT_SECRET_NAME: {
    ...secretName,
    required: "no",
    fallback: "client-secret",
    meaning: "Secret with the client secret, for `key-vault-secret`.",
    example: "client-secret",
  },
  CLIENT_CERTIFICATE_NAME: {
    ...secretName,
    required: "no",
    fallback: "client-certificate",
    meaning: "Certificate (content type application/x-pem-file), for `key-vault-certificate`.",
    example: "client-certificate",
  },
  MANAGED_IDENTITY_CLIENT_ID: {
    ...guid,
    required: "no",
    meaning: "Client id of a user-assigned identity. Without it, the system-assigned one is used.",
    example: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
  },
  GRANT_STORE_URL: {
    form: url(/^https?:\/\/[^\\?#@\s]+$/),
    mustBe: "the URL of a table service",
    required: "when policy allows offlineAccess or importRefreshTokens",
    meaning: "Azure Table Storage for grants. Without it, no permission can be kept.",
    example: "https://stgtecontoso.table.core.windows.net",
  },
  GRANT_TABLE_NAME: {
    form: text(/^[A-Za-z][A-Za-z0-9]{2,62}$/),
    mustBe: "a table name: 3 to 63 letters and digits",
    required: "no",
    fallback: "grants",
    meaning: "Table for grants.",
    example: "grants",
  },
  GRANT_REAP: {
    form: oneOf("dry-run", "delete"),
    mustBe: "dry-run or delete",
    required: "no",
    fallback: "dry-run",
    meaning: "What the nightly timer does with expired grants: count them, or delete them.",
    example: "delete",
  },
  SEALING_KEY_NAME: {
    ...secretName,
    required: "no",
    fallback: "sealing-key",
    meaning: "Secret with 32 random bytes in base64; half of the key of every grant.",
    example: "sealing-key",
  },
  V1_TOKEN_AUDIENCES: {
    form: text(/^[^\s,]+(,[^\s,]+)*$/),
    mustBe: "audiences separated by commas",
    required: "no",
    meaning:
      "Accept v1 caller tokens with exactly these audiences. Unset: v2 tokens only, which is what the template sets up.",
    example: "api://66666666-7777-8888-9999-000000000000",
  },
  ALLOW_GUESTS: {
    ...flag,
    required: "no",
    fallback: "false",
    meaning: "Accept tokens of guest users.",
    example: "false",
  },
  APP_ONLY_CLIENT_ID: {
    ...guid,
    required: "when policy allows client-credentials",
    meaning: "Second registration, without delegated permissions, for the application's own tokens.",
    example: "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
  },
  APP_ONLY_CLIENT_SECRET_NAME: {
    ...secretName,
    required: "no",
    fallback: "app-only-client-secret",
    meaning: "Secret of the second registration, for `key-vault-secret`.",
    example: "app-only-client-secret",
  },
  APP_ONLY_CLIENT_CERTIFICATE_NAME: {
    ...secretName,
    required: "no",
    fallback: "app-only-client-certificate",
    meaning: "Certificate of the second registration, for `key-vault-certificate`.",
    example: "app-only-client-certificate",
  },
  TOKEN_CACHE_MAX_BYTES: {
    form: text(/^[1-9][0-9]{5,10}$/),
    mustBe: "a number of bytes, at least 100000",
    required: "no",
    fallback: String(64 * 1024 * 1024),
    meaning: "Memory for cached tokens in one instance, bytes.",
    example: "67108864",
  },
  REDIS_URL: {
    form: url(/^rediss?:\/\/[^/\\?#@\s]+:\d{1,5}$/),
    mustBe: "rediss://host:port, without user, password or path",
    required: "no",
    meaning:
      "Azure Managed Redis as the second level of the token cache, shared by all instances. Entries are encrypted; the service signs in with its own identity.",
    example: "rediss://redis-gte-contoso.westeurope.redis.azure.net:10000",
  },
  CACHE_KEY_NAME: {
    ...secretName,
    required: "no",
    fallback: "cache-key",
    meaning: "Secret with 32 random bytes in base64, which the entries in Redis are encrypted with.",
    example: "cache-key",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    form: url(/^https?:\/\/[^/\\?#@\s]+(\/[^\\?#@\s]*)?$/),
    mustBe: "https without user or query",
    required: "no",
    meaning:
      "Switches OpenTelemetry on: metrics and spans go to `/v1/metrics` and `/v1/traces` behind this URL, as OTLP with JSON. See telemetry.md.",
    example: "https://otlp.contoso.example",
  },
  OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: {
    ...secretName,
    required: "no",
    meaning:
      "Secret with the headers that the OTLP endpoint wants, in the form of OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`.",
    example: "otlp-headers",
  },
  OTEL_SERVICE_NAME: {
    form: text(/^[A-Za-z0-9._-]{1,100}$/),
    mustBe: "at most 100 letters, digits, dots, underscores and hyphens",
    required: "no",
    fallback: "graph-token-exchange",
    meaning: "`service.name` of metrics and spans.",
    example: "graph-token-exchange",
  },
  OTEL_TRACES_SAMPLER: {
    form: z.enum(TRACE_SAMPLERS),
    mustBe: `one of ${TRACE_SAMPLERS.join(", ")}`,
    required: "no",
    fallback: "parentbased_always_on",
    meaning: "Which exchanges give a span. Metrics count every one, and audit events are never sampled.",
    example: "always_on",
  },
  OTEL_TRACES_SAMPLER_ARG: {
    form: text(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/),
    mustBe: "a number from 0 to 1",
    required: "no",
    fallback: "1",
    meaning: "Part of the traces that a sampler with `traceidratio` in its name takes.",
    example: "0.1",
  },
  LOCAL_TENANT_URL: {
    form: url(/^https:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$/),
    mustBe: "https on 127.0.0.1, [::1] or localhost, with a port",
    required: "for CLOUD=local, and only there",
    meaning: "The embedded local tenant.",
    example: "https://localhost:7443",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
