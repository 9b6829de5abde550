/** An answer, in the shape that Functions takes and tests can read. */
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
}
