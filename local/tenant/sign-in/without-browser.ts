/**
 * A sign-in without pages: the same steps, answered by the program.
 */
import { entraError } from "../errors/entra-error.ts";
import { recordConsent } from "./consent.ts";
import { nextStep, type Progress, type StepTenant } from "./next-step.ts";
import { readSession, type SessionTenant } from "./session.ts";
import type { SignInTarget } from "./sign-in-flow.ts";
import { openTarget, type TargetTenant } from "./sign-in-target.ts";

export interface UnattendedSignInTenant extends SessionTenant, StepTenant, TargetTenant {}

export interface SignInAnswers {
  /** By seed name, user name or object id. Default: `alice`. */
  readonly user?: string;
  /** Default: `accept`. */
  readonly consent?: "accept" | "cancel";
}

export function signInWithoutBrowser(
  tenant: UnattendedSignInTenant,
  requested: SignInTarget,
  answers: SignInAnswers,
): Response {
  const target = openTarget(tenant, requested);
  if (target instanceof Response) return target;
  const { user: key = "alice", consent = "accept" } = answers;
  const userOid = tenant.directory.user(key)?.oid;
  if (userOid === undefined) throw new TypeError(`the local tenant has no user ${key}`);
  const session = readSession(tenant, undefined);
  let progress: Progress = { userOid, passwordAtMs: tenant.clock.stampMs(), satisfied: [], consented: false };
  for (;;) {
    const step = nextStep(tenant, target.subject, progress, session);
    switch (step.kind) {
      case "second-factor":
        progress = { ...progress, satisfied: [...progress.satisfied, ...step.demands] };
        break;
      case "consent":
        if (consent === "cancel") return target.refuse(entraError(65004));
        recordConsent(tenant, target.subject.client, step.user, target.subject.scopes);
        progress = { ...progress, consented: true };
        break;
      case "done":
        return target.done(step.user, step.satisfied, session.id);
      case "refused":
      case "blocked":
        return target.refuse(step.failure);
      default:
        throw new TypeError(`a sign-in without a browser cannot continue at the step ${step.kind}`);
    }
  }
}
