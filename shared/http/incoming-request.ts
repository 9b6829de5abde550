/** The part of a Functions `HttpRequest` that the readers use, so that tests and other hosts can provide it. */
export interface IncomingRequest {
  readonly method: string;
  /** Absolute URL. The readers use only its query; `Host` has no effect. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  arrayBuffer(): Promise<ArrayBuffer>;
}
