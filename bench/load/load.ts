/**
 * A closed loop of HTTP requests over persistent connections: each connection sends its next request after it received the
 * complete response. Requests are prepared bytes, and responses are only measured, so that the client uses little processor
 * time. It uses sockets, because HTTP clients need more processor time than the measured service.
 */
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { connect as connectTls } from "node:tls";

export interface LoadInput {
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: plain HTTP. */
  readonly tls?: boolean;
  /** Complete HTTP/1.1 requests. */
  readonly requests: readonly Uint8Array[];
  /** Milliseconds that each request takes behind the measured host. They do not count. Default: none. */
  readonly behindMs?: readonly number[];
  readonly connections: number;
  /** The connections start evenly over this time in milliseconds. Default: all at once. */
  readonly rampMs?: number;
  /** The load ends after `maxRequests` or `maxMs`. */
  readonly maxRequests: number;
  readonly maxMs: number;
  /** Repeats the requests in their order, or picks them at random. */
  readonly order: "in-turn" | "random";
  /** Keeps the client busy while it waits. Otherwise the host spends processor time on waking the client. */
  readonly awake?: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of each response, ascending, in milliseconds. */
  readonly latenciesMs: Float64Array;
  /** Number of responses by status. 0 means no response. */
  readonly statuses: Readonly<Record<number, number>>;
}

export async function runLoad(input: LoadInput): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  const started = performance.now();
  let next = 0;
  const nextRequest = (): NextRequest | undefined => {
    if (next >= input.maxRequests || performance.now() - started >= input.maxMs) return undefined;
    const index = input.order === "random" ? Math.floor(Math.random() * input.requests.length) : next;
    next += 1;
    const bytes = input.requests[index % input.requests.length];
    return bytes && { bytes, behindMs: input.behindMs?.[index % input.requests.length] ?? 0 };
  };
  const record = (status: number, ms: number) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies.push(ms);
  };
  const stop = input.awake === true ? stayAwake() : () => undefined;
  const { connections, rampMs = 0 } = input;
  const startAt = (index: number) => setTimeout((index / connections) * rampMs);
  await Promise.all(
    Array.from({ length: connections }, (_, index) =>
      startAt(index).then(() => runConnection(input, nextRequest, record)),
    ),
  );
  stop();
  const seconds = (performance.now() - started) / 1_000;
  return {
    requests: latencies.length,
    seconds,
    perSecond: latencies.length / seconds,
    ...quantiles(latencies),
    statuses,
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface NextRequest {
  readonly bytes: Uint8Array;
  readonly behindMs: number;
}

/** Keeps the event loop running without a pause until the returned function is called. */
function stayAwake(): () => void {
  let awake = true;
  const turn = () => {
    if (awake) {
      setImmediate(turn);
    }
  };
  turn();
  return () => {
    awake = false;
  };
}

export function quantiles(latencies: readonly number[]) {
  const latenciesMs = Float64Array.from(latencies).sort();
  const last = latenciesMs.length - 1;
  const at = (share: number) => latenciesMs[Math.min(last, Math.floor(latenciesMs.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1), latenciesMs };
}

function runConnection(
  target: Pick<LoadInput, "host" | "port" | "tls">,
  nextRequest: () => NextRequest | undefined,
  record: (status: number, ms: number) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { host = "127.0.0.1", port, tls = false } = target;
  const address = { port, host, noDelay: true };
  const socket = tls ? connectTls({ ...address, ALPNProtocols: ["http/1.1"], servername: host }) : connect(address);
  /** The earliest time of the response, on the clock of `performance.now()`. */
  let earliest = 0;
  let waiting = false;
  const send = () => {
    const request = nextRequest();
    waiting = request !== undefined;
    if (request === undefined) {
      socket.end();
      resolve();
    } else {
      earliest = performance.now() + request.behindMs;
      socket.write(request.bytes);
    }
  };
  readResponses(socket, (status) => {
    record(status, performance.now() - earliest);
    send();
  });
  const onClose = () => {
    if (waiting) {
      waiting = false;
      record(0, performance.now() - earliest);
      runConnection(target, nextRequest, record).then(resolve, resolve);
    } else {
      resolve();
    }
  };
  socket.once(tls ? "secureConnect" : "connect", send);
  socket.once("error", () => undefined);
  socket.once("close", onClose);
  return promise;
}

const HEAD_END = Buffer.from("\r\n\r\n");

const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** Where the response ends: after its Content-Length, or after the last chunk. Undefined: more data is needed. */
function endOfResponse(head: string, received: Buffer, bodyStart: number): number | undefined {
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    // The connection carries one response at a time, so its last chunk is at the end.
    return received.subarray(-LAST_CHUNK.byteLength).equals(LAST_CHUNK) ? received.byteLength : undefined;
  }
  const end = bodyStart + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return received.byteLength >= end ? end : undefined;
}

function readResponses(socket: Socket, onResponse: (status: number) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = pending.byteLength === 0 ? chunk : Buffer.concat([pending, chunk]);
    const headEnd = pending.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = pending.toString("latin1", 0, headEnd);
    if (endOfResponse(head, pending, headEnd + HEAD_END.byteLength) !== undefined) {
      pending = Buffer.alloc(0);
      onResponse(Number(head.slice(9, 12)));
    }
  });
}
