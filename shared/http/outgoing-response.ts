import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";

/** A response, in a shape that `functions/handle.ts` passes to Functions. */
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Cookies go here and not into `headers`: of several `Set-Cookie` headers, Functions sends only the last. */
  readonly cookies?: readonly Cookie[];
  /** The failure behind a redirect or a page, for the audit event. */
  readonly refusal?: Failure;
}

/** A response whose body is text. */
export type TextResponse = OutgoingResponse & { readonly body: string };
