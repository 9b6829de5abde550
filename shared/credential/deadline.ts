/**
 * A deadline for calls that cannot be aborted: the identity SDK ignores abort signals, so we stop waiting instead.
 */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The promise's outcome, or a `DeadlineError` after `deadlineMs`. The call itself goes on and its outcome is dropped. */
export async function beforeDeadline<T>(call: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError()), deadlineMs);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
