/** Where an authorization code goes: one of the redirect URIs that policy has for the client. */
export interface RedirectTarget {
  readonly redirectUri: string;
  /** The client's own, given back as it came. */
  readonly state: string | undefined;
  /** The client's S256 challenge (RFC 7636). */
  readonly codeChallenge: string;
}
