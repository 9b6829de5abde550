/**
 * Refusals of a client's own secret or assertion, as responses. Only clients that the policy lists get them. The AADSTS
 * number in the message says what Entra refused, for example an expired secret; anyone can ask Entra the same.
 */
import type { Failure } from "../core/failure.ts";
import { evidenceMembers, type Wire } from "./wire.ts";

type ClientRefused = Extract<Failure, { kind: "client_refused" }>;
type BudgetUsedUp = Extract<Failure, { kind: "client_budget_used_up" }>;

export function clientRefusalToWire(failure: ClientRefused | BudgetUsedUp): Wire {
  return failure.kind === "client_refused" ? clientRefused(failure) : budgetUsedUp(failure);
}

// ------------------------------------------------------------------------------------------------------------------

/** RFC 6749 section 5.2: 401 `invalid_client` with a challenge. */
function clientRefused({ method, reason, evidence }: ClientRefused): Wire {
  const refused = {
    status: 401,
    error: "invalid_client",
    action: "fix_request",
    ...evidenceMembers(evidence),
  } as const;
  if (method === "client_secret") {
    const description =
      "Entra does not accept this client id and secret. Check both, and whether the secret has expired.";
    return { ...refused, code: "client_secret_refused", description, basicChallenge: true };
  }
  return { ...refused, code: "client_assertion_refused", description: ASSERTION[reason], challenge: {} };
}

function budgetUsedUp({ retryAfterSeconds }: BudgetUsedUp): Wire {
  return {
    status: 429,
    error: "temporarily_unavailable",
    code: "client_budget_used_up",
    description: "Too many secrets or assertions of this client were refused. Try again later.",
    action: "retry",
    retryAfterSeconds,
  };
}

const ASSERTION: Readonly<Record<ClientRefused["reason"], string>> = {
  entra: "Entra does not accept this client assertion. Check the key, its registration at Entra and the times.",
  audience: "The client assertion is not for Entra (claim aud). Sign it for the token endpoint of Entra.",
  expired: "The client assertion has expired or has no expiry (claim exp). Sign a new one.",
};
