/** A request to Graph. */
import type { JsonObject } from "../keys/compact-jws.ts";
import type { GraphContext } from "./graph-answer.ts";

export interface GraphRequest {
  method: string;
  /** Encoded. */
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  clientRequestId: string | undefined;
  /** `name` in lower case. */
  header(name: string): string | undefined;
  body: Uint8Array;
}

/** A request whose token is valid. */
export interface GraphCall {
  context: GraphContext;
  request: GraphRequest;
  claims: JsonObject;
}
