/** The configuration after all checks: typed, read-only and without secrets, which stay in Key Vault. */
import type { Result } from "../core/result.ts";
import type { Policy } from "../policy/rules.ts";
import type { Cloud } from "./clouds.ts";

/** Where the credential of a registration comes from. */
export type CredentialMode =
  | { readonly kind: "key-vault-secret"; readonly secretName: string }
  | { readonly kind: "key-vault-certificate"; readonly certificateName: string }
  | { readonly kind: "managed-identity" };

/** An app registration that this service authenticates as. */
export interface RegistrationConfig {
  /** For people: in audit events, logs and metrics. */
  readonly name: string;
  /** GUID, lower case: identifies the registration. */
  readonly clientId: string;
  readonly credential: CredentialMode;
}

/** A registration with delegated permissions. Callers request tokens for it. */
export interface DelegatedRegistrationConfig extends RegistrationConfig {
  /** App ID URI, without a trailing slash. Callers request its scope from Entra. */
  readonly appIdUri: string;
}

/** The registration of the setting `CLIENT_ID`, then those of the policy. */
export type RegistrationConfigs = readonly [DelegatedRegistrationConfig, ...DelegatedRegistrationConfig[]];

export interface GrantConfig {
  readonly tableEndpoint: string;
  readonly tableName: string;
  /** True: the nightly timer counts expired grants and does not delete them. */
  readonly reapDryRun: boolean;
}

/** Where the events of grants go. At least one is given. */
export interface EventConfig {
  readonly topicEndpoint: string | undefined;
  readonly webhook: { readonly url: string; readonly secretName: string } | undefined;
}

/** The shared level of the token cache. */
export interface SharedCacheConfig {
  readonly redisUrl: string;
  /** Name of the vault secret with the key that encrypts the entries. */
  readonly keyName: string;
}

/** The values that OpenTelemetry specifies for OTEL_TRACES_SAMPLER. */
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
  /** Name of the vault secret with the headers that the endpoint requires. */
  readonly headersSecretName: string | undefined;
  readonly sampler: (typeof TRACE_SAMPLERS)[number];
  /** From 0 to 1, for the samplers with `traceidratio` in their name. */
  readonly samplerRatio: number;
}

/** What the settings say, except the policy. It does not change while the service runs. */
export interface FixedConfig {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly serviceUrl: string;
  /** Shown to people on the pages. Undefined: the pages name no organisation. */
  readonly tenantDisplayName: string | undefined;
  /** Where the administrator publishes docs/troubleshooting.md. Undefined: nowhere. */
  readonly documentationUrl: string | undefined;
  /** The registration of the setting `CLIENT_ID`. */
  readonly delegated: DelegatedRegistrationConfig;
  /** Undefined: no application tokens. */
  readonly applicationOnly: RegistrationConfig | undefined;
  /** Undefined: no setting needs a vault. */
  readonly vaultUrl: string | undefined;
  readonly managedIdentityClientId: string | undefined;
  /** Undefined: no grants. */
  readonly grants: GrantConfig | undefined;
  /** Undefined: the service sends no events. */
  readonly events: EventConfig | undefined;
  /** Name of the vault secret with the key that seals grants and the sign-in state in browsers. */
  readonly sealingKeyName: string;
  readonly v1Audiences: readonly string[];
  readonly allowGuests: boolean;
  readonly tokenCacheMaxBytes: number;
  /** Undefined: instances share no cache. */
  readonly sharedCache: SharedCacheConfig | undefined;
  /** Undefined: no OpenTelemetry. */
  readonly telemetry: TelemetryConfig | undefined;
}

/** The configuration under one version of the policy. */
export interface Config extends FixedConfig {
  readonly registrations: RegistrationConfigs;
  readonly policy: Policy;
  /** Identifies the version in audit events, operator events and readiness. Undefined: no policy is loaded yet. */
  readonly policyHash: string | undefined;
}

/** Where the policy comes from. */
export type PolicyLocation =
  | { readonly kind: "setting"; readonly config: Config }
  | {
      readonly kind: "blob";
      readonly url: string;
      /** The configuration under the policy of this text, or every problem. No problem contains a value. */
      readonly configFor: (text: string) => Result<Config, readonly string[]>;
    };

/** The checked settings. */
export interface Configuration {
  readonly fixed: FixedConfig;
  readonly policy: PolicyLocation;
}

/** Names all problems at once. Each problem begins with the name of its setting and contains no value. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The service does not start: ${count} in its settings.\n- ${problems.join("\n- ")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}
