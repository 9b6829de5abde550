import type { EntraClient } from "./entra-token.ts";

/** One app registration: its client id, and the client that calls Entra as it. */
export interface Registration {
  readonly clientId: string;
  /** Loads MSAL on first use: it is a lazy chunk of the bundle. */
  entra(): Promise<EntraClient>;
}

/** The registrations with delegated permissions. Each caller's token is for one of them. */
export interface Registrations {
  /** The registration of the setting `CLIENT_ID`. */
  readonly default: Registration;
  /** By client id. Undefined: this deployment does not have it, or has it no longer. */
  find(clientId: string): Registration | undefined;
}
