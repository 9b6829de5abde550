/** One AADSTS code, as Entra's v2 token endpoint answers it. */
export interface AadstsRow {
  readonly http: number;
  readonly error: string;
  /** `{name}` is a placeholder for a value of the request. */
  readonly text: string;
  readonly suberror?: string;
  /** Only some codes have an `error_uri` (E-58). */
  readonly errorUri?: boolean;
  /** The claims challenge that Entra usually sends with the code (E-59), as JSON text. */
  readonly claims?: string;
}

export type AadstsTable = Readonly<Record<number, AadstsRow>>;

/** Makes rows with the same status and error. Most of the table is 400 `invalid_grant`. */
export function rows(http: number, error: string, texts: Readonly<Record<number, string>>): AadstsTable {
  return Object.fromEntries(Object.entries(texts).map(([code, text]) => [code, { http, error, text }]));
}
