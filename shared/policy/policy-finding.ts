/** What an administrator should know about a policy that the service accepts. Types only. */
export interface PolicyFinding {
  readonly severity: "error" | "warning";
  /** With dots, for example `callers.0.apis.graph`. */
  readonly path: string;
  /** The members of the object at `path` that the finding is about. */
  readonly members?: readonly string[];
  /** What is wrong with the value at `path`. Its subject is that value. */
  readonly problem: string;
  /** What a caller or its administrator sees of it. */
  readonly effect: string;
  /** What the administrator can do, one of them is enough. */
  readonly remedies?: readonly string[];
}
