/**
 * Revoked sessions: tokens issued before the revocation are no longer valid (50173, E-92).
 */
import type { User } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import { toLongTimestamp } from "../time/timestamps.ts";

export function assertNotRevoked(user: User, issuedAtMs: number): void {
  if (issuedAtMs >= user.tokensValidFromMs) return;
  throw entraError(50173, {
    issued: toLongTimestamp(issuedAtMs),
    validFrom: toLongTimestamp(user.tokensValidFromMs),
  });
}
