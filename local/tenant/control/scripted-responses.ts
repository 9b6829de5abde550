/**
 * ScriptedResponses: what the tenant answers next, instead of or before its natural answer. Tests and the demo give them.
 */
import { randomUUID } from "node:crypto";
import type { Directory } from "../directory/directory.ts";
import { AADSTS } from "../errors/aadsts.ts";
import type { EntraErrorOptions } from "../errors/entra-error.ts";
import { ENDPOINT_NAMES, type Endpoint, type RequestFacts } from "./request-facts.ts";

type Wording = Pick<EntraErrorOptions, "values" | "error" | "suberror" | "claims" | "http" | "tail">;

export interface ResponseScript extends Wording {
  readonly endpoint: Endpoint;
  /** Narrowing; all given ones must fit. Users and clients by seed name or id. */
  readonly grantType?: string;
  readonly client?: string;
  readonly user?: string;
  readonly method?: string;
  /** A part of path and query, e.g. a secret's name. */
  readonly path?: string;
  /** A part of the form's `scope`, or of the query's `resource`. */
  readonly resource?: string;
  /** How many requests it answers; 0 = until cleared. Default 1. */
  readonly times?: number;
  /** Answer this AADSTS code with its faithful body (token, discovery). */
  readonly aadsts?: number;
  /** Answer exactly this. A body that is not a string is sent as JSON. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** 429 in the endpoint's own form with this `Retry-After`; Entra's is plain text (E-110). */
  readonly throttleSeconds?: number;
  /** Graph: answer the continuous access evaluation challenge (CC-7); `true` or the claims as JSON text. */
  readonly caeChallenge?: true | string;
  readonly delayMs?: number;
  /** Wait until `release(id)`; the way to order races without sleeping. */
  readonly hold?: boolean;
  /** Never answer. */
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
  /** One order, or all of them. Held requests go on. */
  clear(id?: string): void;
  /** Lets every request held by this order go on, now and later. */
  release(id: string): void;
  /** Resolves once the order has matched this many requests (default 1). */
  hit(id: string, count?: number): Promise<void>;
  list(): { id: string; remaining: number; hits: number; endpoint: Endpoint }[];
  /** Used by the front door: the first order that fits, counted as used. */
  take(facts: RequestFacts): ScriptedResponse | undefined;
  /** Used by the front door: resolves when a held order is released or cleared. */
  released(order: ScriptedResponse): Promise<void>;
}

export function createScriptedResponses(directory: Directory): ScriptedResponses {
  const orders = new Map<string, ScriptedResponse>();
  const gates = new Map<string, Gate>();
  const watchers = new Set<{ order: ScriptedResponse; count: number; done: () => void }>();
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
      orders.set(id, { id, spec, remaining, hits: 0 });
      return id;
    },
    clear: (id) => {
      for (const known of id === undefined ? [...orders.keys()] : [id]) {
        gateOf(known).open();
        orders.delete(known);
      }
    },
    release: (id) => gateOf(id).open(),
    hit: (id, count = 1) => {
      const order = orders.get(id);
      if (order === undefined) return Promise.reject(new TypeError(`no order ${id}`));
      if (order.hits >= count) return Promise.resolve();
      return new Promise((done) => watchers.add({ order, count, done }));
    },
    list: () =>
      [...orders.values()].map(({ id, remaining, hits, spec }) => ({ id, remaining, hits, endpoint: spec.endpoint })),
    take: (facts) => {
      const order = [...orders.values()].find((one) => one.remaining > 0 && fits(one.spec, facts, directory));
      if (order === undefined) return undefined;
      order.remaining -= 1;
      order.hits += 1;
      for (const watcher of [...watchers].filter((one) => one.order === order && order.hits >= one.count)) {
        watchers.delete(watcher);
        watcher.done();
      }
      return order;
    },
    released: (order) => gateOf(order.id).opened,
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

function fits(spec: ResponseScript, facts: RequestFacts, directory: Directory): boolean {
  const target = facts.form?.["scope"] ?? facts.form?.["resource"] ?? facts.query["resource"] ?? "";
  return (
    spec.endpoint === facts.endpoint &&
    same(spec.grantType, facts.grantType) &&
    same(spec.method, facts.method) &&
    same(spec.client && (directory.registration(spec.client)?.clientId ?? spec.client), facts.client) &&
    same(spec.user && (directory.user(spec.user)?.oid ?? spec.user), facts.user) &&
    (spec.path === undefined || `${facts.path}?${new URLSearchParams(facts.query)}`.includes(spec.path)) &&
    (spec.resource === undefined || target.includes(spec.resource))
  );
}

function same(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}
