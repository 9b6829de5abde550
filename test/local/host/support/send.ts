/**
 * Sends one request over node:http with full control of its head: repeated headers, chunked bodies, unusual targets.
 */
import { type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** One character per byte. */
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the members that it expects
  json: any;
}

export interface Sending {
  method?: string;
  /** A flat list of names and values, so that a name can occur twice. */
  headers?: readonly string[];
  body?: string | Uint8Array;
  chunked?: boolean;
  host?: string;
}

export function send(port: number, path: string, sending: Sending = {}): Promise<Answer> {
  const { method = "GET", headers = [], body, chunked = false, host = "127.0.0.1" } = sending;
  const length = body === undefined || chunked ? [] : ["Content-Length", String(Buffer.byteLength(body))];
  const hostHeader = headers.some((name) => name.toLowerCase() === "host") ? [] : ["Host", `localhost:${port}`];
  const transfer = chunked ? ["Transfer-Encoding", "chunked"] : [];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path, method, agent: false, headers: [...hostHeader, ...length, ...transfer, ...headers] },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("latin1");
          const type = response.headers["content-type"] ?? "";
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: type.includes("json") && text !== "" ? JSON.parse(bytes.toString("utf8")) : undefined,
          });
        });
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
