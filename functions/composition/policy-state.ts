/** Whether the newest version of the policy is in use. For readiness, and for the watch timer's event. */
export interface PolicyState {
  /**
   * `ok`: the newest version is in use. `refused`: the newest version is invalid. `unavailable`: the blob could not be
   * read. In the last two cases the last good version stays in use, if there is one.
   */
  readonly state: "ok" | "refused" | "unavailable";
  /** Of the version in use. Undefined: none is loaded, and the service answers 503. */
  readonly hash: string | undefined;
  /** Why the blob could not be read. */
  readonly reason?: string;
  /** Why the newest version is refused, as at the start of the service. */
  readonly problems?: readonly string[];
}
