/**
 * What a revocation concerns. Everything of it that is as old as the revocation counts no longer: a grant that a person
 * allowed until then is refused, and a token that Entra issued until then is not served from a cache.
 */

/** A person (`oid`), a caller (client id), a policy entry (name), an API (name), one grant (id), or everything. */
export const REVOCATION_KINDS = ["person", "caller", "entry", "api", "grant", "everything"] as const;

export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** What else Entra refuses: a registration (client id), or a person's consent (see `consentKey`). */
export type MarkKind = RevocationKind | "registration" | "consent";

export interface RevocationTarget {
  readonly kind: RevocationKind;
  /** GUIDs in lower case. Empty for `everything`. */
  readonly key: string;
}

/**
 * The clocks of two instances may differ by this time. A mark reaches this far into the future, so that a token that an
 * instance with a fast clock got before the revocation is not taken for a later one.
 */
export const CLOCK_MARGIN_SECONDS = 5;
