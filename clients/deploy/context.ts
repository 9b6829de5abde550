/** What every step gets. */
import type { Az } from "./az/az.ts";
import type { Options } from "./command-line.ts";
import type { Plan } from "./plan/plan.ts";
import type { World } from "./world.ts";

export interface DeployContext {
  readonly options: Options;
  readonly plan: Plan;
  readonly az: Az;
  readonly world: World;
  /** Writes a line for the person. */
  say(text: string): void;
}

export interface Identity {
  readonly resourceId: string;
  readonly principalId: string;
}

/** Outputs of infra/main.bicep. */
export interface Service {
  readonly appName: string;
  readonly serviceUrl: string;
  readonly vaultUrl: string;
  readonly policyUrl: string;
  readonly principalId: string;
}
