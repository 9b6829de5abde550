/**
 * The real service in this process: real handlers, jose, MSAL, Key Vault SDK and table SDK, against the local tenant and
 * Azurite over real sockets. Only the Functions host is missing: the tests construct the `HttpRequest` of
 * `@azure/functions` themselves.
 */
import { type Cookie, type HttpHandler, HttpRequest, InvocationContext } from "@azure/functions";
import { inject } from "vitest";
import { composeService, realSurroundings, type Service } from "../../functions/composition/compose.ts";
import { composeFoundation, type Foundation, type Surroundings } from "../../functions/composition/foundation.ts";
import { composeVersions } from "../../functions/composition/start.ts";
import { createHandler } from "../../functions/handle.ts";
import { createVersion, functionsOfVersions, type HttpFunction, routesOf } from "../../functions/register.ts";
import { parseRequestPath } from "../../local/host/routing/request-path.ts";
import { createRouteTable } from "../../local/host/routing/route-table.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import type { LocalTenant } from "../../local/tenant/local-tenant.ts";
import type { PolicyLocation } from "../../shared/config/config.ts";
import { configurationFrom } from "../../shared/config/environment.ts";
import { frozenDate, type MovableClock, movableClock } from "./movable-clock.ts";
import { newTableName } from "./table-rows.ts";
import { startTrustedTenant } from "./use-tenant.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, if it is not text. */
  readonly bytes: Uint8Array | undefined;
  /** The cookies of the answer, in the format of `@azure/functions`. */
  readonly cookies: readonly Cookie[];
  /** The body as JSON. Throws if it is not JSON. */
  json(): Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as a form. */
  readonly form?: Record<string, string> | URLSearchParams | readonly (readonly [string, string])[];
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged. */
  readonly body?: string | Uint8Array;
}

export interface ServiceUnderTest {
  readonly tenant: LocalTenant;
  /** Under the newest version of the policy. */
  readonly service: Service;
  /** Every line that the service logged, at any level. */
  readonly logs: string[];
  readonly settings: Record<string, string>;
  /** The audit event of the last request. */
  lastEvent(): Record<string, unknown>;
  /** Every audit event, oldest first. */
  events(): Record<string, unknown>[];
  call(path: string, call?: Call): Promise<Answer>;
  /** Resolves when the token cache has had that many look-ups in total, so that concurrent requests have all reached it. */
  lookUps(count: number): Promise<void>;
  /** Another instance of the service with the same tenant and table, and with empty caches. */
  another(changes?: ServiceChanges): ServiceUnderTest;
}

export interface ServiceChanges {
  readonly settings?: Record<string, string | undefined>;
  readonly surroundings?: Partial<Surroundings>;
}

/** What all instances in a test file share. */
export interface LocalWorld {
  readonly tenant: LocalTenant;
  /** Azurite, which serves all test files. */
  readonly tableUrl: string;
  /** The grant table of this world. */
  readonly tableName: string;
  /** The clock of the tenant and, unless `surroundings` say otherwise, of every service. */
  readonly clock: MovableClock;
  /** Every line that any instance logged. */
  readonly logs: string[];
  /** Every answer of any instance, with the path of the request. */
  readonly answers: { readonly path: string; readonly answer: Answer }[];
  /** Every request to any instance. */
  readonly calls: Call[];
  /** Every key that was looked up in the token cache of any instance. */
  readonly cacheKeys: string[];
  serve(changes?: ServiceChanges): ServiceUnderTest;
  stop(): Promise<void>;
}

export const SERVICE_URL = "http://localhost:7071";

export interface LocalWorldOptions {
  /** The clock moves `Date` of this process, so that the SDKs' tokens expire as well. For tests that run through days. */
  readonly movesDate?: boolean;
}

export async function startLocalWorld({ movesDate = false }: LocalWorldOptions = {}): Promise<LocalWorld> {
  const tenant = await startTrustedTenant({ serviceUrl: SERVICE_URL });
  const shared: Shared = {
    tenant,
    tableUrl: inject("tables").url,
    tableName: newTableName(),
    clock: movesDate ? frozenDate() : movableClock(tenant),
    logs: [],
    answers: [],
    calls: [],
    cacheKeys: [],
  };
  return { ...shared, serve: (changes = {}) => serve(shared, changes), stop: tenant.close };
}

type Shared = Omit<LocalWorld, "serve" | "stop">;

function serve(world: Shared, changes: ServiceChanges): ServiceUnderTest {
  const { tenant, tableUrl, tableName, clock } = world;
  const { nowMs, steadyMs } = clock;
  const settings = createServiceSettings(
    { tenantUrl: tenant.url, serviceUrl: SERVICE_URL, tableUrl, managedIdentity: tenant.state.identity },
    { GRANT_TABLE_NAME: tableName, ...changes.settings },
  );
  const { fixed, policy } = configurationFrom(settings);
  const made = composeFoundation(fixed, { ...realSurroundings(), nowMs, steadyMs, pause, ...changes.surroundings });
  const { cache, lookUps } = countLookUps(made.caches.cache, world.cacheKeys);
  const composed = composeFunctions({ ...made, caches: { ...made.caches, cache } }, policy);
  const logs: string[] = [];
  const log = (line: string) => {
    logs.push(line);
    world.logs.push(line);
  };
  const isEvent = (line: string) => line.includes('"event":"exchange"');
  const routes = createRouteTable(
    composed.functions.map(({ name, template, handler }) => ({ name, template, methods: undefined, target: handler })),
  );
  return {
    tenant,
    get service() {
      return composed.service();
    },
    logs,
    settings,
    events: () => logs.filter(isEvent).map((line) => JSON.parse(line)),
    lookUps,
    lastEvent: () => JSON.parse(logs.findLast(isEvent) ?? "{}"),
    async call(path, call = {}) {
      world.calls.push(call);
      const target = parseRequestPath(path);
      if (target === undefined) throw new Error(`the host refuses ${path}`);
      const matched = routes.match("GET", target.decoded);
      if (matched === undefined) throw new Error(`no route for ${target.decoded}`);
      const answer = await invoke(matched.target, `${target.encoded}${target.query}`, matched.params, call, log);
      world.answers.push({ path, answer });
      return answer;
    },
    another: (more = {}) => serve(world, more),
  };
}

/** As `functions/index.ts` starts the service. */
function composeFunctions(
  foundation: Foundation,
  policy: PolicyLocation,
): { readonly functions: readonly HttpFunction[]; readonly service: () => Service } {
  if (policy.kind === "blob") {
    const versions = composeVersions(foundation, policy, createVersion);
    return { functions: functionsOfVersions(versions), service: () => versions.latest().service };
  }
  const service = composeService(foundation, policy.config);
  const functions = routesOf(service).map((route) => ({ ...route, handler: createHandler(service, route) }));
  return { functions, service: () => service };
}

/** Second attempts at Entra follow at once, so that no test waits. */
const pause = () => Promise.resolve();

function countLookUps(cache: Service["exchangeContext"]["cache"], keys: string[]) {
  let total = 0;
  const waiting = new Set<{ count: number; done: () => void }>();
  const counted: typeof cache = {
    getOrAcquire(lookUp, acquire) {
      const answer = cache.getOrAcquire(lookUp, acquire);
      total += 1;
      keys.push(lookUp.key);
      for (const waiter of [...waiting].filter(({ count }) => total >= count)) {
        waiting.delete(waiter);
        waiter.done();
      }
      return answer;
    },
  };
  const lookUps = (count: number) =>
    total >= count ? Promise.resolve() : new Promise<void>((done) => void waiting.add({ count, done }));
  return { cache: counted, lookUps };
}

async function invoke(
  handler: HttpHandler,
  path: string,
  params: Record<string, string>,
  { method, headers = {}, form, json, body }: Call,
  log: (line: string) => void,
): Promise<Answer> {
  const content = contentOf(form, json, body);
  const request = new HttpRequest({
    method: method ?? (content === undefined ? "GET" : "POST"),
    url: `${SERVICE_URL}${path}`,
    headers: { ...content?.headers, ...headers },
    params,
    ...(content === undefined ? {} : { body: { bytes: Buffer.from(content.bytes) } }),
  });
  const context = new InvocationContext({
    functionName: "test",
    invocationId: "test",
    logHandler: (_level, ...args) => log(args.map(String).join(" ")),
  });
  const response = await handler(request, context);
  if (response === undefined || response === null || !("status" in response)) {
    throw new Error("the handler returned no response");
  }
  const { body: sent } = response;
  const text = typeof sent === "string" || sent instanceof Uint8Array ? Buffer.from(sent).toString("utf8") : "";
  return {
    status: response.status ?? 200,
    headers: new Headers(response.headers as Record<string, string>),
    cookies: response.cookies ?? [],
    text,
    bytes: sent instanceof Uint8Array ? sent : undefined,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

function contentOf(form: Call["form"], json: unknown, body: Call["body"]) {
  if (form !== undefined) {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { headers, bytes: Buffer.from(formText(form)) };
  }
  if (json !== undefined) {
    return { headers: { "content-type": "application/json" }, bytes: Buffer.from(JSON.stringify(json)) };
  }
  return body === undefined ? undefined : { headers: {}, bytes: Buffer.from(body) };
}

function formText(form: NonNullable<Call["form"]>): string {
  const pairs: Iterable<readonly string[]> = Symbol.iterator in form ? form : Object.entries(form);
  return new URLSearchParams([...pairs].map(([name = "", value = ""]): [string, string] => [name, value])).toString();
}
