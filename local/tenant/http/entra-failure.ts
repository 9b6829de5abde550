/**
 * Answers an `EntraError` over HTTP, with the caller's correlation id if the caller sent one (E-57).
 */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { type EntraError, newCorrelation, toEntraAnswer } from "../errors/entra-error.ts";
import type { Clock } from "../time/clock.ts";
import { entraResponse } from "./responses.ts";

export interface FailureTenant {
  readonly url: string;
  readonly clock: Clock;
}

export type TenantContext = Context<{ Bindings: HttpBindings }>;

export async function answerEntraFailure(
  tenant: FailureTenant,
  failure: EntraError,
  context: TenantContext,
): Promise<Response> {
  const ids = await requestIds(context);
  const correlation = newCorrelation(ids.clientRequestId);
  const answer = toEntraAnswer(failure, { url: tenant.url, nowMs: tenant.clock.nowMs(), correlation });
  return entraResponse(answer, correlation, ids);
}

/** MSAL sends the id in the query and in the form (TC-1, TC-2). Other clients send a header. */
export async function requestIds({ req }: TenantContext) {
  const form = req.method === "POST" ? new URLSearchParams(await req.text()) : new URLSearchParams();
  const name = "client-request-id";
  const flag = `return-${name}`;
  return {
    clientRequestId: req.header(name) ?? req.query(name) ?? form.get(name) ?? undefined,
    returnClientRequestId: req.header(flag) ?? req.query(flag) ?? form.get(flag) ?? undefined,
  };
}
