import type { Result } from "../core/result.ts";

export interface OutboundRequest {
  readonly method: "GET" | "POST";
  /** Absolute https URL, from configuration only. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange, from the connection to the last byte of the response, in milliseconds. */
  readonly deadlineMs: number;
  /** Size limit of the response body in bytes. */
  readonly maxBytes: number;
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case. Repeated headers are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The deadline passed; the connection failed (`code` is from Node, such as ECONNREFUSED); the response is too large. */
export type OutboundFailure =
  | { readonly kind: "timeout" }
  | {
      readonly kind: "network";
      readonly code: string;
      /** A keep-alive connection failed before any response. */
      readonly staleConnection?: true;
    }
  | { readonly kind: "answer_too_large" };

/** The only interface for HTTP requests to Entra. Follows no redirects and never throws for a network error. */
export interface Outbound {
  send(request: OutboundRequest): Promise<Result<OutboundResponse, OutboundFailure>>;
}

/** A request with a body of any kind, and its response as bytes. */
export interface BytesRequest extends Omit<OutboundRequest, "method" | "body"> {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: Uint8Array;
  /** Who sends: no one may take all connections. Each share has at most `RELAY_CALLS_MAX` requests at once. */
  readonly share: string;
}

/** The share has as many requests as it may have. Nothing was sent. */
export interface ShareUsedUp {
  readonly kind: "share_used_up";
}

export interface BytesResponse extends Omit<OutboundResponse, "body"> {
  readonly body: Buffer;
}

/** The interface for requests to APIs. Follows no redirects and never throws for a network error. */
export interface BytesOutbound {
  sendBytes(request: BytesRequest): Promise<Result<BytesResponse, OutboundFailure | ShareUsedUp>>;
}
