/**
 * Scripted responses: tests and the demo set how and when the tenant answers the next requests. The control operations
 * that add, release and clear them are `order`, `releaseOrder` and `clearOrders`.
 */
import { randomUUID } from "node:crypto";
import type { Directory } from "../directory/directory.ts";
import { AADSTS } from "../errors/aadsts.ts";
import type { EntraErrorOptions } from "../errors/entra-error.ts";
import { ENDPOINT_NAMES, type Endpoint, type RequestFacts } from "./request-facts.ts";

type Wording = Pick<EntraErrorOptions, "values" | "error" | "suberror" | "claims" | "http" | "tail">;

export interface ResponseScript extends Wording {
  readonly endpoint: Endpoint;
  /** Filters of the request. All given filters must match. Users and clients by seed name or id. */
  readonly grantType?: string;
  readonly client?: string;
  readonly user?: string;
  readonly method?: string;
  /** A part of the path or query, such as a secret's name. */
  readonly path?: string;
  /** A part of the form's `scope` or the query's `resource`. */
  readonly resource?: string;
  /** The number of requests to answer. 0: until cleared. Default 1. */
  readonly times?: number;
  /** Answer this AADSTS code with the body that Entra sends (token, discovery). */
  readonly aadsts?: number;
  /** Answer exactly this status, these headers and this body. A body that is not a string is sent as JSON. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Answer 429 in the form of the endpoint with this `Retry-After`. Entra's form is plain text (E-110). */
  readonly throttleSeconds?: number;
  /** Graph: answer the challenge of continuous access evaluation (CC-7), with the usual claims (`true`) or these (JSON text). */
  readonly caeChallenge?: true | string;
  readonly delayMs?: number;
  /** Wait until `release(id)`, so that a test can order concurrent requests without sleeping. */
  readonly hold?: boolean;
  /** Never answer the request. */
  readonly hang?: boolean;
  /** Close the connection without an answer. */
  readonly drop?: boolean;
}

export interface ScriptedResponse {
  readonly id: string;
  readonly spec: ResponseScript;
  remaining: number;
  /** Requests answered so far. */
  hits: number;
}

export interface ScriptedResponses {
  add(spec: ResponseScript): string;
  /** Removes one scripted response, or all. Held requests continue. */
  clear(id?: string): void;
  /** Releases the requests that this response holds, present and future ones. */
  release(id: string): void;
  /** Resolves when the response has matched this many requests (default 1). */
  hit(id: string, count?: number): Promise<void>;
  list(): { id: string; remaining: number; hits: number; endpoint: Endpoint }[];
  /** For the request interceptor: returns the first response that matches, and counts it as used. */
  take(facts: RequestFacts): ScriptedResponse | undefined;
  /** For the request interceptor: resolves when a held response is released or cleared. */
  released(scripted: ScriptedResponse): Promise<void>;
}

export function createScriptedResponses(directory: Directory): ScriptedResponses {
  const responses = new Map<string, ScriptedResponse>();
  const gates = new Map<string, Gate>();
  const watchers = new Set<{ scripted: ScriptedResponse; count: number; done: () => void }>();
  const gateOf = (id: string) => {
    const gate = gates.get(id) ?? createGate();
    gates.set(id, gate);
    return gate;
  };
  return {
    add: (spec) => {
      if (spec.aadsts !== undefined && AADSTS[spec.aadsts] === undefined) {
        throw new TypeError(`AADSTS${spec.aadsts} is not in the local tenant's table`);
      }
      if (!ENDPOINT_NAMES.includes(spec.endpoint)) throw new TypeError(`no endpoint ${spec.endpoint}`);
      const id = randomUUID();
      const remaining = spec.times === 0 ? Number.POSITIVE_INFINITY : (spec.times ?? 1);
      responses.set(id, { id, spec, remaining, hits: 0 });
      return id;
    },
    clear: (id) => {
      for (const known of id === undefined ? [...responses.keys()] : [id]) {
        gateOf(known).open();
        responses.delete(known);
      }
    },
    release: (id) => gateOf(id).open(),
    hit: (id, count = 1) => {
      const scripted = responses.get(id);
      if (scripted === undefined) return Promise.reject(new TypeError(`no scripted response ${id}`));
      if (scripted.hits >= count) return Promise.resolve();
      return new Promise((done) => watchers.add({ scripted, count, done }));
    },
    list: () =>
      [...responses.values()].map(({ id, remaining, hits, spec }) => ({
        id,
        remaining,
        hits,
        endpoint: spec.endpoint,
      })),
    take: (facts) => {
      const scripted = [...responses.values()].find(
        (one) => one.remaining > 0 && matchesRequest(one.spec, facts, directory),
      );
      if (scripted === undefined) return undefined;
      scripted.remaining -= 1;
      scripted.hits += 1;
      for (const watcher of [...watchers].filter((one) => one.scripted === scripted && scripted.hits >= one.count)) {
        watchers.delete(watcher);
        watcher.done();
      }
      return scripted;
    },
    released: (scripted) => gateOf(scripted.id).opened,
  };
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

function matchesRequest(spec: ResponseScript, facts: RequestFacts, directory: Directory): boolean {
  const target = facts.form?.["scope"] ?? facts.form?.["resource"] ?? facts.query["resource"] ?? "";
  return (
    spec.endpoint === facts.endpoint &&
    matchesFilter(spec.grantType, facts.grantType) &&
    matchesFilter(spec.method, facts.method) &&
    matchesFilter(spec.client && (directory.registration(spec.client)?.clientId ?? spec.client), facts.client) &&
    matchesFilter(spec.user && (directory.user(spec.user)?.oid ?? spec.user), facts.user) &&
    (spec.path === undefined || `${facts.path}?${new URLSearchParams(facts.query)}`.includes(spec.path)) &&
    (spec.resource === undefined || target.includes(spec.resource))
  );
}

function matchesFilter(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}
