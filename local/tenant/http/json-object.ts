/** A copy of an object with unknown members, or an empty object for every other value. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
