/**
 * The headers of a request that the relay forwards. All others stay here: credentials, `Host`, cookies, what names another
 * method or address (`X-HTTP-Method-Override`, `X-Original-URL`), and what belongs to one connection.
 *
 * Source: https://learn.microsoft.com/graph/use-the-api#headers, RFC 9110 section 7.6.1
 */
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

/** Names in lower case. A header that `Connection` names is for the connection to this service only. */
export function forwardedHeaders(headers: Headers): Record<string, string> {
  const ofConnection = namesIn(headers.get("connection"));
  return Object.fromEntries(
    FORWARDED.filter((name) => !ofConnection.includes(name)).flatMap((name) => {
      const value = headers.get(name);
      return value === null || value === "" ? [] : [[name, value] as const];
    }),
  );
}

/** The header names in a value of `Connection`, in lower case. */
export function namesIn(connection: string | null | undefined): readonly string[] {
  return (connection ?? "").split(",").map((name) => name.trim().toLowerCase());
}
