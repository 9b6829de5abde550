/** What every policy command gets and returns. */
import type { Terminal } from "../cli/terminal.ts";
import type { PolicyExit } from "./exit-codes.ts";
import type { PolicyOptions } from "./policy-command-line.ts";

export interface PolicyCommandInput {
  readonly operands: readonly string[];
  readonly options: PolicyOptions;
  readonly terminal: Pick<Terminal, "out" | "note">;
  /** How the person started the program, for example `npm run policy --`. */
  readonly program: string;
}

export type PolicyCommand = (input: PolicyCommandInput) => PolicyExit;
