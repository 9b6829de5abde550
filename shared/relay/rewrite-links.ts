/**
 * Links of an API in a response, rewritten so that they lead through the relay again: `Location`, and the paging links of
 * OData in a JSON body. The body is not parsed, so numbers and spelling stay as the API wrote them.
 *
 * Source: https://learn.microsoft.com/graph/paging, OData JSON Format 4.01 section 4.6
 */

import { parseTarget, toRelativeUrl } from "../core/downstream-target.ts";
import { parseJson } from "../core/json-text.ts";
import { RELAY_LINKS_MAX } from "../core/limits.ts";
import { relativeTo } from "./base-url.ts";

export interface LinkContext {
  readonly baseUrl: string;
  /** The relay's address for this API: `https://service/DownstreamApi/graph`. */
  readonly relayUrl: string;
}

/** The link through the relay. Undefined: it leads elsewhere, or has no single reading. */
export function relayLink({ baseUrl, relayUrl }: LinkContext, link: string): string | undefined {
  const relative = relativeTo(baseUrl, link);
  const target = relative === undefined ? undefined : parseTarget(relative);
  return target?.ok === true ? `${relayUrl}${toRelativeUrl(target.value)}` : undefined;
}

/**
 * A member whose name ends with a paging annotation, also of an expanded collection, and its text value. Inside another
 * text a quotation mark has a backslash before it, so the name cannot be found there.
 */
const PAGING_LINK = /(@odata\.(?:nextLink|deltaLink)"\s{0,8}:\s{0,8})"((?:[^"\\]|\\.){1,16384})"/g;

/** The body with its paging links rewritten. A link of another host stays as it is, and so do those after the first 1,000. */
export function rewritePagingLinks(context: LinkContext, body: Buffer): Buffer {
  if (!body.includes("@odata.nextLink") && !body.includes("@odata.deltaLink")) return body;
  let links = 0;
  // Latin-1 maps each byte to one character and back.
  const rewritten = body.toString("latin1").replaceAll(PAGING_LINK, (whole, name: string, raw: string) => {
    links += 1;
    if (links > RELAY_LINKS_MAX) return whole;
    const link = parseJson(`"${Buffer.from(raw, "latin1").toString("utf8")}"`);
    const through = typeof link === "string" ? relayLink(context, link) : undefined;
    return through === undefined ? whole : `${name}${JSON.stringify(through)}`;
  });
  return Buffer.from(rewritten, "latin1");
}
