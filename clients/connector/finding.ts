/** What `npm run connector -- check` reports. */
export interface Finding {
  /** `note`: nothing is wrong in the files, but a person meets it. */
  readonly level: "error" | "note";
  /** Stable. */
  readonly code: string;
  readonly message: string;
}

export function error(code: string, message: string): Finding {
  return { level: "error", code, message };
}

export function note(code: string, message: string): Finding {
  return { level: "note", code, message };
}
