/**
 * A deadline for calls that cannot be aborted. The identity SDK, for example, ignores abort signals, so the service
 * stops waiting instead. The call itself continues and its outcome is dropped.
 */

export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The call's outcome, or a `DeadlineError` after `deadlineMs`. */
export async function beforeDeadline<T>(call: Promise<T>, deadlineMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  // A busy process may run this timer while the reply already waits in a socket. One more turn reads it, so it wins.
  const timer = setTimeout(() => setImmediate(() => late.reject(new DeadlineError())), deadlineMs);
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
