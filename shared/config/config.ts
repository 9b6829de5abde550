/** The configuration after every check: typed, read-only, without secrets (those stay in Key Vault). */
import type { Policy } from "../policy/rules.ts";
import type { Cloud } from "./clouds.ts";

/** Where a registration's credential comes from. */
export type CredentialMode =
  | { readonly kind: "key-vault-secret"; readonly secretName: string }
  | { readonly kind: "key-vault-certificate"; readonly certificateName: string }
  | { readonly kind: "managed-identity" };

export interface RegistrationConfig {
  readonly clientId: string;
  readonly credential: CredentialMode;
}

export interface GrantConfig {
  readonly tableEndpoint: string;
  readonly tableName: string;
  /** The nightly timer counts expired grants instead of deleting them. */
  readonly reapDryRun: boolean;
}

/** Level 2 of the token cache. */
export interface SharedCacheConfig {
  readonly redisUrl: string;
  /** Vault secret that the entries are sealed with. */
  readonly keyName: string;
}

/** The samplers of OpenTelemetry's own OTEL_TRACES_SAMPLER. */
export const TRACE_SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

export interface TelemetryConfig {
  /** Base URL of the OTLP endpoint. */
  readonly endpoint: string;
  readonly serviceName: string;
  /** Vault secret with the headers that the endpoint wants. */
  readonly headersSecretName: string | undefined;
  readonly sampler: (typeof TRACE_SAMPLERS)[number];
  /** From 0 to 1, for the samplers that take a part. */
  readonly samplerRatio: number;
}

export interface Config {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly serviceUrl: string;
  /** App ID URI of the delegated registration: what callers ask Entra for, no trailing slash. */
  readonly appIdUri: string;
  readonly delegated: RegistrationConfig;
  /** Undefined: no application tokens. */
  readonly applicationOnly: RegistrationConfig | undefined;
  /** Undefined when nothing needs a vault. */
  readonly vaultUrl: string | undefined;
  readonly managedIdentityClientId: string | undefined;
  /** Undefined: no grants. */
  readonly grants: GrantConfig | undefined;
  /** Secret in the vault that seals grants, and what sign-in hands to browsers. */
  readonly sealingKeyName: string;
  readonly policy: Policy;
  readonly v1Audiences: readonly string[];
  readonly allowGuests: boolean;
  readonly tokenCacheMaxBytes: number;
  /** Undefined: each instance has its own cache only. */
  readonly sharedCache: SharedCacheConfig | undefined;
  /** Undefined: no OpenTelemetry. */
  readonly telemetry: TelemetryConfig | undefined;
}

/** Everything that is wrong, so that it can be mended in one go. Each problem names its setting and never a value. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The service does not start; ${problems.length} of its settings must be mended:\n- ${problems.join("\n- ")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}
