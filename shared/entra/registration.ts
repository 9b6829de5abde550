import type { EntraClient } from "./entra-token.ts";

/** One of the two registrations: its client id, and how to ask Entra as it. */
export interface Registration {
  readonly clientId: string;
  /** Resolved on first use: MSAL is a lazy part of the bundle. */
  entra(): Promise<EntraClient>;
}
