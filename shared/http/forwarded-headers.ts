/**
 * The headers of a request that the relay forwards. All others stay here: credentials, `Host`, cookies, what names another
 * method or address (`X-HTTP-Method-Override`, `X-Original-URL`), and what belongs to one connection.
 *
 * Source: https://learn.microsoft.com/graph/use-the-api#headers, RFC 9110 section 7.6.1
 */
import { fail, type Result, succeed } from "../core/result.ts";

const FORWARDED: readonly string[] = [
  "accept",
  "accept-language",
  "content-type",
  // Chunks of an upload.
  "content-range",
  // Advanced queries: https://learn.microsoft.com/graph/aad-advanced-queries
  "consistencylevel",
  // odata.maxpagesize, outlook.timezone, respond-async …
  "prefer",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "range",
  "if-range",
];

interface Headers {
  get(name: string): string | null;
}

/** Visible ASCII: Node refuses to send other characters, and some servers read them as the end of a header. */
const VALUE = /^[\x20-\x7e]{1,1024}$/;

/**
 * Names in lower case. A header that `Connection` names is for the connection to this service only. The failure is the name
 * of a header with a value that cannot be forwarded.
 */
export function forwardedHeaders(headers: Headers): Result<Record<string, string>, string> {
  const ofConnection = namesIn(headers.get("connection"));
  const sent = FORWARDED.filter((name) => !ofConnection.includes(name)).flatMap((name) => {
    const value = headers.get(name);
    return value === null || value === "" ? [] : [[name, value] as const];
  });
  const [invalid] = sent.find(([, value]) => !VALUE.test(value)) ?? [];
  return invalid === undefined ? succeed(Object.fromEntries(sent)) : fail(invalid);
}

/** The header names in a value of `Connection`, in lower case. */
export function namesIn(connection: string | null | undefined): readonly string[] {
  return (connection ?? "").split(",").map((name) => name.trim().toLowerCase());
}
