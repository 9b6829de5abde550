/**
 * Applies the user's answer on a page (account, password, second factor, consent) to the progress. A wrong answer throws the
 * error that the same page shows.
 */
import type { Directory, User } from "../directory/directory.ts";
import { type EntraError, entraError } from "../errors/entra-error.ts";
import { assertPassword } from "../oauth/password-check.ts";
import type { Form } from "../oauth/token-request.ts";
import type { Clock } from "../time/clock.ts";
import { recordConsent } from "./consent.ts";
import type { Progress, SignInSubject, Step } from "./next-step.ts";

export interface AnswerTenant {
  readonly tenantId: string;
  readonly clock: Clock;
  readonly directory: Directory;
}

export type Answered =
  | { readonly kind: "progress"; readonly progress: Progress; readonly confirmed?: boolean }
  | { readonly kind: "cancelled"; readonly failure: EntraError };

/** `step` is the step that the page showed. Throws an `EntraError` for the page. */
export function applyAnswer(
  tenant: AnswerTenant,
  subject: SignInSubject,
  progress: Progress,
  step: Step,
  form: Form,
): Answered {
  if (form.has("account") || form.has("other-account")) return pickAccount(tenant, progress, form.get("account"));
  switch (step.kind) {
    case "password":
      return givePassword(tenant, progress, step.user, form.get("password"));
    case "second-factor":
      return giveSecondFactor(progress, step.demands, form.get("second-factor"));
    case "consent":
      return giveConsent(tenant, subject, progress, step.user, form.get("consent"));
    case "done":
      return form.get("device") === "cancel"
        ? CANCELLED
        : { kind: "progress", progress, confirmed: form.has("device") };
    default:
      return { kind: "progress", progress };
  }
}

const CANCELLED: Answered = { kind: "cancelled", failure: entraError(65004) };

/** Without an account it returns to the list, regardless of the request and the session. */
function pickAccount(tenant: AnswerTenant, { satisfied, consented }: Progress, account: string | undefined): Answered {
  const base = { satisfied, consented };
  if (account === undefined) return { kind: "progress", progress: { ...base, choosing: true } };
  const user = tenant.directory.user(account);
  if (user === undefined) throw entraError(50034, { user: account, tenant: tenant.tenantId });
  return { kind: "progress", progress: { ...base, userOid: user.oid } };
}

function givePassword(tenant: AnswerTenant, progress: Progress, user: User, password: string | undefined): Answered {
  if (password === undefined) return { kind: "progress", progress };
  assertPassword(user, password);
  const given = { ...progress, userOid: user.oid, passwordAtMs: tenant.clock.stampMs() };
  return { kind: "progress", progress: given };
}

function giveSecondFactor(progress: Progress, demands: readonly string[], answer: string | undefined): Answered {
  if (answer === undefined) return { kind: "progress", progress };
  if (answer !== "approve") throw entraError(50074);
  return { kind: "progress", progress: { ...progress, satisfied: [...progress.satisfied, ...demands] } };
}

function giveConsent(
  tenant: AnswerTenant,
  { client, scopes }: SignInSubject,
  progress: Progress,
  user: User,
  answer: string | undefined,
): Answered {
  if (answer === undefined) return { kind: "progress", progress };
  if (answer !== "accept") return CANCELLED;
  recordConsent(tenant, client, user, scopes);
  return { kind: "progress", progress: { ...progress, consented: true } };
}
