/** Converts a value to Bicep, for the parameter files of the tests. */
export function toBicep(value: unknown): string {
  if (typeof value === "string") {
    return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("${", "\\${").replaceAll("\n", "\\n")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(toBicep).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{ ${members.map(([key, member]) => `${toKey(key)}: ${toBicep(member)}`).join(", ")} }`;
  }
  return String(value);
}

/** The linter rejects unnecessary quotes. */
function toKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : toBicep(key);
}
