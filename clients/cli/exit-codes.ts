/** Exit codes are stable: scripts rely on them. The README lists them. */
export const EXIT = {
  ok: 0,
  /** A bug, or a file that cannot be written. */
  internal: 1,
  /** Wrong command line or settings. */
  usage: 2,
  /** A person must sign in, or declined or did not finish the sign-in. The message says what to run. */
  signIn: 3,
  /** The service, Entra or the API refused the request. The same request will be refused again. */
  refused: 4,
  /** No network, timeout, throttled or a server error: the same request may succeed later. */
  unavailable: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
