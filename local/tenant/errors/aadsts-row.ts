/** One AADSTS code: how Entra's v2 token endpoint answers it. */
export interface AadstsRow {
  readonly http: number;
  readonly error: string;
  /** `{name}` marks a value filled in by the cause. */
  readonly text: string;
  readonly suberror?: string;
  /** E-58: only some codes carry an `error_uri`. */
  readonly errorUri?: boolean;
  /** A conditional-access demand that usually comes with the code (E-59), as JSON text. */
  readonly claims?: string;
}

export type AadstsTable = Readonly<Record<number, AadstsRow>>;

/** Rows that share status and error: most of the table is 400 `invalid_grant`. */
export function rows(http: number, error: string, texts: Readonly<Record<number, string>>): AadstsTable {
  return Object.fromEntries(Object.entries(texts).map(([code, text]) => [code, { http, error, text }]));
}
