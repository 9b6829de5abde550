/** One difference of two policies, and how entries are named in it. Pure. */
import type { CallerRule } from "../../shared/policy/rules.ts";
import { escaped } from "./show.ts";

export interface Change {
  /** Not set: the change is about the policy as a whole. */
  readonly entry?: Pick<CallerRule, "name" | "kind" | "clientId" | "blueprint">;
  /** `gain`: someone may do more than before. `loss`: less. `note`: neither, or it depends on other changes. */
  readonly kind: "gain" | "loss" | "note";
  /** Values of the policy are between back quotes, and have no other back quote. */
  readonly text: string;
}

export function entryId({ name, kind, clientId, blueprint }: CallerRule): NonNullable<Change["entry"]> {
  return { name, kind, ...(clientId === undefined ? { blueprint } : { clientId }) };
}

/** Whose tokens an entry matches, in words. */
export function clientOf({ kind, clientId, blueprint }: Pick<CallerRule, "kind" | "clientId" | "blueprint">): string {
  return clientId === undefined ? `${kind} agents of blueprint ${blueprint}` : `${kind} ${clientId}`;
}

/** A value of the policy as code: in Markdown it has no other meaning. At most 200 characters. */
export function quoted(value: string): string {
  const text = escaped(value).replaceAll("`", "'");
  return `\`${text.length > 200 ? `${text.slice(0, 200)}…` : text}\``;
}

/** What an entry allows, in one line. */
export function describeEntry(entry: CallerRule): string {
  const apis = Object.entries(entry.apis).map(([api, scopes]) => `${quoted(api)}: ${scopes.map(quoted).join(" ")}`);
  const parts = [
    `${entry.release === "none" ? "use without a token" : "tokens"} for ${apis.join("; ")}`,
    `with ${entry.flows.map(quoted).join(" ")}`,
    ...(entry.offlineAccess ? [`grants for ${entry.grantMaxDays} days`] : []),
    ...(entry.unattended ? ["redeemed without the person"] : []),
    ...(entry.acceptSurplus ? ["surplus scopes too"] : []),
    ...(entry.registration === undefined ? [] : [`registration ${quoted(entry.registration)}`]),
  ];
  return parts.join(", ");
}
