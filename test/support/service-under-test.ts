/**
 * The real service in this process: real handlers, jose, MSAL, Key Vault SDK and table SDK, against the local tenant and
 * Azurite over real sockets. Only Functions' host is left out: requests are made as the package's own `HttpRequest`.
 */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type HttpHandler, HttpRequest, InvocationContext } from "@azure/functions";
import { compose, realSurroundings, type Service, type Surroundings } from "../../functions/composition/compose.ts";
import { createHandler } from "../../functions/handle.ts";
import { routesOf } from "../../functions/register.ts";
import { startTableService, type TableService } from "../../local/azurite/table-service.ts";
import { createServiceSettings } from "../../local/service-settings.ts";
import { type LocalTenant, startLocalTenant } from "../../local/tenant/local-tenant.ts";
import { createLocalTls } from "../../local/tls/local-tls.ts";
import { configFrom } from "../../shared/config/environment.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws when it is not. */
  json(): Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as a form. */
  readonly form?: Record<string, string> | URLSearchParams;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string;
}

export interface ServiceUnderTest {
  readonly tenant: LocalTenant;
  readonly service: Service;
  /** Every line that the service logged, all levels. */
  readonly logs: string[];
  readonly settings: Record<string, string>;
  /** The audit event of the last request. */
  lastEvent(): Record<string, unknown>;
  call(path: string, call?: Call): Promise<Answer>;
  /** Another instance of the service on the same tenant and table: new caches, new keys. */
  another(changes?: ServiceChanges): ServiceUnderTest;
}

export interface ServiceChanges {
  readonly settings?: Record<string, string | undefined>;
  readonly surroundings?: Partial<Surroundings>;
}

/** What all instances of a test file share. */
export interface LocalWorld {
  readonly tenant: LocalTenant;
  readonly tables: TableService;
  serve(changes?: ServiceChanges): ServiceUnderTest;
  stop(): Promise<void>;
}

const SERVICE_URL = "http://localhost:7071";

export async function startLocalWorld(): Promise<LocalWorld> {
  const tls = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), tls.caPem]);
  const options = { port: 0, tls: { key: tls.serverKeyPem, cert: tls.serverCertPem }, serviceUrl: SERVICE_URL };
  const [tenant, tables] = await Promise.all([startLocalTenant(options), startTableService()]);
  // The managed identity SDK reads these by itself, as it does in Azure.
  process.env["IDENTITY_ENDPOINT"] = tenant.state.identity.endpoint;
  process.env["IDENTITY_HEADER"] = tenant.state.identity.header;
  return {
    tenant,
    tables,
    serve: (changes = {}) => serve({ tenant, tables }, changes),
    async stop() {
      await tables.stop();
      await tenant.close();
    },
  };
}

function serve(world: Pick<LocalWorld, "tenant" | "tables">, changes: ServiceChanges): ServiceUnderTest {
  const { tenant, tables } = world;
  const settings = createServiceSettings(
    {
      tenantUrl: tenant.url,
      serviceUrl: SERVICE_URL,
      tableUrl: tables.url,
      managedIdentity: tenant.state.identity,
    },
    changes.settings,
  );
  const service = compose(configFrom(settings), { ...realSurroundings(), ...changes.surroundings });
  const logs: string[] = [];
  const handlers = routesOf(service).map((route) => ({ route, handler: createHandler(service, route) }));
  return {
    tenant,
    service,
    logs,
    settings,
    lastEvent: () => JSON.parse(logs.findLast((line) => line.includes('"event":"exchange"')) ?? "{}"),
    async call(path, call = {}) {
      const { pathname } = new URL(path, SERVICE_URL);
      for (const { route, handler } of handlers) {
        const params = matchTemplate(route.template, pathname);
        if (params !== undefined) {
          return invoke(handler, path, params, call, logs);
        }
      }
      throw new Error(`no route for ${pathname}`);
    },
    another: (more = {}) => serve(world, more),
  };
}

async function invoke(
  handler: HttpHandler,
  path: string,
  params: Record<string, string>,
  { method, headers = {}, form, json, body }: Call,
  logs: string[],
): Promise<Answer> {
  const content = contentOf(form, json, body);
  const request = new HttpRequest({
    method: method ?? (content === undefined ? "GET" : "POST"),
    url: `${SERVICE_URL}${path}`,
    headers: { ...content?.headers, ...headers },
    params,
    ...(content === undefined ? {} : { body: { bytes: Buffer.from(content.text) } }),
  });
  const context = new InvocationContext({
    functionName: "test",
    invocationId: "test",
    logHandler: (_level, ...args) => logs.push(args.map(String).join(" ")),
  });
  const response = await handler(request, context);
  if (response === undefined || response === null || !("status" in response)) {
    throw new Error("the handler gave no response");
  }
  const text = typeof response.body === "string" ? response.body : "";
  return {
    status: response.status ?? 200,
    headers: new Headers(response.headers as Record<string, string>),
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

function contentOf(form: Call["form"], json: unknown, body: string | undefined) {
  if (form !== undefined) {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { headers, text: new URLSearchParams(form).toString() };
  }
  if (json !== undefined) {
    return { headers: { "content-type": "application/json" }, text: JSON.stringify(json) };
  }
  return body === undefined ? undefined : { headers: {}, text: body };
}

function matchTemplate(template: string, pathname: string): Record<string, string> | undefined {
  const wanted = template.split("/");
  const given = pathname.slice(1).split("/");
  if (wanted.length !== given.length) {
    return undefined;
  }
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? "");
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) {
      params[name] = value;
    } else if (part.toLowerCase() !== value.toLowerCase()) {
      return undefined;
    }
  }
  return params;
}
