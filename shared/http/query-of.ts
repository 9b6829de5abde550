import type { IncomingRequest } from "./incoming-request.ts";

/** The query of a request, as WHATWG URLs have it; most requests have none, and then nothing is parsed. */
export function queryOf({ url }: Pick<IncomingRequest, "url">): URLSearchParams {
  return url.includes("?") ? new URL(url).searchParams : NO_QUERY;
}

const NO_QUERY = new URLSearchParams();
