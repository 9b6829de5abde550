/**
 * The registration of a sign-in. Entra's codes and refresh tokens are for one registration. So if the entry has another
 * one since the sign-in began, the service refuses the sign-in at its next step, whatever the step presents: a pushed
 * request, a link, or a cookie.
 */
import type { Failure } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import type { Registration } from "../entra/registration.ts";
import { isOfRegistration } from "../policy/registrations.ts";
import type { Target } from "../sealed-state/sealed-state.ts";
import { refuseSignIn, type SignInContext } from "./sign-in-context.ts";

export function registrationOfTarget(
  { policy, registrations }: Pick<SignInContext, "policy" | "registrations">,
  target: Target,
): Result<Registration, Failure> {
  const registration = registrations.find(target.registration);
  if (registration === undefined) return refuseSignIn("registration_changed");
  // Policy refuses a sign-in without an entry, in its own words.
  const entry = policy.callers.find(({ name, clientId }) => name === target.entry && clientId === target.clientId);
  return entry === undefined || isOfRegistration(policy, entry, target.registration)
    ? succeed(registration)
    : refuseSignIn("registration_changed");
}
