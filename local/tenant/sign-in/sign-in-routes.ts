/**
 * The routes of the pages. They parse the browser's request and call the endpoint.
 */
import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { getCookie } from "hono/cookie";
import type { TenantContext } from "../http/entra-failure.ts";
import { type Form, parseForm, toForm } from "../oauth/token-request.ts";
import { answerLogout } from "./logout.ts";
import { SESSION_COOKIE } from "./session.ts";
import {
  answerAuthorize,
  answerDeviceLogin,
  answerLogin,
  type BrowserRequest,
  type SignInTenant,
  withErrorPage,
} from "./sign-in-endpoint.ts";

type Endpoint = (request: BrowserRequest, segment: string) => Response;

export function addSignInPages(app: Hono<{ Bindings: HttpBindings }>, tenant: SignInTenant): void {
  const serve = (endpoint: Endpoint) => async (context: TenantContext) => {
    const read = await formReader(context);
    const segment = context.req.param("tenant") ?? "";
    return withErrorPage(tenant, () => endpoint({ form: read(), cookie: getCookie(context, SESSION_COOKIE) }, segment));
  };
  const both = ["GET", "POST"];
  app.on(
    both,
    "/:tenant/oauth2/v2.0/authorize",
    serve((request, segment) => answerAuthorize(tenant, segment, request)),
  );
  app.post(
    "/:tenant/login",
    serve((request) => answerLogin(tenant, request)),
  );
  app.on(
    both,
    "/devicelogin",
    serve((request) => answerDeviceLogin(tenant, request)),
  );
  app.on(
    both,
    "/:tenant/oauth2/v2.0/logout",
    serve((request) => answerLogout(tenant, request)),
  );
}

/** Parameters in the query (GET) or in a form (POST, OpenID Connect Core section 3.1.2.1). */
async function formReader({ req }: TenantContext): Promise<() => Form> {
  const body = req.method === "POST" ? await req.text() : "";
  if (req.method === "POST") return () => parseForm(req.header("content-type"), body);
  return () => toForm(new URL(req.url).searchParams);
}
