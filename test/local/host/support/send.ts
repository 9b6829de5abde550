/**
 * One request over node:http with full control of the head: repeated headers, chunked bodies, odd targets.
 */
import { type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** One character for each byte. */
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  json: any;
}

export interface Sending {
  method?: string;
  /** Flat list of names and values, so that a name may come twice. */
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
