/** Where the browser goes with an authorization code: a redirect URI that policy lists for the client. */
export interface RedirectTarget {
  readonly redirectUri: string;
  /** The client's `state`, returned unchanged. */
  readonly state: string | undefined;
  /** The client's S256 challenge (RFC 7636). */
  readonly codeChallenge: string;
}
