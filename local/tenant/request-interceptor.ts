/**
 * Handles every request before its endpoint does: it logs the request and applies a scripted response, if one matches.
 */
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { MiddlewareHandler, Next } from "hono";
import { answerFromScript } from "./control/answer-from-script.ts";
import { type RequestFacts, readRequestFacts } from "./control/request-facts.ts";
import type { ScriptedResponse } from "./control/scripted-responses.ts";
import { EntraError } from "./errors/entra-error.ts";
import { answerEntraFailure, type TenantContext } from "./http/entra-failure.ts";
import { replyWithError } from "./sign-in/reply.ts";
import { readReplyAddress } from "./sign-in/reply-address.ts";
import { withErrorPage } from "./sign-in/sign-in-endpoint.ts";
import type { Tenant } from "./tenant.ts";

export function createRequestInterceptor(tenant: Tenant): MiddlewareHandler<{ Bindings: HttpBindings }> {
  return async (context, next) => {
    const facts = await factsOf(tenant, context);
    const entry = tenant.log.start(facts, tenant.clock.nowMs());
    const scripted = tenant.orders.take(facts);
    if (scripted === undefined) await next();
    else context.res = await applyScript(tenant, { scripted, facts, context, next });
    entry.status = scripted?.spec.drop ? 0 : context.res.status;
  };
}

interface InterceptedRequest {
  scripted: ScriptedResponse;
  facts: RequestFacts;
  context: TenantContext;
  next: Next;
}

async function applyScript(tenant: Tenant, { scripted, facts, context, next }: InterceptedRequest): Promise<Response> {
  await pause(tenant, scripted);
  if (scripted.spec.drop) {
    context.env.incoming.socket.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  const answer = answerFromScript(tenant, scripted.spec, facts);
  if (answer instanceof Response) return answer;
  if (answer instanceof EntraError) return failureFor(tenant, answer, facts, context);
  await next();
  return context.res;
}

/** The authorization endpoint does not answer JSON: an error goes to the client by redirect, or is shown on a page. */
async function failureFor(tenant: Tenant, failure: EntraError, facts: RequestFacts, context: TenantContext) {
  if (facts.endpoint !== "authorize") return answerEntraFailure(tenant, failure, context);
  return withErrorPage(tenant, () =>
    replyWithError(tenant, readReplyAddress(tenant, new Map(Object.entries(facts.query))), failure),
  );
}

async function pause(tenant: Tenant, scripted: ScriptedResponse): Promise<void> {
  const { hold, delayMs, hang } = scripted.spec;
  if (hold) await tenant.orders.released(scripted);
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (hang) await new Promise(() => undefined);
}

async function factsOf(tenant: Tenant, { req }: TenantContext): Promise<RequestFacts> {
  // Bytes first: Hono keeps what it reads, and text would not become the same bytes again.
  const bytes = req.method === "GET" || req.method === "HEAD" ? undefined : await req.arrayBuffer();
  const body = bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
  const authorization = req.header("authorization");
  return readRequestFacts(tenant, {
    method: req.method,
    url: new URL(req.url),
    authorization,
    headers: req.header(),
    body,
  });
}
