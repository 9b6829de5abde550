/**
 * What Kestrel, the web server of the real host, refuses before the host sees a request: its limits, bytes in headers,
 * versions and the Host header. The status is sent without a body and without the custom headers, and the connection closes.
 * Source: Http1Connection.cs, HttpParser.cs and HttpUtilities.cs of dotnet/aspnetcore.
 */
import type { IncomingMessage } from "node:http";

export interface Refusal {
  readonly status: number;
  readonly allow?: string;
}

/** An error of Node's HTTP parser. */
export interface ParseError {
  readonly code?: string | undefined;
  readonly rawPacket?: Buffer | undefined;
}

const requestLineLimit = 8_192;
const headersTotalLimit = 32_768;
const headerCountLimit = 100;

/** Undefined: Kestrel accepts the head of the request. Decodes the values in `rawHeaders` as UTF-8, as Kestrel does. */
export function refuseHead(request: IncomingMessage): Refusal | undefined {
  const { method = "", url = "", httpVersion, rawHeaders } = request;
  // "GET /path HTTP/1.1" and the line break.
  if (method.length + url.length + 12 > requestLineLimit) return { status: 414 };
  if (httpVersion === "0.9") return { status: 400 }; // So Node reads a request line without a version.
  if (httpVersion !== "1.0" && httpVersion !== "1.1") return { status: 505 };
  if (!isCodingValid(request)) return { status: 400 };
  if (url === "*" && method !== "OPTIONS") return { status: 405, allow: "OPTIONS" };
  return refuseHeaders(rawHeaders) ?? refuseHost(request);
}

/** The answer to a request that Node could not parse. Undefined: the connection closes without an answer. */
export function refuseUnparsed(error: ParseError): Refusal | undefined {
  const { code = "", rawPacket } = error;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { status: 408 };
  if (!code.startsWith("HPE_") || CLOSING_CODES.has(code)) return undefined;
  const text = (rawPacket ?? Buffer.alloc(0)).toString("latin1");
  const [line = ""] = text.split("\r\n", 1);
  if (code !== "HPE_HEADER_OVERFLOW") return refuseRequestLine(line, code);
  // The packet is the last one read. If it is not the first one, a line break in it is one of the headers.
  const longLine = /^[A-Z]+ /.test(line) ? line.length + 2 > requestLineLimit : line.length === text.length;
  return { status: longLine ? 414 : 431 };
}

// ---------------------------------------------------------------------------------------------------------------

/** The client ended in the middle of a request, or began HTTP/2. */
const CLOSING_CODES: ReadonlySet<string> = new Set(["HPE_INVALID_EOF_STATE", "HPE_PAUSED_H2_UPGRADE"]);

function refuseRequestLine(line: string, code: string): Refusal | undefined {
  const [, method, target = "", version] = /^([!#$%&'*+.^_`|~\w-]+) (\S+) (\S+)$/.exec(line) ?? [];
  if (method === "PRI") return undefined;
  if (method === undefined) return { status: 400 };
  if (version !== "HTTP/1.0" && version !== "HTTP/1.1") return { status: 505 };
  // Kestrel takes any other target for an authority, which only CONNECT may have.
  const isAuthority = !/^https?:/i.test(target) && /^[\w.:@[\]-]+$/.test(target);
  if (isAuthority) return { status: 405, allow: "CONNECT" };
  // Kestrel accepts every token as a method, and then no function has the method.
  return { status: code === "HPE_INVALID_METHOD" ? 404 : 400 };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const beyondAscii = /[^\0-\x7f]/;

function refuseHeaders(rawHeaders: string[]): Refusal | undefined {
  if (rawHeaders.length > headerCountLimit * 2) return { status: 431 };
  let total = 2;
  for (const [index, text] of rawHeaders.entries()) {
    total += text.length + 2;
    if (beyondAscii.test(text)) {
      try {
        rawHeaders[index] = utf8.decode(Buffer.from(text, "latin1"));
      } catch {
        return { status: 400 };
      }
    }
  }
  return total > headersTotalLimit ? { status: 431 } : undefined;
}

/** Transfer-Encoding must end in chunked. */
function isCodingValid({ headers }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding === undefined || /(?:^|,)\s*chunked\s*$/i.test(coding);
}

function refuseHost({ url = "", httpVersion, rawHeaders }: IncomingMessage): Refusal | undefined {
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "host");
  const [host] = hosts;
  if (host === undefined) return httpVersion === "1.0" ? undefined : { status: 400 };
  const authority = /^https?:\/\/([^/?#]+)/i.exec(url)?.[1];
  const expected = authority === undefined || host === authority || host === new URL(url).host;
  return hosts.length === 1 && expected && isHostValid(host) ? undefined : { status: 400 };
}

/** An empty value is valid for Kestrel. The host fails later, because it cannot build the URL of the request. */
function isHostValid(host: string): boolean {
  return host === "" || /^(?:[\w!$&'().~-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(host);
}
