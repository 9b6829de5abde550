/** Runs the command line in this process, which is fast, or as a separate process. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../../../clients/cli/run.ts";

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
  /** Standard output as JSON. */
  json(): Record<string, unknown>;
  /** The error as JSON, for commands with `--json`. */
  error(): Record<string, unknown>;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the command runs at a terminal; false by default. */
  readonly attended?: boolean;
  /** Standard input. */
  readonly input?: string;
  /** What the person types when a command asks. */
  readonly answer?: string;
  /** Called for each note, so that a test can act as the person. */
  readonly onNote?: (note: string) => void;
}

export function newHome(): string {
  return join(mkdtempSync(join(tmpdir(), "gte-cli-")), "gte");
}

export async function runHere(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const written = { out: "", notes: "" };
  const code = await run(args, {
    out: (text) => {
      written.out += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    },
    note: (text) => {
      written.notes += `${text}\n`;
      options.onNote?.(text);
    },
    ask: async (question) => {
      written.notes += question;
      return options.answer ?? "";
    },
    input: async () => Buffer.from(options.input ?? ""),
    attended: options.attended ?? false,
    env: options.env ?? {},
  });
  return toResult(code, written.out, written.notes);
}

/** The packed program. */
const mainPath = resolve(import.meta.dirname, "../../../clients/cli/dist/gte.mjs");

export async function runProcess(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [mainPath, ...args], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: tmpdir(),
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      ...options.env,
    },
    stdio: "pipe",
  });
  child.stdin.end(options.input);
  const written = { out: "", notes: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    written.notes += text;
    options.onNote?.(text);
  });
  const code = await new Promise<number>((done) => child.on("close", (ended) => done(ended ?? -1)));
  return toResult(code, written.out, written.notes);
}

function toResult(code: number, out: string, notes: string): CliResult {
  return {
    code,
    out,
    notes,
    json: () => JSON.parse(out) as Record<string, unknown>,
    error: () => JSON.parse(notes.trim().split("\n").at(-1) ?? "") as Record<string, unknown>,
  };
}
