import type { Result } from "../core/result.ts";

export interface OutboundRequest {
  readonly method: "GET" | "POST";
  /** Absolute https URL, from configuration only. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whole exchange, from connection to last byte, milliseconds. */
  readonly deadlineMs: number;
  /** Largest answer body accepted, bytes. */
  readonly maxBytes: number;
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** No answer in time; no connection or a broken one (`code` is Node's, such as ECONNREFUSED); an answer over the limit. */
export type OutboundFailure =
  | { readonly kind: "timeout" }
  | {
      readonly kind: "network";
      readonly code: string;
      /** It was a kept connection that broke before any answer. */
      readonly staleConnection?: true;
    }
  | { readonly kind: "answer_too_large" };

/** The one way out to Entra over HTTP. Never follows redirects, never throws for what the network does. */
export interface Outbound {
  send(request: OutboundRequest): Promise<Result<OutboundResponse, OutboundFailure>>;
}
