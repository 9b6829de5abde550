/** Dates as display text and as ISO 8601. UTC, because the server does not know the reader's time zone. */
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

export function dayText(seconds: number): string {
  return DAY.format(seconds * 1_000);
}

export function isoDay(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}
