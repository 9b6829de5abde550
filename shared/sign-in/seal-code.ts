/** Makes our own authorization code, bound to the client, its redirect URI and its challenge; good for a minute. */
import type { PendingCode } from "../authorize/boxes.ts";
import type { Failure } from "../failure.ts";
import type { Result } from "../result.ts";
import { boxFailure, type SignInRooms } from "./sign-in-rooms.ts";

export async function sealCode(
  rooms: SignInRooms,
  content: Pick<PendingCode, "target" | "returnTo" | "entraCode" | "verifier" | "nonce">,
): Promise<Result<string, Failure>> {
  const { entraCode, verifier, nonce } = content;
  const { clientId, apis, offlineAccess } = content.target;
  const { redirectUri, codeChallenge } = content.returnTo;
  const { codes } = await rooms.signIn.boxes();
  const bound = { clientId, redirectUri, codeChallenge, entraCode, verifier, nonce, apis, offlineAccess };
  const sealed = await codes.seal(bound);
  return sealed.ok ? sealed : boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
}
