/**
 * The AADSTS table: every code that the tenant raises by itself or by a scripted response. To correct a code, change one
 * row. https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { CLIENT_CODES } from "./aadsts-client.ts";
import { REQUEST_CODES } from "./aadsts-request.ts";
import type { AadstsRow, AadstsTable } from "./aadsts-row.ts";
import { SIGN_IN_CODES } from "./aadsts-sign-in.ts";
import { USER_CODES } from "./aadsts-user.ts";

export const AADSTS: AadstsTable = { ...USER_CODES, ...CLIENT_CODES, ...REQUEST_CODES, ...SIGN_IN_CODES };

export function aadstsRow(code: number): AadstsRow {
  const row = AADSTS[code];
  if (row === undefined) throw new TypeError(`AADSTS${code} is not in the local tenant's table`);
  return row;
}

/** Replaces the `{name}` placeholders. A placeholder without a value becomes its name. */
export function aadstsText(row: AadstsRow, values: Readonly<Record<string, string>>): string {
  return row.text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name);
}
