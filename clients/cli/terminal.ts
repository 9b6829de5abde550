import { createInterface } from "node:readline/promises";

/** Where results and notes go. Standard output contains only the result, so that scripts can use it. */
export interface Terminal {
  /** Writes the result to standard output. */
  out(text: string | Uint8Array): void;
  /** Reads standard input to its end. */
  input(): Promise<Uint8Array>;
  /** Asks the person on standard error, and reads one line of standard input. */
  ask(question: string): Promise<string>;
  /** Writes a message for the person to standard error. */
  note(text: string): void;
  /** Whether a person can read messages and sign in. */
  readonly attended: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    input: readStandardInput,
    ask,
    note: (text) => void process.stderr.write(`${text}\n`),
    attended: process.stdin.isTTY === true && process.stderr.isTTY === true,
    env: process.env,
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}
