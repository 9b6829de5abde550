/** Scopes by API, as requested, as policy decided or as Entra returned them. Types only. */
export interface ApiScopes {
  /** Name of the API in the policy. */
  readonly api: string;
  /** Bare names, without the resource. */
  readonly scopes: readonly string[];
}

/** The most that the service may release, as policy decided before the user was asked to approve. */
export interface ReleaseBound {
  readonly apis: readonly ApiScopes[];
  /** `acceptSurplus` at that time: scopes that were consented in addition may be released too. */
  readonly surplus: boolean;
}

/** The APIs that a grant is for, each at most once. The first is the default. */
export type ConsentedApis = readonly [ApiScopes, ...ApiScopes[]];
