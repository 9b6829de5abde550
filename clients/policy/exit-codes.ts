/** The exit codes of the policy commands. They are stable: scripts rely on them. docs/policy.md lists them. */
export const POLICY_EXIT = {
  ok: 0,
  /** The policy has errors, a case failed, or a request is refused. */
  errors: 1,
  /** Wrong command line, or a file that cannot be read or written. */
  usage: 2,
  /** `diff --fail-on-gain`: a caller gains something. */
  gain: 3,
} as const;

export type PolicyExit = (typeof POLICY_EXIT)[keyof typeof POLICY_EXIT];
