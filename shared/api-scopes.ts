/** Scopes of one API, bare names: as asked, as decided, or as given. Types only. */
export interface ApiScopes {
  /** Name of the API in the policy. */
  readonly api: string;
  readonly scopes: readonly string[];
}

/** What a kept permission covers: no API twice, and the first is meant where nothing says which. */
export type CoveredApis = readonly [ApiScopes, ...ApiScopes[]];
