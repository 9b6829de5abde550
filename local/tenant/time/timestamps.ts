/**
 * Times as Entra writes them in its answers.
 */
/** E-56: `yyyy-MM-dd HH:mm:ssZ`, a space and not `T`. */
export function toEntraTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** The seven-decimal ISO form inside some AADSTS texts (700082, 500133). */
export function toLongTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "0000Z");
}
