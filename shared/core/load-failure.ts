/** The failures of a service or a caller that has too much under way. */

/** A limit of one caller, as the `RateLimit-Policy` header names it. */
export interface Quota {
  /**
   * `at-once`: on one instance. `requests`: in a window of time, on all instances. `links`: sign-in links of one policy
   * entry, in a window of time, on one instance.
   */
  readonly name: "at-once" | "requests" | "links";
  readonly limit: number;
  /** Undefined: requests at the same time. */
  readonly windowSeconds?: number;
}

export type LoadFailure =
  /** The instance has too much to do. The request was refused before anything of it was checked. */
  | { readonly kind: "overloaded"; readonly retryAfterSeconds: number }
  /** The caller is over a limit of its own policy entry, or over the service's own limit of links. */
  | { readonly kind: "too_many_requests"; readonly quota: Quota; readonly retryAfterSeconds: number };
