/**
 * The baseline of the benchmarks: functions that read the same request as the service and return a constant of the same
 * size, with the same bundling and host. `post` sends the same POST to Entra with the same HTTP client and nothing else.
 */
import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";

const METHODS: ("GET" | "POST")[] = ["GET", "POST"];
const body = "x".repeat(Number(process.env["BENCH_ANSWER_BYTES"] ?? 2_000));
const headers = {
  "Cache-Control": "no-store",
  Pragma: "no-cache",
  "Content-Type": "application/json; charset=utf-8",
  "client-request-id": "00000000-0000-4000-8000-000000000000",
};

/** Reads the method, every header, and the body of a POST. */
async function read(request: HttpRequest): Promise<number> {
  const text = request.method === "POST" ? await request.text() : "";
  return request.method.length + [...request.headers].length + text.length;
}

async function answer(request: HttpRequest): Promise<HttpResponseInit> {
  return (await read(request)) > 0 ? { status: 200, headers, body } : { status: 500 };
}

app.http("empty-header", {
  authLevel: "anonymous",
  methods: METHODS,
  route: "AuthorizationHeader/{api}",
  handler: answer,
});
app.http("empty-token", { authLevel: "anonymous", methods: METHODS, route: "oauth2/token", handler: answer });
app.http("healthz", {
  authLevel: "anonymous",
  methods: METHODS,
  route: "healthz",
  handler: async () => ({ status: 200, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: "Healthy" }),
});

const outbound = createHttpsOutbound();
const url = process.env["BENCH_TOKEN_URL"] ?? "";
const form = process.env["BENCH_TOKEN_FORM"] ?? "";

app.http("post", {
  authLevel: "anonymous",
  methods: METHODS,
  route: "post",
  handler: async (request) => {
    await read(request);
    const sent = await outbound.send({
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form,
      deadlineMs: 8_000,
      maxBytes: 256 * 1_024,
    });
    return { status: sent.ok ? 200 : 502, headers, body };
  },
});
