/** Where results and notes go. Results are the only thing on standard output, so that they paste into a script. */
export interface Terminal {
  /** Standard output: exactly the result. */
  out(text: string | Uint8Array): void;
  /** Standard error: everything for the person in front. */
  note(text: string): void;
  /** A person is there to read and to sign in. */
  readonly attended: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(`${text}\n`),
    attended: process.stdin.isTTY === true && process.stderr.isTTY === true,
    env: process.env,
  };
}
