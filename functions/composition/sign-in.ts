/** What signing in needs beyond the request path: boxes. Undefined when policy has no use for it. */
import type { Config } from "../../shared/config/config.ts";
import { mayHaveLinks } from "../../shared/policy/evaluate.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import { once } from "./once.ts";
import type { Sealing } from "./sealing.ts";

export function createSignIn(
  { policy, serviceUrl }: Config,
  sealing: Sealing,
  nowSeconds: () => number,
): SignInState | undefined {
  if (!hasCodeFlow(policy) && !hasLinks(policy)) return undefined;
  const sealedState = once(async () => {
    const [{ createSealedState }, sealerFor] = await Promise.all([
      import("../../shared/sealed-state/sealed-state.ts"),
      sealing.sealers(),
    ]);
    return createSealedState({ sealerFor, nowSeconds });
  });
  return { serviceUrl, sealedState };
}

/** Somebody may use the authorization code flow. */
export function hasCodeFlow(policy: Policy): boolean {
  return policy.callers.some(({ flows }) => flows.includes("authorization-code"));
}

/** Somebody may have sign-in links. */
export function hasLinks(policy: Policy): boolean {
  return policy.callers.some(mayHaveLinks);
}

/** Somebody may be sent to the page that asks before a permission is kept: by a link, or by a sign-in that keeps one. */
export function hasConfirmation(policy: Policy): boolean {
  const keeps = policy.callers.some(
    ({ flows, offlineAccess }) => flows.includes("authorization-code") && offlineAccess,
  );
  return keeps || hasLinks(policy);
}
