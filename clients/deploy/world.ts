/** Everything outside of the command: processes, requests, time, the compiler and the person. Tests replace it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Snapshot, Target } from "../../infra/compiler/bicep-process.ts";
import { type CompiledParameters, compileParameters } from "../../infra/compiler/compile-parameters.ts";
import { predictDeployment } from "../../infra/compiler/predict-deployment.ts";
import { serviceVersion } from "../../local/build/service-version.ts";
import type { ExitCode } from "../cli/exit-codes.ts";
import type { Terminal } from "../cli/terminal.ts";
import { runRegistration } from "../registration/run-registration.ts";

export interface Ended {
  /** Undefined: the program did not start. */
  readonly code: number | undefined;
  readonly out: string;
  readonly errors: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface World {
  readonly terminal: Terminal;
  start(program: string, args: readonly string[], timeoutMs: number): Promise<Ended>;
  /** Rejects if there is no answer. Follows no redirect. */
  send(url: string, init?: RequestInit): Promise<Answer>;
  pause(milliseconds: number): Promise<unknown>;
  /** Whether the person says yes. */
  confirm(question: string): Promise<boolean>;
  compile(file: string): Promise<CompiledParameters>;
  predict(file: string, target: Target): Promise<Snapshot | undefined>;
  /** `npm run registration`. */
  registration(args: readonly string[], terminal: Terminal): Promise<ExitCode>;
  /** The version that the package of this checkout has. */
  version(): string;
}

export function processWorld(terminal: Terminal): World {
  return {
    terminal,
    start,
    send,
    pause: sleep,
    confirm,
    compile: compileParameters,
    predict: predictDeployment,
    registration: runRegistration,
    version: serviceVersion,
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Of one answer, and of one program. */
const REQUEST_TIMEOUT_MS = 30_000;

function start(program: string, args: readonly string[], timeoutMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    const text = { out: "", errors: "" };
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text.out += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      text.errors += part;
    });
    child.on("error", () => resolve({ code: undefined, ...text }));
    child.on("close", (code, signal) => {
      resolve({ code: code ?? 1, out: text.out, errors: signal === null ? text.errors : "The command timed out." });
    });
  });
}

async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} (yes/no) `)).trim());
  } finally {
    lines.close();
  }
}
