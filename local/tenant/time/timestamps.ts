/**
 * Times as Entra writes them in its answers.
 */
/** `yyyy-MM-dd HH:mm:ssZ`, with a space instead of `T` (E-56). */
export function toEntraTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** The ISO form with seven decimals, as in the AADSTS texts 700082 and 500133. */
export function toLongTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "0000Z");
}
