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
  readonly sealingKeyName: string;
  /** The nightly timer counts expired grants instead of deleting them. */
  readonly reapDryRun: boolean;
}

export interface Config {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly serviceUrl: string;
  readonly delegated: RegistrationConfig;
  /** Undefined: no application tokens. */
  readonly applicationOnly: RegistrationConfig | undefined;
  /** Undefined when nothing needs a vault. */
  readonly vaultUrl: string | undefined;
  readonly managedIdentityClientId: string | undefined;
  /** Undefined: no grants. */
  readonly grants: GrantConfig | undefined;
  readonly policy: Policy;
  readonly v1Audiences: readonly string[];
  readonly allowGuests: boolean;
  readonly tokenCacheMaxBytes: number;
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
