/** Exit codes: what a script may rely on. The README repeats them. */
export const EXIT = {
  ok: 0,
  /** A bug, or a file that cannot be written. */
  internal: 1,
  /** Wrong command line or settings. */
  usage: 2,
  /** A person has to sign in, or the sign-in was declined or not finished; the message says what to run. */
  signIn: 3,
  /** The service, Entra or the API said no; the same call will be refused again. */
  refused: 4,
  /** No network, no answer in time, throttled, out of order: the same call may work later. */
  unavailable: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
