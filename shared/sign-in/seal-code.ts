/** Makes our own authorization code, bound to the client, its redirect URI and its challenge; good for a minute. */
import type { ApiScopes } from "../api-scopes.ts";
import type { PendingCode } from "../authorize/boxes.ts";
import type { Failure } from "../failure.ts";
import type { Result } from "../result.ts";
import { boxFailure, type SignInRooms } from "./sign-in-rooms.ts";
import { toBound } from "./target.ts";

export async function sealCode(
  rooms: SignInRooms,
  content: Pick<PendingCode, "target" | "returnTo" | "entraCode" | "verifier" | "nonce">,
): Promise<Result<string, Failure>> {
  const { entraCode, verifier, nonce } = content;
  const { clientId, offlineAccess } = content.target;
  const [first, ...others] = content.target.apis;
  const apis = [toScopes(first), ...others.map(toScopes)] as const;
  const bound = offlineAccess ? toBound(content.target) : undefined;
  const { redirectUri, codeChallenge } = content.returnTo;
  const { codes } = await rooms.signIn.boxes();
  const sealedContent = {
    clientId,
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
  return sealed.ok ? sealed : boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
}

function toScopes({ api, scopes }: ApiScopes): ApiScopes {
  return { api, scopes };
}
