/** What a sign-in needs in addition to the exchange: sealed state. And which routes of the sign-in a policy uses. */
import type { FixedConfig } from "../../shared/config/config.ts";
import { mayHaveLinks } from "../../shared/policy/evaluate.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import { once } from "./once.ts";
import type { Sealing } from "./sealing.ts";

export function createSignInState(
  { serviceUrl, tenantDisplayName }: FixedConfig,
  sealing: Sealing,
  nowSeconds: () => number,
): SignInState {
  const sealedState = once(async () => {
    const [{ createSealedState }, sealerFor] = await Promise.all([
      import("../../shared/sealed-state/sealed-state.ts"),
      sealing.sealers(),
    ]);
    return createSealedState({ sealerFor, nowSeconds });
  });
  return { serviceUrl, tenantDisplayName, sealedState };
}

/** At least one policy entry uses a sign-in. */
export function usesSignIn(policy: Policy): boolean {
  return hasCodeFlow(policy) || hasLinks(policy);
}

/** At least one policy entry may use the authorization code flow. */
export function hasCodeFlow(policy: Policy): boolean {
  return policy.callers.some(({ flows }) => flows.includes("authorization-code"));
}

/** At least one policy entry may have sign-in links. */
export function hasLinks(policy: Policy): boolean {
  return policy.callers.some(mayHaveLinks);
}

/** A person may see the confirmation page: after a link, or after a sign-in for a grant or of an entry that requires it. */
export function hasConfirmation(policy: Policy): boolean {
  const codeFlowWithPage = policy.callers.some(
    ({ flows, offlineAccess, requireConfirmation }) =>
      flows.includes("authorization-code") && (offlineAccess || requireConfirmation),
  );
  return codeFlowWithPage || hasLinks(policy);
}
