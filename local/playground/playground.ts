/**
 * The playground's server, on a separate loopback port. The Functions host passes `/` and `/playground/…` on to it, so
 * the page has the origin of the service. It answers requests for that origin only: another site in the same browser can
 * neither read nor press anything (Host, Origin), and the page loads nothing from elsewhere (Content Security Policy).
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { LocalEnvironment } from "../caller/environment.ts";
import type { Directory } from "../tenant/directory/directory.ts";
import type { PlaygroundTenant } from "./flows/flow.ts";
import { createSession, type PlaygroundSession } from "./session.ts";

export interface Playground {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Call it when the stack runs. Until then the page answers 503. */
  open(stack: { environment: LocalEnvironment; tenant: PlaygroundTenant & { readonly directory: Directory } }): void;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

export async function startPlayground(serviceUrl: string): Promise<Playground> {
  let session: PlaygroundSession | undefined;
  const server = createServer(
    getRequestListener(createApp(serviceUrl, () => session).fetch, { overrideGlobalObjects: false }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: (stack) => {
      session = createSession(stack);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// ---------------------------------------------------------------------------------------------------------------

const FOLDER = join(import.meta.dirname, "page");
const LONGEST_BODY = 1_000;

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

function createApp(serviceUrl: string, current: () => PlaygroundSession | undefined): Hono {
  const app = new Hono();
  const { host } = new URL(serviceUrl);
  app.use("*", async (context, next) => {
    const { req } = context;
    const fromPage =
      req.method === "GET" || (req.header("origin") === serviceUrl && isJson(req.header("content-type")));
    if (req.header("host") !== host || !fromPage) return context.json({ error: "wrong origin" }, 403, HEADERS);
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    return undefined;
  });
  app.get("/", (context) => context.html(readFileSync(join(FOLDER, "index.html"), "utf8")));
  app.get("/playground/:file", (context) => {
    const file = context.req.param("file");
    const type = TYPES[extname(file)];
    if (type === undefined || !readdirSync(FOLDER).includes(file)) return context.json({ error: "not_found" }, 404);
    return context.body(readFileSync(join(FOLDER, file)), 200, { "Content-Type": type });
  });
  app.post("/playground/:operation", async (context) => {
    const session = current();
    if (session === undefined) return context.json({ error: "The stack is still starting." }, 503);
    const text = await context.req.text();
    if (text.length > LONGEST_BODY) return context.json({ error: "too large" }, 413);
    const answer = await session.answer(context.req.param("operation"), readBody(text));
    return answer === undefined ? context.json({ error: "invalid request" }, 400) : context.json(answer);
  });
  app.onError((error, context) => context.json({ error: error.message }, 500, HEADERS));
  return app;
}

function isJson(type: string | undefined): boolean {
  return type?.split(";", 1)[0]?.trim() === "application/json";
}

function readBody(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
