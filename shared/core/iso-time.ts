/** ISO 8601 in UTC, whole seconds: `2026-11-28T19:46:09Z`. Every time in a response has this form. */
export function isoTime(secondsSince1970: number): string {
  return new Date(Math.floor(secondsSince1970) * 1_000).toISOString().replace(".000Z", "Z");
}
