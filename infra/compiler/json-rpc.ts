/**
 * JSON-RPC 2.0 with a program over its standard streams, each message behind a header with its length. Answers may come
 * in any order. Knows nothing of Bicep.
 */
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export type RpcProgram = ChildProcessByStdio<Writable, Readable, null>;

export interface JsonRpc {
  /** Rejects with what the program answered in place of a result, or when it ended before it answered. */
  call(method: string, params: object): Promise<unknown>;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly message?: string } };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function connectJsonRpc(program: RpcProgram): JsonRpc {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) {
      reject(ended);
    }
    waiting.clear();
  };
  program.on("error", end);
  program.on("close", (code) => end(new Error(`the program ended with exit code ${code}`)));
  // A program that ended is reported by `close`; writing to it must not throw as well.
  program.stdin.on("error", end);
  const answered = ({ id, result, error }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) {
      call?.resolve(result);
    } else {
      call?.reject(new Error(error.data?.message ?? error.message));
    }
  };
  readMessages(program.stdout, (text) => answered(JSON.parse(text) as Answer));
  return {
    call: (method, params) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended);
          return;
        }
        count += 1;
        waiting.set(count, { resolve, reject });
        const body = JSON.stringify({ jsonrpc: "2.0", id: count, method, params });
        program.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      }),
  };
}

const HEADER_END = "\r\n\r\n";

function readMessages(stream: Readable, each: (text: string) => void): void {
  let received = Buffer.alloc(0);
  stream.on("data", (part: Buffer) => {
    received = Buffer.concat([received, part]);
    for (let message = firstMessage(received); message !== undefined; message = firstMessage(received)) {
      received = received.subarray(message.end);
      each(message.text);
    }
  });
}

/** The first whole message of what was received, and where it ends. */
function firstMessage(received: Buffer): { text: string; end: number } | undefined {
  const header = received.indexOf(HEADER_END);
  const length = header < 0 ? undefined : /Content-Length: (\d+)/i.exec(received.toString("latin1", 0, header))?.[1];
  const start = header + HEADER_END.length;
  const end = start + Number(length);
  return length === undefined || received.length < end
    ? undefined
    : { text: received.toString("utf8", start, end), end };
}
