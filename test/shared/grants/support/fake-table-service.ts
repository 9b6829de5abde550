/** A table service with scripted answers, for what Azurite never does (outages, hangs, refusals). */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeTableService {
  readonly endpoint: string;
  readonly requests: string[];
  /** One answer per request, in order. The last one repeats. */
  answers: Answer[];
  stop(): Promise<void>;
}

export async function startFakeTableService(): Promise<FakeTableService> {
  const server = createServer((request, response) => {
    service.requests.push(`${request.method} ${request.url}`);
    const answer = service.answers.length > 1 ? service.answers.shift() : service.answers[0];
    request.resume();
    request.on("end", () => answer?.(request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const service: FakeTableService = {
    endpoint: `http://127.0.0.1:${port}/devstoreaccount1`,
    requests: [],
    answers: [],
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return service;
}

/** An OData error as the table service writes it, with a message that the store must not pass on. */
export function odataError(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(
      JSON.stringify({ "odata.error": { code, message: { lang: "en-us", value: "Message of the service." } } }),
    );
  };
}

export const hang: Answer = () => undefined;
export const hangUp: Answer = (request) => request.socket.destroy();
export function json(body: unknown, status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
}
