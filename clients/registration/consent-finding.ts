/** One difference between the policy and the consent in Entra, and its inputs. */
import type { MendingCommands } from "./mending-commands.ts";
import type { Consent } from "./read-consent.ts";
import type { ResolvedRegistration } from "./resolve-registrations.ts";

export interface ConsentFinding {
  readonly kind: "missing" | "surplus";
  /** What is missing or surplus, for a person. */
  readonly what: string;
  /** What each caller meets. Empty: no caller meets an error. */
  readonly effects: readonly CallerEffect[];
  /** Commands, or a sentence if a change of the policy mends it. */
  readonly mend: readonly string[];
}

export interface CallerEffect {
  /** Name of the entry. */
  readonly caller: string;
  readonly code: "consent_required" | "scope_surplus" | "token_role_missing" | "no_permission" | "no_service_principal";
  readonly text: string;
}

/** The inputs of the report about one registration. */
export interface Comparison {
  readonly registration: ResolvedRegistration;
  readonly consent: Consent;
  readonly commands: MendingCommands;
  /** Object ids of the calling applications by client id. */
  readonly principals: ReadonlyMap<string, string>;
}
