/** Scopes of one API, bare names: as asked, as decided, or as given. Types only. */
export interface ApiScopes {
  /** Name of the API in the policy. */
  readonly api: string;
  readonly scopes: readonly string[];
}

/** What may be released at most, as it was decided before a person was asked; by API. */
export interface ReleaseBound {
  readonly apis: readonly ApiScopes[];
  /** Whatever else was consented may leave as well: `acceptSurplus` of then. */
  readonly surplus: boolean;
}

/** What a kept permission covers: no API twice, and the first is meant where nothing says which. */
export type ConsentedApis = readonly [ApiScopes, ...ApiScopes[]];
