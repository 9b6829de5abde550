import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";

/** An answer, in the shape that Functions takes and tests can read. */
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** The only way to `Set-Cookie`: of several such headers, Functions keeps the last. */
  readonly cookies?: readonly Cookie[];
  /** The answer tells a refusal in its own way (a redirect, a page that clears cookies); the audit trail says why. */
  readonly refusal?: Failure;
}
