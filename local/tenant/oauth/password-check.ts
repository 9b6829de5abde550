/**
 * Checks a user's password and the state of the account.
 */
import type { User } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";

export function assertPassword(user: User, password: string): void {
  if (user.locked) throw entraError(50053);
  if (user.password !== password) throw entraError(50126);
  if (user.disabled) throw entraError(50057);
  if (user.passwordExpired) throw entraError(50055);
}
