/**
 * The state of a sign-in between its pages. The forms carry it sealed, so the tenant stores nothing and several tabs do not
 * interfere.
 */
import { entraError } from "../errors/entra-error.ts";
import type { Sealer } from "../keys/sealer.ts";
import type { Clock } from "../time/clock.ts";
import type { Progress } from "./next-step.ts";

export interface FlowTenant {
  readonly clock: Clock;
  readonly sealer: Sealer;
}

/** What the sign-in is for: an authorization request, or a waiting device. */
export type SignInTarget =
  | { readonly kind: "authorize"; readonly params: readonly (readonly [string, string])[] }
  | { readonly kind: "device"; readonly userCode: string };

export interface SignInFlow {
  readonly target: SignInTarget;
  readonly startedAtMs: number;
  readonly progress: Progress;
}

const LIFETIME_MS = 60 * 60_000;

export function startFlow(tenant: FlowTenant, target: SignInTarget): SignInFlow {
  return { target, startedAtMs: tenant.clock.nowMs(), progress: { satisfied: [], consented: false } };
}

export function sealFlow(tenant: FlowTenant, flow: SignInFlow): string {
  return tenant.sealer.seal({ kind: "sign-in", ...flow });
}

export function unsealFlow(tenant: FlowTenant, text: string | undefined): SignInFlow {
  const unsealed = tenant.sealer.unseal(text ?? "");
  if (!isFlow(unsealed) || tenant.clock.nowMs() - unsealed.startedAtMs > LIFETIME_MS) throw entraError(50012);
  return unsealed;
}

function isFlow(value: unknown): value is SignInFlow {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "sign-in";
}
