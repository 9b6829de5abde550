/**
 * Creates the service's own authorization code, bound to the client, its redirect URI and its challenge; valid for a
 * minute.
 */
import type { ApiScopes } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { PendingCode } from "../sealed-state/sealed-state.ts";
import { fromStateFailure, type SignInContext } from "./sign-in-context.ts";
import { toBound } from "./target.ts";

export async function sealCode(
  context: SignInContext,
  content: Pick<PendingCode, "target" | "returnTo" | "entraCode" | "verifier" | "nonce">,
  confirmation: "confirmed" | "unconfirmed",
): Promise<Result<string, Failure>> {
  const { entraCode, verifier, nonce } = content;
  const { clientId, registration, offlineAccess } = content.target;
  const [first, ...others] = content.target.apis;
  const apis = [toApiScopes(first), ...others.map(toApiScopes)] as const;
  const bound = confirmation === "confirmed" ? toBound(content.target) : undefined;
  const { redirectUri, codeChallenge } = content.returnTo;
  const { codes } = await context.signIn.sealedState();
  const sealedContent = {
    clientId,
    registration,
    redirectUri,
    codeChallenge,
    entraCode,
    verifier,
    nonce,
    apis,
    offlineAccess,
    bound,
  };
  const sealed = await codes.seal(sealedContent);
  return sealed.ok ? sealed : fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
}

// ---------------------------------------------------------------------------------------------------------------

function toApiScopes({ api, scopes }: ApiScopes): ApiScopes {
  return { api, scopes };
}
