/**
 * Writes what the web server answers without the host: as a response, or on the bare socket if Node could not parse the
 * request.
 */
import { type IncomingMessage, type RequestListener, type Server, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type ParseError, type Refusal, refuseUnparsed } from "./kestrel.ts";
import { BODY_MALFORMED } from "./read-request.ts";

/** The name that Kestrel sends with every answer. */
export const SERVER = "Kestrel";

/** A status without a body. The connection closes. */
export function answerRefusal(response: ServerResponse, { status, allow }: Refusal): void {
  response.req.resume();
  response.setHeader("server", SERVER);
  response.setHeader("content-length", 0);
  response.setHeader("connection", "close");
  if (allow !== undefined) {
    response.setHeader("allow", allow);
  }
  response.writeHead(status).end();
}

/** Handles the events of a server that are no usual requests: Expect, CONNECT, and bytes that are no HTTP request. */
export function answerUnusual(server: Server, listener: RequestListener): void {
  const running = new WeakMap<Socket, ServerResponse>();
  server.prependListener("request", (request, response) => running.set(request.socket, response));
  // readBody() sends 100, and only if the body has not arrived yet.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on("finish", () => socket.end());
    if (request.url?.startsWith("/")) {
      listener(request, response as ServerResponse<IncomingMessage> & { req: IncomingMessage });
    } else {
      answerRefusal(response, { status: 400 });
    }
  });
  server.on("clientError", (error: ParseError, socket: Socket) => {
    const response = running.get(socket);
    const refusal = refuseUnparsed(error);
    const inBody = response !== undefined && !response.req.complete;
    if (inBody && !response.writableFinished && refusal !== undefined) {
      // The app does not get a chunked body, so it answers. Then the connection closes.
      response.shouldKeepAlive = false;
      response.req.emit(BODY_MALFORMED);
    } else {
      answerOnSocket(socket, inBody ? undefined : refusal);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------

function answerOnSocket(socket: Socket, refusal: Refusal | undefined): void {
  if (refusal === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, allow } = refusal;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Content-Length: 0",
    "Connection: close",
    `Date: ${new Date().toUTCString()}`,
    `Server: ${SERVER}`,
    ...(allow === undefined ? [] : [`Allow: ${allow}`]),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n`);
}
