/** Reads a list of grants in pages. */
import type { ServiceClient } from "../service-client.ts";

/** The limit ends the loop if a service always names a next page. */
const MAX_PAGES = 2_000;

/** `path` may have a query. */
export async function collectPages(service: ServiceClient, path: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let after: string | undefined = "";
  for (let pages = 0; after !== undefined && pages < MAX_PAGES; pages += 1) {
    const separator = path.includes("?") ? "&" : "?";
    const next: string = after === "" ? path : `${path}${separator}after=${encodeURIComponent(after)}`;
    const page: Record<string, unknown> = await service.request({ path: next });
    const listed: unknown = page["grants"];
    if (Array.isArray(listed)) all.push(...listed);
    after = typeof page["next"] === "string" ? page["next"] : undefined;
  }
  return all;
}
