/** The part of a Functions `HttpRequest` that is read here, so that tests and other hosts can give one too. */
export interface IncomingRequest {
  readonly method: string;
  /** Absolute URL. Only its query is used; `Host` decides nothing. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  arrayBuffer(): Promise<ArrayBuffer>;
}
