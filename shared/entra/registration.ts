import type { EntraClient } from "./entra-token.ts";

/** One of the two registrations: its client id, and the client that calls Entra as it. */
export interface Registration {
  readonly clientId: string;
  /** Loads MSAL on first use: it is a lazy chunk of the bundle. */
  entra(): Promise<EntraClient>;
}
