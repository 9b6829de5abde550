/**
 * The tenant's HTTP routes: Entra, Key Vault, managed identity, Graph and control, on one origin.
 */
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { answerControlRequest } from "./control/control-endpoint.ts";
import { discoverySegment, instanceDocument, v1Document, v2Document } from "./discovery/documents.ts";
import { EntraError, newCorrelation } from "./errors/entra-error.ts";
import { answerPublishRequest, TOPIC_PATH } from "./event-grid/topic-endpoint.ts";
import { answerGraphRequest } from "./graph/graph-endpoint.ts";
import { answerOrdersRequest } from "./graph/orders-api.ts";
import { answerEntraFailure, requestIds, type TenantContext } from "./http/entra-failure.ts";
import { entraResponse, jsonResponse, resourceResponse } from "./http/responses.ts";
import { answerIdentityRequest } from "./identity/managed-identity.ts";
import { answerDeviceCodeRequest } from "./oauth/device-code-endpoint.ts";
import { createRequestInterceptor } from "./request-interceptor.ts";
import { addSignInPages } from "./sign-in/sign-in-routes.ts";
import { answerBlobRequest, BLOB_ACCOUNT_PATH } from "./storage/blob-endpoint.ts";
import type { Tenant, TenantState } from "./tenant.ts";
import { answerTokenRequest } from "./token-endpoint/token-endpoint.ts";
import type { EndpointVersion } from "./token-endpoint/token-response.ts";
import { answerVaultRequest } from "./vault/vault-endpoint.ts";

type App = Hono<{ Bindings: HttpBindings }>;

const ANY_ORIGIN = { "Access-Control-Allow-Origin": "*" };
/** Clients refresh the keys at least daily (E-22). */
const KEYS_HEADERS = { ...ANY_ORIGIN, "Cache-Control": "max-age=86400, private" };

export function createRoutes(state: TenantState): App {
  const app: App = new Hono();
  app.post("/_control/:operation", async (context) => {
    const operation = context.req.param("operation");
    const authorization = context.req.header("authorization");
    return jsonResponse(
      await answerControlRequest(state, { operation, authorization, body: await context.req.text() }),
    );
  });
  app.use("*", createRequestInterceptor(state));
  addDiscovery(app, state);
  addTokenEndpoints(app, state);
  addSignInPages(app, state);
  addResources(app, state);
  app.notFound(() => jsonResponse({ status: 404, body: { error: "not_found" } }));
  app.onError((failure, context) => answerError(state, failure, context));
  return app;
}

function addDiscovery(app: App, tenant: Tenant): void {
  const documents = { "/:tenant/v2.0/": v2Document, "/:tenant/": v1Document };
  app.get("/common/discovery/instance", (context) => {
    const body = instanceDocument(tenant, context.req.query("authorization_endpoint"));
    return jsonResponse({ status: 200, body, headers: ANY_ORIGIN });
  });
  for (const [prefix, document] of Object.entries(documents)) {
    app.get(`${prefix}.well-known/openid-configuration`, (context) => {
      const segment = discoverySegment(context.req.param("tenant") ?? "");
      const body = document(tenant, segment, context.req.query("appid"));
      return jsonResponse({ status: 200, body, headers: ANY_ORIGIN });
    });
  }
  for (const path of ["/:tenant/discovery/v2.0/keys", "/:tenant/discovery/keys"]) {
    app.get(path, (context) => {
      discoverySegment(context.req.param("tenant") ?? "");
      return jsonResponse({
        status: 200,
        body: { keys: tenant.keys.published(context.req.query("appid")) },
        headers: KEYS_HEADERS,
      });
    });
  }
}

function addTokenEndpoints(app: App, tenant: Tenant): void {
  const serve = (version: EndpointVersion) => async (context: TenantContext) => {
    const { req } = context;
    const body = answerTokenRequest(tenant, {
      method: req.method,
      tenantSegment: req.param("tenant") ?? "",
      version,
      contentType: req.header("content-type"),
      authorization: req.header("authorization"),
      body: req.method === "GET" ? "" : await req.text(),
    });
    const ids = await requestIds(context);
    return entraResponse({ status: 200, headers: {}, body: { ...body } }, newCorrelation(ids.clientRequestId), ids);
  };
  app.all("/:tenant/oauth2/v2.0/devicecode", async (context: TenantContext) => {
    const { req } = context;
    const answer = answerDeviceCodeRequest(tenant, {
      method: req.method,
      tenantSegment: req.param("tenant") ?? "",
      contentType: req.header("content-type"),
      body: req.method === "GET" ? "" : await req.text(),
    });
    const ids = await requestIds(context);
    return entraResponse({ status: 200, headers: {}, body: { ...answer } }, newCorrelation(ids.clientRequestId), ids);
  });
  app.all("/:tenant/oauth2/v2.0/token", serve(2));
  app.all("/:tenant/oauth2/token", serve(1));
}

function addResources(app: App, tenant: Tenant): void {
  const common = ({ req }: TenantContext) => ({
    method: req.method,
    path: req.path,
    authorization: req.header("authorization"),
  });
  const vault = async (context: TenantContext) => {
    const { req } = context;
    const clientRequestId = req.header("x-ms-client-request-id");
    const query = new URL(req.url).searchParams;
    const body = req.method === "GET" ? "" : await req.text();
    return jsonResponse(answerVaultRequest(tenant, { ...common(context), query, clientRequestId, body }));
  };
  const orders = (context: TenantContext) => {
    const { method, authorization } = common(context);
    return jsonResponse(answerOrdersRequest(tenant, method, authorization));
  };
  app.all("/secrets", vault).all("/secrets/*", vault);
  app.all("/orders", orders).all("/orders/*", orders);
  app.all(`${BLOB_ACCOUNT_PATH}*`, (context) =>
    answerBlobRequest(tenant, {
      ...common(context),
      version: context.req.header("x-ms-version"),
      ifNoneMatch: context.req.header("if-none-match"),
    }),
  );
  app.all(TOPIC_PATH, async (context) => {
    const { req } = context;
    const { method, authorization } = common(context);
    const [query, contentType] = [new URL(req.url).searchParams, req.header("content-type")];
    const body = hasBody(method) ? await req.text() : "";
    return jsonResponse(answerPublishRequest(tenant, { method, authorization, query, contentType, body }));
  });
  app.get("/msi/token", ({ req }) => {
    const query = new URL(req.url).searchParams;
    return jsonResponse(answerIdentityRequest(tenant, { header: req.header("x-identity-header"), query }));
  });
  for (const version of ["/:version{[vV]1\\.0}/*", "/:version{[bB][eE][tT][aA]}/*"]) {
    app.all(version, async (context) => {
      const { req } = context;
      return resourceResponse(
        answerGraphRequest(tenant, {
          ...common(context),
          path: new URL(req.url).pathname,
          query: new URL(req.url).searchParams,
          clientRequestId: req.header("client-request-id"),
          header: (name) => req.header(name),
          body: hasBody(req.method) ? new Uint8Array(await req.arrayBuffer()) : new Uint8Array(),
        }),
      );
    });
  }
}

function hasBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

async function answerError(tenant: Tenant, failure: Error, context: TenantContext): Promise<Response> {
  if (!(failure instanceof EntraError)) {
    console.error("local tenant:", failure);
    return jsonResponse({ status: 500, body: { error: "local_tenant_failure", message: failure.message } });
  }
  return answerEntraFailure(tenant, failure, context);
}
