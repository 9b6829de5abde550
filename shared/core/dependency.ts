/** What the service depends on while it answers a request, and how each can fail. */

/** What can go wrong with each dependency. Wire codes are `<dependency>_<problem>`. */
export const DEPENDENCY_PROBLEMS = {
  entra: ["unavailable", "timeout", "answer_invalid"],
  /** A failed read of the keys is one failure: the operator event `keys` has its cause. */
  key_set: ["unavailable"],
  key_vault: ["unavailable", "timeout", "answer_invalid"],
  managed_identity: ["unavailable", "timeout", "answer_invalid"],
  grant_store: ["unavailable", "timeout"],
  /** The policy blob was never read since the instance started. The operator event `policy` has the cause. */
  policy: ["unavailable"],
  /** The API that the relay calls. */
  downstream: ["unavailable", "timeout", "answer_too_large", "redirect", "busy"],
} as const;

export type Dependency = keyof typeof DEPENDENCY_PROBLEMS;

export type DependencyProblem = {
  readonly [D in Dependency]: { readonly dependency: D; readonly problem: (typeof DEPENDENCY_PROBLEMS)[D][number] };
}[Dependency];
