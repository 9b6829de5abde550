import type { IncomingRequest } from "./incoming-request.ts";

/** The query parameters of a request. Most requests have none, and their URL is not parsed. */
export function queryOf({ url }: Pick<IncomingRequest, "url">): URLSearchParams {
  return url.includes("?") ? new URL(url).searchParams : NO_QUERY;
}

const NO_QUERY = new URLSearchParams();
