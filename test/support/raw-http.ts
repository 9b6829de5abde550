/** HTTP as bytes: requests that no library sends, and unparsed answers. */
import { connect } from "node:net";

export interface RawAnswer {
  /** 0 if the connection was closed without an answer. */
  readonly status: number;
  /** Names in lower case, repeated values joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything received, including further answers on the connection. */
  readonly text: string;
}

/**
 * Sends the bytes, one per character, and reads until the server closes the connection. Send `Connection: close`,
 * because Node treats a half-closed connection as abandoned.
 */
export function sendRaw(port: number, bytes: string | readonly string[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: "127.0.0.1", port });
    const finish = () => resolve(readAnswer(Buffer.concat(chunks).toString("latin1")));
    socket.setTimeout(20_000, () => socket.destroy(new Error("no answer in time")));
    socket.on("connect", () => {
      for (const part of [bytes].flat()) {
        socket.write(part, "latin1");
      }
    });
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", finish);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // A server that refuses a request may close the connection before it has read all of it.
      if (error.code === "ECONNRESET" || error.code === "EPIPE") {
        finish();
      } else {
        reject(error);
      }
    });
  });
}

export interface RawRequest {
  readonly method?: string;
  readonly target: string;
  /** `Name: value` lines. `Host` and `Connection: close` are added unless `bare` is set. */
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly bare?: boolean;
}

/** A request as text, with the correct `Content-Length` if it has a body. */
export function rawRequest({ method = "GET", target, headers = [], body, bare = false }: RawRequest): string {
  const fixed = bare ? [] : ["Host: localhost", "Connection: close"];
  const length = body === undefined || bare ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return `${[`${method} ${target} HTTP/1.1`, ...fixed, ...length, ...headers].join("\r\n")}\r\n\r\n${body ?? ""}`;
}

function readAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const sent = rest.join("\r\n\r\n");
  const body = headers["transfer-encoding"] === "chunked" ? joinChunks(sent) : sent;
  return { status: Number(statusLine.split(" ")[1] ?? 0), headers, body, text };
}

/** The data of the chunks up to the last one. */
function joinChunks(sent: string): string {
  let body = "";
  for (let at = 0; ; ) {
    const size = Number.parseInt(sent.slice(at, at + 8), 16);
    const start = sent.indexOf("\r\n", at) + 2;
    if (!(size > 0) || start < 2) return body;
    body += sent.slice(start, start + size);
    at = start + size + 2;
  }
}
