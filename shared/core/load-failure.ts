/** The failures of a service or a caller that has too much under way. */

/** A limit of one caller, as the `RateLimit-Policy` header names it. */
export interface Quota {
  /** `at-once`: on one instance. `requests`: in a window of time, on all instances. */
  readonly name: "at-once" | "requests";
  readonly limit: number;
  /** Undefined: requests at the same time. */
  readonly windowSeconds?: number;
}

export type LoadFailure =
  /** The instance has too much to do. The request was refused before anything of it was checked. */
  | { readonly kind: "overloaded"; readonly retryAfterSeconds: number }
  /** The caller is over a limit of its own policy entry. */
  | { readonly kind: "too_many_requests"; readonly quota: Quota; readonly retryAfterSeconds: number };
