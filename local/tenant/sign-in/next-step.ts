/**
 * Decides the next step of a sign-in in Entra's order: account, password, second factor, consent, done. Pure.
 */
import type { Directory, Registration, User } from "../directory/directory.ts";
import { EntraError, entraError } from "../errors/entra-error.ts";
import { type ClaimsRequest, type Requirement, unmetRequirements } from "../oauth/requirements.ts";
import type { ScopeRequest, ScopeRequests } from "../oauth/scopes.ts";
import type { Prompt } from "./authorize-request.ts";
import { type ConsentNeed, isEmpty, missingConsent, requestedScopes } from "./consent.ts";
import { accountOf, type Session } from "./session.ts";

export interface StepTenant {
  readonly directory: Directory;
  readonly requirements: readonly Requirement[];
}

/** The purpose of the sign-in. */
export interface SignInSubject {
  readonly client: Registration;
  readonly scopes: ScopeRequests;
  readonly claims: ClaimsRequest;
  readonly prompt: Prompt | undefined;
  readonly loginHint: string | undefined;
}

/** What the user has done so far in this sign-in. */
export interface Progress {
  readonly userOid?: string;
  /** The user asked for the list of accounts. */
  readonly choosing?: boolean;
  /** The time of the password. Absent: the sign-in depends on the session. */
  readonly passwordAtMs?: number;
  readonly satisfied: readonly string[];
  readonly consented: boolean;
}

export type Step =
  | { readonly kind: "account" }
  | { readonly kind: "password"; readonly user: User }
  | { readonly kind: "second-factor"; readonly user: User; readonly demands: readonly string[] }
  | { readonly kind: "consent"; readonly user: User; readonly need: ConsentNeed }
  /** The error goes to the client. */
  | { readonly kind: "refused"; readonly failure: EntraError }
  /** The error is shown to the user only. */
  | { readonly kind: "blocked"; readonly failure: EntraError }
  | { readonly kind: "done"; readonly user: User; readonly atMs: number; readonly satisfied: readonly string[] };

/** The codes that a second factor satisfies. The other conditional access codes block the sign-in. */
const SECOND_FACTOR_CODES = [50076, 50079, 50158];

export function nextStep(tenant: StepTenant, subject: SignInSubject, progress: Progress, session: Session): Step {
  const step = interactiveStep(tenant, subject, progress, session);
  return subject.prompt === "none" ? withoutPrompt(step, subject, session) : step;
}

function interactiveStep(tenant: StepTenant, subject: SignInSubject, progress: Progress, session: Session): Step {
  const user = chosenUser(tenant, subject, progress, session);
  if (user === undefined) return { kind: "account" };
  const known = subject.prompt === "login" ? undefined : accountOf(session, user.oid);
  const atMs = progress.passwordAtMs ?? known?.atMs;
  if (atMs === undefined) return { kind: "password", user };
  if (user.disabled) return { kind: "blocked", failure: entraError(50057) };
  const closed = subject.scopes.find(({ resource }) => !isAssigned(tenant, user, resource));
  if (closed !== undefined) return { kind: "refused", failure: notAssigned(closed, user) };
  const satisfied = [...new Set([...(known?.satisfied ?? []), ...progress.satisfied])];
  return (
    secondFactorStep(tenant, subject, user, satisfied) ??
    consentStep(tenant, subject, progress, user) ?? {
      kind: "done",
      user,
      atMs,
      satisfied,
    }
  );
}

function chosenUser(
  tenant: StepTenant,
  subject: SignInSubject,
  progress: Progress,
  session: Session,
): User | undefined {
  if (progress.userOid !== undefined) return tenant.directory.user(progress.userOid);
  if (progress.choosing) return undefined;
  const hinted = subject.loginHint === undefined ? undefined : tenant.directory.user(subject.loginHint);
  if (hinted !== undefined && subject.prompt !== "select_account") return hinted;
  const [only, ...others] = session.accounts;
  const quick = subject.prompt !== "login" && subject.prompt !== "select_account" && others.length === 0;
  return quick && only !== undefined && subject.loginHint === undefined ? tenant.directory.user(only.oid) : undefined;
}

function secondFactorStep(
  tenant: StepTenant,
  { client, scopes, claims }: SignInSubject,
  user: User,
  satisfied: readonly string[],
): Step | undefined {
  const unmet = scopes.flatMap(({ resource }) =>
    unmetRequirements(tenant.requirements, { user, client, resource, satisfied }),
  );
  const blocking = unmet.find(({ code }) => !SECOND_FACTOR_CODES.includes(code));
  if (blocking !== undefined) return { kind: "blocked", failure: entraError(blocking.code) };
  const asked = claims.demands.filter((demand) => !satisfied.includes(demand));
  const demands = [...new Set([...asked, ...unmet.flatMap((one) => one.demands)])];
  return demands.length === 0 ? undefined : { kind: "second-factor", user, demands };
}

function consentStep(tenant: StepTenant, subject: SignInSubject, progress: Progress, user: User): Step | undefined {
  const { client, scopes, prompt } = subject;
  if (progress.consented) return undefined;
  const missing = missingConsent(tenant, client, user, scopes);
  if (prompt === "consent") return { kind: "consent", user, need: requestedScopes(client, scopes) };
  return isEmpty(missing) ? undefined : { kind: "consent", user, need: missing };
}

/** With `prompt=none` a step that needs the user becomes an error (OpenID Connect Core section 3.1.2.6). */
function withoutPrompt(step: Step, { client, scopes }: SignInSubject, session: Session): Step {
  const refuse = (failure: EntraError): Step => ({ kind: "refused", failure });
  switch (step.kind) {
    case "account":
      return refuse(entraError(session.accounts.length > 1 ? 16000 : 50058));
    case "password":
      return refuse(entraError(50058));
    case "second-factor": {
      const values = { resource: scopes[0].resource.clientId };
      return refuse(new EntraError(50076, { error: "interaction_required", values }));
    }
    case "consent": {
      const values = { app: client.clientId, name: client.displayName };
      return refuse(new EntraError(65001, { error: "interaction_required", values }));
    }
    case "blocked":
      return refuse(new EntraError(step.failure.code, { ...step.failure.options, error: "interaction_required" }));
    case "refused":
    case "done":
      return step;
  }
}

function isAssigned(tenant: StepTenant, user: User, resource: Registration): boolean {
  return !resource.assignmentRequired || tenant.directory.rolesOf(user.oid, resource.clientId).length > 0;
}

function notAssigned({ resource }: ScopeRequest, user: User): EntraError {
  const values = { app: resource.clientId, name: resource.displayName, user: user.username };
  return new EntraError(50105, { error: "access_denied", values });
}
