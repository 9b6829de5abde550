/**
 * All settings of the service: name, form, default and meaning. `environment.ts` reads them, docs/configuration.md is
 * generated from them, and tests compare local.settings.sample.json and the Bicep template with them.
 */

import * as z from "zod/mini";
import { listAsCopied, redisUrlAsCopied, serviceUrlAsCopied, urlAsCopied, wordAsCopied } from "./as-copied.ts";
import { CLOUD_NAMES } from "./clouds.ts";
import { TRACE_SAMPLERS } from "./config.ts";
import { flag, guid, oneOf, origin, type Setting, secretName, text, url } from "./setting-forms.ts";

export const SETTINGS = {
  CLOUD: {
    form: z.enum(CLOUD_NAMES),
    asCopied: wordAsCopied,
    mustBe: `one of ${CLOUD_NAMES.join(", ")}`,
    required: "always",
    meaning:
      "Selects the hosts of Entra, Graph and Azure. `local` is the local tenant that `npm start` runs; the service refuses it in Azure.",
    example: "public",
  },
  TENANT_ID: {
    ...guid,
    required: "always",
    meaning: "The Entra tenant of this deployment. The service refuses tokens of any other tenant.",
    example: "11111111-2222-3333-4444-555555555555",
  },
  SERVICE_URL: {
    ...origin,
    asCopied: serviceUrlAsCopied,
    required: "always",
    meaning: "The public address of the service. The service builds all its URLs from it, never from `Host`.",
    example: "https://func-gte-contoso.azurewebsites.net",
  },
  CLIENT_ID: {
    ...guid,
    required: "always",
    meaning: "The registration with the delegated permissions. It is also the audience of caller tokens.",
    example: "66666666-7777-8888-9999-000000000000",
  },
  APP_ID_URI: {
    form: url(/^(api|https):\/\/[\w.~-]+(\/[\w.~-]+)*$/),
    mustBe: "an App ID URI: api:// or https://",
    asCopied: urlAsCopied,
    required: "no",
    meaning:
      "App ID URI of that registration. Callers request its scope `access_as_user` from Entra. Not set: `api://` and CLIENT_ID.",
    example: "api://11111111-2222-3333-4444-555555555555/graph-token-exchange",
  },
  CLIENT_CREDENTIAL: {
    form: oneOf("key-vault-secret", "key-vault-certificate", "managed-identity"),
    asCopied: wordAsCopied,
    mustBe: "one of key-vault-secret, key-vault-certificate, managed-identity",
    required: "always",
    meaning: "How the service authenticates to Entra as the registration. `managed-identity` needs no secret.",
    example: "managed-identity",
  },
  POLICY: {
    form: z.string().check(z.minLength(2), z.maxLength(256 * 1024)),
    mustBe: "JSON of at most 256 KiB",
    required: "unless POLICY_URL is set",
    meaning:
      "Which caller may get which scopes, as JSON: see [the policy](#the-policy). Denied by default. Azure limits a setting to 32 KB.",
    example: '{"apis":{"graph":{"resource":"https://graph.microsoft.com","scopes":["User.Read"]}},"callers":[]}',
  },
  POLICY_URL: {
    form: url(/^https?:\/\/[^/\\?#@\s]+(\/[\w.~%-]+){2,}$/),
    mustBe: "the URL of a blob, without a query",
    required: "no",
    meaning:
      "Instead of POLICY: the blob with the policy, as JSON of at most 1 MiB. The service reads it with its identity, and again while it runs: a change takes effect on every instance within a minute.",
    example: "https://stgtecontoso.blob.core.windows.net/policy/policy.json",
  },
  KEY_VAULT_URL: {
    ...origin,
    required: "for key-vault credentials, the authorization-code flow, grants and Redis",
    meaning: "The Key Vault with the client credential, the sealing key and the cache key.",
    example: "https://kv-gte-contoso.vault.azure.net",
  },
  CLIENT_SECRET_NAME: {
    ...secretName,
    required: "no",
    fallback: "client-secret",
    meaning: "Name of the vault secret with the client secret, for `key-vault-secret`.",
    example: "client-secret",
  },
  CLIENT_CERTIFICATE_NAME: {
    ...secretName,
    required: "no",
    fallback: "client-certificate",
    meaning: "Name of the vault certificate (content type application/x-pem-file), for `key-vault-certificate`.",
    example: "client-certificate",
  },
  MANAGED_IDENTITY_CLIENT_ID: {
    ...guid,
    required: "no",
    meaning: "Client id of a user-assigned identity. Not set: the service uses the system-assigned identity.",
    example: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
  },
  GRANT_STORE_URL: {
    form: url(/^https?:\/\/[^\\?#@\s]+$/),
    mustBe: "the URL of a table service",
    asCopied: urlAsCopied,
    required: "when policy allows offlineAccess or importRefreshTokens",
    meaning: "Azure Table Storage for grants. Not set: the service issues no grants.",
    example: "https://stgtecontoso.table.core.windows.net",
  },
  GRANT_TABLE_NAME: {
    form: text(/^[A-Za-z][A-Za-z0-9]{2,62}$/),
    mustBe: "a table name: a letter, then 2 to 62 letters and digits",
    required: "no",
    fallback: "grants",
    meaning: "Name of the table for grants.",
    example: "grants",
  },
  GRANT_REAP: {
    form: oneOf("dry-run", "delete"),
    asCopied: wordAsCopied,
    mustBe: "dry-run or delete",
    required: "no",
    fallback: "dry-run",
    meaning: "What the nightly timer does with expired grants: count them or delete them.",
    example: "delete",
  },
  SEALING_KEY_NAME: {
    ...secretName,
    required: "no",
    fallback: "sealing-key",
    meaning:
      "Name of the vault secret with 32 random bytes in base64: one of the two inputs to each grant's key, and the only key for sign-in state.",
    example: "sealing-key",
  },
  EVENT_GRID_TOPIC_ENDPOINT: {
    form: url(/^https?:\/\/[^/\\?#@\s]+(\/[\w.~-]+)+$/),
    mustBe: "the https endpoint of a topic, which ends with /api/events",
    asCopied: urlAsCopied,
    required: "no",
    meaning:
      "Event Grid topic that receives the [events of grants](events.md), with the CloudEvents schema. The service authenticates with its identity.",
    example: "https://evgt-contoso.westeurope-1.eventgrid.azure.net/api/events",
  },
  EVENT_WEBHOOK_URL: {
    form: url(/^https?:\/\/[^/\\?#@\s]+(\/[^\\#@\s]*)?$/),
    mustBe: "an https URL without user and fragment",
    required: "no",
    meaning: "Webhook that receives the [events of grants](events.md), one signed request for each.",
    example: "https://hooks.contoso.example/grants",
  },
  EVENT_WEBHOOK_SECRET_NAME: {
    ...secretName,
    required: "no",
    fallback: "event-webhook-secret",
    meaning: "Name of the vault secret that signs the webhook: `whsec_` and 24 to 64 random bytes in base64.",
    example: "event-webhook-secret",
  },
  V1_TOKEN_AUDIENCES: {
    form: text(/^[^\s,]+(,[^\s,]+)*$/),
    mustBe: "audiences separated by commas",
    asCopied: listAsCopied,
    required: "no",
    meaning:
      "Accept v1 caller tokens with exactly these audiences. Not set: v2 tokens only, which the template sets up.",
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
    meaning: "Client id of the app-only registration, without delegated permissions, for application tokens.",
    example: "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
  },
  APP_ONLY_CLIENT_SECRET_NAME: {
    ...secretName,
    required: "no",
    fallback: "app-only-client-secret",
    meaning: "Name of the vault secret of the app-only registration, for `key-vault-secret`.",
    example: "app-only-client-secret",
  },
  APP_ONLY_CLIENT_CERTIFICATE_NAME: {
    ...secretName,
    required: "no",
    fallback: "app-only-client-certificate",
    meaning: "Name of the vault certificate of the app-only registration, for `key-vault-certificate`.",
    example: "app-only-client-certificate",
  },
  TOKEN_CACHE_MAX_BYTES: {
    form: text(/^[1-9][0-9]{5,10}$/),
    mustBe: "a number of bytes, at least 100000",
    required: "no",
    fallback: String(64 * 1024 * 1024),
    meaning: "Memory for cached tokens in one instance, in bytes.",
    example: "67108864",
  },
  REDIS_URL: {
    form: url(/^rediss?:\/\/[^/\\?#@\s]+:\d{1,5}$/),
    mustBe: "rediss://host:port, without user, password and path",
    asCopied: redisUrlAsCopied,
    required: "no",
    meaning:
      "Azure Managed Redis: a token cache shared by all instances. Entries are encrypted. The service authenticates with its own identity.",
    example: "rediss://redis-gte-contoso.westeurope.redis.azure.net:10000",
  },
  CACHE_KEY_NAME: {
    ...secretName,
    required: "no",
    fallback: "cache-key",
    meaning: "Name of the vault secret with 32 random bytes in base64. They encrypt the entries in Redis.",
    example: "cache-key",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    form: url(/^https?:\/\/[^/\\?#@\s]+(\/[^\\?#@\s]*)?$/),
    mustBe: "an https URL without user, password and query",
    required: "no",
    meaning:
      "Turns OpenTelemetry on: metrics and spans go to this URL plus `/v1/metrics` and `/v1/traces`, as OTLP in JSON. See [telemetry.md](telemetry.md).",
    example: "https://otlp.contoso.example",
  },
  OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: {
    ...secretName,
    required: "no",
    meaning:
      "Name of the vault secret with the headers of the OTLP endpoint, in the form of OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`.",
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
    asCopied: wordAsCopied,
    mustBe: `one of ${TRACE_SAMPLERS.join(", ")}`,
    required: "no",
    fallback: "parentbased_always_on",
    meaning: "Which exchanges write a span. Metrics count every exchange, and audit events are never sampled.",
    example: "always_on",
  },
  OTEL_TRACES_SAMPLER_ARG: {
    form: text(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/),
    mustBe: "a number from 0 to 1",
    required: "no",
    fallback: "1",
    meaning: "Ratio of traces, for samplers with `traceidratio` in their name.",
    example: "0.1",
  },
  TENANT_DISPLAY_NAME: {
    // No control or format characters: with some of them, a name can look like another text.
    form: z.string().check(z.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]{1,100}$/u)),
    mustBe: "a name of at most 100 characters on one line",
    required: "no",
    meaning:
      "Name of your organisation, as people know it: on the confirmation page, the pages after it and `/me`. Not set: the pages name no organisation.",
    example: "Contoso",
  },
  DOCUMENTATION_URL: {
    form: url(/^https:\/\/[^/\\?#@\s"]+(\/[^\\#\s"]*)?$/),
    mustBe: "an https URL without user and fragment",
    required: "no",
    meaning:
      "Where you publish [troubleshooting.md](troubleshooting.md). The member `docs` of every refusal is this URL, `#` and the code. Not set: `docs/troubleshooting.md`, `#` and the code.",
    example: "https://wiki.contoso.example/gte/troubleshooting",
  },
  LOCAL_TENANT_URL: {
    form: url(/^https:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$/),
    mustBe: "an https URL with a port on 127.0.0.1, [::1] or localhost",
    asCopied: urlAsCopied,
    required: "with CLOUD=local and allowed only there",
    meaning: "Address of the local tenant that `npm start` runs.",
    example: "https://localhost:7443",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
