/**
 * A closed loop of HTTP requests over kept connections: each connection sends its next request when the last answer is
 * whole. Requests are ready-made bytes and answers are only measured, so that the client costs little; it uses sockets
 * because HTTP clients cost more than what is measured here. Loopback only.
 */
import { connect, type Socket } from "node:net";

export interface LoadInput {
  readonly port: number;
  /** Whole HTTP/1.1 requests. */
  readonly requests: readonly Uint8Array[];
  readonly connections: number;
  /** Ends after so many requests or so much time, whichever is first. */
  readonly maxRequests: number;
  readonly maxMs: number;
  /** In the order given, over and over, or any of them at random. */
  readonly order: "in-turn" | "random";
  /** Does not sleep while it waits: waking another core would be charged to the host, the more the slower it is. */
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
  /** Answers by status; 0: none. */
  readonly statuses: Readonly<Record<number, number>>;
}

export async function runLoad(input: LoadInput): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  const started = performance.now();
  let next = 0;
  const nextRequest = (): Uint8Array | undefined => {
    if (next >= input.maxRequests || performance.now() - started >= input.maxMs) return undefined;
    const index = input.order === "random" ? Math.floor(Math.random() * input.requests.length) : next;
    next += 1;
    return input.requests[index % input.requests.length];
  };
  const record = (status: number, ms: number) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies.push(ms);
  };
  const rest = input.awake === true ? stayAwake() : () => undefined;
  await Promise.all(Array.from({ length: input.connections }, () => runConnection(input.port, nextRequest, record)));
  rest();
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

/** Turns of the event loop without a pause, until the returned function is called. */
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

function quantiles(latencies: readonly number[]) {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

function runConnection(
  port: number,
  nextRequest: () => Uint8Array | undefined,
  record: (status: number, ms: number) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let sentAt = 0;
  let waiting = false;
  const send = () => {
    const request = nextRequest();
    waiting = request !== undefined;
    if (request === undefined) {
      socket.end();
      resolve();
    } else {
      sentAt = performance.now();
      socket.write(request);
    }
  };
  readAnswers(socket, (status) => {
    record(status, performance.now() - sentAt);
    send();
  });
  const lost = () => {
    if (waiting) {
      waiting = false;
      record(0, performance.now() - sentAt);
      runConnection(port, nextRequest, record).then(resolve, resolve);
    } else {
      resolve();
    }
  };
  socket.once("connect", send);
  socket.once("error", () => undefined);
  socket.once("close", lost);
  return promise;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/** Answers have a Content-Length; nothing else comes from the local host. */
function readAnswers(socket: Socket, onAnswer: (status: number) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = pending.byteLength === 0 ? chunk : Buffer.concat([pending, chunk]);
    const headEnd = pending.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = pending.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (pending.byteLength >= headEnd + HEAD_END.byteLength + length) {
      pending = Buffer.alloc(0);
      onAnswer(Number(head.slice(9, 12)));
    }
  });
}
