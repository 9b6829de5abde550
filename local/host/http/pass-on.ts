/**
 * Passes requests on to another server of the local stack, which has no port that a person knows: the playground answers at
 * `/` and below `/playground/`, in place of the app. `/?app` is the app's own page.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";

/** False: the request is for the app. */
export function passOn(url: string | undefined, request: IncomingMessage, response: ServerResponse): boolean {
  const target = request.url ?? "";
  if (url === undefined || !(target === "/" || target.startsWith("/playground/"))) return false;
  const { method, headers } = request;
  const passed = httpRequest(new URL(target, url), { method, headers, agent: false, setHost: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  passed.on("error", () => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  request.pipe(passed);
  return true;
}
